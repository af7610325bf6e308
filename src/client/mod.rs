//! A blocking client: connects, reads a log, reconnects.

pub mod connect;
pub mod reader;
pub mod reconnect;
pub mod stream;
pub mod url;

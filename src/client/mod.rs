//! A blocking client: connects, reads a log, reconnects.

pub mod connect;
pub mod reconnect;
pub mod stream;
pub mod url;

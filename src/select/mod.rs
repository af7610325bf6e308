//! Selects the lines of a log that matter. It is pure over bytes and positions: no file, no socket, no clock. The one
//! exception is [`zone::ZoneName::load`], which reads a time zone's data.

pub mod civil;
pub mod stamp;
pub mod when;
pub mod zone;

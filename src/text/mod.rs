//! Bytes to what a person reads. Pure: no file, no socket, no clock.

pub mod ansi;
pub mod lines;
pub mod sanitize;
pub mod utf8;

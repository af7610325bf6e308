//! Turns bytes into text that a person can read: lines, colours, harmless characters. It is pure: no file, no socket, no
//! clock.

pub mod html;
pub mod lines;
pub mod sanitize;
pub mod utf8;
pub mod wide;

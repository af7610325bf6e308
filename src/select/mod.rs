//! Which lines of a log matter. It is pure: no file, no socket, no thread, no clock.

mod level;

pub use level::Level;

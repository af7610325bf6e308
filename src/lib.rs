//! wip
pub mod error; pub mod follow; pub mod protocol; mod shutdown; pub mod text; mod wait;
pub use error::{Error, Result};
pub use shutdown::{Shutdown, Trigger, shutdown};

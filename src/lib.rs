//! wip
pub mod client; pub mod error; pub mod follow; pub mod produce; pub mod protocol; pub mod server; mod shutdown; pub mod text; mod turn; mod wait;
pub use error::{Error, Result};
pub use shutdown::{Shutdown, Trigger, shutdown};

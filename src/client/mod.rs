//! A blocking client: connects to a server, reads a log, and connects again when the connection is lost.
//!
//! [`Reader`] is what most programs want: an iterator of [`LogEvent`](crate::LogEvent)s. [`Stream`] is a single
//! connection without reconnecting. [`list`] asks a server for its logs, [`LiveList`] also reports those that come and go,
//! and [`status`] asks for any of its pages, such as `/-/healthz`. [`LocalFiles`] makes all of this work without a server, for
//! the files of this machine.
//!
//! Nothing here prints, and nothing turns bytes into text: a log may hold anything.

mod authority;
mod connect;
mod date;
mod files;
mod http;
mod live_list;
#[cfg_attr(not(target_os = "linux"), path = "local/absent.rs")]
mod local;
#[cfg_attr(not(target_os = "linux"), path = "local_path/absent.rs")]
mod local_path;
mod matches;
mod past_logs;
mod paths;
mod pattern;
mod reader;
mod reconnect;
mod stream;
mod trust;
mod url;
mod wire;

pub use self::connect::status;
pub use self::files::{LogFile, LogList, list};
pub use self::live_list::{LiveList, LogChange};
pub use self::local::LocalFiles;
pub use self::pattern::LogPattern;
pub use self::reader::Reader;
pub use self::stream::{Received, Stream};
pub use self::trust::Trust;
pub use self::url::Url;

use crate::protocol::token::Token;

/// How a client connects: the token it sends and the certificates it trusts.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = wstail::ClientConfig::default();
/// config.token = Some(std::env::var("WSTAIL_TOKEN")?.parse()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The bearer token to send. Default: none.
    pub token: Option<Token>,
    /// The certificates to trust over `wss://` and `https://`. Default: those the system trusts.
    pub trust: Trust,
}

//! A blocking client: connects, reads a log, reconnects.

pub mod connect;
mod http;
pub mod reader;
pub mod reconnect;
pub mod stream;
pub mod trust;
pub mod url;
mod wire;

use self::trust::Trust;
use crate::protocol::token::Token;

/// How a client connects.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What it shows to a server that asks for a token. Default: none.
    pub token: Option<Token>,
    /// Whose certificates it trusts. Default: those the system trusts.
    pub trust: Trust,
}

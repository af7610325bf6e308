//! What all connections of a server share. It is assembled when the server is bound, and does nothing itself.

use std::sync::Arc;

use super::config::ServerConfig;
use super::listing::Lists;
use super::report::Reports;
use super::request::access::Access;
use super::request::base::Base;
use super::scans::Scans;
use crate::follow::root::Roots;
use crate::select::zone::Zone;
use crate::tls::Acceptor;
use crate::wake::watcher::Watcher;

#[derive(Debug)]
pub(super) struct Shared {
    pub config: ServerConfig,
    pub access: Access,
    /// `None` when the server speaks plain HTTP.
    pub acceptor: Option<Acceptor>,
    pub base: Base,
    pub roots: Arc<Roots>,
    /// `None` when files are polled.
    pub watcher: Option<Arc<Watcher>>,
    pub reports: Reports,
    pub lists: Lists,
    pub scans: Arc<Scans>,
    /// Of times that name no zone.
    pub zone: Arc<Zone>,
}

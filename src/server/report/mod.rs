//! What the server reports about itself: metrics, and lines in its own log. Nothing here knows clients or followed
//! logs.

mod exposition;
pub(in crate::server) mod metrics;
mod process;
pub(in crate::server) mod rate_limited_log;

use std::sync::Arc;

use self::metrics::Metrics;
use self::rate_limited_log::RateLimitedLog;

/// Where everything is reported.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct Reports {
    pub metrics: Arc<Metrics>,
    pub own_log: Arc<RateLimitedLog>,
}

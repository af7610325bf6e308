//! Requests that are answered without a stream: pages, the list of logs, metrics, the text of a log.

#![allow(clippy::module_inception)]

// The list of logs: what can be opened, by the path it is listed under.
mod files;
// Requests that are answered without a stream, and the text answer.
mod http;
// Concurrent requests for the list of logs, and their parameters.
mod listing;
// `/-/metrics` counts what happened, in a format that Prometheus accepts.
mod metrics;
// The page and its parts as an HTTP client sees them.
mod page;
// The page in a browser, driven with Selenium. Each part has a script of its own in `tests/viewer/`.
mod viewer;

//! A log through its life, as a client sees it: rotation, truncation, watching, what it costs.

// Rotated files that are compressed.
#[cfg(feature = "gz")]
mod compressed;
// Logs whose files have dates in their names.
mod dated;
// How many files of a log a follower holds open, at rest and during a rotation.
mod descriptors;
// Debian's logrotate with a writer that does not stop.
mod logrotate;
// The log's bytes through rotation and truncation, as plain WebSocket clients get them.
mod plain_streams;
// Rotation and truncation as events of `wstail.v1`.
mod rotation;
// Roots whose paths lead elsewhere by now, for new clients and for followers.
mod roots;
// Notifications from the kernel instead of polling.
mod watch;

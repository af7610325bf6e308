//! A log through its life, as a client sees it: rotation, truncation, watching, what it costs.

#![allow(clippy::module_inception)]

// How many files of a log a follower holds open, at rest and during a rotation.
mod descriptors;
// A log through its life, seen by a client.
mod follow;
// Debian's logrotate with a writer that does not stop.
mod logrotate;
// Rotation and truncation as events of `wstail.v1`.
mod rotation;
// Notifications from the kernel instead of polling.
mod watch;

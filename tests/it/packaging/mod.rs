//! The program as a service and on other machines.

// The library's examples.
mod examples;
// Start, shutdown, and what remains after clients disconnect.
mod lifecycle;
// Service managers and shells: readiness, and ignored signals.
mod manager;
// Archives and packages for Debian and Fedora: their files, and how they are installed and removed.
mod packages;
// Builds for other systems.
mod portable;
// The man page and the completions in `contrib/`.
mod shells;
// The unit in `contrib/`, checked by systemd-analyze.
mod service;
// The client on Windows, run by Wine.
mod windows;

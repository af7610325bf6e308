//! The program from outside: the real binary, real sockets, real files.

mod access;
mod before;
mod bulk;
mod codes;
mod complaints;
mod cursor;
mod demo;
mod descriptors;
mod events;
mod files;
mod follow;
#[cfg(feature = "tls")]
mod foreign;
mod heartbeat;
mod history;
mod hostile;
mod http;
mod lifecycle;
mod limits;
mod log;
mod logrotate;
mod message;
mod metrics;
mod model;
mod page;
mod portable;
mod produce;
mod proxy;
mod python;
mod random;
mod resume;
mod rotation;
mod service;
mod siege;
mod tail;
#[cfg(feature = "tls")]
mod tls;
mod unfinished;
mod usage;
mod util;
mod viewer;
mod violence;
mod watch;

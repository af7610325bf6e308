//! The program from outside: the real binary, real sockets, real files.

mod access;
mod bulk;
mod demo;
mod descriptors;
mod events;
mod follow;
mod heartbeat;
mod history;
mod hostile;
mod http;
mod lifecycle;
mod limits;
mod logrotate;
mod message;
mod metrics;
mod model;
mod produce;
mod proxy;
mod python;
mod random;
mod resume;
mod tail;
mod usage;
mod util;
mod violence;
mod watch;

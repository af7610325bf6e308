//! Tests of the program from outside: the real binary, real sockets, real files.

// The program as its user sees it: options, output, reconnecting, the demo.
mod client;
// What the documentation says: its commands, links, tables and messages.
mod docs;
// A log through its life, as a client sees it: rotation, truncation, watching, what it costs.
mod follow;
// Requests that are answered without a stream: pages, the list of logs, metrics, the text of a log.
mod http;
// The program as a service and on other machines.
mod packaging;
// Access control, and what hostile or broken clients and a lack of resources can do.
mod security;
// Filters: which lines of a log are sent, over every protocol, and where such streams are resumed.
mod select;
// Streams: messages, events, cursors, heartbeats, closes.
mod stream;
// Building blocks of the tests: logs, servers, clients, a faulty proxy, seeded random numbers.
mod support;
// Random histories of a log against the real server, and an oracle that knows every line.
mod history;
// What people, tools and file systems do to the directory of a log, taken from bug reports of other followers.
mod real_world;
// Random histories of a log against an oracle that knows every byte, and which bytes were destroyed.
mod turns;

//! The program as its user sees it: options, output, reconnecting, the demo.

// `tail --cursor-file`: it leaves other files alone, and only one run at a time can use it.
mod cursor_file;
// `wstail demo` leaves nothing behind.
mod demo;
// Options set by environment variables.
mod environment;
// What `tail` requests for the options of a filter, and what it makes of the events of a filtered stream.
mod filter_requests;
// `tail` with a filter, against a server that applies it.
mod filters;
// How `tail` prints difficult lines: very long ones, beside other logs and as JSON, and bytes that are not text.
mod lines;
// `tail` with a pattern: logs that are new, deleted, missing for a moment, or too many.
mod listed;
// `tail` with paths of this machine: what is done to them, how they are named, and that no server is needed.
mod local;
// `wstail ls`, and `tail` with only a host.
mod ls;
// `tail --merge`: entries of several logs in the order of their times.
mod merge;
// The demo's log writer, and the server that follows it at full speed.
mod produce;
// Clients, servers and loggers written by others.
mod python;
// The events that the library's reader yields.
mod reader;
// `tail` resumes: cursors in files and on the command line, lost connections, and reported losses.
mod resume;
// What `tail` retries, when, with which notices, and what ends it.
mod retry;
// `wstail produce --rotate-name`.
mod rotate_name;
// `tail` with several logs: patterns, logs that come and go, prefixes, limits.
mod several;
// `wstail tail` as its user sees it.
mod tail;
// Unfinished lines where `tail` works line by line: beside other logs, as JSON, and with `--verify`.
mod unfinished;
// Options, help and exit codes.
mod usage;
// `tail` with a range of times.
mod times;

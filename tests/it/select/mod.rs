// Bad patterns are refused.
mod refusals;
// Which lines come, over every protocol.
mod filters;
// Cursors of filtered streams, and where such streams are resumed.
mod cursors;
// Rotation, truncation and unfinished lines.
mod life;
// Random logs, cuts, rotations and restarts against an oracle.
mod model;
// Long searches: progress, turns, ends.
mod searches;
// Ranges of times, time zones, and rotated files.
mod history;
mod times;

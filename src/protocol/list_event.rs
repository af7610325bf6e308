//! The events of a live list of logs: what a server sends on `/-/files` over `wstail.v1`. It sends and receives nothing.

use std::fmt;

use serde_json::{Value, json};

use super::cursor::Cursor;

/// A text message of a live list. `Display` is the message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ListEvent {
    /// There is such a log. Before [`ListEvent::Listed`] it was there at the beginning; after it, it is new.
    File {
        /// Its path, as in a list.
        path: String,
        /// Its size in bytes.
        size: u64,
        /// When it was last written to, in seconds since 1970-01-01 00:00 UTC.
        modified: u64,
        /// If it is new: the place before its first byte, also if it was rotated since.
        cursor: Option<Cursor>,
    },
    /// All logs that were there at the beginning have been sent. It comes once.
    Listed {
        /// The server has more logs than it lists.
        is_cut: bool,
        /// Seconds between two heartbeats.
        heartbeat: f64,
    },
    /// There is no such log any more.
    Gone {
        /// Its path.
        path: String,
    },
    /// The server is alive.
    Alive,
    /// The server is about to close the list.
    End {
        /// The reason, for people.
        reason: String,
    },
}

impl ListEvent {
    /// Parses a message. `None` when it is not an event that this version knows: a client ignores those.
    pub fn parse(text: &str) -> Option<ListEvent> {
        let fields: Value = serde_json::from_str(text).ok()?;
        let word = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| fields.get(name).and_then(Value::as_u64);
        Some(match fields.get("event")?.as_str()? {
            "file" => ListEvent::File {
                path: word("path")?,
                size: number("size").unwrap_or_default(),
                modified: number("modified").unwrap_or_default(),
                cursor: word("cursor").and_then(|cursor| cursor.parse().ok()),
            },
            "listed" => ListEvent::Listed {
                is_cut: fields.get("cut").and_then(Value::as_bool).unwrap_or_default(),
                heartbeat: fields.get("heartbeat").and_then(Value::as_f64).unwrap_or_default(),
            },
            "gone" => ListEvent::Gone { path: word("path")? },
            "alive" => ListEvent::Alive,
            "end" => ListEvent::End { reason: word("reason").unwrap_or_default() },
            _ => return None,
        })
    }
}

/// The message: one JSON object.
impl fmt::Display for ListEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match self {
            ListEvent::File { path, size, modified, cursor: None } => {
                json!({"event": "file", "path": path, "size": size, "modified": modified})
            }
            ListEvent::File { path, size, modified, cursor: Some(cursor) } => {
                let cursor = cursor.as_str();
                json!({"event": "file", "path": path, "size": size, "modified": modified, "cursor": cursor})
            }
            ListEvent::Listed { is_cut: true, heartbeat } => {
                json!({"event": "listed", "heartbeat": heartbeat, "cut": true})
            }
            ListEvent::Listed { heartbeat, .. } => json!({"event": "listed", "heartbeat": heartbeat}),
            ListEvent::Gone { path } => json!({"event": "gone", "path": path}),
            ListEvent::Alive => json!({"event": "alive"}),
            ListEvent::End { reason } => json!({"event": "end", "reason": reason}),
        };
        write!(f, "{message}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_was_written() {
        for event in [
            ListEvent::File { path: "a \"b\"/水.log".into(), size: 7, modified: 1_795_397_547, cursor: None },
            ListEvent::File { path: "a".into(), size: 0, modified: 0, cursor: "ab-c".parse().ok() },
            ListEvent::Listed { is_cut: false, heartbeat: 0.5 },
            ListEvent::Listed { is_cut: true, heartbeat: 10.0 },
            ListEvent::Gone { path: "app.log".into() },
            ListEvent::Alive,
            ListEvent::End { reason: "server is going away".into() },
        ] {
            assert_eq!(ListEvent::parse(&event.to_string()), Some(event));
        }
    }

    #[test]
    fn what_is_unknown_is_ignored() {
        for text in ["", "ping", "[]", "{}", r#"{"event":"new"}"#, r#"{"event":1}"#, r#"{"event":"gone"}"#] {
            assert_eq!(ListEvent::parse(text), None, "{text}");
        }
        let more = r#"{"event":"file","path":"a","size":1,"modified":2,"cursor":"not one","more":[1]}"#;
        assert!(matches!(ListEvent::parse(more), Some(ListEvent::File { size: 1, modified: 2, cursor: None, .. })));
    }
}

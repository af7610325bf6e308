//! The events of `wstail.v1`: what a stream says of its log beside the log's bytes.

use std::fmt::{self, Write};
use std::str::FromStr;

use serde_json::Value;

use super::cursor::Cursor;

/// The subprotocol that has events.
pub const SUBPROTOCOL: &str = "wstail.v1";

/// One text message of a `wstail.v1` stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The first of a stream.
    Open {
        /// The log's path as the server understood it.
        path: String,
        /// The log's size in bytes.
        size: u64,
        /// Seconds between two heartbeats.
        heartbeat: f64,
        /// Where the first byte comes from.
        cursor: Cursor,
    },
    /// Everything up to here has come.
    Cursor(Cursor),
    /// The old file is read to its end; what follows is the next file's.
    Rotated(Cursor),
    /// What follows is from the start of the shrunk file.
    Truncated(Cursor),
    /// Bytes are missing here.
    Gap {
        /// Why.
        reason: Missing,
        /// How many, if that is known.
        bytes: Option<u64>,
        /// Where it goes on.
        cursor: Cursor,
    },
    /// The log is gone or cannot be read; the server keeps looking.
    Waiting {
        /// What is the matter, for people.
        reason: String,
    },
    /// The server is about to close the stream.
    End {
        /// Why, for people.
        reason: String,
    },
}

/// Why bytes are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The log was truncated, and no copy of what it held was found.
    Truncated,
    /// The log was deleted and begun anew, or a rotated file grew after it was left.
    Replaced,
    /// Rotated files were deleted before they were read, or may not be read.
    Expired,
    /// A cursor's place is not to be found.
    Cursor,
}

impl Missing {
    pub(crate) const ALL: [Missing; 4] = [Missing::Truncated, Missing::Replaced, Missing::Expired, Missing::Cursor];

    /// The word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Missing::Truncated => "truncated",
            Missing::Replaced => "replaced",
            Missing::Expired => "expired",
            Missing::Cursor => "cursor",
        }
    }
}

impl FromStr for Missing {
    type Err = String;

    fn from_str(text: &str) -> Result<Missing, String> {
        let found = Missing::ALL.into_iter().find(|missing| missing.word() == text);
        found.ok_or_else(|| "expected truncated, replaced, expired or cursor".to_owned())
    }
}

impl Event {
    /// Reads a message; `None` when it is none of the events that are known here, and is to be ignored.
    pub fn parse(text: &str) -> Option<Event> {
        let fields: Value = serde_json::from_str(text).ok()?;
        let word = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let cursor = || word("cursor").and_then(|cursor| cursor.parse().ok());
        let reason = || word("reason").unwrap_or_default();
        let number = |name: &str| fields.get(name).and_then(Value::as_u64);
        Some(match fields.get("event")?.as_str()? {
            "open" => Event::Open {
                path: word("path")?,
                size: number("size").unwrap_or_default(),
                heartbeat: fields.get("heartbeat").and_then(Value::as_f64)?,
                cursor: cursor()?,
            },
            "cursor" => Event::Cursor(cursor()?),
            "rotated" => Event::Rotated(cursor()?),
            "truncated" => Event::Truncated(cursor()?),
            // A reason that is not known here is still a gap.
            "gap" => Event::Gap {
                reason: reason().parse().unwrap_or(Missing::Cursor),
                bytes: number("bytes"),
                cursor: cursor()?,
            },
            "waiting" => Event::Waiting { reason: reason() },
            "end" => Event::End { reason: reason() },
            _ => return None,
        })
    }

    /// The cursor it bears.
    pub fn cursor(&self) -> Option<&Cursor> {
        match self {
            Event::Open { cursor, .. } | Event::Gap { cursor, .. } => Some(cursor),
            Event::Cursor(cursor) | Event::Rotated(cursor) | Event::Truncated(cursor) => Some(cursor),
            Event::Waiting { .. } | Event::End { .. } => None,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Event::Open { .. } => "open",
            Event::Cursor(_) => "cursor",
            Event::Rotated(_) => "rotated",
            Event::Truncated(_) => "truncated",
            Event::Gap { .. } => "gap",
            Event::Waiting { .. } => "waiting",
            Event::End { .. } => "end",
        }
    }
}

/// The message: one JSON object.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| Value::from(text).to_string();
        let mut fields = String::new();
        match self {
            Event::Open { path, size, heartbeat, .. } => {
                let heartbeat = number(*heartbeat);
                write!(fields, r#","path":{},"size":{size},"heartbeat":{heartbeat}"#, quoted(path))?;
            }
            Event::Gap { reason, bytes, .. } => {
                let bytes = Value::from(*bytes);
                write!(fields, r#","reason":"{}","bytes":{bytes}"#, reason.word())?;
            }
            Event::Waiting { reason } | Event::End { reason } => write!(fields, r#","reason":{}"#, quoted(reason))?,
            Event::Cursor(_) | Event::Rotated(_) | Event::Truncated(_) => {}
        }
        if let Some(cursor) = self.cursor() {
            write!(fields, r#","cursor":"{cursor}""#)?;
        }
        write!(f, r#"{{"event":"{}"{fields}}}"#, self.name())
    }
}

/// A whole number without a point. The standard library would write it so, too, with 1.5 KB of the stack, which every
/// thread of a server would then hold.
fn number(value: f64) -> Value {
    let whole = value as i64;
    if whole as f64 == value { Value::from(whole) } else { Value::from(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let cursor = || "abc".parse().unwrap();
        let mut events = vec![
            Event::Open { path: "a \"b\"\n".into(), size: 7, heartbeat: 0.5, cursor: cursor() },
            Event::Cursor(cursor()),
            Event::Rotated(cursor()),
            Event::Truncated(cursor()),
            Event::Waiting { reason: "the log is gone".into() },
            Event::End { reason: "server is going away".into() },
        ];
        for reason in Missing::ALL {
            events.extend([None, Some(5)].map(|bytes| Event::Gap { reason, bytes, cursor: cursor() }));
        }
        for event in events {
            assert_eq!(Event::parse(&event.to_string()), Some(event));
        }
    }

    #[test]
    fn an_event_is_one_flat_object() {
        let gap = Event::Gap { reason: Missing::Truncated, bytes: None, cursor: "c".parse().unwrap() };
        assert_eq!(gap.to_string(), r#"{"event":"gap","reason":"truncated","bytes":null,"cursor":"c"}"#);
        let open = Event::Open { path: "app.log".into(), size: 1, heartbeat: 10.0, cursor: "c".parse().unwrap() };
        assert_eq!(open.to_string(), r#"{"event":"open","path":"app.log","size":1,"heartbeat":10,"cursor":"c"}"#);
    }

    #[test]
    fn what_is_unknown_is_ignored() {
        for text in ["", "ping", "[]", "{}", r#"{"event":"new"}"#, r#"{"event":1}"#, r#"{"event":"cursor"}"#] {
            assert_eq!(Event::parse(text), None, "{text}");
        }
        let more = r#"{"event":"end","reason":"x","more":{"a":[1]}}"#;
        assert_eq!(Event::parse(more), Some(Event::End { reason: "x".into() }));
        let gap = r#"{"event":"gap","reason":"new","bytes":3,"cursor":"c"}"#;
        assert!(matches!(Event::parse(gap), Some(Event::Gap { bytes: Some(3), .. })));
    }
}

//! The events of `wstail.v1`: what a stream reports about its log, apart from the log's bytes. It sends and receives nothing.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use super::cursor::Cursor;

/// The WebSocket subprotocol whose streams have events.
pub const SUBPROTOCOL: &str = "wstail.v1";

/// The reason of [`Event::Waiting`] for a log that has no file for now. The last one that it had was sent to its end.
pub const GONE: &str = "the log is gone; waiting for it to return";

/// A text message of a `wstail.v1` stream; the log's bytes are its binary messages. `Display` is the message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The first event of a stream.
    Open {
        /// The log's path as the server understood it.
        path: String,
        /// The log's size in bytes when the stream was opened.
        size: u64,
        /// Seconds between two heartbeats.
        heartbeat: f64,
        /// The place of the first byte that follows.
        cursor: Cursor,
        /// The requested times, as the server understands them.
        times: OpenTimes,
    },
    /// All bytes before this place were sent.
    Cursor(Cursor),
    /// The old file was sent to its end; the bytes that follow are from the start of the next file, at this place.
    Rotated(Cursor),
    /// The log was truncated; the bytes that follow are from its start, at this place.
    Truncated(Cursor),
    /// Bytes are missing here.
    Gap {
        /// Why.
        reason: Missing,
        /// How many; `None` when the server does not know.
        bytes: Option<u64>,
        /// The place of the byte that follows.
        cursor: Cursor,
    },
    /// How far the search through the bytes that were there at the beginning has come. It may come before `open`.
    Progress {
        /// How many bytes were searched.
        bytes: u64,
        /// How many there were at the beginning; `None` if that is not known.
        total: Option<u64>,
        /// How many lines have matched so far.
        matches: u64,
        /// The search is over.
        done: bool,
    },
    /// With context: so many bytes of the log lie between the lines before and the lines after this.
    Skip {
        /// How many.
        bytes: u64,
    },
    /// The server is alive: sent when it has sent nothing else for a heartbeat, for clients that cannot see Ping frames.
    Alive,
    /// The log is gone or cannot be read; the server keeps trying.
    Waiting {
        /// What is wrong, for people.
        reason: String,
    },
    /// The server is about to close the stream.
    End {
        /// The reason, for people.
        reason: String,
    },
}

/// How the server understands the times of a request and of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenTimes {
    /// The time that `since` means, as RFC 3339 has it; `None` if it was not requested.
    pub since: Option<String>,
    /// The time that `until` means, likewise.
    pub until: Option<String>,
    /// What times without a zone mean: the value of `zone`, or the server's. `None` from servers that do not report it.
    pub zone: Option<String>,
}

/// Why bytes are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The log was truncated, and no copy of the unread part was found.
    Truncated,
    /// The log was deleted and created again, or a rotated file grew after the follower had left it.
    Replaced,
    /// Rotated files were deleted before they were read, or cannot be read; or a compressed one lacks what was read last.
    Expired,
    /// The place of the cursor could not be found.
    Cursor,
    /// The rest of a compressed file cannot be read, because it is damaged.
    Damaged,
}

impl Missing {
    pub(crate) const ALL: [Missing; 5] =
        [Missing::Truncated, Missing::Replaced, Missing::Expired, Missing::Cursor, Missing::Damaged];

    /// Its name in the protocol: `truncated`, `replaced`, `expired`, `cursor` or `damaged`.
    pub fn word(self) -> &'static str {
        match self {
            Missing::Truncated => "truncated",
            Missing::Replaced => "replaced",
            Missing::Expired => "expired",
            Missing::Cursor => "cursor",
            Missing::Damaged => "damaged",
        }
    }
}

impl FromStr for Missing {
    type Err = String;

    fn from_str(text: &str) -> Result<Missing, String> {
        let found = Missing::ALL.into_iter().find(|missing| missing.word() == text);
        found.ok_or_else(|| "expected truncated, replaced, expired, cursor or damaged".to_owned())
    }
}

impl Event {
    /// Parses a message. `None` when it is not an event that this version knows: a client ignores those.
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
                times: OpenTimes { since: word("since"), until: word("until"), zone: word("zone") },
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
            "progress" => Event::Progress {
                bytes: number("bytes")?,
                total: number("total"),
                matches: number("matches").unwrap_or_default(),
                done: fields.get("done").and_then(Value::as_bool).unwrap_or_default(),
            },
            "skip" => Event::Skip { bytes: number("bytes")? },
            "alive" => Event::Alive,
            "waiting" => Event::Waiting { reason: reason() },
            "end" => Event::End { reason: reason() },
            _ => return None,
        })
    }

    /// The cursor that it carries, if any.
    pub fn cursor(&self) -> Option<&Cursor> {
        match self {
            Event::Open { cursor, .. } | Event::Gap { cursor, .. } => Some(cursor),
            Event::Cursor(cursor) | Event::Rotated(cursor) | Event::Truncated(cursor) => Some(cursor),
            Event::Progress { .. } | Event::Skip { .. } => None,
            Event::Alive | Event::Waiting { .. } | Event::End { .. } => None,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Event::Open { .. } => "open",
            Event::Cursor(_) => "cursor",
            Event::Rotated(_) => "rotated",
            Event::Truncated(_) => "truncated",
            Event::Gap { .. } => "gap",
            Event::Progress { .. } => "progress",
            Event::Skip { .. } => "skip",
            Event::Alive => "alive",
            Event::Waiting { .. } => "waiting",
            Event::End { .. } => "end",
        }
    }
}

/// The fields of a message, in the order in which they are written. A field that an event does not have is left out.
#[derive(Default, Serialize)]
struct Message<'e> {
    event: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'e str>,
    /// `Some(None)` is written as `null`: a gap of unknown size.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matches: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'e str>,
}

/// The message: one JSON object.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut message = Message { event: self.name(), ..Message::default() };
        message.cursor = self.cursor().map(Cursor::as_str);
        match self {
            Event::Open { path, size, heartbeat, times, .. } => {
                message.path = Some(path);
                message.size = Some(*size);
                message.heartbeat = Some(number(*heartbeat));
                message.since = times.since.as_deref();
                message.until = times.until.as_deref();
                message.zone = times.zone.as_deref();
            }
            Event::Gap { reason, bytes, .. } => (message.reason, message.bytes) = (Some(reason.word()), Some(*bytes)),
            Event::Progress { bytes, total, matches, done } => {
                (message.bytes, message.total) = (Some(Some(*bytes)), Some(*total));
                (message.matches, message.done) = (Some(*matches), Some(*done));
            }
            Event::Skip { bytes } => message.bytes = Some(Some(*bytes)),
            Event::Waiting { reason } | Event::End { reason } => message.reason = Some(reason),
            Event::Cursor(_) | Event::Rotated(_) | Event::Truncated(_) | Event::Alive => {}
        }
        f.write_str(&serde_json::to_string(&message).map_err(|_| fmt::Error)?)
    }
}

/// Writes a whole number without a decimal point. The standard library would do so, too, but with 1.5 KB of stack, which
/// every thread of a server would then keep.
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
            Event::Open {
                path: "a \"b\"\n".into(),
                size: 7,
                heartbeat: 0.5,
                cursor: cursor(),
                times: OpenTimes { since: Some("2026-11-23T01:32:27Z".into()), ..OpenTimes::default() },
            },
            Event::Cursor(cursor()),
            Event::Rotated(cursor()),
            Event::Truncated(cursor()),
            Event::Progress { bytes: 1, total: None, matches: 2, done: false },
            Event::Progress { bytes: 1, total: Some(3), matches: 0, done: true },
            Event::Skip { bytes: 7 },
            Event::Alive,
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
        let open = |times| {
            let (path, cursor) = ("app.log".into(), "c".parse().unwrap());
            Event::Open { path, size: 1, heartbeat: 10.0, cursor, times }.to_string()
        };
        assert_eq!(
            open(OpenTimes::default()),
            r#"{"event":"open","path":"app.log","size":1,"heartbeat":10,"cursor":"c"}"#
        );
        assert_eq!(
            open(OpenTimes { zone: Some("UTC".into()), ..OpenTimes::default() }),
            r#"{"event":"open","path":"app.log","size":1,"heartbeat":10,"zone":"UTC","cursor":"c"}"#
        );
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

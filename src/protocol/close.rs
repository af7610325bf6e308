//! Why a stream ended: the close codes and the reasons that go with them. It sends nothing.

use std::borrow::Cow;
use std::time::Duration;

/// The stream is complete: the log was read to its end, as the client requested.
pub const END: u16 = 1000;
/// The server is shutting down; connect again later.
pub const GOING_AWAY: u16 = 1001;
/// The client broke the WebSocket protocol.
pub const PROTOCOL: u16 = 1002;
/// The client sent a text message that is not UTF-8.
pub const NOT_UTF8: u16 = 1007;
/// The client sent a message of more than 4 KiB.
pub const TOO_BIG: u16 = 1009;
/// The client did not answer a heartbeat within the heartbeat timeout.
pub const HEARTBEAT: u16 = 4408;
/// The client took no byte for as long as the stall timeout.
pub const STALLED: u16 = 4410;
/// A range of times was requested, but no times are recognised in the log.
pub const NO_TIMES: u16 = 4422;
/// The log could not be read for one minute.
pub const UNREADABLE: u16 = 4500;

/// The maximum length of the reason in a close frame, in bytes.
pub const MAX_REASON: usize = 123;

/// A close code and a reason that a person can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// One of this module's constants.
    pub code: u16,
    /// A sentence for people, at most [`MAX_REASON`] bytes.
    pub reason: Cow<'static, str>,
}

impl Close {
    /// A close with that code. A reason longer than [`MAX_REASON`] is cut between two characters.
    pub fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Close {
        let mut reason = reason.into();
        if reason.len() > MAX_REASON {
            let end = (0..=MAX_REASON).rev().find(|&end| reason.is_char_boundary(end)).unwrap_or(0);
            reason = reason[..end].to_owned().into();
        }
        Close { code, reason }
    }

    pub(crate) fn no_pong(timeout: Duration) -> Close {
        Close::new(HEARTBEAT, format!("no pong within {}s", timeout.as_secs_f64()))
    }

    pub(crate) fn stalled(timeout: Duration) -> Close {
        Close::new(STALLED, format!("no data accepted for {}s", timeout.as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_a_frame_and_cuts_no_character() {
        let close = Close::new(UNREADABLE, "ü".repeat(100));
        assert_eq!(close.reason.len(), 122);
    }

    #[test]
    fn durations_read_as_a_person_writes_them() {
        assert_eq!(Close::no_pong(Duration::from_secs(5)).reason, "no pong within 5s");
        assert_eq!(Close::no_pong(Duration::from_millis(500)).reason, "no pong within 0.5s");
    }
}

//! The crate's error type.
//! A message names the operation, the object and the cause. Callers branch on small predicates.

use std::fmt;
use std::io;
use std::time::Duration;

use tungstenite::Error as WsError;
use tungstenite::error::ProtocolError;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed. `Display` is one line for people: ``cannot open `app.log`: permission denied``. Programs use the
/// predicates; [`source`](std::error::Error::source) is the cause where that is an error of its own.
pub struct Error {
    kind: Box<Kind>,
}

enum Kind {
    Io { what: String, cause: io::Error },
    Usage { message: String },
    Timeout { message: String },
    Failed { message: String },
    Untrusted { what: String, reason: String },
    Refused { what: String, status: u16, reason: String, retry_after: Option<Duration>, is_local: bool },
    Protocol { what: String, cause: WsError },
    Closed { what: String, code: u16, reason: String },
}

impl Error {
    /// The system refused an operation; `what` names it and its object: ``cannot open `app.log` ``.
    pub fn io(what: impl Into<String>, cause: io::Error) -> Error {
        Kind::Io { what: what.into(), cause }.into()
    }

    /// The request itself is wrong.
    pub fn usage(message: impl Into<String>) -> Error {
        Kind::Usage { message: message.into() }.into()
    }

    /// An operation failed; the message names operation, object and cause.
    pub fn failed(message: impl Into<String>) -> Error {
        Kind::Failed { message: message.into() }.into()
    }

    pub(crate) fn timeout(message: impl Into<String>) -> Error {
        Kind::Timeout { message: message.into() }.into()
    }

    /// The server's certificate does not prove that it is the intended server.
    #[cfg_attr(not(feature = "tls"), expect(dead_code))]
    pub(crate) fn untrusted(what: impl Into<String>, reason: &str) -> Error {
        Kind::Untrusted { what: what.into(), reason: reason.to_owned() }.into()
    }

    /// `retry_after` is the pause the server asks for before the next attempt.
    pub(crate) fn refused(
        what: impl Into<String>,
        status: u16,
        reason: String,
        retry_after: Option<Duration>,
    ) -> Error {
        Kind::Refused { what: what.into(), status, reason, retry_after, is_local: false }.into()
    }

    /// There is no server: its statuses and close codes are not shown.
    pub(crate) fn of_local(mut self) -> Error {
        match &mut *self.kind {
            Kind::Refused { is_local, .. } => *is_local = true,
            Kind::Closed { what, reason, .. } => return Error::failed(format!("{what}: {reason}")),
            _ => {}
        }
        self
    }

    pub(crate) fn closed(what: impl Into<String>, code: u16, reason: &str) -> Error {
        Kind::Closed { what: what.into(), code, reason: reason.to_owned() }.into()
    }

    pub(crate) fn protocol(what: impl Into<String>, cause: WsError) -> Error {
        match cause {
            WsError::Io(cause) => Error::io(what, cause),
            cause => Kind::Protocol { what: what.into(), cause }.into(),
        }
    }

    /// The request itself was wrong: an option, a value, a root that does not exist. Trying again will not help.
    pub fn is_usage(&self) -> bool {
        matches!(*self.kind, Kind::Usage { .. })
    }

    /// Something took longer than allowed: connecting, a handshake, or a heartbeat.
    pub fn is_timeout(&self) -> bool {
        match &*self.kind {
            Kind::Timeout { .. } => true,
            Kind::Io { cause, .. } => cause.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }

    /// The server's certificate was not trusted.
    pub fn is_untrusted(&self) -> bool {
        matches!(*self.kind, Kind::Untrusted { .. })
    }

    /// The HTTP status with which a server refused the request; `None` when the error is another one. A log without times
    /// is 422 also where the server closes the stream with 4422.
    pub fn status(&self) -> Option<u16> {
        match *self.kind {
            Kind::Refused { status, .. } => Some(status),
            _ => None,
        }
    }

    /// How long the server that refused the request asks to wait before the next try, by its header field `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        match *self.kind {
            Kind::Refused { retry_after, .. } => retry_after,
            _ => None,
        }
    }

    /// The kind of the operating system's error, where that was the cause.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match &*self.kind {
            Kind::Io { cause, .. } => Some(cause.kind()),
            _ => None,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        Error { kind: Box::new(kind) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.kind {
            Kind::Io { what, cause: error } => write!(f, "{what}: {}", cause(error)),
            Kind::Usage { message } | Kind::Timeout { message } | Kind::Failed { message } => f.write_str(message),
            Kind::Untrusted { what, reason } => write!(f, "{what}: the certificate is not trusted: {reason}"),
            Kind::Refused { what, reason, is_local: true, .. } => write!(f, "{what}: {reason}"),
            Kind::Refused { what, status, .. } if *status < 300 => {
                write!(f, "{what}: the server answered without a stream (status {status})")
            }
            Kind::Refused { what, status, reason, .. } if reason.is_empty() => write!(f, "{what}: status {status}"),
            Kind::Refused { what, status, reason, .. } => write!(f, "{what}: {reason} (status {status})"),
            Kind::Protocol { what, cause: WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) } => {
                write!(f, "{what}: the connection was cut off")
            }
            Kind::Protocol { what, cause: WsError::Protocol(fault) } => {
                write!(f, "{what}: {}", lower(&fault.to_string()))
            }
            Kind::Protocol { what, cause } => write!(f, "{what}: {}", lower(&cause.to_string())),
            Kind::Closed { what, code, reason } if reason.is_empty() => write!(f, "{what}: closed with {code}"),
            Kind::Closed { what, code, reason } => write!(f, "{what}: {reason} (closed with {code})"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.kind {
            Kind::Io { cause, .. } => Some(cause),
            Kind::Protocol { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

/// An I/O error as the end of a sentence: lower case, without its number.
pub(crate) fn cause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => return "address in use (see --port)".to_owned(),
        io::ErrorKind::ConnectionRefused => return "connection refused (is `wstail serve` running there?)".to_owned(),
        _ => {}
    }
    let text = error.to_string();
    // The standard library's message for a failed lookup, followed by that of the C library.
    if text.starts_with("failed to lookup address information") {
        return "unknown host name".to_owned();
    }
    let text = text.rfind(" (os error ").map_or(&text[..], |end| &text[..end]);
    lower(text)
}

fn lower(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    let is_name = word.chars().skip(1).any(char::is_uppercase);
    match text.chars().next() {
        Some(first) if first.is_uppercase() && !is_name => first.to_lowercase().chain(text.chars().skip(1)).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_operation_object_and_cause() {
        let missing = io::Error::from_raw_os_error(2);
        let error = Error::io("cannot open `app.log`", missing);
        assert_eq!(error.to_string(), "cannot open `app.log`: no such file or directory");
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn an_abbreviation_keeps_its_capitals() {
        assert_eq!(lower("HTTP error"), "HTTP error");
        assert_eq!(lower("WebSocket error"), "WebSocket error");
        assert_eq!(lower("Permission denied"), "permission denied");
    }
}

//! The words of a command line: options and operands, as text that argh takes.

use std::ffi::OsString;

use super::schema::Flag;

/// An option or an operand of a command.
#[derive(Debug)]
pub(super) enum Word {
    Option { flag: &'static Flag, typed: String, value: Option<String> },
    Operand(String),
}

impl Word {
    pub(super) fn is(&self, long: &str) -> bool {
        matches!(self, Word::Option { flag, .. } if flag.long == long)
    }
}

/// An argument as the text that argh takes. A byte that is not valid UTF-8 becomes NUL, which no argument holds, and its two
/// hexadecimal digits.
pub(super) fn text(argument: OsString) -> String {
    let mut text = String::new();
    for chunk in argument.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\0{byte:02x}")));
    }
    text
}

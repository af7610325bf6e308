//! Text that a stranger wrote, made harmless for a terminal.
//! Colours may pass; every other control character is shown instead of obeyed.

use std::fmt::Write;

/// Cleans a text that arrives in pieces, line by line.
#[derive(Clone, Debug)]
pub struct Terminal {
    color: bool,
    /// The start of what may become a colour sequence or the end of a line.
    escape: String,
    /// A colour was set and not taken back; a line's end resets it.
    painted: bool,
}

const RESET: &str = "\x1b[0m";
const MAX_SEQUENCE: usize = 64;

impl Terminal {
    /// `color`: whether the log's own colours reach the terminal.
    pub fn new(color: bool) -> Terminal {
        Terminal { color, escape: String::new(), painted: false }
    }

    /// Appends the clean form of `text` to `out`.
    pub fn clean(&mut self, text: &str, out: &mut String) {
        for character in text.chars() {
            if self.escape.is_empty() {
                self.plain(character, out);
            } else {
                self.in_escape(character, out);
            }
        }
    }

    /// Nothing more will come: half a sequence is shown, colours are reset.
    pub fn finish(&mut self, out: &mut String) {
        self.give_up(out);
        self.reset(out);
    }

    fn plain(&mut self, character: char, out: &mut String) {
        match character {
            '\n' => {
                self.reset(out);
                out.push('\n');
            }
            // A CR before the newline is the end of a line, too; alone it would overwrite what stands there.
            '\x1b' | '\r' => self.escape.push(character),
            _ => show(character, out),
        }
    }

    fn in_escape(&mut self, character: char, out: &mut String) {
        let after_cr = self.escape == "\r";
        let goes_on = match character {
            '\n' if after_cr => {
                self.escape.clear();
                return self.plain(character, out);
            }
            _ if after_cr => false,
            '[' => self.escape.len() == 1,
            '0'..='9' | ';' | ':' => self.escape.len() > 1 && self.escape.len() < MAX_SEQUENCE,
            'm' if self.escape.len() > 1 => return self.sgr(out),
            _ => false,
        };
        if goes_on {
            self.escape.push(character);
        } else {
            self.give_up(out);
            self.plain(character, out);
        }
    }

    fn sgr(&mut self, out: &mut String) {
        self.escape.push('m');
        if self.color {
            out.push_str(&self.escape);
            self.painted = !matches!(&self.escape[..], "\x1b[m" | RESET);
        }
        self.escape.clear();
    }

    /// It was no colour after all: its characters are shown.
    fn give_up(&mut self, out: &mut String) {
        for character in std::mem::take(&mut self.escape).chars() {
            show(character, out);
        }
    }

    fn reset(&mut self, out: &mut String) {
        if std::mem::take(&mut self.painted) {
            out.push_str(RESET);
        }
    }
}

/// A word of a stranger's on one line of ours: no control character, no reordering.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|character| show(character, &mut out));
    out
}

/// Tab and printable characters as they are, C0 as `^[`, C1 as `\x9b`, reordering and invisible ones as `\u{202e}`.
fn show(character: char, out: &mut String) {
    let _ = match character {
        '\t' => write!(out, "\t"),
        '\0'..='\x1f' => write!(out, "^{}", char::from(character as u8 + 0x40)),
        '\x7f' => write!(out, "^?"),
        '\u{80}'..='\u{9f}' => write!(out, "\\x{:x}", u32::from(character)),
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            write!(out, "\\u{{{:x}}}", u32::from(character))
        }
        _ => {
            out.push(character);
            Ok(())
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(color: bool, pieces: &[&str]) -> String {
        let (mut terminal, mut out) = (Terminal::new(color), String::new());
        pieces.iter().for_each(|piece| terminal.clean(piece, &mut out));
        terminal.finish(&mut out);
        out
    }

    #[test]
    fn colours_pass_and_are_reset_at_the_line_end() {
        assert_eq!(clean(true, &["\x1b[31mred\nnext\n"]), "\x1b[31mred\x1b[0m\nnext\n");
        assert_eq!(clean(true, &["\x1b[1;3", "1mred\x1b[0m\n"]), "\x1b[1;31mred\x1b[0m\n");
        assert_eq!(clean(false, &["\x1b[31mred\x1b[m\n"]), "red\n");
    }

    #[test]
    fn everything_else_is_shown_not_obeyed() {
        assert_eq!(clean(true, &["\x1b[2J\x1b]0;t\x07\r\x08\u{9b}x\u{202e}\x7f\ta\n"]), {
            "^[[2J^[]0;t^G^M^H\\x9bx\\u{202e}^?\ta\n"
        });
        assert_eq!(clean(true, &["end\x1b["]), "end^[[");
        assert_eq!(clean(true, &["dos\r", "\nover\rwrite\n"]), "dos\nover^Mwrite\n");
    }

    #[test]
    fn any_split_gives_the_same() {
        let text = "a\x1b[38;5;9mb\x1b[?25l\x1b\x1b[0mc\n";
        for middle in 0..text.len() {
            let (left, right) = text.split_at(middle);
            assert_eq!(clean(true, &[left, right]), clean(true, &[text]), "at {middle}");
        }
    }
}

//! Makes text that a stranger wrote harmless for a terminal. Colours may pass; every other control character is shown
//! instead of obeyed. It does not judge what the text says.

use std::fmt::Write;

/// Cleans a text that arrives in pieces, line by line.
#[derive(Clone, Debug)]
pub struct Terminal {
    color: bool,
    /// The beginning of a possible colour sequence or line end.
    escape: String,
    /// A colour is set; the end of the line resets it.
    painted: bool,
    /// The length of a run of NULs that is not shown yet.
    nuls: u64,
}

const RESET: &str = "\x1b[0m";
const MAX_SEQUENCE: usize = 64;

impl Terminal {
    /// `color`: whether the log's own colours reach the terminal.
    pub fn new(color: bool) -> Terminal {
        Terminal { color, escape: String::new(), painted: false, nuls: 0 }
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

    /// Ends the text: shows a run of NULs or an incomplete sequence, and resets colours.
    pub fn finish(&mut self, out: &mut String) {
        self.show_nuls(out);
        self.give_up(out);
        self.reset(out);
    }

    fn plain(&mut self, character: char, out: &mut String) {
        if character == '\0' {
            self.nuls += 1;
            return;
        }
        self.show_nuls(out);
        match character {
            '\n' => {
                self.reset(out);
                out.push('\n');
            }
            // A CR before the newline belongs to the end of the line. Any other CR would overwrite what is on it.
            '\x1b' | '\r' => self.escape.push(character),
            _ => show(character, out),
        }
    }

    /// A file with a hole has very many NULs.
    fn show_nuls(&mut self, out: &mut String) {
        let _ = match std::mem::take(&mut self.nuls) {
            0 => Ok(()),
            1 => write!(out, "^@"),
            nuls => write!(out, "^@×{nuls}"),
        };
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

    /// Shows the characters of a sequence that is not a colour.
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

/// Escapes an untrusted word so that it fits on a line of our own: no control characters, no reordering.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|character| show(character, &mut out));
    out
}

/// Whether a terminal would obey the character, or not show it: control characters, line and paragraph separators,
/// and the format characters of Unicode (category Cf), those that change the direction of writing among them.
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// Tab and printable characters as they are, C0 as `^[`, C1 as `\x9b`, reordering and invisible ones as `\u{202e}`.
fn show(character: char, out: &mut String) {
    let _ = match character {
        '\t' => write!(out, "\t"),
        '\0'..='\x1f' => write!(out, "^{}", char::from(character as u8 + 0x40)),
        '\x7f' => write!(out, "^?"),
        '\u{80}'..='\u{9f}' => write!(out, "\\x{:x}", u32::from(character)),
        // These join letters and emoji, and reorder nothing.
        '\u{200c}' | '\u{200d}' => {
            out.push(character);
            Ok(())
        }
        _ if is_invisible(character) => {
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
    fn a_run_of_nuls_is_counted_across_pieces() {
        assert_eq!(clean(true, &["a\0b\0\0", "\0\n\0"]), "a^@b^@×3\n^@");
        assert_eq!(clean(true, &["\x1b\0\0\x1b[31m\0x\n"]), "^[^@×2\x1b[31m^@x\x1b[0m\n");
        let run = "\0".repeat(1000);
        assert_eq!(clean(false, &[&run[..]; 100]), "^@×100000");
    }

    #[test]
    fn what_is_invisible_is_shown_unless_it_joins() {
        assert_eq!(clean(true, &["\u{feff}a\u{200b}\u{e0041}\u{ad}👩\u{200d}🚀"]), {
            "\\u{feff}a\\u{200b}\\u{e0041}\\u{ad}👩\u{200d}🚀"
        });
    }

    #[test]
    fn any_split_gives_the_same() {
        let text = "a\x1b[38;5;9mb\x1b[?25l\0\0\x1b\x1b[0mc\0\n";
        for middle in 0..text.len() {
            let (left, right) = text.split_at(middle);
            assert_eq!(clean(true, &[left, right]), clean(true, &[text]), "at {middle}");
        }
    }
}

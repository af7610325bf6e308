//! Renders text with terminal escapes as HTML: SGR colours become `<span style="…">`, every other escape is dropped. It does
//! not emulate a terminal: the cursor is never moved.

use std::fmt::Write;

/// Renders a text that arrives in pieces; colours and half an escape are carried from one to the next.
#[derive(Clone, Debug, Default)]
pub struct Html {
    style: TextStyle,
    escape: Escape,
}

/// Where in an escape sequence the text stands. A newline ends every sequence, so that none can swallow a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// After ESC, and after ESC with intermediate bytes.
    Start,
    Intermediate,
    /// After `ESC [`: the parameter bytes so far; what is longer than any SGR in use is dropped.
    Csi(String),
    /// In an OSC, DCS, SOS, PM or APC string, which BEL or ST ends; ST begins with an ESC.
    Text,
    Terminator,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct TextStyle {
    foreground: Option<SgrColor>,
    background: Option<SgrColor>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    inverse: bool,
    strike: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SgrColor(u8, u8, u8);

const SPAN_END: &str = "</span>";
const MAX_CSI: usize = 64;

impl Html {
    /// Renders whole lines of `text` up to `limit` bytes of markup, 512 or more; a line that does not fit by itself is
    /// cut between two characters. Returns balanced markup and how many bytes of `text` it stands for, at least one.
    pub fn render(&mut self, text: &str, limit: usize) -> (String, usize) {
        let mut out = String::with_capacity(text.len().min(limit));
        let mut used = 0;
        for line in text.split_inclusive('\n') {
            // A line that does not fit is taken back: what it did to the colours, too.
            let before = (self.clone(), out.len());
            let taken = self.line(line, limit, &mut out);
            used += taken;
            if taken < line.len() {
                if used > taken {
                    *self = before.0;
                    out.truncate(before.1);
                    used -= taken;
                }
                break;
            }
        }
        (out, used)
    }

    /// Appends one line's markup, with its spans closed at the end; returns how much of the line fitted.
    fn line(&mut self, line: &str, limit: usize, out: &mut String) -> usize {
        let (mut open, mut taken) = (None, 0);
        while taken < line.len() {
            let (length, shown) = self.piece(&line[taken..]);
            if !shown.is_empty() {
                let before = (out.len(), open);
                self.restyle(&mut open, out);
                let end = if open.is_some() { SPAN_END.len() } else { 0 };
                let room = limit.saturating_sub(out.len() + end);
                if shown.len() > room {
                    // Only what is shown as it stands can be cut.
                    let fits = if shown.len() == length { floor_char_boundary(shown, room) } else { 0 };
                    if fits == 0 {
                        out.truncate(before.0);
                        open = before.1;
                        break;
                    }
                    out.push_str(&shown[..fits]);
                    taken += fits;
                    continue;
                }
                out.push_str(shown);
            }
            taken += length;
        }
        if open.is_some() {
            out.push_str(SPAN_END);
        }
        taken
    }

    /// The next piece of a line: how long it is, and what is shown for it.
    fn piece<'t>(&mut self, rest: &'t str) -> (usize, &'t str) {
        if self.escape == Escape::None {
            let run = rest.bytes().position(is_special).unwrap_or(rest.len());
            if run > 0 {
                return (run, &rest[..run]);
            }
        }
        let character = rest.chars().next().expect("called with something left");
        let length = character.len_utf8();
        let shown = match self.visible(character) {
            None => "",
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('"') => "&quot;",
            Some('\'') => "&#39;",
            Some(_) => &rest[..length],
        };
        (length, shown)
    }

    /// Ends the open span and begins another where the style has changed.
    fn restyle(&self, open: &mut Option<TextStyle>, out: &mut String) {
        let wanted = (self.style != TextStyle::default()).then_some(self.style);
        if *open != wanted {
            if open.is_some() {
                out.push_str(SPAN_END);
            }
            if wanted.is_some() {
                self.style.open(out);
            }
            *open = wanted;
        }
    }

    /// Takes one character through the escape's state; returns it when it is to be seen.
    fn visible(&mut self, character: char) -> Option<char> {
        use Escape::*;
        if character == '\n' {
            self.escape = None;
            return Some(character);
        }
        let (next, seen) = match (std::mem::take(&mut self.escape), character) {
            (Text, '\x1b') => (Terminator, false),
            (Text, '\x07' | '\u{9c}') => (None, false),
            (Text, _) => (Text, false),
            (Terminator, '\\') => (None, false),
            (Terminator | Start, '[') => (Csi(String::new()), false),
            (_, '\x1b') => (Start, false),
            (Terminator | Start, ']' | 'P' | 'X' | '^' | '_') => (Text, false),
            (Terminator | Start | Intermediate, ' '..='/') => (Intermediate, false),
            (Terminator | Start | Intermediate, _) => (None, false),
            (Csi(parameters), '@'..='~') => {
                self.end_csi(&parameters, character);
                (None, false)
            }
            (Csi(mut parameters), ' '..='?') => {
                if parameters.len() < MAX_CSI {
                    parameters.push(character);
                }
                (Csi(parameters), false)
            }
            // No sequence continues with such a character.
            (Csi(_), _) => (None, !character.is_control()),
            (None, '\u{9b}') => (Csi(String::new()), false),
            (None, '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}') => (Text, false),
            (None, '\t') => (None, true),
            (None, _) => (None, !character.is_control()),
        };
        self.escape = next;
        seen.then_some(character)
    }

    fn end_csi(&mut self, parameters: &str, last: char) {
        if last == 'm' && parameters.len() < MAX_CSI {
            self.style.apply(parameters);
        }
    }
}

impl TextStyle {
    /// Applies the parameters of an SGR sequence; what is unknown in it is skipped.
    fn apply(&mut self, parameters: &str) {
        if !parameters.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')) {
            return;
        }
        let mut codes = parameters.split(';');
        while let Some(code) = codes.next() {
            if let Some((first, rest)) = code.split_once(':') {
                self.apply_colons(first, rest);
                continue;
            }
            match number(code) {
                code @ (38 | 48 | 58) => {
                    let color = SgrColor::extended(&mut codes);
                    self.paint(code, color);
                }
                code => self.apply_code(code),
            }
        }
    }

    /// The form with colons: `38:5:n`, `38:2:r:g:b` and `38:2:space:r:g:b`; `4:0` ends an underline.
    fn apply_colons(&mut self, first: &str, rest: &str) {
        let count = rest.split(':').count();
        let mut codes = rest.split(':').enumerate().filter(|(at, _)| !(count == 5 && *at == 1)).map(|(_, code)| code);
        match number(first) {
            code @ (38 | 48) => {
                let color = SgrColor::extended(&mut codes);
                self.paint(code, color);
            }
            4 => self.underline = codes.next().map(number) != Some(0),
            _ => {}
        }
    }

    fn paint(&mut self, code: u16, color: Option<SgrColor>) {
        match code {
            38 => self.foreground = color.or(self.foreground),
            48 => self.background = color.or(self.background),
            // 58 colours an underline; it is read, so that its numbers are not taken for codes.
            _ => {}
        }
    }

    fn apply_code(&mut self, code: u16) {
        match code {
            0 => *self = TextStyle::default(),
            1 => self.bold = true,
            2 => self.dim = true,
            3 => self.italic = true,
            4 | 21 => self.underline = true,
            7 => self.inverse = true,
            9 => self.strike = true,
            22 => (self.bold, self.dim) = (false, false),
            23 => self.italic = false,
            24 => self.underline = false,
            27 => self.inverse = false,
            29 => self.strike = false,
            30..=37 => self.foreground = Some(SgrColor::indexed((code - 30) as u8)),
            39 => self.foreground = None,
            40..=47 => self.background = Some(SgrColor::indexed((code - 40) as u8)),
            49 => self.background = None,
            90..=97 => self.foreground = Some(SgrColor::indexed((code - 82) as u8)),
            100..=107 => self.background = Some(SgrColor::indexed((code - 92) as u8)),
            _ => {}
        }
    }

    fn open(&self, out: &mut String) {
        let (mut foreground, mut background) = (self.foreground, self.background);
        if self.inverse {
            let ink = foreground.unwrap_or(SgrColor(229, 229, 229));
            (foreground, background) = (Some(background.unwrap_or(SgrColor(0, 0, 0))), Some(ink));
        }
        out.push_str("<span style=\"");
        for (name, color) in [("color", foreground), ("background-color", background)] {
            if let Some(SgrColor(red, green, blue)) = color {
                let _ = write!(out, "{name}:#{red:02x}{green:02x}{blue:02x};");
            }
        }
        let marks = [
            (self.bold, "font-weight:bold;"),
            (self.dim, "opacity:0.7;"),
            (self.italic, "font-style:italic;"),
            (self.underline && !self.strike, "text-decoration:underline;"),
            (self.strike && !self.underline, "text-decoration:line-through;"),
            (self.strike && self.underline, "text-decoration:underline line-through;"),
        ];
        marks.iter().filter(|(on, _)| *on).for_each(|(_, mark)| out.push_str(mark));
        out.push_str("\">");
    }
}

impl SgrColor {
    /// The rest of `38` and `48`: `5;n` or `2;r;g;b`.
    fn extended<'a>(codes: &mut impl Iterator<Item = &'a str>) -> Option<SgrColor> {
        let mut next = || codes.next().map(number);
        match next()? {
            5 => u8::try_from(next()?).ok().map(SgrColor::indexed),
            2 => {
                let mut channel = || next().and_then(|value| u8::try_from(value).ok());
                let (red, green, blue) = (channel(), channel(), channel());
                Some(SgrColor(red?, green?, blue?))
            }
            _ => None,
        }
    }

    /// xterm's 256 colours.
    fn indexed(index: u8) -> SgrColor {
        const BASIC: [SgrColor; 16] = [
            SgrColor(0, 0, 0),
            SgrColor(205, 0, 0),
            SgrColor(0, 205, 0),
            SgrColor(205, 205, 0),
            SgrColor(0, 0, 238),
            SgrColor(205, 0, 205),
            SgrColor(0, 205, 205),
            SgrColor(229, 229, 229),
            SgrColor(127, 127, 127),
            SgrColor(255, 0, 0),
            SgrColor(0, 255, 0),
            SgrColor(255, 255, 0),
            SgrColor(92, 92, 255),
            SgrColor(255, 0, 255),
            SgrColor(0, 255, 255),
            SgrColor(255, 255, 255),
        ];
        let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
        match index {
            0..=15 => BASIC[usize::from(index)],
            16..=231 => {
                let cube = index - 16;
                SgrColor(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
            }
            _ => {
                let grey = 8 + 10 * (index - 232);
                SgrColor(grey, grey, grey)
            }
        }
    }
}

/// Bytes that are not shown as they stand: controls, markup, and the first byte of the C1 controls (and their like).
fn is_special(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | 0x7f | 0xc2 | b'&' | b'<' | b'>' | b'"' | b'\'')
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// A parameter's number. An empty one is 0, and one that is too large is unknown.
fn number(code: &str) -> u16 {
    if code.is_empty() { 0 } else { code.parse().unwrap_or(u16::MAX) }
}

#[cfg(test)]
mod tests;

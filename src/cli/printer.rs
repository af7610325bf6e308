//! Prints the bytes of a log for `wstail tail` and `wstail demo`: as cleaned lines, raw, or as JSON. It holds back
//! unfinished lines. `stdout` shares stdout between several logs.

use std::io::{self, IsTerminal};

use wstail::protocol::criteria::SEPARATOR;
use wstail::text::sanitize::Terminal;
use wstail::text::utf8::Decoder;

use super::cursor_file::OutputFile;
use super::json::{self, JsonLines};
use super::stdout::{OutputPart, Stdout};

/// With several logs, how much of an unfinished line is held, in bytes. Beyond that its beginning is printed, and the
/// other logs wait.
const LONGEST_HELD: usize = 1 << 20;

/// Prints the bytes of one log.
pub(super) struct Printer<'p> {
    stdout: &'p Stdout,
    /// The number of this log on stdout.
    owner: u64,
    /// What each line of text begins with, if other logs share stdout.
    prefix: Option<Vec<u8>>,
    form: Form,
    /// With several logs: the beginning of an unfinished line.
    unfinished: Vec<u8>,
    /// The beginning of a line is printed, and the other logs wait for its end.
    is_open: bool,
    /// With a single log: the last byte printed did not end a line.
    in_line: bool,
    /// What comes next is not adjacent to what was printed.
    is_apart: bool,
}

/// The form in which a log's bytes are printed.
pub(super) enum Form {
    /// Unchanged.
    Raw,
    /// Unchanged, because no terminal reads them.
    Piped,
    /// Decoded, and cleaned of control characters.
    Terminal(Decoder, Terminal),
    /// One JSON object per line.
    Json(JsonLines),
}

impl Form {
    pub(super) fn raw() -> Form {
        Form::Raw
    }

    /// `color` is whether the log's own colours reach a terminal.
    pub(super) fn text(color: bool) -> Form {
        match io::stdout().is_terminal() {
            true => Form::Terminal(Decoder::default(), Terminal::new(color)),
            false => Form::Piped,
        }
    }

    pub(super) fn json(log: &str) -> Form {
        Form::Json(JsonLines::new(log))
    }
}

impl<'p> Printer<'p> {
    /// `prefix` is what each line of text begins with, if other logs share stdout. Then only whole lines are printed.
    pub(super) fn new(stdout: &'p Stdout, prefix: Option<Vec<u8>>, form: Form) -> Printer<'p> {
        Printer {
            owner: stdout.owner(),
            stdout,
            prefix,
            form,
            unfinished: Vec::new(),
            is_open: false,
            in_line: false,
            is_apart: false,
        }
    }

    /// Ends an unfinished line, because the next bytes do not continue it.
    pub(super) fn break_off(&mut self) -> io::Result<()> {
        self.end()?;
        if !matches!(self.form, Form::Raw) && std::mem::take(&mut self.in_line) {
            self.write(b"\n", &mut || {})?;
        }
        Ok(())
    }

    /// Ends a group of lines. A separator is printed once another group comes, but not between JSON objects.
    pub(super) fn separate(&mut self) -> io::Result<()> {
        self.break_off()?;
        self.is_apart = !matches!(self.form, Form::Json(_));
        Ok(())
    }

    /// Another file begins. If lines are printed, the old file's last line ends here.
    pub(super) fn begin_file(&mut self) -> io::Result<()> {
        let makes_lines = match self.form {
            Form::Raw => false,
            Form::Piped | Form::Terminal(..) => self.prefix.is_some(),
            Form::Json(_) => true,
        };
        if makes_lines { self.end() } else { Ok(()) }
    }

    /// How many received bytes are not printed yet.
    pub(super) fn held(&self) -> usize {
        match &self.form {
            Form::Json(lines) => lines.held(),
            _ => self.unfinished.len(),
        }
    }

    /// The file that stdout is, as it is now. `None` if other logs print to it, too: its size does not tell what this one
    /// has printed.
    pub(super) fn output(&self) -> Option<OutputFile> {
        if self.prefix.is_some() { None } else { self.stdout.output() }
    }

    /// Whether the beginning of a line is printed, but not its end.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// With a single log: whether the last byte printed did not end a line.
    pub(super) fn is_in_line(&self) -> bool {
        self.in_line
    }

    /// Whether it is not certain that what was printed will stay where it is, or only part of it was printed.
    pub(super) fn is_unsure(&self) -> bool {
        self.stdout.is_unsure() || self.is_open
    }

    /// Prints bytes. `waiting` is called regularly while stdout accepts nothing.
    ///
    /// # Errors
    /// When nothing more can or should be printed. The error is how many of the bytes were printed all the same.
    pub(super) fn print(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> Result<(), usize> {
        if !bytes.is_empty() && self.prefix.is_none() && std::mem::take(&mut self.is_apart) {
            self.separate_single(waiting).map_err(|_| 0usize)?;
        }
        let before = self.stdout.written();
        self.form_and_print(bytes, waiting).map_err(|_| match self.form {
            Form::Raw | Form::Piped if self.prefix.is_none() => self.stdout.written().saturating_sub(before) as usize,
            _ => 0,
        })
    }

    fn form_and_print(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        let formed;
        let bytes = match &mut self.form {
            Form::Raw | Form::Piped => bytes,
            Form::Terminal(decoder, terminal) => {
                let (mut text, mut clean) = (String::new(), String::new());
                decoder.decode(bytes, &mut text);
                terminal.clean(&text, &mut clean);
                formed = clean.into_bytes();
                &formed
            }
            Form::Json(lines) => {
                let mut objects = Vec::new();
                lines.push(bytes, &mut objects);
                return self.write_objects(&objects, waiting);
            }
        };
        if self.prefix.is_some() { self.print_beside_others(bytes, waiting) } else { self.put(bytes, waiting) }
    }

    /// Prints a separator on a line of its own, also after a raw line without a newline.
    fn separate_single(&mut self, waiting: &mut dyn FnMut()) -> io::Result<()> {
        if std::mem::take(&mut self.in_line) {
            self.write(b"\n", waiting)?;
        }
        self.write(SEPARATOR, waiting)
    }

    fn put(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        if let Some(last) = bytes.last() {
            self.in_line = *last != b'\n';
            self.write(bytes, waiting)?;
        }
        Ok(())
    }

    fn write(&self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        self.stdout.write(OutputPart { owner: self.owner, bytes, ..OutputPart::default() }, waiting)
    }

    /// Writes objects. The first may continue one, and the last may be incomplete.
    fn write_objects(&mut self, objects: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        let Form::Json(lines) = &self.form else { unreachable!("only JSON has objects") };
        let (head, end) = (self.is_open.then(|| lines.head()), lines.is_open().then_some(json::END));
        self.is_open = end.is_some();
        self.stdout.write(OutputPart { owner: self.owner, bytes: objects, head, end }, waiting)
    }

    /// Prints whole lines, each after the log's name. Of a very long line, prints what has arrived.
    fn print_beside_others(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        self.unfinished.extend_from_slice(bytes);
        let whole = memchr::memrchr(b'\n', &self.unfinished).map_or(0, |last| last + 1);
        let rest = self.unfinished.split_off(whole);
        let mut lines = std::mem::replace(&mut self.unfinished, rest);
        let opens = self.unfinished.len() > LONGEST_HELD || self.is_open && whole == 0;
        if opens {
            lines.append(&mut self.unfinished);
        }
        if lines.is_empty() {
            return Ok(());
        }
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let mut text = prefixed(prefix, lines, self.is_open);
        if std::mem::take(&mut self.is_apart) {
            text.splice(0..0, SEPARATOR.iter().copied());
        }
        let (head, end) = (self.is_open.then_some(prefix), opens.then_some(&b"\n"[..]));
        self.is_open = opens;
        self.stdout.write(OutputPart { owner: self.owner, bytes: &text, head, end }, waiting)
    }

    /// Ends the stream. With a single log, an unfinished line is left as it is; with several, it is ended.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match &mut self.form {
            Form::Raw | Form::Piped => {}
            Form::Terminal(decoder, terminal) => {
                let (mut text, mut clean) = (String::new(), String::new());
                decoder.finish(&mut text);
                terminal.clean(&text, &mut clean);
                terminal.finish(&mut clean);
                if self.prefix.is_some() {
                    self.unfinished.extend_from_slice(clean.as_bytes());
                } else {
                    self.write(clean.as_bytes(), &mut || {})?;
                }
            }
            Form::Json(lines) => {
                let mut objects = Vec::new();
                lines.finish(&mut objects);
                return self.write_objects(&objects, &mut || {});
            }
        }
        if self.unfinished.is_empty() && !self.is_open {
            return Ok(());
        }
        self.print_beside_others(b"\n", &mut || {})
    }
}

/// `continues`: the first line already has its name before it.
fn prefixed(prefix: &[u8], lines: Vec<u8>, continues: bool) -> Vec<u8> {
    if prefix.is_empty() {
        return lines;
    }
    let mut out = Vec::with_capacity(lines.len() * 2);
    for (number, line) in lines.split_inclusive(|&byte| byte == b'\n').enumerate() {
        if number > 0 || !continues {
            out.extend_from_slice(prefix);
        }
        out.extend_from_slice(line);
    }
    out
}

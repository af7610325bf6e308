//! What `wstail tail` and `wstail demo` print: the lines of each log.

use std::io::{self, IsTerminal};

use wstail::text::sanitize::Terminal;
use wstail::text::utf8::Decoder;

use super::json::JsonLines;
use super::record::Output;
use super::stdout::Stdout;

/// Beside other logs a longer line is printed in pieces of this size, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// What one log's bytes look like on stdout.
pub(super) struct Printer<'p> {
    stdout: &'p Stdout,
    name: Option<String>,
    form: Form,
    /// With other logs beside it: the beginning of a line whose end has not come.
    unfinished: Vec<u8>,
    /// Alone on stdout: the last byte printed ended no line.
    in_line: bool,
}

/// What is made of a log's bytes.
pub(super) enum Form {
    /// They stay what they are.
    Raw,
    /// They stay what they are where no terminal reads them.
    Piped,
    /// They are decoded, and cleaned of control characters.
    Terminal(Decoder, Terminal),
    /// One object a line.
    Json(JsonLines),
}

impl Form {
    pub(super) fn raw() -> Form {
        Form::Raw
    }

    /// `color`: whether the log's own colours reach a terminal.
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
    /// `name` goes before each line of text where there are other logs.
    pub(super) fn new(stdout: &'p Stdout, name: Option<String>, form: Form) -> Printer<'p> {
        Printer { stdout, name, form, unfinished: Vec::new(), in_line: false }
    }

    /// What comes next does not continue what was printed last: its line is ended.
    pub(super) fn break_off(&mut self) -> io::Result<()> {
        self.end()?;
        if std::mem::take(&mut self.in_line) && !matches!(self.form, Form::Raw) {
            self.stdout.write(b"\n", &mut || {})?;
        }
        Ok(())
    }

    /// Another file begins: where lines are made of the bytes, the old one's last line ends here.
    pub(super) fn begin_file(&mut self) -> io::Result<()> {
        let makes_lines = match self.form {
            Form::Raw => false,
            Form::Piped | Form::Terminal(..) => self.name.is_some(),
            Form::Json(_) => true,
        };
        if makes_lines { self.end() } else { Ok(()) }
    }

    /// How many bytes of the log came and are not printed yet.
    pub(super) fn held(&self) -> usize {
        match &self.form {
            Form::Json(lines) => lines.held(),
            _ => self.unfinished.len(),
        }
    }

    /// The file that stdout is, as it is now.
    pub(super) fn output(&self) -> Option<Output> {
        self.stdout.output()
    }

    /// Whether what was printed is not known to be where it shall stay.
    pub(super) fn is_unsure(&self) -> bool {
        self.stdout.is_unsure()
    }

    /// Prints what came; `waiting` is called every so often while stdout takes nothing.
    ///
    /// # Errors
    /// When nothing more can be printed, or is to be: how many of the bytes are printed all the same.
    pub(super) fn print(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> Result<(), usize> {
        let before = self.stdout.written();
        self.form_and_print(bytes, waiting).map_err(|_| match self.form {
            Form::Raw | Form::Piped if self.name.is_none() => self.stdout.written().saturating_sub(before) as usize,
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
                return self.stdout.write(&objects, waiting);
            }
        };
        if self.name.is_some() { self.print_beside_others(bytes, waiting) } else { self.put(bytes, waiting) }
    }

    fn put(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        if let Some(last) = bytes.last() {
            self.in_line = *last != b'\n';
            self.stdout.write(bytes, waiting)?;
        }
        Ok(())
    }

    /// Whole lines only, each with the log's name before it.
    fn print_beside_others(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        self.unfinished.extend_from_slice(bytes);
        let whole = memchr::memrchr(b'\n', &self.unfinished).map_or(0, |last| last + 1);
        let rest = self.unfinished.split_off(whole);
        let mut lines = std::mem::replace(&mut self.unfinished, rest);
        if self.unfinished.len() > LONGEST_LINE {
            lines.append(&mut self.unfinished);
            lines.push(b'\n');
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.stdout.write(&self.prefixed(lines), waiting)
    }

    fn prefixed(&self, lines: Vec<u8>) -> Vec<u8> {
        let is_raw = matches!(self.form, Form::Raw);
        let Some(name) = self.name.as_ref().filter(|_| !is_raw) else { return lines };
        let mut out = Vec::with_capacity(lines.len() * 2);
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(line);
        }
        out
    }

    /// The stream is over: what is unfinished stays so, alone; beside others its line is ended.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match &mut self.form {
            Form::Raw | Form::Piped => {}
            Form::Terminal(decoder, terminal) => {
                let (mut text, mut clean) = (String::new(), String::new());
                decoder.finish(&mut text);
                terminal.clean(&text, &mut clean);
                terminal.finish(&mut clean);
                if self.name.is_some() {
                    self.unfinished.extend_from_slice(clean.as_bytes());
                } else {
                    self.stdout.write(clean.as_bytes(), &mut || {})?;
                }
            }
            Form::Json(lines) => {
                let mut objects = Vec::new();
                lines.finish(&mut objects);
                return self.stdout.write(&objects, &mut || {});
            }
        }
        if self.unfinished.is_empty() {
            return Ok(());
        }
        self.print_beside_others(b"\n", &mut || {})
    }
}

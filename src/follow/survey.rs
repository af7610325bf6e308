//! What the two ends of a file show of its times: how its lines bear them, whether there are any, and which the last lines
//! have reached. A step judges a part of the lines, because a file may have as many lines as bytes. Of a compressed file only
//! the first lines are judged: to reach the last ones, it would have to be unpacked whole.

use std::io;

use memchr::memchr;

use super::log::file::File;
use super::log::fingerprint::read_up_to;
use super::time_search::{Bound, LineTimes};

/// How much is read of each end of a file to learn how it bears times.
const SAMPLE: u64 = 64 * 1024;
/// How far from the ends of a file a time is searched for before the file is taken for one without times.
const FAR: u64 = 256 * 1024;
/// How many bytes a step judges.
const STEP: usize = 64 * 1024;

/// A look at both ends of a file that goes on step by step.
#[derive(Debug)]
pub(super) struct Survey {
    size: u64,
    /// When the file was last written to.
    written: i64,
    /// `None` until it was learned how the lines bear times.
    times: Option<Box<dyn LineTimes>>,
    /// What is judged now.
    part: Part,
    sample: Sample,
    /// The first bytes, until they are judged.
    head: Vec<u8>,
    has_times: bool,
    last: Option<Reached>,
}

/// A part of the file, in the order in which they are judged: from the second on only if there was no time at the end.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// The end, or all of a small file.
    Last,
    Head,
    /// A longer end.
    FarLast,
    /// A longer head, if no time was seen at all; or all that is judged of a compressed file.
    FarHead,
}

/// Some lines, the first of which are judged.
#[derive(Debug, Default)]
struct Sample {
    bytes: Vec<u8>,
    judged: usize,
    has_time: bool,
    reached: Reached,
}

/// Which ends of the range some lines have reached.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reached {
    since: bool,
    until: bool,
}

/// What was seen of a file.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub times: Box<dyn LineTimes>,
    pub has_times: bool,
    /// What the last lines have reached, if there is a time in them. The very last one may be a little earlier than others.
    pub last: Option<Reached>,
}

impl Reached {
    pub fn has(self, bound: Bound) -> bool {
        if bound == Bound::Since { self.since } else { self.until }
    }
}

impl Survey {
    /// Of the first `size` bytes of a file that was last written to at that time.
    pub fn new(size: u64, written: i64) -> Survey {
        let (part, sample, head) = (Part::Last, Sample::default(), Vec::new());
        Survey { size, written, times: None, part, sample, head, has_times: false, last: None }
    }

    /// Looks at a little more. `None` if that was not all. `learn` learns from the first and the last lines, and from the
    /// time of the last write, how the lines bear times.
    ///
    /// # Errors
    /// When the file cannot be read. The next call tries again.
    pub fn step(
        &mut self,
        file: &File,
        learn: impl FnOnce([&[u8]; 2], i64) -> Box<dyn LineTimes>,
    ) -> io::Result<Option<Surveyed>> {
        let Some(times) = self.times.take() else { return self.begin(file, learn).map(|()| None) };
        if self.sample.judge(&*times) {
            let Sample { has_time, reached, .. } = self.sample;
            self.has_times |= has_time;
            if let Part::Last | Part::FarLast = self.part {
                self.last = has_time.then_some(reached);
            }
            let Some(next) = self.next_part() else {
                return Ok(Some(Surveyed { times, has_times: self.has_times, last: self.last }));
            };
            self.times = Some(times);
            self.sample = Sample { bytes: self.read(file, next)?, ..Sample::default() };
            self.part = next;
        } else {
            self.times = Some(times);
        }
        Ok(None)
    }

    fn begin(&mut self, file: &File, learn: impl FnOnce([&[u8]; 2], i64) -> Box<dyn LineTimes>) -> io::Result<()> {
        if file.is_compressed() {
            let bytes = read_up_to(file, 0, self.size.min(FAR) as usize)?;
            self.times = Some(learn([&bytes, b""], self.written.min(file.last_write()?)));
            (self.part, self.sample) = (Part::FarHead, Sample { bytes, ..Sample::default() });
            return Ok(());
        }
        let head = read_up_to(file, 0, self.size.min(SAMPLE) as usize)?;
        let start = self.size.saturating_sub(SAMPLE).max(SAMPLE.min(self.size));
        let tail = read_up_to(file, start, (self.size - start) as usize)?;
        self.times = Some(learn([&head, &tail], self.written));
        let last = if tail.is_empty() { head.clone() } else { whole_lines(tail) };
        (self.sample, self.head) = (Sample { bytes: last, ..Sample::default() }, head);
        Ok(())
    }

    fn next_part(&self) -> Option<Part> {
        match self.part {
            _ if self.last.is_some() || self.size <= SAMPLE => None,
            Part::Last => Some(Part::Head),
            Part::Head => Some(Part::FarLast),
            Part::FarLast if !self.has_times => Some(Part::FarHead),
            Part::FarLast | Part::FarHead => None,
        }
    }

    fn read(&mut self, file: &File, part: Part) -> io::Result<Vec<u8>> {
        let far = self.size.min(FAR) as usize;
        match part {
            Part::Last | Part::Head => Ok(std::mem::take(&mut self.head)),
            Part::FarLast if self.size <= FAR => read_up_to(file, 0, far),
            Part::FarLast => read_up_to(file, self.size - FAR, far).map(whole_lines),
            Part::FarHead => read_up_to(file, 0, far),
        }
    }
}

impl Sample {
    /// Judges some lines more. Whether all are judged.
    fn judge(&mut self, times: &dyn LineTimes) -> bool {
        let end = self.bytes.len().min(self.judged + STEP);
        while self.judged < end {
            let rest = &self.bytes[self.judged..];
            let line = &rest[..memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1)];
            self.judged += line.len();
            if let Some(has_reached) = times.has_reached(line, Bound::Since) {
                self.has_time = true;
                self.reached.since |= has_reached;
                self.reached.until = self.reached.until || times.has_reached(line, Bound::Until) == Some(true);
            }
        }
        self.judged == self.bytes.len()
    }
}

/// Without the rest of a line at the beginning.
fn whole_lines(mut sample: Vec<u8>) -> Vec<u8> {
    let rest = memchr(b'\n', &sample).map_or(sample.len(), |newline| newline + 1);
    sample.drain(..rest);
    sample
}

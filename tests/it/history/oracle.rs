//! What is owed to one reader: lines in order, what happened to each, and where a gap is allowed.

use std::collections::BTreeSet;

/// What may happen to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It must arrive, once and in its place.
    Kept,
    /// It was destroyed, perhaps before the reader got it: either it arrives, or a gap does in its place.
    Lost,
    /// No observer can tell: it arrives, or a gap does in its place, or neither.
    Free,
}

/// One place in the order in which a log must be read.
#[derive(Clone, Debug)]
pub enum Entry {
    Line {
        number: usize,
        fate: Fate,
    },
    /// Something may have been destroyed here: a gap is allowed, but not required.
    MayBeGap,
}

/// The order of all lines of a log, and how far a reader has come in it.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// By generation. A late line is inserted where it belongs.
    generations: Vec<Vec<Entry>>,
    /// The reader has everything before that.
    place: (usize, usize),
    /// Gaps that arrived since the last line.
    gaps: usize,
    of_unknown_age: BTreeSet<usize>,
    may_repeat: bool,
    /// Not only generations of unknown age may be repeated.
    may_repeat_all: bool,
    /// Something was repeated that may be: nobody can tell whether anything is missing after it.
    has_repeated: bool,
}

impl Oracle {
    pub fn begin_generation(&mut self) {
        self.generations.push(Vec::new());
    }

    pub fn write(&mut self, generation: usize, number: usize, fate: Fate) {
        self.generations[generation].push(Entry::Line { number, fate });
    }

    /// Adds a late line. If a gap was allowed at the end of the generation, it still is.
    pub fn write_late(&mut self, generation: usize, number: usize, fate: Fate) {
        let entries = &mut self.generations[generation];
        let ends_with_gap = matches!(entries.last(), Some(Entry::MayBeGap));
        entries.push(Entry::Line { number, fate });
        if ends_with_gap {
            entries.push(Entry::MayBeGap);
        }
    }

    pub fn may_be_gap(&mut self, generation: usize) {
        self.generations[generation].push(Entry::MayBeGap);
    }

    /// The same before its first line.
    pub fn may_be_gap_before(&mut self, generation: usize) {
        self.generations[generation].insert(0, Entry::MayBeGap);
    }

    /// The lines of a generation are destroyed. `is_held`: except those that have not arrived yet.
    pub fn destroy(&mut self, generation: usize, is_held: bool) {
        let place = self.place;
        for (at, entry) in self.generations[generation].iter_mut().enumerate() {
            if let Entry::Line { fate, .. } = entry
                && *fate == Fate::Kept
                && !(is_held && (generation, at) >= place)
            {
                *fate = Fate::Lost;
            }
        }
    }

    /// Nobody can know of the destroyed lines of a generation.
    pub fn free(&mut self, generation: usize) {
        for entry in &mut self.generations[generation] {
            if let Entry::Line { fate, .. } = entry
                && *fate == Fate::Lost
            {
                *fate = Fate::Free;
            }
        }
    }

    /// Only its times could show that a generation is older than a lost place, and they do not.
    pub fn age_is_unknown(&mut self, generation: usize) {
        self.of_unknown_age.insert(generation);
    }

    /// The reader has lost its place, or has a place that holds only a time. Until the next line, generations of
    /// unknown age may be repeated.
    pub fn may_repeat(&mut self, may_repeat: bool) {
        self.may_repeat = may_repeat;
        self.may_repeat_all &= may_repeat;
    }

    /// The reader resumes in a file whose name does not say what came before it. Until the next line, any generation may
    /// be repeated.
    pub fn may_repeat_all(&mut self) {
        (self.may_repeat, self.may_repeat_all) = (true, true);
    }

    /// The times of a generation are wrong: nobody can tell whether it must arrive, unless some of it has.
    pub fn doubt(&mut self, generation: usize) {
        if self.has_reached(generation) {
            return;
        }
        for entry in &mut self.generations[generation] {
            if let Entry::Line { fate, .. } = entry {
                *fate = Fate::Free;
            }
        }
    }

    /// Another reader resumes where this one was at `then`.
    pub fn go_back_to(&mut self, then: &Oracle) {
        (self.place, self.gaps) = (then.place, then.gaps);
    }

    /// The generation of the last line that arrived.
    pub fn reached(&self) -> usize {
        self.place.0
    }

    /// Whether the reader has got a line of that generation, or of a later one.
    pub fn has_reached(&self, generation: usize) -> bool {
        self.place.0 > generation || self.place.0 == generation && self.place.1 > 0
    }

    /// Whether the last line that arrived was one that may be repeated.
    pub fn is_repeating(&self) -> bool {
        self.has_repeated
    }

    /// Whether everything that must arrive has arrived.
    pub fn is_done(&self) -> bool {
        self.ahead().all(|(_, entry)| !matches!(entry, Entry::Line { fate: Fate::Kept, .. }))
    }

    fn ahead(&self) -> impl Iterator<Item = ((usize, usize), &Entry)> {
        let all = self.generations.iter().enumerate();
        let all = all.flat_map(|(at, entries)| entries.iter().enumerate().map(move |(n, entry)| ((at, n), entry)));
        all.filter(|(at, _)| *at >= self.place)
    }

    /// The reader begins at this generation instead of at the start.
    pub fn begin_at(&mut self, generation: usize) {
        self.place = (generation, 0);
    }

    pub fn gap(&mut self) {
        self.gaps += 1;
    }

    /// A line arrived.
    pub fn read(&mut self, number: usize) -> Result<(), String> {
        let is_it = |entry: &Entry| matches!(entry, Entry::Line { number: this, .. } if *this == number);
        let generation = self.generations.iter().position(|generation| generation.iter().any(is_it));
        let found = self.ahead().find(|(_, entry)| is_it(entry)).map(|(at, entry)| (at, entry.clone()));
        let is_owed = matches!(found, Some((_, Entry::Line { fate: Fate::Kept | Fate::Lost, .. })));
        // What follows a repeated file is repeated, too.
        let oldest = if self.may_repeat_all { Some(0) } else { self.of_unknown_age.first().copied() };
        let is_excused = self.may_repeat && oldest.is_some() && generation >= oldest;
        if !is_owed && (is_excused || self.has_repeated && generation >= oldest) {
            self.has_repeated = true;
            return Ok(());
        }
        let Some((found, _)) = found else {
            return Err(format!(
                "line {number} {}",
                if generation.is_some() { "came again, or too late" } else { "is a stranger's" }
            ));
        };
        self.pass(found)?;
        self.place = (found.0, found.1 + 1);
        self.may_repeat(false);
        self.has_repeated = false;
        Ok(())
    }

    /// The reader has reached the end.
    pub fn end(&mut self) -> Result<(), String> {
        self.pass((usize::MAX, 0))
    }

    /// Judges what was skipped, and the gaps that arrived instead.
    fn pass(&mut self, up_to: (usize, usize)) -> Result<(), String> {
        let (mut lost, mut may_be) = (None, self.has_repeated);
        for (at, entry) in self.ahead().take_while(|(at, _)| *at < up_to) {
            match entry {
                Entry::Line { number, fate: Fate::Kept } => return Err(format!("line {number} did not come")),
                Entry::Line { number, fate: Fate::Lost } => lost = lost.or(Some((at, *number))),
                Entry::Line { fate: Fate::Free, .. } | Entry::MayBeGap => may_be = true,
            }
        }
        let gaps = std::mem::take(&mut self.gaps);
        match lost {
            Some((_, number)) if gaps == 0 => Err(format!("line {number} was lost in silence")),
            None if gaps > 0 && !may_be => Err("a gap is reported where nothing was destroyed".to_owned()),
            _ => Ok(()),
        }
    }
}

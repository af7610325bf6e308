//! What is known of compressed files that were opened before: their first bytes, shared by all who read logs of one root, and
//! how far one reader has unpacked them. So a list of hundreds of archives is not unpacked each time it is searched, and a
//! search that is interrupted goes on where it was, however many there are: nothing is forgotten before it is over.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file::File;
use super::packed::budget::TurnBudget;
use super::packed::text::PackedText;
use super::status::Status;

/// The heads of archives, whoever has unpacked them.
#[derive(Debug, Default)]
pub(in crate::follow) struct ArchiveHeads(Mutex<HashMap<u64, Arc<[u8]>>>);

/// A kilobyte each.
const HEADS: usize = 1024;

/// The archives that one reader has opened since its last search was over.
#[derive(Clone, Debug, Default)]
pub(in crate::follow) struct Archives {
    opened: Arc<Mutex<OpenedArchives>>,
    budget: Arc<TurnBudget>,
}

#[derive(Debug, Default)]
struct OpenedArchives {
    /// What is known of each of them: its first bytes, and what was asked for; a kilobyte or two.
    texts: HashMap<u64, Arc<Mutex<PackedText>>>,
    /// Those of them that are read, or may be half unpacked though nothing reads them now.
    unpacking: Vec<u64>,
}

/// How many may be half unpacked though nothing reads them now: those that were unpacked last. A search that is interrupted
/// goes on in the last of them, and remembers of the others what it has asked.
const UNPACKING: usize = 2;

impl ArchiveHeads {
    fn get(&self, key: u64) -> Option<Arc<[u8]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    fn put(&self, key: u64, head: &[u8]) {
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heads.contains_key(&key) {
            return;
        }
        if heads.len() == HEADS {
            heads.clear();
        }
        heads.insert(key, head.into());
    }
}

impl Archives {
    /// The log's bytes in a file that was just opened.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(&self, raw: std::fs::File, heads: &ArchiveHeads) -> io::Result<File> {
        let Some(format) = File::format_of(&raw)? else { return Ok(raw.into()) };
        if !format.is_built_in() {
            return Ok(File::compressed(raw, format, None));
        }
        let key = key(&Status::of(&raw)?);
        let mut opened = self.opened();
        let new = || Arc::new(Mutex::new(PackedText::new(format, heads.get(key).as_deref(), self.budget.clone())));
        let text = opened.texts.entry(key).or_insert_with(new).clone();
        opened.rest_but(UNPACKING);
        opened.unpacking.retain(|other| *other != key);
        opened.unpacking.push(key);
        Ok(File::compressed(raw, format, Some(text)))
    }

    /// A search is over: gives back what it takes to remember and to unpack what nothing reads on. The heads stay known.
    pub fn rest(&self, heads: &ArchiveHeads) {
        let mut opened = self.opened();
        for (key, text) in &opened.texts {
            if let Some(head) = lock(text).head() {
                heads.put(*key, head);
            }
        }
        opened.texts.retain(|_, text| !is_idle(text));
        opened.texts.shrink_to_fit();
        let OpenedArchives { texts, unpacking } = &mut *opened;
        unpacking.retain(|key| texts.contains_key(key));
    }

    /// How many are half unpacked though nothing reads them now.
    #[cfg(all(test, feature = "gz"))]
    pub fn half_unpacked(&self) -> usize {
        let opened = self.opened();
        opened.texts.values().filter(|text| is_idle(text) && lock(text).unpacked_at().is_some()).count()
    }

    /// Of how many something is remembered besides the heads.
    #[cfg(all(test, feature = "gz"))]
    pub fn remembered(&self) -> usize {
        self.opened().texts.len()
    }

    /// From now on the file is read from a place of its own: what opens it again does not move that.
    pub fn release(&self, file: &File) {
        self.opened().texts.retain(|_, text| !file.is_of(text));
    }

    fn opened(&self) -> MutexGuard<'_, OpenedArchives> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenedArchives {
    /// Gives back the memory that unpacking takes, but for so many, and where something is read.
    fn rest_but(&mut self, most: usize) {
        let texts = &self.texts;
        let may_unpack = |text: &Arc<_>| !is_idle(text) || lock(text).unpacked_at().is_some();
        self.unpacking.retain(|key| texts.get(key).is_some_and(may_unpack));
        let known = self.unpacking.iter().filter_map(|key| texts.get(key));
        let mut idle: Vec<_> = known.filter(|text| is_idle(text)).collect();
        idle.sort_by_key(|text| Reverse(lock(text).unpacked_at()));
        idle.into_iter().skip(most).for_each(|text| lock(text).rest());
    }
}

/// Whether nothing reads it now.
fn is_idle(text: &Arc<Mutex<PackedText>>) -> bool {
    Arc::strong_count(text) == 1
}

fn lock(text: &Mutex<PackedText>) -> MutexGuard<'_, PackedText> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}

/// By what an archive is known again: a file that was written anew is another one.
fn key(status: &Status) -> u64 {
    let mut hasher = DefaultHasher::new();
    // A rename changes the change time.
    let changed = if status.identity.born.is_none() { status.changed } else { 0 };
    (status.identity, status.size, status.written, changed).hash(&mut hasher);
    hasher.finish()
}

//! What is known of compressed files that were opened before: their first bytes, shared by all who read logs of one root, and
//! how far one reader has unpacked them. So a list of hundreds of archives is not unpacked each time it is searched, and a
//! search that is interrupted goes on where it was.

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

/// The archives that one reader has opened, the last one last.
#[derive(Clone, Debug, Default)]
pub(in crate::follow) struct Archives {
    opened: Arc<Mutex<Vec<OpenedArchive>>>,
    budget: Arc<TurnBudget>,
}

type OpenedArchive = (u64, Arc<Mutex<PackedText>>);

/// How many are remembered, and how many of them may be half unpacked though nothing reads them now: those that were
/// unpacked last. A search that is interrupted goes on in the last of them, and remembers of the others what it has asked.
const REMEMBERED: usize = 64;
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
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let known = opened.iter().position(|(other, _)| *other == key).map(|at| opened.remove(at).1);
        let text = match known {
            Some(text) => {
                if let Some(head) = lock(&text).head() {
                    heads.put(key, head);
                }
                text
            }
            None => Arc::new(Mutex::new(PackedText::new(format, heads.get(key).as_deref(), self.budget.clone()))),
        };
        opened.push((key, text.clone()));
        let surplus = opened.len().saturating_sub(REMEMBERED);
        opened.drain(..surplus);
        let mut unpacking: Vec<_> = idle(&opened).filter_map(|text| Some((lock(text).unpacked_at()?, text))).collect();
        unpacking.sort_by_key(|(at, _)| Reverse(*at));
        unpacking.into_iter().skip(UNPACKING).for_each(|(_, text)| lock(text).rest());
        drop(opened);
        Ok(File::compressed(raw, format, Some(text)))
    }

    /// A search is over: gives back the memory that unpacking takes, where nothing reads on.
    pub fn rest(&self) {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        idle(&opened).for_each(|text| lock(text).rest());
    }

    /// How many are half unpacked though nothing reads them now.
    #[cfg(all(test, feature = "gz"))]
    pub fn half_unpacked(&self) -> usize {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        idle(&opened).filter(|text| lock(text).unpacked_at().is_some()).count()
    }

    /// From now on the file is read from a place of its own: what opens it again does not move that.
    pub fn release(&self, file: &File) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.retain(|(_, text)| !file.is_of(text));
    }
}

/// Those that nothing reads now.
fn idle(opened: &[OpenedArchive]) -> impl Iterator<Item = &Arc<Mutex<PackedText>>> {
    opened.iter().map(|(_, text)| text).filter(|text| Arc::strong_count(text) == 1)
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

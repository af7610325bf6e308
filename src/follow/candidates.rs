//! The files in which a stream may begin or end: generations of a log, oldest first. They are opened when they are
//! needed, under whatever name they have by then.

use std::io;
use std::sync::Arc;

use super::generations::list::{self, Sibling};
use super::log::file::{File, UNKNOWN_SIZE};
use super::log::fingerprint::read_up_to;
use super::log::status::Status;
use super::root::Log;

#[derive(Debug)]
pub(super) struct Candidates {
    files: Vec<Candidate>,
}

/// A generation, and what is known of it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub source: CandidateSource,
    /// How many of its bytes count: of a compressed file as many as it holds, as long as that is not known.
    pub size: u64,
    /// Its modification time, in nanoseconds since the epoch.
    pub written: i64,
}

#[derive(Clone, Debug)]
pub(super) enum CandidateSource {
    Held(Arc<File>),
    Listed(Box<Sibling>),
    /// It was deleted, or cannot be read.
    Gone,
}

/// A place in one of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CandidatePlace {
    pub file: usize,
    pub offset: u64,
}

impl Candidate {
    pub fn held(file: Arc<File>, size: u64) -> io::Result<Candidate> {
        let written = file.status()?.written;
        Ok(Candidate { source: CandidateSource::Held(file), size, written })
    }

    pub fn listed(sibling: Sibling, size: u64) -> Candidate {
        let Status { written, .. } = sibling.status;
        Candidate { source: CandidateSource::Listed(Box::new(sibling)), size, written }
    }

    /// Its size, if that is known.
    pub fn known_size(&self) -> Option<u64> {
        (self.size != UNKNOWN_SIZE).then_some(self.size)
    }

    /// Whether it was deleted, or cannot be read.
    pub fn is_gone(&self) -> bool {
        matches!(self.source, CandidateSource::Gone)
    }
}

impl Candidates {
    /// At least one, oldest first.
    pub fn new(files: Vec<Candidate>) -> Candidates {
        Candidates { files }
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// The number of the youngest.
    pub fn last(&self) -> usize {
        self.files.len() - 1
    }

    pub fn get(&self, file: usize) -> &Candidate {
        &self.files[file]
    }

    /// Whether a listed file is one of these.
    pub fn has(&self, file: &Candidate) -> bool {
        let identity = |file: &Candidate| match &file.source {
            CandidateSource::Listed(sibling) => Some(sibling.status.identity),
            CandidateSource::Held(_) | CandidateSource::Gone => None,
        };
        self.files.iter().any(|known| identity(known).is_some_and(|known| identity(file) == Some(known)))
    }

    /// The place behind the last byte.
    pub fn end(&self) -> CandidatePlace {
        CandidatePlace { file: self.last(), offset: self.files[self.last()].size }
    }

    /// How many bytes they have in all, if that is known.
    pub fn total(&self) -> Option<u64> {
        self.files.iter().map(Candidate::known_size).sum()
    }

    /// Opens a file, and notes its size if that has become known. `None` when it is gone, or may not be read.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] when files were renamed: they have been listed again, and the next call finds this one.
    /// Another kind when the process has no descriptor or memory left.
    pub fn open(&mut self, file: usize, log: &Log) -> io::Result<Option<Arc<File>>> {
        let opened = match &self.files[file].source {
            CandidateSource::Held(file) => Ok(Some(file.clone())),
            CandidateSource::Gone => return Ok(None),
            CandidateSource::Listed(sibling) => sibling.open(log),
        };
        match opened {
            Ok(Some(opened)) => {
                self.note_size(file, &opened);
                Ok(Some(opened))
            }
            Ok(None) => {
                self.files[file].source = CandidateSource::Gone;
                Ok(None)
            }
            Err(error) => {
                if error.kind() == io::ErrorKind::Interrupted {
                    self.find_again(log)?;
                }
                Err(error)
            }
        }
    }

    /// The youngest file that has more than a few lines, if any has.
    ///
    /// # Errors
    /// As for [`Candidates::open`].
    pub fn open_typical(&mut self, log: &Log) -> io::Result<Option<Arc<File>>> {
        const FEW: u64 = 4 * 1024;
        for file in (0..self.len()).rev() {
            if self.get(file).known_size().is_none()
                && let Some(open) = self.open(file, log)?
                && read_up_to(&open, 0, FEW as usize).is_ok_and(|read| (read.len() as u64) < FEW)
            {
                self.note_size(file, &open);
            }
            if self.get(file).size >= FEW {
                return self.open(file, log);
            }
        }
        let largest = (0..self.len()).max_by_key(|&file| self.get(file).size);
        largest.map_or(Ok(None), |file| self.open(file, log))
    }

    /// A compressed file was unpacked, perhaps to its end: then its size is known.
    pub fn note_size(&mut self, file: usize, open: &File) {
        if let Some(end) = open.known_end() {
            let size = &mut self.files[file].size;
            *size = end.size.min(*size);
        }
    }

    /// The files have other names by now, or are gone.
    fn find_again(&mut self, log: &Log) -> io::Result<()> {
        let siblings = match list::list(log) {
            // They are being renamed at this moment.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        };
        for candidate in &mut self.files {
            let CandidateSource::Listed(old) = &candidate.source else { continue };
            let identity = old.status.identity;
            let same = siblings.list.iter().find(|sibling| sibling.status.identity == identity);
            candidate.source =
                same.map_or(CandidateSource::Gone, |sibling| CandidateSource::Listed(Box::new(sibling.clone())));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::root::Roots;
    use crate::protocol::address::Address;
    use std::fs;

    #[test]
    fn files_that_were_renamed_are_listed_once_in_each_call() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["app.log", "app.log.1", "app.log.2"] {
            fs::write(path(name), name).unwrap();
        }
        let roots = Roots::open([directory.path()], false).unwrap();
        let (log, _) = roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap();
        let listed = list::list(&log).unwrap().list.into_iter().map(|sibling| Candidate::listed(sibling, 0));
        let mut candidates = Candidates::new(listed.collect());
        let name =
            |file: &File| fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file.raw())));
        assert_eq!(name(&candidates.open(1, &log).unwrap().unwrap()).unwrap(), path("app.log.2"));
        fs::rename(path("app.log.2"), path("app.log.3")).unwrap();
        fs::remove_file(path("app.log.1")).unwrap();
        assert_eq!(candidates.open(1, &log).unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert_eq!(name(&candidates.open(1, &log).unwrap().unwrap()).unwrap(), path("app.log.3"));
        assert!(candidates.open(0, &log).unwrap().is_none() && candidates.get(0).is_gone());
    }
}

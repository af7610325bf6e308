//! The files in which a stream may begin or end: generations of a log, oldest first. They are opened when they are
//! needed, under whatever name they have by then.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::generations::list::{self, Sibling};
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
    /// How many of its bytes count.
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
        let written = Status::of(&file)?.written;
        Ok(Candidate { source: CandidateSource::Held(file), size, written })
    }

    pub fn listed(sibling: Sibling) -> Candidate {
        let Status { size, written, .. } = sibling.status;
        Candidate { source: CandidateSource::Listed(Box::new(sibling)), size, written }
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

    /// How many bytes they have in all.
    pub fn total(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Opens a file. `None` when it is gone, or may not be read.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] when files were renamed: they have been listed again, and the next call finds this one.
    /// Another kind when the process has no descriptor or memory left.
    pub fn open(&mut self, file: usize, log: &Log) -> io::Result<Option<Arc<File>>> {
        let opened = match &self.files[file].source {
            CandidateSource::Held(file) => return Ok(Some(file.clone())),
            CandidateSource::Gone => return Ok(None),
            CandidateSource::Listed(sibling) => sibling.open(log),
        };
        match opened {
            Ok(Some(opened)) => Ok(Some(Arc::new(opened))),
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
        let listed = list::list(&log).unwrap().list.into_iter().map(Candidate::listed);
        let mut candidates = Candidates::new(listed.collect());
        let name = |file: &File| fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file)));
        assert_eq!(name(&candidates.open(1, &log).unwrap().unwrap()).unwrap(), path("app.log.2"));
        fs::rename(path("app.log.2"), path("app.log.3")).unwrap();
        fs::remove_file(path("app.log.1")).unwrap();
        assert_eq!(candidates.open(1, &log).unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert_eq!(name(&candidates.open(1, &log).unwrap().unwrap()).unwrap(), path("app.log.3"));
        assert!(candidates.open(0, &log).unwrap().is_none() && candidates.get(0).is_gone());
    }
}

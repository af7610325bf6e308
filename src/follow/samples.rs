//! Files of a log from which it can be learned what its lines look like, besides the typical one.

use std::io;
use std::sync::Arc;

use super::begin::unless_renamed;
use super::follower::Follower;
use super::log::file::File;

impl Follower {
    /// The file that comes so many generations before the youngest of those in which places are searched for. `None` if
    /// there is none, or it is gone.
    ///
    /// # Errors
    /// When it cannot be opened now.
    pub fn generation(&mut self, back: usize) -> io::Result<Option<Arc<File>>> {
        let Some(places) = &mut self.places else { return Ok(None) };
        let file = places.candidates.last().checked_sub(back);
        file.map_or(Ok(None), |file| unless_renamed(|| places.candidates.open(file, &self.log)))
    }
}

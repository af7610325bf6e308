//! What the names of rotated files say, which servers and clients both judge by. It knows no files.

mod listed;
mod name;

pub(crate) use self::listed::{compare_generations, is_generation};
pub(crate) use self::name::{Counting, DatedName, NameStamp, Rotated, is_archive_of};

//! One log through its life, from a name to its bytes. No socket, no thread, no clock: the caller says what time it is
//! and when to poll again.
//!
//! # Glossary
//!
//! * **Log**: what a name leads to, through all of its life.
//! * **Generation**: one file that bore the log's name for a while. A rotation ends one and begins the next.
//! * **Sibling**: a file beside the log, or in a directory below, that a rotation may have named: it begins with the
//!   log's stem and differs from it by numbers, separators and words for "old" (`generations::name`). It need not be a
//!   generation: people unpack archives and make backups under such names.
//! * **Copy**: a file that holds what the log held when it was copied. With `copytruncate` the log stays the same file, is
//!   truncated, and its copies are what is left of what it held.
//! * **Place**: the offset in a generation up to which the follower has read.
//! * **Cursor**, or [`position::Position`]: a place that can be stored: device, inode number and creation time of the file,
//!   fingerprints of its first kilobyte and of the bytes before the offset, the offset, the file's change time, and whether
//!   the file had just been truncated.
//! * **Chain**: the generations between two known files, in order. Where one may be missing, the chain has a gap.
//! * **Ahead**: generations that were found and are still to be read.
//! * **Left**: a generation that was read to its end, and that the follower has gone on from.
//! * **Glance**: what a file was at one moment: its status and a fingerprint of its beginning.
//! * **Gap**: what is reported where bytes are missing, or where nothing shows that none are.
//!
//! # The questions, and how they are decided
//!
//! Names can be given by anyone, and so can modification times. They narrow a search, they put what was found in order, and
//! they can rule a file out. They never prove that a file belongs to the log. What proves it, the strongest first (the code
//! asks in another order: what costs an open file is asked last):
//!
//! 1. **A descriptor that is held.** A generation that was seen under the log's name stays open until it has been read,
//!    whatever becomes of its name (`ahead`, up to 16 files). Its inode number cannot be given to another file meanwhile.
//! 2. **Reported renames.** Where the kernel reports every change of a directory, it is known how many files were given the
//!    log's name, and what each is called now (`arrivals::NameCount`). Then there is nothing to guess: a rotation to any
//!    name is followed, and nobody else's file is among those that came.
//! 3. **Inode number and creation time** of a file that was listed before (`generations::memory`).
//! 4. **Contents**: the first kilobyte and the last 512 bytes of a file, or the bytes before a place.
//! 5. **Change times**, which only the kernel sets.
//! 6. **Names.**
//!
//! **Is that file the next generation?** (`generations::judge`) If renames were reported, what they say; of a file that was
//! moved to another directory they do not say where it is. Otherwise, and for such files, a sibling is, if all of this holds:
//!
//! * It was not there while the older file was current.
//! * If it is named like the older file, it is younger by number or date; and older than the younger file, if that one was
//!   rotated, too. If those names have neither, it was created or renamed after the older file was left. If it is named in
//!   another way, it was created within 20 ms after the older file, or one named like itself, was left.
//! * If the older file is gone, it is named like the file that was rotated last.
//! * Its contents are not those of an older file. Exception: a file whose whole content is the beginning of both the older
//!   and the younger file is read. It may be a generation with nothing but the header of every file, and to repeat a header is
//!   better than to lose it.
//!
//! A compressed sibling is judged by its name and times alone. It cannot be read, so it becomes a gap.
//!
//! **Was that content read before?** Two things are remembered: the last 64 generations that were left, to know them again and
//! to see late lines in them; and the siblings that were there while the log was current, 64 of them with their contents, to
//! know copies of them. So a copy, an unpacked archive, or a file that was restored, touched or rewritten is not sent as new.
//! No file is entered twice: files that are ahead, open or left are excluded from every search.
//!
//! **How is the place of a cursor found again?** (`resume`) In this order: the log, if it has the inode number of the cursor and
//! holds the bytes before its offset; an uncompressed sibling that has the number and holds them; the log, if at least 256
//! bytes say that it is the same; a copy of which at least 64 bytes say so, or one if the file was truncated since. If the file
//! is there and was truncated, a gap and its start. If nothing is found, a gap and what came after the cursor's time. What
//! comes after the file that was found is searched as above, without reported renames.
//!
//! **May a generation be missing between two files?** (`generations::chain`) If renames were reported, the count says it.
//! Otherwise numbers between those of two files must be consecutive; and from the youngest number to the log, which has none,
//! if they are known to count backwards (`generations::counting`). Dates have no series to check, so the next file that is
//! found is taken. Where the older file has a name without a number or date, the next one must have been created within 20 ms
//! after it was left. A gap that is only guessed may be a rotation still under way: files are listed again, up to four times,
//! before it is believed.
//!
//! **When is a deletion a gap?** If the log itself was deleted or overwritten by a rename, a gap of unknown size is reported
//! before the next file: another generation may have come and gone. If the kernel reported that the log was renamed before
//! it was deleted, there is no gap: the follower holds that file open.
//!
//! **How long is a rotated file read?** For `rotate_wait` after the name was seen to lead elsewhere; or, if its writer was
//! seen to close it, until 1 s has passed without new bytes. Generations in between had been rotated away when they were
//! found, and are left at their end. Files that were left are checked for late lines for a minute; such lines become a gap.
//!
//! **Was the log truncated?** (`rewrite`) The bytes before the place are read again with every read. If they are not there
//! any more:
//!
//! * If the file has not shrunk and begins as before, something was written over: a gap, and on from the same offset.
//! * If those bytes stand elsewhere in the file, it was trimmed: a gap, and on from where they end.
//! * Otherwise it was truncated. A sibling that holds all that was read is its copy, and is read to its end first; then the
//!   copies that were made after that one, then the log from its start. Without such a copy a gap comes first. While the file
//!   is empty, or holds only a part of what was read, the follower waits 0.1 s before it decides.
//! * A log of which nothing was read may have been filled, copied and truncated: if its change time differs, copies that are
//!   newer are read first.
//!
//! **Are NULs data?** (`nuls`) While a file may still be written to, NULs at its end and long runs of them in what was written
//! since it was opened are held back for 5 s. Then they are data if other bytes follow, or if they are fewer than 512; a longer
//! run at the end is space that was allocated in advance, and is data only when the file is left. NULs at the start of a
//! truncated log are a hole, and a gap, after 0.2 s.
//!
//! **What if there are no creation times?** (ext4 with 128-byte inodes, NFSv3, vfat.) The siblings are noted before the first
//! read and are recognized by inode number and their first 64 bytes. The number of a deleted file is given to the next one, so
//! a file that was left must still hold what was read; where that is less than 64 bytes it stays open instead, for the last
//! eight such files. Modification times narrow the search, but only a change time proves that a file is older; then every
//! file with a number beyond its own is older as well. Times that count whole seconds prove nothing where they are equal. A
//! generation that is named in a new way is not recognized.
//!
//! What no observer can decide is listed for users in `docs/rotation.md`.
//!
//! # The rooms
//!
//! [`follower`] is the state machine, `succession` the step from one file to the next, `resume` the way in from a cursor,
//! `rewrite` what happens when bytes change in place. `log` is one open file and its fingerprints. `generations` is the
//! search among files: `search` is the question, `ends` what is known of the two files between which is searched, `judge`
//! decides on a single file, `counting` tells which way numbers count, `chain` puts the files in order and finds the gaps.
//! [`root`] and `directory` open names, never outside the roots.
//!
//! When to poll is decided elsewhere (`wake`, and the server's poll schedule). Nothing here depends on it but how soon a
//! change is seen, and how much must be guessed.

mod ahead;
pub(crate) mod arrivals;
pub mod backfill;
mod before;
pub(crate) mod directory;
pub mod file_range;
pub mod follower;
mod generations;
pub mod listing;
mod log;
mod nuls;
pub mod position;
mod resume;
mod rewrite;
pub mod root;
mod succession;
#[cfg(test)]
mod tests;

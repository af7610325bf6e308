//! One log through its life, from a name to its bytes. No socket, no thread, no clock: the caller says what time it is
//! and when to poll again.
//!
//! # Glossary
//!
//! * **Log**: what a name leads to, through all of its life.
//! * **Generation**: one file that bore the log's name for a while. A rotation ends one and begins the next.
//! * **Sibling**: a file in the log's directory, or one level below, whose name is the log's name with numbers,
//!   separators or words for "old" added (`rotated_name`). If the log is a link, that is also a file beside the
//!   link's target, or one level below, whose name differs from the target's in numbers, or is a rotated form of it.
//!   A sibling need not be a generation: people unpack archives and make backups under such names.
//! * **Copy**: a file that holds what the log held when it was copied. With `copytruncate` the log is copied and then
//!   truncated in place; what it held is then only in the copy.
//! * **Place**: the offset in a generation up to which the follower has read. If a filter gives back bytes that it did
//!   not use, the place is before them (`give_back`).
//! * **Cursor**, or [`position::Position`]: a place that can be stored: device, inode number and creation time of the
//!   file, fingerprints of its first kilobyte and of the bytes before the offset, the offset, the file's change time
//!   when the log's name was last seen to lead to it, and whether nothing was read since a truncation.
//! * **Chain**: the generations between two known files, in order. Where one may be missing, the chain has a gap.
//! * **Ahead**: generations that were found and are still to be read.
//! * **Finished**: a generation that was read to its end, and from which the follower has gone on.
//! * **Departed**: a file to which the log's name no longer leads. Its *departure* is its change time when this was
//!   noticed: the time of its rename, unless it was written to since.
//! * **Archive**: a compressed file. It is read as its text, the bytes that were compressed.
//! * **Gap**: what is reported where bytes are missing, or may be missing and nothing proves the contrary. It has a size
//!   if the follower knew the missing bytes: those of a file that waited to be read, late lines in a finished file, the
//!   bytes of a hole. Where it only concludes that something is missing, the size is unknown.
//!
//! # An ordinary rotation
//!
//! 1. The open file is read to its end. Only there the follower checks where the log's name leads (`succession`).
//! 2. The name leads to a new file. It is opened and held at once. What it begins with is noted then, or, if it was still
//!    empty, at a later check, so that it is found out if the file is truncated before it is read.
//! 3. Which files came between the two? The count of reported renames says it, or else a search among the siblings
//!    (`generations`). They are read first; where one may be missing, there will be a gap.
//! 4. The old file is read for late lines until `rotate_wait` has passed since the name was first found to lead
//!    elsewhere or nowhere. If its writer was seen to close it, 1 s without new bytes is enough.
//! 5. The old file is finished, the rotation is reported, and the next file is read from its first byte. Generations in
//!    between are not waited on: at the end of one the next follows at once.
//!
//! Siblings are searched at no other time, except when bytes that were read have changed, when a log that was empty was
//! touched, before a truncated log that was written to is read again, and when a cursor is resumed. A file that appears
//! beside the log is only noted.
//!
//! The states are the variants of `follower::Phase`: backfilling, current, missing (the name leads nowhere, or what
//! comes before its file is in doubt), leaving (step 4), passing (step 5, in between), turning (the open file is lost,
//! the next cannot be opened yet), doubtful (truncated or being trimmed?).
//!
//! # The questions, and how they are decided
//!
//! Names can be given by anyone, and so can modification times. They narrow a search, they put what was found in order,
//! and they can rule a file out. A file whose name and times fit is still not read if its contents are known. This is
//! the evidence, the strongest first; the code checks first what costs least:
//!
//! 1. **A descriptor that is held.** A generation that was seen under the log's name is held open until it is read,
//!    whatever it is renamed to. If more than 16 are waiting, the 15 oldest and the youngest are held, and the others
//!    are looked up again by name when their turn comes. One without a rotated name becomes a gap (`held_files`). The
//!    inode number of a held file cannot be given to another file. With the open file, one whose predecessor is in
//!    doubt and, without creation times, eight finished ones, a follower holds 26 files at most.
//! 2. **Reported renames.** Where the kernel reports every change of a directory, it is known how many files were given
//!    the log's name, and what each is called now (`arrivals::NameCount`). Then a rotation to any name in the log's
//!    directory is followed, and no unrelated file there is taken for a generation.
//! 3. **Inode number and creation time** of a file that was listed before (`generations::memory`).
//! 4. **Contents**: the first kilobyte and the last 512 bytes of a file, or the bytes before a place.
//! 5. **Change times**, which only the kernel sets.
//! 6. **Names.**
//!
//! A lookup shows a rename a moment before the kernel reports it. So names are counted only after the log's directory was
//! read: the kernel holds its lock over both (`await_reports`). A file that lost the name by a rename to another directory
//! and one that lost it to another file are told apart: the first is not sought in the log's own directory.
//!
//! **Is that sibling a generation between two files?** (`generations::judge`; "older" and "younger" are these two
//! files.) If renames were reported, they decide. If not, or if a file was moved to another directory, it is one if all
//! of this holds:
//!
//! * It was not noted while the log's name led to the older file.
//! * Its name and times fit:
//!   * Named like the older file, with a number or date: it stands between the two by number or date.
//!   * Named like the older file, without a number or date; or the older file has no rotated name: it was created after
//!     the older file departed. If its creation time is unknown, its change time counts.
//!   * Named in another way: it was created within 20 ms after the older file departed, or after a sibling named like
//!     itself last changed.
//! * It was created before the younger file was seen.
//! * If the older file was deleted, the sibling is named like a file whose last change is at most 20 ms older than the
//!   younger file. If there is none, a number or date is enough.
//! * It is not a copy of an older file, nor an unfinished copy of the younger one. There are two exceptions. A number
//!   as in `app.log.1` that lies between the two decides, even if the contents are those of an older file. (Not of an
//!   archive, where a log was truncated: a stranger's copy may have a number, too.) And if both the older and the
//!   younger file begin with all of the sibling's bytes, it is read: it may be a generation that holds only the header
//!   of every file, and to repeat a header is better than to lose it. (Not if the younger file is the older one
//!   rewritten by an editor.)
//!
//! **What if it is compressed?** An archive is judged as the file would be that it holds, by its text (`log::file`), but for
//! this:
//!
//! * It was created when it was compressed, and its change time is later still. So only its modification time, which most
//!   tools set to that of the last write, rules it out: it does not come after the older file if it was last written to
//!   before that departed. Nor can the times show that it was followed at once.
//! * If renames are reported, so is that `app.log.1.gz` was created while there was an `app.log.1`, which was deleted then:
//!   what `app.log.1` was, `app.log.1.gz` is.
//! * If the same is there uncompressed, it is not a generation (`list`). It is being compressed, or that was interrupted.
//! * If the older file is deleted but held, an archive that holds it is what became of it, and gives it its name.
//! * It is older if it holds all that was read of a finished file, or all that a sibling held that was noted before; or if it
//!   has the name of such a sibling, with a date.
//! * A modification time that is later than the change time was set by somebody, and tells nothing.
//! * It is the copy of a truncated log only if at least 64 bytes were read, and it does not follow another copy, unless a
//!   number or date says so, if it was last written to before that.
//! * If its format is not built in, its name and times alone decide, and it becomes a gap.
//! * If it is damaged, it ends where the damage is, and a gap follows.
//!
//! Offsets are those of the text, in cursors, too. An archive can only be unpacked from its start. What lies far ahead is
//! reached in steps: reading fails with `WouldBlock` after each, and is tried again with the next poll. So everything that
//! reads a file must be able to begin anew (`log::packed`, `log::archives`). How much is unpacked in a poll is limited,
//! whichever files it reads.
//!
//! **Do numbers count up or backwards?** (`generations::counting`) In `app.log.1` they always count backwards. In
//! `app.1.log` the following decides, in this order: whether the older file has the lower number of the two; whether
//! files known to be older have lower numbers (up) or higher ones (backwards) than the older file, or if that is lost,
//! than the files that are new; the order of creation times. If nothing of this helps, the direction is a guess: up if
//! there are fewer than two files or the lowest number is above 1, else by change times, then by modification times.
//!
//! **May a generation be missing between two files?** (`generations::chain_and_gaps`) If renames were reported, their
//! count says it. Otherwise:
//!
//! * Every number between those of the two files must exist. If numbers are shown to count backwards, so must every
//!   number from the older file's down to 1, because the log follows 1.
//! * Dates need not be consecutive, so no gap is assumed between them.
//! * If the name has neither, or no rotated name was found, the next file must have been created within 20 ms after the
//!   one before it departed. Without creation times its change time is used, so there is nearly always a gap. If only a
//!   link was switched, no gap is assumed.
//!
//! A gap that is only guessed may be a rotation still under way, in which numbers are shifted one after the other: the
//! files are listed again, up to four times, before it is believed. So it is for the copies of `copytruncate`. The file
//! under the log's name is held meanwhile. Once more they are listed when the older file is left, unless it was deleted.
//!
//! **When is a deletion a gap?** If the log was deleted, or another file was renamed over it, a gap of unknown size is
//! reported before the next file: what was written after the last read is gone, and another log may have come and gone.
//! There is no gap if
//!
//! * the kernel reported that the log was renamed before it was deleted: the follower holds that file open;
//! * renames are reported, and the new file holds what was read, at least 256 bytes: an editor has rewritten it;
//! * renames are reported, and the old file has another name; or
//! * a compressed sibling is what became of it.
//!
//! **Was that content read before?** Two things are remembered: the last 64 finished generations, with the place that
//! was reached; and which siblings were there while the log was current, up to 64 of them with a fingerprint of their
//! contents. So a copy, an unpacked archive, or a file that was restored, touched or rewritten is not sent as new. A
//! file that is given the log's name again is read from the place where it was finished. Finished files that still have
//! a rotated name are checked for late lines at every rotation and, while the log is quiet, for a minute; such lines
//! become a gap of known size.
//!
//! **How is the place of a cursor found again?** (`resume`) In the first of these that is there:
//!
//! 1. the log, if it has the cursor's inode number and creation time (without one, its device), and holds its first
//!    kilobyte and the bytes before its offset;
//! 2. an uncompressed sibling of which the same is true;
//! 3. the log, if it holds those bytes and they are at least 256;
//! 4. a sibling that holds those bytes. At least 64 are needed, or 1 if the cursor's file was truncated and the sibling
//!    is younger than the cursor: then it is the copy;
//! 5. an archive that holds those bytes, at least 64. If the place is in the first kilobyte, no other may hold them. It is
//!    preferred to a copy of its beginning;
//! 6. the file with that number, if it was truncated: a gap, then the copies that were made since, then its start;
//! 7. the only archive that begins as the file did, ends before the place, and was not last written to before the change
//!    time in the cursor: a gap, then what comes after it.
//!
//! If nothing is found, there is a gap, and then what came after the change time in the cursor. What comes after the
//! file that was found is searched as in a rotation, but without reported renames. If no file has the cursor's inode
//! number any more, the directory may be a copy of the one in which the cursor was made: creation times are then
//! ignored, and numbers and dates give the order.
//!
//! **Was the log truncated?** (`rewrite`, `copies`, `trimmed`) The bytes before the place are read again with every
//! read. If they have changed:
//!
//! * If the file has not shrunk and its first kilobyte is the same, something was written over: a gap, and on from the
//!   same offset.
//! * If a sibling holds all that was read, it is the copy of the log, which was truncated. If there are several: one
//!   that was not there before, then the longest, then the youngest. It is read to its end, then the copies that were
//!   made after it, then the log from its start. If the log is still empty at the end of the copy, or holds only a part
//!   of the copy's last bytes, the follower waits up to 0.1 s: somebody else may have made the copy, and the log may be
//!   being trimmed. It was trimmed if it begins with exactly the copy's last bytes, and the last 512 of them are there
//!   once, or, if fewer were kept, at least 64 of whole lines, whose first 64 are once in the copy's last 64 KiB. Then
//!   a gap is reported and these bytes are passed over.
//! * If not, and those bytes are found elsewhere in the file (at least 4 of them), its beginning was cut off: a gap,
//!   and on from where they end.
//! * Otherwise the log was truncated without a copy: a gap, other copies that were made since, and its start. If the
//!   file is empty or holds only a part of what was read, the follower waits 0.1 s first, because it may be being
//!   trimmed. Such a copy is named like one that was there before, if any was. (Without a creation time, not if a word is
//!   its name: it may be a rotated file that has replaced the one before, and the log another file with a number that was
//!   given again.)
//!
//! **Was an empty log truncated?** If its change time differs since the last check, it may have been filled, copied and
//! truncated. Siblings that appeared since then are read first.
//!
//! **Are NULs data?** (`nuls`) While a file may still be written to, NULs are held back at its end, at the place that
//! was reached, and in runs of 32 or more in what was written since it was opened. After 5 s they are data if other
//! bytes follow, and runs in that file are not held back any more. At the end of the file fewer than 512 are data; more
//! are space that was allocated in advance, and data only when the follower leaves the file. NULs at the start of a truncated
//! log are a hole, and a gap: at once if nothing was written there, after 0.2 s if NULs were.
//!
//! **What if there are no creation times?** (ext4 with 128-byte inodes, NFSv3, vfat.) An inode number then proves
//! nothing once its file is closed, because the next file may be given it. So contents must agree as well:
//!
//! * Siblings are noted before the first read, and known again by inode number and their first 64 bytes.
//! * A finished file must still hold what was read. If fewer than 64 bytes of it are known, it is kept open; at most
//!   eight such files are.
//! * A modification time can only rule a file out, or put what was found in order. If a change time shows that a file
//!   is older, files numbered before it are older, too. On file systems that store whole seconds, an equal change time
//!   does not show that a file is untouched.
//! * If the rotation changes its naming pattern, the first file with the new pattern is not recognized, unless it was
//!   seen under the log's name.
//!
//! **Which siblings are generations for a reader that asks for all of them?** (`generations::all`) Such a reader did not
//! follow the log, so nothing can be proved, and nothing needs to be: no gap is reported where a number is missing. All
//! siblings count that can be read and are not empty, and are not a copy of a younger file: one that is named in another
//! way and holds the same bytes, or one that holds the beginning of the current file and was created after it. They are put
//! in order as in a rotation. Rotated files that are younger than the file the log's name led to are left to the follower.
//!
//! **Where does a time begin?** (`time_range`, `time_search`) In the oldest generation whose last lines have reached it;
//! those that were last written to more than an hour before are not opened. There the file is halved until a few kilobytes
//! are left, and these are searched line by line. Where clocks were set back, halving may miss an earlier place, so the
//! bytes before are probed at doubling distances. A line that was not finished counts, and one without a time does not. If
//! the log is truncated before the place is known, the search begins again among the files that are there then; without a
//! copy of what it held, that is a gap.
//!
//! What no observer can decide is listed for users in `docs/rotation.md`.
//!
//! # The rooms
//!
//! [`follower`] is the state machine. `succession` is the step from one file to the next, `held_files` the queue of
//! what is read next, `arrivals` what is known of reported renames, `resume` the way in from a cursor, `compressed`
//! what became of a file that was compressed, [`backfill`] the search for the first line, `before` paging back,
//! `rewrite` what happens when bytes change in place, `copies` what `copytruncate` leaves, `trimmed` how the rest of a
//! trimmed log is recognized, `nuls` what is held back, `sendfile` when bytes are passed on unread, [`file_range`] such
//! bytes. [`position`] is a place in a log, and `cursor_format` the text of a cursor. [`matching_lines`] is the search
//! for the last lines that a filter selects; `line_search` has what it shares with [`backfill`], and
//! `matching_forwards` does the same in compressed files. A reader that filters gives back what it did not use:
//! [`unused`] is what is known of such bytes, `give_back` what is done with them. What a line must match is not known
//! here. `log` is one open file, its status, its fingerprints, and its text if it is compressed. `wanted` is a place
//! that is still unpacked up to, and `narrowing` what is asked for once it is found.
//!
//! If a range of times or the lines of all generations are asked for, `place_search` finds where the stream begins and
//! ends, and `begin` goes there. The generations are those that `generations::all` finds, and `candidates` opens them.
//! [`time_range`] finds the generation in which a time begins, `survey` looks at both of its ends, and [`time_search`]
//! finds the place in it. Which time a line bears is not known here; `samples` has the files from which that is learned.
//!
//! `generations` is the search among files: `list` finds the siblings and `name` reads their names, `memory` is what is
//! remembered of them, `search` holds the parameters of a search, `ends` what is known of the two files at its ends,
//! `judge` decides on a single file, `counting` tells which way numbers count, and `chain_and_gaps` puts the files in
//! order and finds the gaps.
//!
//! [`root`] opens names, and `confinement` sees to it that none leads outside its root; [`listing`] lists all logs.
//!
//! When to poll is decided elsewhere (`wake`, and the server's poll schedule). Polling less often only means that
//! changes are seen later and that more has to be guessed.

pub(crate) mod arrivals;
pub mod backfill;
mod before;
mod begin;
mod candidates;
mod compressed;
pub(crate) mod confinement;
mod copies;
mod cursor_format;
mod dated;
pub mod file_range;
pub mod follower;
mod generations;
mod give_back;
mod held_files;
mod line_search;
pub mod listing;
mod log;
mod matching_forwards;
pub mod matching_lines;
mod narrowing;
mod nuls;
mod place_search;
pub mod position;
mod resume;
mod rewrite;
pub mod root;
mod samples;
mod sendfile;
mod succession;
mod survey;
#[cfg(test)]
pub(crate) mod test_times;
#[cfg(test)]
mod tests;
pub mod time_range;
pub mod time_search;
mod trimmed;
pub mod unused;
mod wanted;

pub use self::log::file::File;
pub(crate) use self::log::fingerprint::{read_up_to, sample};
pub use self::log::packed;

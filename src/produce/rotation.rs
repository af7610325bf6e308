//! Rotates a log: its content stays in a file beside it, the log continues empty, and the oldest rotated files are removed.
//! When that is due is decided in the parent module.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::rotate_name::{RotateName, is_stamp};
use super::time::Time;
use super::{failed, open};
use crate::error::{Error, Result};
use crate::file_id::FileId;

/// How a log is rotated. It is parsed from `rename` or `copytruncate`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotateHow {
    /// The log is renamed, and a new one is created in its place. The default.
    #[default]
    Rename,
    /// Copy the log, then truncate it: it remains the same file. Lines that another process writes to it between the two
    /// steps are lost.
    CopyTruncate,
}

impl FromStr for RotateHow {
    type Err = String;

    fn from_str(text: &str) -> Result<RotateHow, String> {
        match text {
            "rename" => Ok(RotateHow::Rename),
            "copytruncate" => Ok(RotateHow::CopyTruncate),
            _ => Err("expected `rename` or `copytruncate`".to_owned()),
        }
    }
}

impl fmt::Display for RotateHow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RotateHow::Rename => "rename",
            RotateHow::CopyTruncate => "copytruncate",
        })
    }
}

/// The names of rotated files.
#[derive(Debug, Default)]
pub(super) struct RotatedNames {
    /// `None` for `app.2026-11-23_01-32-27_123456.log`.
    pattern: Option<RotateName>,
    /// The number of the last one, once there was one.
    number: Option<u64>,
}

/// Rotates the log at `path`, open as `file`, and keeps that many rotated ones.
pub(super) fn rotate(
    path: &Path,
    file: &mut File,
    how: RotateHow,
    keep: usize,
    names: &mut RotatedNames,
) -> Result<()> {
    let number = match how {
        RotateHow::Rename => {
            let number = rename(path, names.candidates(path)?)?;
            *file = open(path)?;
            number
        }
        RotateHow::CopyTruncate => {
            let number = copy(path, file, names.candidates(path)?)?;
            file.set_len(0).map_err(|error| failed("truncate", path, error))?;
            number
        }
    };
    names.number = Some(number);
    prune(path, keep, names.pattern.as_ref())
}

/// A name that may be taken, and its number.
type FreeNames<'n> = Box<dyn Iterator<Item = (PathBuf, u64)> + 'n>;

impl RotatedNames {
    pub(super) fn new(pattern: Option<RotateName>) -> RotatedNames {
        RotatedNames { pattern, number: None }
    }

    fn candidates<'n>(&'n self, path: &'n Path) -> Result<FreeNames<'n>> {
        let Some(pattern) = &self.pattern else { return Ok(Box::new(names(path).map(|name| (name, 0)))) };
        let directory = directory(path);
        let last = match self.number {
            Some(number) => number,
            None => pattern.highest(path, directory).map_err(|error| failed("list", directory, error))?,
        };
        Ok(Box::new(pattern.candidates(directory, last.saturating_add(1))))
    }
}

/// Creates the directory for a new file if it is missing.
fn make_directory(name: &Path) -> Result<()> {
    let directory = directory(name);
    fs::create_dir_all(directory).map_err(|error| failed("create", directory, error))
}

fn rename(path: &Path, mut candidates: FreeNames<'_>) -> Result<u64> {
    let (free, number) = candidates.find(|(name, _)| !name.exists()).expect("there is always a later name");
    make_directory(&free)?;
    fs::rename(path, free).map_err(|error| failed("rotate", path, error))?;
    Ok(number)
}

fn copy(path: &Path, file: &File, candidates: FreeNames<'_>) -> Result<u64> {
    let log = source(path, file).map_err(|error| failed("copy", path, error))?;
    let (mut copy, name, number) = create(candidates, &readable_like(&log))?;
    let result = io::copy(&mut &log, &mut copy);
    result.map(|_| number).map_err(|error| {
        // Half a copy beside the whole log would duplicate lines.
        let _ = fs::remove_file(&name);
        Error::io(format!("cannot copy `{}` to `{}`", path.display(), name.display()), error)
    })
}

/// The log to read from. The handle that appends cannot read, and what is truncated must be what was copied.
fn source(path: &Path, file: &File) -> io::Result<File> {
    let log = File::open(path)?;
    let (found, written) = (log.metadata()?, file.metadata()?);
    if FileId::of(&found) != FileId::of(&written) {
        return Err(io::Error::other("another file was created under its name"));
    }
    Ok(log)
}

/// Options for a file that is readable by nobody who cannot read the log.
fn readable_like(log: &File) -> OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
        let mode = log.metadata().map_or(0o600, |metadata| metadata.mode());
        OpenOptions::new().mode(mode & 0o777).clone()
    }
    #[cfg(not(unix))]
    {
        let _ = log;
        OpenOptions::new()
    }
}

/// Creates a file with a rotated log's name.
fn create(candidates: FreeNames<'_>, options: &OpenOptions) -> Result<(File, PathBuf, u64)> {
    for (name, number) in candidates {
        make_directory(&name)?;
        match options.clone().write(true).create_new(true).open(&name) {
            Ok(file) => return Ok((file, name, number)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed("create", &name, error)),
        }
    }
    unreachable!("there is always a later name")
}

/// What the log may be called once it is rotated, by the time it is now and the microseconds after:
/// `app.log` becomes `app.2026-11-23_01-32-27_123456.log`.
fn names(path: &Path) -> impl Iterator<Item = PathBuf> {
    let (stem, extension) = parts(path);
    let times = std::iter::successors(Some(Time::now()), |time| Some(time.next()));
    times.map(move |time| path.with_file_name(format!("{stem}.{}{extension}", time.stamp())))
}

fn parts(path: &Path) -> (String, String) {
    let part = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().map(|extension| format!(".{}", part(Some(extension))));
    (part(path.file_stem()), extension.unwrap_or_default())
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn prune(path: &Path, keep: usize, pattern: Option<&RotateName>) -> Result<()> {
    let directory = directory(path);
    let rotated = match pattern {
        Some(pattern) => pattern.rotated(path, directory),
        None => rotated(path, directory),
    };
    let rotated = rotated.map_err(|error| failed("list", directory, error))?;
    let surplus = rotated.len().saturating_sub(keep);
    rotated[..surplus].iter().try_for_each(|old| fs::remove_file(old).map_err(|error| failed("remove", old, error)))
}

/// The log's rotated files, oldest first.
fn rotated(path: &Path, directory: &Path) -> io::Result<Vec<PathBuf>> {
    let (stem, extension) = parts(path);
    let mut rotated = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let stamp = name.strip_prefix(&format!("{stem}.")).and_then(|rest| rest.strip_suffix(&extension));
        if stamp.is_some_and(is_stamp) {
            rotated.push(directory.join(name));
        }
    }
    rotated.sort_unstable();
    Ok(rotated)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn log(text: &str) -> (tempfile::TempDir, PathBuf, File) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        let mut file = open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        (directory, path, file)
    }

    fn only_rotated(path: &Path) -> PathBuf {
        let directory = path.parent().unwrap();
        let rotated = rotated(path, directory).unwrap();
        assert_eq!(rotated.len(), 1, "{rotated:?}");
        rotated[0].clone()
    }

    #[test]
    fn a_way_of_rotating_has_its_word() {
        for how in [RotateHow::Rename, RotateHow::CopyTruncate] {
            assert_eq!(how.to_string().parse(), Ok(how));
        }
        assert_eq!("move".parse::<RotateHow>(), Err("expected `rename` or `copytruncate`".to_owned()));
    }

    #[test]
    fn a_renamed_log_is_another_file_and_a_truncated_one_the_same() {
        for how in [RotateHow::Rename, RotateHow::CopyTruncate] {
            let (_directory, path, mut file) = log("old\n");
            let before = fs::metadata(&path).unwrap().ino();
            rotate(&path, &mut file, how, 5, &mut RotatedNames::default()).unwrap();
            file.write_all(b"new\n").unwrap();
            let after = fs::metadata(&path).unwrap().ino();
            let texts = [&only_rotated(&path), &path].map(|path| fs::read_to_string(path).unwrap());
            assert_eq!((texts, before == after), (["old\n".into(), "new\n".into()], how == RotateHow::CopyTruncate));
        }
    }

    #[test]
    fn a_copy_is_for_no_more_eyes_than_the_log() {
        let (_directory, path, mut file) = log("secret\n");
        file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
        rotate(&path, &mut file, RotateHow::CopyTruncate, 5, &mut RotatedNames::default()).unwrap();
        assert_eq!(fs::metadata(only_rotated(&path)).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_copy_takes_no_name_that_is_taken() {
        let (_directory, path, _file) = log("line\n");
        let other = path.with_file_name("other");
        let names = [path.clone(), other.clone()].into_iter().map(|name| (name, 0));
        assert_eq!(create(Box::new(names), &OpenOptions::new()).unwrap().1, other);
        assert_eq!(fs::read_to_string(path).unwrap(), "line\n");
    }

    #[test]
    fn a_log_that_is_another_file_now_is_not_truncated() {
        let (directory, path, mut file) = log("old\n");
        let moved = directory.path().join("moved");
        fs::rename(&path, &moved).unwrap();
        fs::write(&path, "another\n").unwrap();
        let error = rotate(&path, &mut file, RotateHow::CopyTruncate, 5, &mut RotatedNames::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot copy `{}`: another file was created under its name", path.display())
        );
        assert_eq!(fs::read_to_string(moved).unwrap(), "old\n");
    }

    #[test]
    fn what_cannot_be_pruned_is_named() {
        for how in [RotateHow::Rename, RotateHow::CopyTruncate] {
            let (directory, path, mut file) = log("line\n");
            let old = directory.path().join("app.2000-01-01_00-00-00_000000.log");
            fs::create_dir(&old).unwrap();
            let error = rotate(&path, &mut file, how, 1, &mut RotatedNames::default()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("cannot remove `{}`: ", old.display())), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_copied_is_named_and_the_log_left_alone() {
        let (directory, path, mut file) = log("line\n");
        fs::remove_file(&path).unwrap();
        let error =
            rotate(&path, &mut file, RotateHow::CopyTruncate, 1, &mut RotatedNames::default()).unwrap_err().to_string();
        assert_eq!(error, format!("cannot copy `{}`: no such file or directory", path.display()));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        assert_eq!(file.metadata().unwrap().len(), 5);
    }
}

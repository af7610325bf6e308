//! A file system without creation times: ext4 with 128-byte inodes, in an image of its own.

use std::path::Path;
use std::process::Command;

/// A file system without creation times, mounted as long as this exists. Needs root and a loop device.
pub struct Birthless {
    directory: tempfile::TempDir,
    _image: tempfile::NamedTempFile,
}

impl Birthless {
    /// Its other times are in nanoseconds, like those of NFSv3 and XFS version 4.
    pub fn mount() -> Birthless {
        // The fields of an inode that ext4 uses then end before the creation time.
        Birthless::mount_with("256", "loop,debug_want_extra_isize=16")
    }

    /// Its other times are in seconds.
    pub fn mount_coarse() -> Birthless {
        Birthless::mount_with("128", "loop")
    }

    fn mount_with(inode_size: &str, options: &str) -> Birthless {
        let image = tempfile::NamedTempFile::new().unwrap();
        image.as_file().set_len(256 << 20).unwrap();
        run(Command::new("mkfs.ext4").args(["-q", "-I", inode_size]).arg(image.path()));
        let directory = tempfile::tempdir().unwrap();
        run(Command::new("mount").args(["-o", options]).arg(image.path()).arg(directory.path()));
        let mounted = Birthless { directory, _image: image };
        let file = std::fs::File::create(mounted.path().join("new")).unwrap();
        assert!(file.metadata().unwrap().created().is_err(), "the file system has creation times");
        mounted
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Drop for Birthless {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

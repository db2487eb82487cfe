//! A file system of a test's own: an image that is mounted by loop, or memory. Both need root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::folder::Folder;

/// A mounted file system. Dropping it unmounts it.
#[derive(Debug)]
pub struct Mount(Folder);

impl Mount {
    /// Memory with room for so many bytes.
    ///
    /// # Errors
    /// When it cannot be mounted: mostly by who is not root.
    pub fn memory(bytes: u64) -> Result<Self, String> {
        Self::by(&["-t", "tmpfs", "-o", &format!("size={bytes},mode=0700"), "none"])
    }

    /// The ext4 in an image file.
    ///
    /// # Errors
    /// When it cannot be mounted: by who is not root, without loop devices, or when it is damaged.
    pub fn image(image: &Path) -> Result<Self, String> {
        Self::by(&["-t", "ext4", "-o", "loop", &image.display().to_string()])
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// From now on nobody writes to it.
    ///
    /// # Errors
    /// When it is in use.
    pub fn make_read_only(&self) -> Result<(), String> {
        run("mount", &["-o", "remount,ro", &self.path().display().to_string()])
    }

    fn by(arguments: &[&str]) -> Result<Self, String> {
        let folder = Folder::new("mount");
        run("mount", &[arguments, &[&folder.path().display().to_string()]].concat())?;
        Ok(Self(folder))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let path = self.path().display().to_string();
        // Whoever uses it yet loses it when it ends.
        if run("umount", &[&path]).is_err() {
            let _ = run("umount", &["--lazy", &path]);
        }
    }
}

/// A file with an empty ext4.
///
/// # Errors
/// When there is no room, or no `mkfs.ext4`.
pub fn ext4(path: PathBuf, bytes: u64) -> Result<PathBuf, String> {
    let made = std::fs::File::create(&path).and_then(|file| file.set_len(bytes));
    made.map_err(|error| format!("failed to make {}: {error}", path.display()))?;
    // Else the kernel goes on making it for a while after it was mounted.
    let at_once = "lazy_itable_init=0,lazy_journal_init=0";
    run("mkfs.ext4", &["-q", "-F", "-E", at_once, &path.display().to_string()])?;
    Ok(path)
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new(program);
    let ended = command.args(arguments).stdin(Stdio::null()).output();
    let ended = ended.map_err(|error| format!("failed to run {program}: {error}"))?;
    match ended.status.success() {
        true => Ok(()),
        false => Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr).trim())),
    }
}

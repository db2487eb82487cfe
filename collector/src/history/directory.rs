//! The data directory (`ingest.md` 6, 7.5): who may use it, one daemon at a time, and which store it is.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The layout that this code writes, and the newest that it reads.
const FORMAT: u32 = 1;
/// First word of `FORMAT`.
const NAME: &str = "bailiwick-data";
/// `FORMAT` is a line; whatever is longer is none.
const FORMAT_BYTES_MAX: u64 = 4_096;

/// Where the daemon keeps what outlives it (`data_dir`): `auto`, `ephemeral` or a path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum DataDir {
    /// `$STATE_DIRECTORY`, else `/var/lib/bailiwick` if it can be written, else `bailiwick` in the user's state directory.
    #[default]
    Auto,
    /// Nowhere: nothing outlives the process.
    Ephemeral,
    /// Here.
    At(PathBuf),
}

impl From<String> for DataDir {
    fn from(text: String) -> Self {
        match &*text {
            "auto" => Self::Auto,
            "ephemeral" => Self::Ephemeral,
            _ => Self::At(text.into()),
        }
    }
}

impl From<DataDir> for String {
    fn from(data_dir: DataDir) -> Self {
        match data_dir {
            DataDir::Auto => "auto".to_owned(),
            DataDir::Ephemeral => "ephemeral".to_owned(),
            DataDir::At(path) => path.to_string_lossy().into_owned(),
        }
    }
}

impl JsonSchema for DataDir {
    fn schema_name() -> Cow<'static, str> {
        "DataDir".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "examples": ["auto", "ephemeral", "/var/lib/bailiwick"] })
    }
}

/// What of the environment says where state belongs.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `STATE_DIRECTORY`: systemd's, the first of those it names.
    pub state_directory: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub xdg_state_home: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
}

impl Surroundings {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state_directory = std::env::var("STATE_DIRECTORY").ok();
        let state_directory = state_directory.as_deref().and_then(|names| names.split(':').next()).map(PathBuf::from);
        Self {
            state_directory: state_directory.filter(|path| !path.as_os_str().is_empty()),
            xdg_state_home: path("XDG_STATE_HOME"),
            home: path("HOME"),
        }
    }
}

impl DataDir {
    /// The directory that is meant; `None`: nothing outlives the process.
    ///
    /// # Errors
    /// When nothing says where state belongs.
    pub fn resolve(
        &self,
        around: &Surroundings,
        is_writable: impl Fn(&Path) -> bool,
    ) -> Result<Option<PathBuf>, DirectoryError> {
        let system = Path::new("/var/lib/bailiwick");
        match self {
            Self::Ephemeral => Ok(None),
            Self::At(path) => Ok(Some(path.clone())),
            Self::Auto => {
                let of_user = || {
                    let state = around.xdg_state_home.clone().filter(|path| path.is_absolute());
                    state
                        .or_else(|| Some(around.home.as_ref()?.join(".local/state")))
                        .map(|state| state.join("bailiwick"))
                };
                let own = around.state_directory.clone();
                let found = own.or_else(|| is_writable(system).then(|| system.to_owned())).or_else(of_user);
                found.map(Some).ok_or(DirectoryError::Nowhere)
            }
        }
    }
}

/// Whether files can be made in a directory that exists.
#[must_use]
pub fn is_writable(path: &Path) -> bool {
    let probe = path.join(format!(".probe-{}", std::process::id()));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&probe).is_ok();
    made && fs::remove_file(&probe).is_ok()
}

/// Why a data directory cannot be used; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Neither settings nor environment name one.
    #[error("no data directory: neither STATE_DIRECTORY nor HOME is set; set data_dir, or start with --ephemeral")]
    Nowhere,
    /// Another daemon uses it.
    #[error("{} is in use by {by}: stop it, or set data_dir to another directory", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
        /// Whoever holds it.
        by: String,
    },
    /// Something about it is not as it must be.
    #[error("{} {what}", path.display())]
    Unfit {
        /// The directory.
        path: PathBuf,
        /// What, and the remedy.
        what: String,
    },
    /// It cannot be read or written.
    #[error("failed to {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl DirectoryError {
    /// Whether it may be right a moment later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::InUse { .. })
    }
}

/// A data directory that is this daemon's until it is dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    store_id: [u8; 16],
    /// Held for its lock, which ends with it.
    _lock: File,
}

impl Directory {
    /// Takes a directory, and makes it if it is not there. `draw` makes the id of a new one.
    ///
    /// # Errors
    /// When it is another's, in use, no directory of ours, of a newer version, or cannot be written.
    pub fn open(path: &Path, draw: impl FnOnce() -> io::Result<[u8; 16]>) -> Result<Self, DirectoryError> {
        let unfit = |what: String| Err(DirectoryError::Unfit { path: path.to_owned(), what });
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
                made.map_err(|source| failed("create", path, source))?;
            }
            Err(source) => return Err(failed("look at", path, source)),
            Ok(meta) if meta.is_symlink() => {
                return unfit("is a symbolic link: set data_dir to the directory that it means".to_owned());
            }
            Ok(meta) if !meta.is_dir() => return unfit("is no directory: set data_dir to another place".to_owned()),
            Ok(meta) => {
                let own = rustix::process::geteuid().as_raw();
                if meta.uid() != own {
                    return unfit(format!(
                        "belongs to uid {}, and this process is uid {own}: chown it, or run as its owner",
                        meta.uid()
                    ));
                }
                // What is in it is nobody else's business, whatever the files below say.
                let narrowed =
                    if meta.mode() & 0o077 == 0 { Ok(()) } else { fs::set_permissions(path, owners_alone()) };
                match narrowed {
                    // The lock says it in better words.
                    Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {}
                    narrowed => narrowed.map_err(|source| failed("narrow the rights of", path, source))?,
                }
            }
        }
        let lock = lock(path)?;
        let store_id = match read_format(path)? {
            Some(store_id) => store_id,
            None => {
                if let Some(other) = foreign(path)? {
                    return unfit(format!(
                        "holds `{other}` and no FORMAT: it is no data directory of bailiwick; set data_dir to an empty one"
                    ));
                }
                let store_id = draw().map_err(|source| failed("draw an id for", path, source))?;
                write_format(path, store_id)?;
                store_id
            }
        };
        Ok(Self { path: path.to_owned(), store_id, _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What tells its files from those of any other data directory.
    #[must_use]
    pub const fn store_id(&self) -> [u8; 16] {
        self.store_id
    }
}

fn owners_alone() -> fs::Permissions {
    fs::Permissions::from_mode(0o700)
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> DirectoryError {
    DirectoryError::Io { what, path: path.to_owned(), source }
}

/// The lock, with the number of the process that holds it inside.
fn lock(directory: &Path) -> Result<File, DirectoryError> {
    let path = directory.join("LOCK");
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied) => {
            let what = format!("cannot be written ({error}): make it writable, or set data_dir to another directory");
            return Err(DirectoryError::Unfit { path: directory.to_owned(), what });
        }
        Err(source) => return Err(failed("open", &path, source)),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            let mut by = String::new();
            let _ = file.take(20).read_to_string(&mut by);
            let is_number = !by.trim().is_empty() && by.trim().bytes().all(|byte| byte.is_ascii_digit());
            let by = if is_number { format!("pid {}", by.trim()) } else { "another process".to_owned() };
            return Err(DirectoryError::InUse { path: directory.to_owned(), by });
        }
        Err(fs::TryLockError::Error(source)) => return Err(failed("lock", &path, source)),
    }
    let told = file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
    told.map_err(|source| failed("write", &path, source))?;
    Ok(file)
}

/// The id in `FORMAT`; `None`: there is no such file.
fn read_format(directory: &Path) -> Result<Option<[u8; 16]>, DirectoryError> {
    let path = directory.join("FORMAT");
    let mut text = String::new();
    match File::open(&path) {
        Ok(file) => {
            let read = file.take(FORMAT_BYTES_MAX).read_to_string(&mut text);
            read.map_err(|source| failed("read", &path, source))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed("open", &path, source)),
    }
    let mut words = text.split_ascii_whitespace();
    let unfit = |what: String| Err(DirectoryError::Unfit { path: directory.to_owned(), what });
    let (name, format, id) = (words.next(), words.next().and_then(|word| word.parse::<u32>().ok()), words.next());
    match (name, format) {
        (Some(NAME), Some(format)) if format > FORMAT => unfit(format!(
            "has format {format}; this binary reads up to {FORMAT}: start the version that wrote it, or a newer one"
        )),
        (Some(NAME), Some(FORMAT)) => match id.and_then(from_hex) {
            Some(id) => Ok(Some(id)),
            None => unfit("has a FORMAT without an id: restore it from a backup".to_owned()),
        },
        _ => unfit("has a FORMAT that is not of bailiwick: set data_dir to another directory".to_owned()),
    }
}

fn write_format(directory: &Path, store_id: [u8; 16]) -> Result<(), DirectoryError> {
    let (path, partial) = (directory.join("FORMAT"), directory.join("FORMAT.new"));
    let hex: String = store_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        writeln!(file, "{NAME} {FORMAT} {hex}")?;
        file.sync_all()?;
        fs::rename(&partial, &path)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(|source| failed("write", &path, source))
}

/// Something in a directory that a new data directory would not have.
fn foreign(directory: &Path) -> Result<Option<String>, DirectoryError> {
    let entries = fs::read_dir(directory).map_err(|source| failed("list", directory, source))?;
    for entry in entries {
        let name = entry.map_err(|source| failed("list", directory, source))?.file_name();
        let name = name.to_string_lossy();
        if !matches!(&*name, "LOCK" | "FORMAT.new" | "lost+found") {
            return Ok(Some(name.into_owned()));
        }
    }
    Ok(None)
}

fn from_hex(text: &str) -> Option<[u8; 16]> {
    let bytes = (text.len() == 32 && text.is_ascii()).then(|| {
        let pairs = (0..16).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16));
        pairs.collect::<Result<Vec<u8>, _>>()
    });
    bytes?.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;

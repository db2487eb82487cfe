//! Whose data directory it may be, and who is told what is wrong with it.

use super::*;

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("bailiwick-directory-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn open(&self, name: &str) -> Result<Directory, DirectoryError> {
        Directory::open(&self.0.join(name), || Ok([7; 16]))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn refused(opened: Result<Directory, DirectoryError>) -> String {
    opened.map(|directory| directory.path().to_owned()).expect_err("it must be refused").to_string()
}

#[test]
fn a_new_directory_is_the_owners_alone_and_keeps_its_id() {
    let folder = Folder::new("new");
    let first = folder.open("a/b").expect("it can be made");
    assert_eq!(fs::metadata(first.path()).expect("it is there").permissions().mode() & 0o777, 0o700);
    assert_eq!(first.store_id(), [7; 16]);
    drop(first);
    fs::set_permissions(folder.0.join("a/b"), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let again = Directory::open(&folder.0.join("a/b"), || panic!("it has an id")).expect("it was made by us");
    assert_eq!(again.store_id(), [7; 16]);
    assert_eq!(fs::metadata(again.path()).expect("it is there").permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_second_daemon_hears_who_has_it() {
    let folder = Folder::new("second");
    let first = folder.open("data").expect("nobody has it");
    let error = folder.open("data").expect_err("it is in use");
    assert!(error.is_temporary());
    assert!(error.to_string().contains(&format!("is in use by pid {}", std::process::id())), "{error}");
    drop(first);
    assert!(folder.open("data").is_ok());
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let folder = Folder::new("foreign");
    fs::create_dir(folder.0.join("home")).expect("a folder");
    fs::write(folder.0.join("home/letters.txt"), "dear").expect("a file");
    assert!(refused(folder.open("home")).contains("holds `letters.txt` and no FORMAT"));
    fs::create_dir(folder.0.join("other")).expect("a folder");
    fs::write(folder.0.join("other/FORMAT"), "rocksdb 6\n").expect("a file");
    assert!(refused(folder.open("other")).contains("not of bailiwick"));
    fs::write(folder.0.join("file"), "").expect("a file");
    assert!(refused(folder.open("file")).contains("is no directory"));
    std::os::unix::fs::symlink(folder.0.join("home"), folder.0.join("link")).expect("a link");
    assert!(refused(folder.open("link")).contains("is a symbolic link"));
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let folder = Folder::new("newer");
    drop(folder.open("data").expect("a new one"));
    fs::write(folder.0.join("data/FORMAT"), format!("bailiwick-data 3 {}\n", "07".repeat(16))).expect("a file");
    assert!(refused(folder.open("data")).contains("has format 3; this binary reads up to 1"));
    fs::write(folder.0.join("data/FORMAT"), "bailiwick-data 1 07é\n").expect("a file");
    assert!(refused(folder.open("data")).contains("without an id"));
}

#[test]
fn the_place_follows_systemd_then_the_system_then_the_user() {
    let path = |text: &str| Some(PathBuf::from(text));
    let all = Surroundings {
        state_directory: path("/var/lib/private/bailiwick"),
        xdg_state_home: path("/srv/ada/state"),
        home: path("/srv/ada"),
    };
    let place = |around: &Surroundings, writable| DataDir::Auto.resolve(around, |_| writable).expect("a place");
    assert_eq!(place(&all, true), path("/var/lib/private/bailiwick"));
    let user = Surroundings { state_directory: None, ..all };
    assert_eq!(place(&user, true), path("/var/lib/bailiwick"));
    assert_eq!(place(&user, false), path("/srv/ada/state/bailiwick"));
    let plain = Surroundings { xdg_state_home: None, ..user };
    assert_eq!(place(&plain, false), path("/srv/ada/.local/state/bailiwick"));
    let relative = Surroundings { xdg_state_home: path("state"), ..plain.clone() };
    assert_eq!(place(&relative, false), path("/srv/ada/.local/state/bailiwick"), "XDG: a relative path is ignored");
    assert!(DataDir::Auto.resolve(&Surroundings::default(), |_| false).is_err());
    assert_eq!(DataDir::Ephemeral.resolve(&plain, |_| true).expect("nothing can fail"), None);
}

//! What a command answers: stdout is data, stderr is talk, and an exit code that scripts can rely on.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, healthy, passed.
    Done = 0,
    /// It worked and found a problem.
    Problem = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// There is too little to go by.
    Insufficient = 3,
    /// No daemon, or its port is taken.
    Unavailable = 69,
    /// A bug of ours.
    Internal = 70,
    /// A file could not be read or written.
    File = 74,
    /// It was cut short: the drain deadline passed, or a second signal came.
    Temporary = 75,
    /// The configuration is invalid.
    Configuration = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The answer of a command that only says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// For stdout.
    pub data: String,
    /// For stderr.
    pub talk: String,
    /// How it ended.
    pub exit: Exit,
}

impl Answer {
    /// Data and success.
    #[must_use]
    pub fn data(data: impl Into<String>) -> Self {
        Self { data: data.into(), talk: String::new(), exit: Exit::Done }
    }

    /// A failure and its reason, in one line.
    #[must_use]
    pub fn failure(exit: Exit, reason: impl std::fmt::Display) -> Self {
        Self { data: String::new(), talk: format!("bailiwick: {reason}\n"), exit }
    }

    /// Writes both texts and tells how to exit. A reader that left early has seen what it wanted.
    pub fn give(&self, stdout: &mut dyn Write, stderr: &mut dyn Write) -> Exit {
        // Nobody is left to tell that stderr is gone.
        let _ = stderr.write_all(self.talk.as_bytes());
        match write_all(stdout, &self.data) {
            Ok(()) => self.exit,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Done,
            Err(error) => {
                let _ = writeln!(stderr, "bailiwick: failed to write to stdout: {error}");
                Exit::File
            }
        }
    }
}

fn write_all(stdout: &mut dyn Write, data: &str) -> io::Result<()> {
    stdout.write_all(data.as_bytes())?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_ends_with_0_and_a_full_disk_with_74() {
        let answer = Answer { exit: Exit::Problem, ..Answer::data("figures") };
        assert_eq!(answer.give(&mut Broken(ErrorKind::BrokenPipe), &mut Vec::new()), Exit::Done);
        let mut stderr = Vec::new();
        assert_eq!(answer.give(&mut Broken(ErrorKind::StorageFull), &mut stderr), Exit::File);
        assert!(String::from_utf8_lossy(&stderr).contains("failed to write to stdout"));
    }

    #[test]
    fn data_goes_to_stdout_and_talk_to_stderr() {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        assert_eq!(Answer::data("a\n").give(&mut stdout, &mut stderr), Exit::Done);
        assert_eq!((stdout.as_slice(), stderr.as_slice()), (b"a\n".as_slice(), b"".as_slice()));
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        assert_eq!(Answer::failure(Exit::Unavailable, "no").give(&mut stdout, &mut stderr), Exit::Unavailable);
        assert_eq!((stdout.as_slice(), stderr.as_slice()), (b"".as_slice(), b"bailiwick: no\n".as_slice()));
    }
}

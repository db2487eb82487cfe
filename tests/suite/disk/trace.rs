//! What strace wrote, read as events in their order: lines `PID call(args) = result`, or the same in two halves,
//! `<unfinished ...>` and `<... call resumed>`, where something came between.

use std::collections::HashMap;

/// What a response begins with.
const RESPONSE: &str = "HTTP/1.1 200";

/// A system call; places are line numbers.
#[derive(Debug)]
struct Call {
    name: String,
    /// The file as `-y` shows it: `7</path>`.
    file: String,
    arguments: String,
    begun: usize,
    ended: usize,
    result: i64,
}

/// All system calls that ended.
#[derive(Debug)]
pub(crate) struct Trace(Vec<Call>);

/// How many requests were treated as they must be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Responses.
    pub(crate) responses: usize,
    /// Of them those after the write of the record.
    pub(crate) written: usize,
    /// Of them those after a sync that began later than the write and succeeded.
    pub(crate) synced: usize,
    /// All syncs of segments.
    pub(crate) syncs: usize,
}

impl Trace {
    pub(crate) fn read(text: &str) -> Self {
        let mut calls = Vec::new();
        let mut open: HashMap<&str, Call> = HashMap::new();
        for (at, line) in text.lines().enumerate() {
            let Some((thread, rest)) = line.split_once(' ') else { continue };
            let rest = rest.trim_start();
            if rest.starts_with("<... ") {
                let Some(mut call) = open.remove(thread) else { continue };
                (call.ended, call.result) = (at, result(rest));
                calls.push(call);
            } else if let Some(call) = begun(rest, at) {
                match rest.ends_with("<unfinished ...>") {
                    true => drop(open.insert(thread, call)),
                    false => calls.push(call),
                }
            }
        }
        Self(calls)
    }

    /// The n-th response belongs to the n-th mark: there is one client with one request at a time.
    pub(crate) fn judge(&self, marks: impl Iterator<Item = String>) -> Verdict {
        let of_segment = |call: &&Call| call.file.ends_with(".seg>");
        let is_sync = |call: &&Call| matches!(&*call.name, "fdatasync" | "fsync");
        let syncs: Vec<&Call> = self.0.iter().filter(of_segment).filter(is_sync).collect();
        let writes: Vec<&Call> =
            self.0.iter().filter(of_segment).filter(|call| call.name.starts_with("pwrite")).collect();
        let mut responses: Vec<&Call> = self.0.iter().filter(|call| call.arguments.contains(RESPONSE)).collect();
        responses.sort_by_key(|call| call.begun);
        let mut verdict = Verdict { responses: responses.len(), written: 0, synced: 0, syncs: syncs.len() };
        for (mark, response) in marks.zip(responses) {
            let write = writes.iter().find(|write| write.arguments.contains(&mark));
            let Some(write) = write.filter(|write| write.result > 0 && write.ended < response.begun) else { continue };
            verdict.written += 1;
            let holds = |sync: &&Call| {
                let is_between = sync.begun > write.ended && sync.ended < response.begun;
                is_between && sync.result == 0 && sync.file == write.file
            };
            verdict.synced += usize::from(syncs.iter().copied().any(|sync| holds(&sync)));
        }
        verdict
    }
}

fn begun(line: &str, at: usize) -> Option<Call> {
    let (name, arguments) = line.split_once('(')?;
    let file_end = arguments.find('>').map(|end| end + 1).unwrap_or_default();
    let file = arguments[..file_end].to_owned();
    let (name, arguments) = (name.to_owned(), arguments.to_owned());
    Some(Call { name, file, arguments, begun: at, ended: at, result: result(line) })
}

/// The number after the last ` = `.
fn result(line: &str) -> i64 {
    let number = line.rsplit_once(" = ").and_then(|(_, rest)| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str =
        "7 pwrite64(5</j/1.seg>, \"\\0markaaaa\\1\", 64, 64) = 64\n8 fdatasync(5</j/1.seg> <unfinished ...>\n";
    const RESPONSE: &str = "9 writev(8<socket:[1]>, [{iov_base=\"HTTP/1.1 200 OK\"}], 1) = 15\n";

    fn verdict(text: &str) -> (usize, usize, usize) {
        let verdict = Trace::read(text).judge(["markaaaa".to_owned()].into_iter());
        (verdict.responses, verdict.written, verdict.synced)
    }

    #[test]
    fn a_sync_counts_when_it_ended_well_before_the_response() {
        let resumed = |result: &str| format!("8 <... fdatasync resumed>) = {result}\n");
        assert_eq!(verdict(&format!("{BEGIN}{}{RESPONSE}", resumed("0"))), (1, 1, 1));
        assert_eq!(verdict(&format!("{BEGIN}{}{RESPONSE}", resumed("-1 EIO (Input/output error)"))), (1, 1, 0));
        assert_eq!(verdict(&format!("{BEGIN}{RESPONSE}{}", resumed("0"))), (1, 1, 0));
        assert_eq!(verdict(&format!("{RESPONSE}{BEGIN}{}", resumed("0"))), (1, 0, 0));
        let other = resumed("0") + &BEGIN.replace("1.seg", "2.seg");
        assert_eq!(verdict(&format!("{}{RESPONSE}{other}", BEGIN.replace("64) = 64", "64) = -1 EIO"))), (1, 0, 0));
    }
}

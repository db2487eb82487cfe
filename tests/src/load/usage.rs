//! What a process has used, from `/proc`.

use std::time::Duration;

/// Ticks of `utime` and `stime` per second: `USER_HZ`, 100 on every Linux that Rust's std supports.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time of a process, user and system, all threads.
///
/// # Errors
/// When there is no such process.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    cpu_of(&stat).ok_or_else(|| anyhow::anyhow!("failed to read CPU time from {stat}"))
}

/// The most memory that a process ever held (`VmHWM`), in bytes.
///
/// # Errors
/// When there is no such process.
pub fn rss_peak(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    rss_peak_of(&status).ok_or_else(|| anyhow::anyhow!("failed to read VmHWM from {status}"))
}

/// The state of the machine that a run depends on: model, cores, load, and time that a hypervisor stole since boot.
#[must_use]
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let load = read("/proc/loadavg");
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    let stat = read("/proc/stat");
    let steal = stat.lines().next().and_then(|line| line.split_whitespace().nth(8)).unwrap_or("?").to_owned();
    format!("{} x {}, load {load}, steal {steal} ticks", cores, model.trim_start_matches(['\t', ' ', ':']))
}

fn cpu_of(stat: &str) -> Option<Duration> {
    // The name in parentheses may hold anything; the fields after it are numbers, `utime` the 12th, `stime` the 13th.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some(Duration::from_millis((user + system) * (1_000 / TICKS_PER_SECOND)))
}

fn rss_peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_parentheses() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 1";
        assert_eq!(cpu_of(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu_of("nothing"), None);
    }

    #[test]
    fn peak_memory_is_in_bytes() {
        assert_eq!(rss_peak_of("Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t 1 kB\n"), Some(2 << 20));
        assert_eq!(rss_peak_of("Name:\tx\n"), None);
    }
}

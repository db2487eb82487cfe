//! What the operating system says about this process, under the names that Prometheus' own clients use.

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use super::catalogue;
use super::family::{Family, Value};

/// Families about this process; none where the system does not tell. Reads `/proc`: never call it from async code.
pub(crate) fn families() -> Vec<Family> {
    let (Ok(pid), Ok(mut system)) = (sysinfo::get_current_pid(), System::new()) else {
        return Vec::new();
    };
    let wanted = ProcessRefreshKind::nothing().with_memory().with_cpu().with_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, wanted);
    let Some(process) = system.process(pid) else {
        return Vec::new();
    };
    let count = |number: usize| Value::Count(number as u64);
    // Milliseconds to seconds; a process would need 285,000 years of CPU time to lose a digit.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53 milliseconds")]
    let cpu_seconds = process.accumulated_cpu_time() as f64 / 1_000.0;
    let mut families = vec![
        Family::single(&catalogue::PROCESS_CPU, Value::Number(cpu_seconds)),
        Family::single(&catalogue::PROCESS_RESIDENT, Value::Count(process.memory())),
        Family::single(&catalogue::PROCESS_VIRTUAL, Value::Count(process.virtual_memory())),
        Family::single(&catalogue::PROCESS_START, Value::Count(process.start_time())),
    ];
    let counted = [
        (&catalogue::PROCESS_OPEN_FDS, process.open_files()),
        (&catalogue::PROCESS_MAX_FDS, process.open_files_limit()),
        // The main thread is not among its tasks.
        (&catalogue::PROCESS_THREADS, process.tasks().map(|tasks| tasks.len() + 1)),
    ];
    families.extend(counted.into_iter().filter_map(|(family, n)| n.map(|n| Family::single(family, count(n)))));
    families
}

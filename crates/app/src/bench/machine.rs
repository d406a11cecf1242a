//! Where it was measured, in the words of the system.

use serde::Serialize;

use super::ceiling::Ceiling;
use crate::model;

/// What a reader must know to compare with another machine. Its names are those of the JSON line.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Machine {
    /// Program and version.
    program: String,
    pub(super) processor: String,
    /// Threads, precision and instructions that compute.
    pub(super) device: String,
    threads: usize,
    precision: &'static str,
    pub(super) model: String,
    /// What the registers did in this precision before everything else, in 10^9 operations a second.
    ceiling_before: f64,
    /// And at the end.
    pub(super) ceiling_after: f64,
}

/// Two readings of the ceiling that are as far apart mean that something else was running. Own choice: a quiet machine
/// stays within two hundredths.
const UNSTEADY: f64 = 0.9;

impl Machine {
    pub(super) fn here(model: String) -> Self {
        Self {
            program: format!("finelens {}", env!("CARGO_PKG_VERSION")),
            processor: processor(),
            device: model::device().name(),
            threads: rayon::current_num_threads(),
            precision: model::precision_name(),
            model,
            ceiling_before: 0.0,
            ceiling_after: 0.0,
        }
    }

    /// Keeps both readings of the ceiling.
    pub(super) fn compare(&mut self, before: &Ceiling, after: f64) {
        (self.ceiling_before, self.ceiling_after) = (before.of_precision() / 1e9, after / 1e9);
    }

    /// Whether the machine had something else to do.
    pub(super) fn was_busy(&self) -> Option<(f64, f64)> {
        let (before, after) = (self.ceiling_before, self.ceiling_after);
        (before.min(after) < UNSTEADY * before.max(after)).then_some((before, after))
    }
}

/// The processor's own name, where the system tells.
fn processor() -> String {
    let cpuinfo = fs_err::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned());
    name.unwrap_or_else(|| format!("unknown, {}", std::env::consts::ARCH))
}

/// Begins to watch how much memory this process holds, where the system can.
///
/// Source: `man 5 proc_pid_clear_refs`: 5 resets the peak.
pub(super) fn forget_peak() {
    let _ = fs_err::write("/proc/self/clear_refs", "5");
}

/// The most memory that this process has held since.
pub(super) fn peak_rss_mib() -> Option<f64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

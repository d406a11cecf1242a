//! What was measured, as a table for people or as lines for programs.

use std::fmt::Write;

use serde_json::json;

use super::Report;
use super::record::Measurement;
use crate::table::Table;

/// For people, 80 columns wide.
pub(crate) fn table(report: &Report) -> String {
    let machine = &report.machine;
    let mut table = Table::new()
        .words("")
        .numbers("a second")
        .words("of")
        .numbers("spread %")
        .numbers("ceiling %")
        .numbers("MiB");
    for one in &report.measurements {
        table.row(row(one));
    }
    let mut text =
        format!("{}\n{}\n{}\n\n{table}", machine.processor, machine.device, machine.model);
    if let Some((before, after)) = machine.was_busy() {
        let _ = write!(
            text,
            "\nSomething else was running: the registers did {before:.0} GFLOP/s before the\n\
             measurements and {after:.0} after. Shares are of the higher. Close other programs\n\
             and measure again.\n"
        );
    }
    text
}

fn row(one: &Measurement) -> [String; 6] {
    let share =
        |share: Option<f64>| share.map_or(String::new(), |share| format!("{:.0}", share * 100.0));
    let latency = match (one.p50_ms, one.p99_ms) {
        (Some(p50), Some(p99)) => format!(": p50 {p50:.2}, p99 {p99:.2} ms"),
        _ => String::new(),
    };
    [
        format!("{}{latency}", one.name),
        rate(one.per_second),
        one.unit.to_owned(),
        share(one.spread()),
        share(one.share_of_ceiling),
        one.peak_rss_mib.map_or(String::new(), |mib| format!("{mib:.0}")),
    ]
}

/// Three figures, as many as the spread allows.
fn rate(per_second: f64) -> String {
    match per_second {
        100.0.. => crate::number::grouped(per_second.round() as usize),
        10.0.. => format!("{per_second:.1}"),
        _ => format!("{per_second:.2}"),
    }
}

/// For programs: the machine, then a line for each measurement.
pub(crate) fn json_lines(report: &Report) -> serde_json::Result<String> {
    let mut text = format!("{}\n", json!({ "machine": report.machine }));
    for one in &report.measurements {
        text += &serde_json::to_string(one)?;
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_figures() {
        assert_eq!(
            [0.512, 9.876, 87.11, 474.4, 12_345.6].map(rate),
            ["0.51", "9.88", "87.1", "474", "12,346"]
        );
    }
}

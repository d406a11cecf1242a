//! Numbers as people read them: 1,093 pictures, 4.2 MB, 1 min 20 s.

use std::time::Duration;

/// With a comma between thousands.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    let head = (!head.is_empty()).then(|| head.to_owned());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

/// A number with its noun: `1 picture`, `2 pictures`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// Bytes in decimal units, as disks and downloads are sold.
pub(crate) fn bytes(count: u64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let unit = units.into_iter().find(|(size, _)| count as f64 >= *size);
    unit.map_or_else(
        || format!("{count} B"),
        |(size, name)| format!("{:.1} {name}", count as f64 / size),
    )
}

/// Weights in millions, or thousands where there are few.
pub(crate) fn weights(count: usize) -> String {
    if count < 1_000_000 {
        format!("{:.0} thousand", count as f64 / 1e3)
    } else {
        format!("{:.1} million", count as f64 / 1e6)
    }
}

/// A share as a percentage with one decimal.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// A stretch of time in at most two units.
pub(crate) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped_from_the_right() {
        let found = [0, 12, 999, 1_000, 45_678, 1_234_567].map(grouped);
        assert_eq!(found, ["0", "12", "999", "1,000", "45,678", "1,234,567"]);
    }

    #[test]
    fn one_is_not_plural() {
        assert_eq!((counted(1, "row"), counted(0, "row")), ("1 row".into(), "0 rows".into()));
    }

    #[test]
    fn sizes_have_the_largest_unit_that_fits() {
        assert_eq!(
            [999, 1_500, 605_247_071, 2_000_000_000].map(bytes),
            ["999 B", "1.5 kB", "605.2 MB", "2.0 GB"]
        );
    }

    #[test]
    fn times_have_two_units_at_most() {
        let found =
            [0.25, 12.9, 80.0, 7_385.0].map(|seconds| time(Duration::from_secs_f64(seconds)));
        assert_eq!(found, ["0.2 s", "12 s", "1 min 20 s", "2 h 3 min"]);
    }
}

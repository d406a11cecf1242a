//! Aligned text tables: words to the left, numbers to the right.

use std::fmt;

/// A table in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

/// Which edge of a column its cells stand at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

impl Table {
    /// A table without columns.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a column of words.
    pub(crate) fn words(mut self, title: &str) -> Self {
        self.columns.push((title.to_owned(), Align::Left));
        self
    }

    /// Adds a column of numbers.
    pub(crate) fn numbers(mut self, title: &str) -> Self {
        self.columns.push((title.to_owned(), Align::Right));
        self
    }

    /// Adds a row; cells that are missing are empty.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.chain([&self.columns[column].0]).map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles: Vec<String> = self.columns.iter().map(|(title, _)| title.clone()).collect();
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        for row in [&titles].into_iter().chain(&self.rows) {
            let cell = |(column, width): (usize, &usize)| {
                let text = row.get(column).map_or("", String::as_str);
                match self.columns[column].1 {
                    Align::Left => format!("{text:<width$}"),
                    Align::Right => format!("{text:>width$}"),
                }
            };
            let line = widths.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_under_each_other_by_their_last_digit() {
        let mut table = Table::new().words("metric").numbers("value").words("note");
        table.row(["R@1", "9.5", "first"]);
        table.row(["median rank", "112", ""]);
        assert_eq!(
            table.to_string(),
            "metric       value  note\nR@1            9.5  first\nmedian rank    112\n"
        );
    }
}

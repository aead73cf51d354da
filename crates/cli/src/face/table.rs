//! Columns that line up.

use std::fmt;

use super::{Paint, Style};

const GAP: &str = "   ";

/// A table with a heading. The last column is as wide as it likes.
#[derive(Debug, Clone)]
pub(crate) struct Table<const COLUMNS: usize> {
    style: Style,
    heading: [&'static str; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// A table without rows.
    pub(crate) fn new(style: Style, heading: [&'static str; COLUMNS]) -> Self {
        Self {
            style,
            heading,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(cells);
    }
}

impl<const COLUMNS: usize> fmt::Display for Table<COLUMNS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.heading[column].len()]).max().unwrap_or(0)
        };
        let widths: [usize; COLUMNS] = std::array::from_fn(width);
        let in_line = |cells: [&str; COLUMNS]| {
            let padded = cells
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:width$}"));
            padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        };
        write!(f, "{}", self.style.paint(Paint::Dim, in_line(self.heading)))?;
        for row in &self.rows {
            write!(
                f,
                "\n{}",
                in_line(std::array::from_fn(|column| row[column].as_str()))
            )?;
        }
        Ok(())
    }
}

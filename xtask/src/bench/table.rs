//! Tables in Markdown.

use std::fmt;

/// Rows under a heading.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns; the first is set left, the others right.
    pub fn new(columns: &[&str]) -> Self {
        let heading = columns.iter().map(|&column| column.to_owned()).collect();
        Self {
            rows: vec![heading],
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, row) in self.rows.iter().enumerate() {
            writeln!(f, "| {} |", row.join(" | "))?;
            if number == 0 {
                writeln!(f, "|---{}|", "|--:".repeat(row.len().saturating_sub(1)))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_what_markdown_reads() {
        let mut table = Table::new(&["app", "s"]);
        table.row(["flask".to_owned(), "0.21".to_owned()]);
        assert_eq!(
            table.to_string(),
            "| app | s |\n|---|--:|\n| flask | 0.21 |\n"
        );
    }
}

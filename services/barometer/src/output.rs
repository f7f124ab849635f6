//! What commands print: answers on standard output, remarks on standard error.

use std::io::{self, BufWriter, ErrorKind, Write};

use serde::Serialize;

use crate::failure::Failure;

/// Prints on standard output. A reader that has gone away, as in `| head`, is no failure.
///
/// # Errors
/// When it can not be written for another reason.
pub(crate) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::output("the answer", &error)),
        _ => Ok(()),
    }
}

/// Makes a remark on standard error. When nobody can read it, it is lost.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(io::stderr().lock(), "barometer: {text}");
}

/// Writes JSON for programs, over several lines so that people can read it too.
pub(crate) fn json(told: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, told)?;
    writeln!(out)
}

/// Text without line breaks and other control characters, for one line or cell on a terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Breaks text into lines of at most `width` characters, between words.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Columns of text, aligned: numbers to the right.
#[derive(Debug, Default)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Column {
    title: String,
    align: Align,
}

/// To which side the cells of a column go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

impl Table {
    /// Adds a column to the right of the others. Before any row.
    pub(crate) fn column(&mut self, title: impl Into<String>, align: Align) {
        self.columns.push(Column { title: title.into(), align });
    }

    /// Adds a row; one cell for each column.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| one_line(cell)).collect());
    }

    /// Writes the titles, if any, and the rows.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let titles: Vec<String> = self.columns.iter().map(|column| column.title.clone()).collect();
        let has_titles = titles.iter().any(|title| !title.is_empty());
        let lines = || has_titles.then_some(&titles).into_iter().chain(&self.rows);
        let width = |index: usize| lines().filter_map(|row| row.get(index)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..self.columns.len()).map(|index| width(index).unwrap_or(0)).collect();
        for row in lines() {
            let mut line = String::new();
            for ((cell, column), width) in row.iter().zip(&self.columns).zip(&widths) {
                let padded = match column.align {
                    Align::Left => format!("{cell:<width$}"),
                    Align::Right => format!("{cell:>width$}"),
                };
                line.push_str(&padded);
                line.push_str("  ");
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::default();
        table.column("group", Align::Left);
        table.column("n", Align::Right);
        table.row(vec!["é\n".into(), "12".into()]);
        table.row(vec!["longer".into(), "1,234".into()]);
        let mut out = Vec::new();
        table.write(&mut out).expect("a vector takes everything");
        assert_eq!(String::from_utf8_lossy(&out), "group       n\né          12\nlonger  1,234\n");
    }

    #[test]
    fn text_is_wrapped_between_words() {
        assert_eq!(wrap("one two  three\nfour", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("unbreakable word", 4), ["unbreakable", "word"]);
        assert!(wrap(" ", 4).is_empty());
    }
}

//! What an experiment found: a table in Markdown, and each pass line with whether it held. It measures nothing.

use core::fmt::{self, Display, Formatter, Write};

/// How much is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// For a test that is built for debugging: seconds, and only the rows that so few calls can decide.
    Short,
    /// For a change: some minutes.
    Usual,
    /// For the record: more calls, more seeds.
    Full,
}

/// A table and its judgement.
#[derive(Clone, Debug)]
pub struct Report {
    text: String,
    passed: usize,
    failures: Vec<String>,
}

impl Report {
    /// An empty one with a title and the heads of its columns.
    #[must_use]
    pub fn new(title: &str, heads: &[&str]) -> Self {
        let mut text = format!("\n### {title}\n\n");
        line(&mut text, heads.iter());
        line(&mut text, heads.iter().map(|_| "---"));
        Self { text, passed: 0, failures: Vec::new() }
    }

    /// One more row.
    pub fn row(&mut self, cells: &[String]) {
        line(&mut self.text, cells.iter());
    }

    /// A pass line: whether it holds, and its words with the figures.
    pub fn expect(&mut self, holds: bool, words: String) {
        if holds {
            self.passed += 1;
        } else {
            self.failures.push(words);
        }
    }

    /// Pass lines that held.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// Pass lines that did not, with their figures.
    #[must_use]
    pub fn failures(&self) -> &[String] {
        &self.failures
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for failure in &self.failures {
            writeln!(f, "FAILED {failure}")?;
        }
        write!(f, "{} pass lines held, {} did not", self.passed, self.failures.len())
    }
}

fn line<T: Display>(text: &mut String, cells: impl Iterator<Item = T>) {
    text.push('|');
    for cell in cells {
        // Writing to a String cannot fail.
        let _ = write!(text, " {cell} |");
    }
    text.push('\n');
}

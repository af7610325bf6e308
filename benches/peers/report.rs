//! What was measured, as Markdown: a table a row, then the goals.

use super::peer::Peer;

/// One number of one round.
struct Cell {
    row: &'static str,
    peer: &'static str,
    measure: &'static str,
    value: f64,
}

#[derive(Default)]
pub struct Report {
    cells: Vec<Cell>,
    notes: Vec<(&'static str, String)>,
    /// Lines that wstail lost, repeated or damaged, or that it did not deliver in time.
    pub faults: u64,
}

/// What a measure of wstail has to be.
pub struct Goal {
    pub row: &'static str,
    pub peer: Peer,
    pub measure: &'static str,
    pub bound: Bound,
    pub than: Than,
}

pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

pub enum Than {
    /// The number itself.
    Nothing,
    Peer(Peer),
    /// The lowest of all other servers.
    Best,
    /// Another measure of wstail's.
    Measure(&'static str),
}

impl Report {
    pub fn add(&mut self, row: &'static str, peer: Peer, measure: &'static str, value: f64) {
        self.cells.push(Cell { row, peer: peer.name(), measure, value });
    }

    /// Something to know about a row; said once.
    pub fn note(&mut self, row: &'static str, note: String) {
        if !self.notes.contains(&(row, note.clone())) {
            self.notes.push((row, note));
        }
    }

    /// The row's table: a line a peer, a column a measure.
    pub fn table(&self, row: &'static str) -> String {
        let cells = || self.cells.iter().filter(|cell| cell.row == row);
        let measures = unique(cells().map(|cell| cell.measure));
        let mut table = String::new();
        if !measures.is_empty() {
            table += &format!("| {row} | {} |\n|---|{}\n", measures.join(" | "), "---|".repeat(measures.len()));
        }
        for peer in unique(cells().map(|cell| cell.peer)) {
            let columns: Vec<_> = measures.iter().map(|measure| self.cell(row, peer, measure)).collect();
            table += &format!("| {peer} | {} |\n", columns.join(" | "));
        }
        let notes: Vec<_> = self.notes.iter().filter(|(of, _)| *of == row).map(|(_, note)| note.as_str()).collect();
        if !notes.is_empty() {
            table += &format!("\n{row}: {}\n", notes.join("; "));
        }
        table
    }

    /// A line of the table of goals; `None` where nothing was measured.
    pub fn goal(&self, goal: &Goal) -> Option<String> {
        let Goal { row, peer, measure, .. } = goal;
        let value = self.median(row, peer.name(), measure)?;
        let (factor, sign) = match goal.bound {
            Bound::AtMost(factor) => (factor, "<="),
            Bound::AtLeast(factor) => (factor, ">="),
        };
        let (base, name) = match goal.than {
            Than::Nothing => (Some(1.0), ""),
            Than::Peer(other) => (self.median(row, other.name(), measure), other.name()),
            Than::Best => self.best(row, measure).map_or((None, "the best peer"), |(base, name)| (Some(base), name)),
            Than::Measure(other) => (self.median(row, peer.name(), other), other),
        };
        let wanted = if name.is_empty() { format!("{sign} {factor}") } else { format!("{sign} {factor}x {name}") };
        let start = format!("| {row} | {}: {measure} | {wanted}", peer.name());
        let Some(base) = base else { return Some(format!("{start} | {} | - | not measured |", number(value))) };
        let ratio = value / base;
        let is_met = match goal.bound {
            Bound::AtMost(factor) => ratio <= factor,
            Bound::AtLeast(factor) => ratio >= factor,
        };
        let ratio = if name.is_empty() { "-".to_owned() } else { format!("{}x {}", number(ratio), number(base)) };
        Some(format!("{start} | {} | {ratio} | {} |", number(value), if is_met { "met" } else { "not met" }))
    }

    /// The lowest median that a server other than wstail has.
    fn best(&self, row: &str, measure: &str) -> Option<(f64, &'static str)> {
        let others = super::peer::SERVERS.iter().filter(|peer| !peer.is_wstail()).map(|peer| peer.name());
        let medians = others.filter_map(|peer| Some((self.median(row, peer, measure)?, peer)));
        medians.min_by(|one, other| one.0.total_cmp(&other.0))
    }

    fn cell(&self, row: &str, peer: &str, measure: &str) -> String {
        let values = self.values(row, peer, measure);
        match values.as_slice() {
            [] => "-".to_owned(),
            [value] => number(*value),
            [least, .., most] => format!("{} ({}-{})", number(median(&values)), number(*least), number(*most)),
        }
    }

    fn median(&self, row: &str, peer: &str, measure: &str) -> Option<f64> {
        let values = self.values(row, peer, measure);
        (!values.is_empty()).then(|| median(&values))
    }

    /// Sorted.
    fn values(&self, row: &str, peer: &str, measure: &str) -> Vec<f64> {
        let is_it = |cell: &&Cell| cell.row == row && cell.peer == peer && cell.measure == measure;
        let mut values: Vec<_> = self.cells.iter().filter(is_it).map(|cell| cell.value).collect();
        values.sort_by(f64::total_cmp);
        values
    }
}

/// The value that so many of a hundred are below.
pub fn percentile(values: &mut [u64], percent: usize) -> Option<u64> {
    values.sort_unstable();
    let last = values.len().checked_sub(1)?;
    values.get((values.len() * percent / 100).min(last)).copied()
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        small if small >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut unique = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique
}

//! The parts of Prometheus' text format, version 0.0.4, that are needed here.

use std::fmt::{self, Write};

/// A counter with a label.
pub(super) fn labelled(f: &mut dyn Write, name: &str, help: &str, label: &str, numbers: &[(&str, u64)]) -> fmt::Result {
    family(f, name, "counter", help)?;
    numbers.iter().try_for_each(|(value, number)| writeln!(f, "{name}{{{label}=\"{value}\"}} {number}"))
}

/// The lines that precede a metric's numbers.
pub(super) fn family(f: &mut dyn Write, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(f, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

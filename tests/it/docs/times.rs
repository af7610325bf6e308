//! The forms of times on docs/times.md are those that are recognised.

use wstail::select::stamp::{FORMATS, LogFormat, PREFIXED};

use super::read;

/// The rows of a table. The second sample of each form is for the tests of the recogniser.
fn rows(forms: &[LogFormat]) -> Vec<String> {
    forms.iter().map(|form| format!("| {} | `{}` |", form.name, shown(form.samples[0]))).collect()
}

/// With escapes for what would not be seen, and for what would end a cell.
fn shown(sample: &str) -> String {
    let mut shown = String::new();
    for letter in sample.chars() {
        match letter {
            '|' => shown += "\\|",
            '\t' => shown += "\\t",
            '\x1b' => shown += "\\x1b",
            '\u{202f}' => shown += "\\u{202f}",
            letter => shown.push(letter),
        }
    }
    shown
}

#[test]
fn recognised_forms_are_those_of_the_recogniser() {
    let page = read("docs/times.md");
    let tables: Vec<Vec<&str>> = page
        .split("\n|---|---|\n")
        .skip(1)
        .map(|table| table.lines().take_while(|line| line.starts_with('|')).collect())
        .collect();
    assert_eq!(tables.len(), 2);
    for (table, forms) in tables.iter().zip([FORMATS, PREFIXED]) {
        let expected = rows(forms);
        assert!(*table == expected, "the table should be\n{}", expected.join("\n"));
    }
}

//! Finds the known word that a mistyped one was probably meant to be. It only suggests: nothing is corrected silently.

/// The known word that differs least from `word`; `None` if none is near.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let bare = |word: &str| word.trim_start_matches('-').to_lowercase();
    let typed = bare(word);
    let mut found = Vec::new();
    for other in known {
        let length = typed.chars().count().max(bare(other).chars().count());
        let distance = if is_abbreviated(&typed, &bare(other)) { 1 } else { distance(&typed, &bare(other)) };
        // A word of four letters may differ in two, one of eight in three.
        if distance <= length.div_ceil(3).min(3) && distance < length {
            found.push((distance, length, other));
        }
    }
    found.into_iter().min_by_key(|(distance, length, _)| (*distance, *length)).map(|(_, _, other)| other)
}

/// `--max-conn` is meant to be `--max-connections`.
fn is_abbreviated(word: &str, whole: &str) -> bool {
    word.len() >= 4 && whole.starts_with(word)
}

/// How many letters must be inserted, left out, replaced, or exchanged with their neighbours (the restricted
/// Damerau-Levenshtein distance).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().take(100).collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<_>>()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut least = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_slips() {
        for (left, right, expected) in
            [("", "", 0), ("ab", "ba", 1), ("serve", "srve", 1), ("kitten", "sitting", 3), ("", "abc", 3)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{left} {right}");
        }
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        const COMMANDS: [&str; 6] = ["serve", "tail", "ls", "produce", "demo", "healthcheck"];
        for (word, expected) in [
            ("srve", Some("serve")),
            ("tial", Some("tail")),
            ("TAIL", Some("tail")),
            ("sl", Some("ls")),
            ("health", Some("healthcheck")),
            ("frobnicate", None),
            ("cat", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, COMMANDS), expected, "{word}");
        }
        assert_eq!(nearest("--prot", ["--port", "--poll", "--hidden"]), Some("--port"));
        let known = ["--max-connections-per-ip", "--max-connections"];
        assert_eq!(nearest("--max-conn", known), Some("--max-connections"));
        assert_eq!(nearest("--max-connections-per", known), Some("--max-connections-per-ip"));
    }
}

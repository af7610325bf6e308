//! What it costs that there are many rotated files.

use super::*;

/// How many times this thread has read from files.
fn reads() -> u64 {
    let counts = fs::read_to_string("/proc/thread-self/io").unwrap();
    counts.lines().find_map(|line| line.strip_prefix("syscr: ")).unwrap().parse().unwrap()
}

/// How many reads it takes to resume where the file is gone, with so many generations that begin alike, half of which were
/// there before.
fn reads_to_resume(count: usize) -> u64 {
    let place = Place::with("");
    let header = format!("# {}\n", "fields ".repeat(20));
    let add = |number: usize| place.append(&format!("app.log.{number}"), &format!("{header}{number}\n"));
    (count / 2 + 1..=count).rev().for_each(add);
    place.append("app.log", &format!("{header}lost\n"));
    let position = place_in(&place);
    fs::remove_file(place.path("app.log")).unwrap();
    (1..=count / 2).rev().for_each(add);
    place.append("app.log", &format!("{header}new\n"));
    let before = reads();
    let mut reader = place.resume(&position);
    let spent = reads() - before;
    let text = reader.read();
    assert!(text.starts_with("<cursor>") && text.ends_with("new\n"), "{text}");
    spent
}

#[test]
fn generations_that_begin_alike_are_not_compared_with_each_other() {
    let (few, many) = (reads_to_resume(100), reads_to_resume(400));
    assert!(many < few * 6, "{few} reads with 100 files, {many} with 400");
}

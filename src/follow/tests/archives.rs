//! Places in archives, and next to archives that are older.

use super::*;
use crate::follow::log::fingerprint::is_prefix;
use crate::follow::test_times::Range;
use std::time::SystemTime;

/// Lines that are the same in every file.
fn banner(bytes: usize) -> String {
    "# the same in every generation, and rather long\n".repeat(1 + bytes / 48)
}

fn lines(name: &str, bytes: usize) -> String {
    (0..).map(|at| format!("{name} {at:07} a line of a log, as it may be\n")).take(1 + bytes / 40).collect()
}

/// Reads in large blocks, up to a silence, but asks no more often than that.
fn read(follower: &mut Follower, most: usize) -> String {
    let (mut buffer, mut out, now) = (vec![0; 64 * 1024], String::new(), Instant::now());
    for _ in 0..most {
        match follower.poll(&mut buffer, now).unwrap() {
            Step::Bytes(read) => out.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
            Step::Gap(missing, _) => out.push_str(&format!("<{}>", missing.word())),
            Step::Rotated => out.push_str("<rotated>"),
            Step::Quiet | Step::Ended => return out,
            _ => {}
        }
    }
    panic!("it does not come to an end: {} bytes, {:?}", out.len(), follower.phase);
}

fn age(place: &Place, name: &str, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    fs::File::options().append(true).open(place.path(name)).unwrap().set_modified(time).unwrap();
}

/// What a writer that does not append leaves where the log was truncated, and a copy or an archive keeps as NULs.
#[test]
fn a_hole_at_the_start_of_an_archive_is_a_gap_of_its_size() {
    for hole in [1, 1000, 64 * 1024, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 5] {
        let place = Place::with(&lines("first", 1000));
        let position = place_in(&place);
        place.rename("app.log", "app.log.2");
        let text = lines("second", 300_000);
        place.append_gzip("app.log.1.gz", &[&vec![0; hole], text.as_bytes()].concat());
        place.append("app.log", "new\n");
        let story = place.resume(&position).read();
        let expected = format!("<rotated><truncated: {hole}>{text}<rotated>new\n");
        assert!(story == expected, "{hole}: {} bytes instead of {}", story.len(), expected.len());
    }
}

#[test]
fn an_archive_of_nothing_but_nuls_is_sent_as_it_is() {
    let place = Place::with(&lines("first", 1000));
    let position = place_in(&place);
    place.rename("app.log", "app.log.2");
    let text = "\0".repeat((2 << 20) + 1);
    place.append_gzip("app.log.1.gz", text.as_bytes());
    place.append("app.log", "new\n");
    let story = place.resume(&position).read();
    assert!(story == format!("<rotated>{text}<rotated>new\n"), "{} bytes", story.len());
}

/// Each of them has to be unpacked far to see that it is not the one.
#[test]
fn a_place_is_found_among_many_archives_that_begin_alike() {
    const SIZE: usize = 3 << 20;
    let generation = |at: usize| banner(2048) + &lines(&format!("generation {at}"), SIZE);
    let last = generation(6);
    let place = Place::with(&last[..SIZE - 1000]);
    let (log, file) = place.find();
    let mut follower = Follower::new(log, file, Lines::All, true, WAIT).unwrap();
    assert_eq!(read(&mut follower, 10_000).len(), SIZE - 1000);
    let position = follower.position();
    // Six that are older, with the names that come first, and one that is younger.
    for at in 0..6 {
        let name = format!("app.log.{}.gz", 8 - at);
        place.append_gzip(&name, generation(at).as_bytes());
        age(&place, &name, 0);
    }
    place.append_gzip("app.log.2.gz", last.as_bytes());
    place.append_gzip("app.log.1.gz", generation(7).as_bytes());
    fs::remove_file(place.path("app.log")).unwrap();
    place.append("app.log", "new\n");
    let (log, file) = place.find();
    let mut follower = Follower::resume(log, file, &position, 0, true, WAIT).unwrap();
    let rest = read(&mut follower, 3000);
    let expected = format!("{}<rotated>{}<rotated>new\n", &last[SIZE - 1000..], generation(7));
    assert!(rest == expected, "{} bytes instead of {}", rest.len(), expected.len());
    assert_eq!(follower.log.half_unpacked(), 0);
}

/// They begin like the file that is lost, as every generation does, and end before the place.
#[test]
fn archives_that_are_older_than_a_lost_place_are_not_what_is_left_of_it() {
    let place = Place { directory: tempfile::tempdir().unwrap() };
    place.append_gzip("app.log.3.gz", (banner(1100) + "long ago\n").as_bytes());
    age(&place, "app.log.3.gz", 7200);
    place.append("app.log.2", &(banner(1100) + "older\n"));
    place.append("app.log", &(banner(1100) + "read, and lost since\n"));
    std::thread::sleep(Duration::from_millis(30));
    place.append("app.log", "the last line\n");
    let position = place_in(&place);
    fs::remove_file(place.path("app.log")).unwrap();
    place.append("app.log", "new\n");
    assert_eq!(place.resume(&position).read(), "<cursor>new\n");
}

#[test]
fn of_two_archives_that_may_be_what_is_left_neither_is_taken() {
    let place = Place::with(&(banner(1100) + "read, and lost since\n"));
    let position = place_in(&place);
    fs::remove_file(place.path("app.log")).unwrap();
    for name in ["app.log.3.gz", "app.log.2.gz"] {
        place.append_gzip(name, banner(1100).as_bytes());
    }
    place.append("app.log", "new\n");
    let story = place.resume(&position).read();
    assert!(story.starts_with("<cursor>"), "{story}");
}

/// The times of the files with the lower numbers are misleading, but they were there before, and the archive was not.
#[test]
fn a_new_archive_shows_which_way_numbers_count() {
    let place = Place::with("# header\n");
    place.append("app.1.log", "# header\none\n");
    place.append("app.2.log", "# header\ntwo\n");
    std::thread::sleep(Duration::from_millis(30));
    age(&place, "app.1.log", 86_400);
    std::thread::sleep(Duration::from_millis(30));
    place.rename("app.log", "old");
    place.append("app.log", "# header\n");
    let position = place_in(&place);
    fs::remove_file(place.path("app.log")).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    place.append_gzip("app.3.log.gz", b"# header\nfive\n");
    place.append("app.log", "# header\nseven\n");
    assert_eq!(place.resume(&position).read(), "<cursor># header\nfive\n<rotated># header\nseven\n");
}

/// All files begin with the same line.
#[test]
fn an_archive_that_holds_the_few_bytes_that_were_read_is_not_a_copy_of_a_truncated_log() {
    let place = Place::with("");
    std::thread::sleep(Duration::from_millis(30));
    place.append("app.log", "# header\n");
    let mut reader = place.follow(Lines::All, true);
    assert_eq!(reader.read(), "# header\n");
    place.append_gzip("app.log.1.gz", b"# header\nlong ago\n");
    // The one was written to just before the other.
    let written = fs::metadata(place.path("app.log")).unwrap().modified().unwrap();
    place.writer("app.log.1.gz").set_modified(written).unwrap();
    place.truncate("app.log");
    assert_eq!(reader.read(), "<truncated><truncated>");
    place.append("app.log", "# header\nnew\n");
    assert_eq!(reader.read(), "# header\nnew\n");
}

#[test]
fn a_log_that_is_truncated_while_it_is_searched_is_complete_only_if_its_own_copy_is_compressed() {
    let stamped = |range: std::ops::Range<u64>| range.map(|time| format!("t{time} line\n")).collect::<String>();
    for (is_copied, expected) in [
        (true, stamped(60..100) + "<rotated>" + &stamped(100..103)),
        (false, "<truncated>".to_owned() + &stamped(100..103)),
    ] {
        let place = Place::with(&stamped(50..100));
        place.append("app.log.1", &stamped(0..50));
        age(&place, "app.log.1", 60);
        let (log, file) = place.find();
        let mut follower = Follower::new(log, file, Lines::All, false, WAIT).unwrap();
        follower.narrow(true, Some(Box::new(Range { since: Some(60), until: None }))).unwrap();
        assert_eq!(follower.poll(&mut [], Instant::now()).unwrap(), Step::Busy);
        // The older file is compressed, too.
        place.append_gzip("app.log.2.gz", stamped(0..50).as_bytes());
        age(&place, "app.log.2.gz", 60);
        fs::remove_file(place.path("app.log.1")).unwrap();
        if is_copied {
            place.append_gzip("app.log.1.gz", stamped(50..100).as_bytes());
        }
        place.truncate("app.log");
        place.append("app.log", &stamped(100..103));
        assert_eq!(read(&mut follower, 1000), expected, "copied {is_copied}");
    }
}

/// How many archives there are: more than can be unpacked in some turns, however little is read of each.
const MANY: usize = 200;

/// Banners and lines that differ, more than one step unpacks.
fn many(at: usize) -> String {
    banner(1100) + &lines(&format!("generation {at}"), 20_000)
}

fn dated(at: usize) -> String {
    format!("app.log-{}.gz", 20250101 + at / 28 * 100 + at % 28)
}

#[test]
fn a_place_that_is_lost_is_searched_for_in_any_number_of_archives() {
    let place = Place::with(&(banner(1100) + &lines("lost", 18_000)));
    let position = place_in(&place);
    fs::remove_file(place.path("app.log")).unwrap();
    for at in 0..MANY {
        place.append_gzip(&dated(at), many(at).as_bytes());
        age(&place, &dated(at), 86_400 * (MANY - at) as u64);
    }
    place.append("app.log", "new\n");
    let (log, file) = place.find();
    let mut follower = Follower::resume(log, file, &position, 0, true, WAIT).unwrap();
    assert_eq!(read(&mut follower, 200), "<cursor>new\n");
    assert_eq!(follower.log.remembered(), 0);
}

#[test]
fn a_file_that_was_compressed_while_it_was_read_is_found_among_any_number_of_archives() {
    let text = banner(1100) + &lines("read", 18_000);
    let place = Place::with(&text);
    for at in 0..MANY {
        place.append_gzip(&dated(at), many(at).as_bytes());
    }
    std::thread::sleep(Duration::from_millis(30));
    let mut reader = place.follow(Lines::All, true);
    assert!(reader.read() == text);
    place.append_gzip(&dated(MANY), text.as_bytes());
    fs::remove_file(place.path("app.log")).unwrap();
    place.append("app.log", "new\n");
    assert_eq!(read(&mut reader.follower, 200), "");
    reader.pass(WAIT);
    assert_eq!(reader.read(), "<rotated>new\n");
}

/// What `gzip -k` leaves.
#[test]
fn a_log_is_followed_beside_any_number_of_files_that_are_there_twice() {
    let place = Place::with("old\n");
    for at in 0..MANY {
        place.append(&format!("app.log.{}", 2 + at), &many(at));
        place.append_gzip(&format!("app.log.{}.gz", 2 + at), many(at).as_bytes());
    }
    let mut reader = place.follow(Lines::All, true);
    assert_eq!(reader.read(), "old\n");
    place.rename("app.log", "app.log.1");
    place.append("app.log", "new\n");
    assert_eq!(read(&mut reader.follower, 200), "");
    reader.pass(WAIT);
    assert_eq!(reader.read(), "<rotated>new\n");
    assert_eq!(reader.follower.log.remembered(), 0);
}

#[test]
fn an_archive_that_is_damaged_before_its_first_byte_is_a_gap_in_its_place() {
    // A block of a type that does not exist.
    let damaged = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[7; 30]].concat();
    for names in
        [["app.log.3", "app.log.2.gz", "app.log.1"], ["app.log-20260101", "app.log-20260102.gz", "app.log-20260103"]]
    {
        let place = Place::with("read\n");
        let position = place_in(&place);
        place.rename("app.log", names[0]);
        fs::write(place.path(names[1]), &damaged).unwrap();
        place.append(names[2], "one\n");
        place.append("app.log", "new\n");
        assert_eq!(place.resume(&position).read(), "<rotated><damaged><rotated>one\n<rotated>new\n", "{names:?}");
    }
}

/// Only their first bytes are compared with a generation that was missed.
#[test]
fn archives_that_are_older_are_not_unpacked_far() {
    const OLDER: usize = 12;
    let place = Place::with("read\n");
    for at in 0..OLDER {
        let noise = (0..1_500_000 / 8).map(|word: u64| word.wrapping_mul(0x9e37_79b9_7f4a_7c15 + at as u64));
        let noise: Vec<u8> = noise.flat_map(u64::to_le_bytes).map(|byte| byte | 1).collect();
        place.append_gzip(&format!("app.log-202601{:02}.gz", 1 + at), &noise);
    }
    std::thread::sleep(Duration::from_millis(30));
    let position = place_in(&place);
    place.rename("app.log", "app.log-20260120");
    place.append("app.log-20260121", "missed\n");
    place.append("app.log", "new\n");
    let (log, file) = place.find();
    let mut follower = Follower::resume(log, file, &position, 0, true, WAIT).unwrap();
    assert_eq!(read(&mut follower, 12), "<rotated>missed\n<rotated>new\n");
}

#[test]
fn a_rotation_that_is_undone_is_a_gap_though_an_archive_was_ahead() {
    let place = Place::with("read\n");
    let mut reader = place.follow(Lines::All, true);
    assert_eq!(reader.read(), "read\n");
    place.rename("app.log", "app.log.2");
    place.append_gzip("app.log.1.gz", lines("missed", 3 << 20).as_bytes());
    place.append("app.log", "new\n");
    assert_eq!(read(&mut reader.follower, 100), "");
    fs::remove_file(place.path("app.log")).unwrap();
    place.rename("app.log.2", "app.log");
    assert_eq!(reader.read(), "<replaced>");
    place.append("app.log", "more\n");
    assert_eq!(reader.read(), "more\n");
}

#[test]
fn a_log_is_held_while_it_is_searched_for_what_came_before_it() {
    let text = banner(1100) + &lines("read", 3 << 20);
    let place = Place::with(&text);
    let (log, file) = place.find();
    let mut follower = Follower::new(log, file, Lines::All, true, WAIT).unwrap();
    assert!(read(&mut follower, 10_000) == text);
    for at in 1..4 {
        place.append_gzip(
            &format!("app.log.{at}.gz"),
            (banner(1100) + &lines(&format!("older {at}"), 3 << 20)).as_bytes(),
        );
        age(&place, &format!("app.log.{at}.gz"), 3600);
    }
    fs::remove_file(place.path("app.log")).unwrap();
    place.append("app.log", "seen\n");
    let now = Instant::now();
    let last = (0..4).map(|_| follower.poll(&mut [0; 64], now).unwrap()).last();
    assert_eq!(last, Some(Step::Busy), "it takes more than some turns");
    assert!(follower.is_unpacking());
    fs::remove_file(place.path("app.log")).unwrap();
    place.append("app.log", "new\n");
    let mut reader = Reader { follower, now };
    assert_eq!(reader.read(), "<replaced><rotated>seen\n<replaced><rotated>new\n");
    assert!(!reader.follower.is_unpacking());
}

#[test]
fn an_archive_is_compared_no_further_than_the_other_file_goes() {
    let place = Place::with(&(banner(1100) + "the end\n"));
    place.append_gzip("longer.gz", (banner(1100) + &lines("more", 8 << 20)).as_bytes());
    let (log, whole) = place.find();
    let longer = log.at(vec![b"longer.gz".to_vec()]).open().unwrap();
    assert!(!is_prefix(&longer, &whole).unwrap());
    assert_eq!(longer.known_end(), None);
}

#[test]
fn a_follower_that_is_idle_unpacks_nothing() {
    let place = Place::with("a\n");
    place.append("app.log.1", &many(1));
    place.append_gzip("app.log.1.gz", many(1).as_bytes());
    let mut reader = place.follow(Lines::All, true);
    assert_eq!(reader.read(), "a\n");
    reader.pass(WAIT).read();
    assert_eq!((reader.follower.log.half_unpacked(), reader.follower.log.remembered()), (0, 0));
}

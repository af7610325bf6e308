//! The page in a browser. Each part has a script in `tests/viewer/`, driven with Selenium.

use std::path::Path;
use std::process::{Command, Stdio};

/// Plays a script; what it prints is for people.
fn play(script: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/viewer").join(script);
    let mut command = Command::new("python3");
    command.arg("-B").arg(script).arg(env!("CARGO_BIN_EXE_wstail")).env("PYTHONUTF8", "1").env("SE_OFFLINE", "true");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (printed, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{printed}");
    assert!(output.status.success(), "{errors}");
}

#[test]
#[ignore = "needs chromium"]
fn a_log_is_chosen_and_a_link_shows_the_same() {
    play("choosing.py");
}

#[test]
#[ignore = "needs chromium"]
fn the_end_is_followed_and_the_view_holds_still_where_one_reads() {
    play("watching.py");
}

#[test]
#[ignore = "needs chromium"]
fn many_lines_freeze_nothing_and_older_ones_come() {
    play("scale.py");
}

#[test]
#[ignore = "needs chromium"]
fn matches_are_marked_counted_jumped_to_and_filtered() {
    play("finding.py");
}

#[test]
#[ignore = "needs chromium"]
fn losses_rotations_and_gaps_are_shown() {
    play("truth.py");
}

#[test]
#[ignore = "needs chromium"]
fn lines_can_be_copied_downloaded_and_read_raw() {
    play("taking.py");
}

#[test]
#[ignore = "needs chromium"]
fn the_page_works_by_keyboard_and_on_a_phone() {
    play("people.py");
}

#[test]
#[ignore = "needs chromium"]
fn each_key_scrolls_as_far_as_it_should_from_the_start() {
    play("keys.py");
}

#[test]
#[ignore = "needs chromium"]
fn nothing_is_said_of_lines_times_or_the_connection_that_is_not_so() {
    play("states.py");
}

#[test]
#[ignore = "needs chromium"]
fn what_is_read_is_kept_and_nothing_is_lost_by_that() {
    play("holding.py");
}

#[test]
#[ignore = "needs chromium"]
fn all_of_a_log_is_searched_by_the_server_and_a_hit_opens_in_its_context() {
    play("rare.py");
}

#[test]
#[ignore = "needs chromium"]
fn entries_have_levels_that_are_counted_selected_and_folded() {
    play("levels.py");
}

#[test]
#[ignore = "needs chromium"]
fn bars_are_small_at_every_size_and_what_is_empty_says_why() {
    play("layout.py");
}

#[test]
#[ignore = "needs chromium"]
fn two_logs_stand_side_by_side() {
    play("beside.py");
}

#[test]
#[ignore = "needs chromium"]
fn a_million_lines_and_50000_a_second_leave_the_page_quick() {
    play("speed.py");
}

#[test]
#[ignore = "needs chromium"]
fn a_line_has_a_link_that_survives_a_rotation() {
    play("linking.py");
}

#[test]
#[ignore = "needs chromium"]
fn the_first_error_after_a_time_and_its_link_take_few_steps() {
    play("timing.py");
}

#[test]
#[ignore = "needs node"]
fn what_touches_no_document_works_without_one() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/viewer/node");
    let output = Command::new("node").arg("--test").arg(tests).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "needs chromium"]
fn a_jump_shows_the_match_and_a_filter_keeps_the_place() {
    play("place.py");
}

#[test]
#[ignore = "needs chromium"]
fn colours_names_and_the_token_dialog_are_as_they_should_be() {
    play("looks.py");
}

#[test]
#[ignore = "needs chromium"]
fn much_is_copied_saved_and_read_raw_without_freezing() {
    play("much.py");
}

#[test]
#[ignore = "needs chromium"]
fn a_list_of_many_logs_arrives_and_is_asked_for_only_while_it_is_seen() {
    play("listing.py");
}

#[test]
#[ignore = "needs chromium"]
fn a_token_is_requested_once_per_tab() {
    play("tokens.py");
}

#[test]
#[ignore = "needs chromium and nginx"]
fn the_page_works_behind_nginx() {
    play("behind.py");
}

#[test]
#[ignore = "needs chromium"]
fn a_hidden_tab_keeps_reading_but_renders_nothing() {
    play("hidden.py");
}

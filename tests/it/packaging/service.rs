//! The systemd unit in `contrib/`, checked by systemd-analyze.

use std::fs;
use std::path::Path;
use std::process::Command;

fn unit() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/wstail.service")).unwrap()
}

#[test]
#[ignore = "needs systemd-analyze"]
fn the_systemd_unit_is_valid_and_hardened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wstail.service");
    // systemd-analyze requires that the program exists.
    fs::write(&path, unit().replace("/usr/bin/wstail", env!("CARGO_BIN_EXE_wstail"))).unwrap();
    // The threshold is ten times the exposure level.
    for arguments in [&["verify", "--man=no"][..], &["security", "--offline=true", "--no-pager", "--threshold=20"]] {
        let output = Command::new("systemd-analyze").args(arguments).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
    }
}

#[test]
fn the_systemd_unit_uses_known_options() {
    let unit = unit();
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/wstail ")).unwrap();
    let output = crate::support::wstail().args(command.split(' ')).arg("--help").output();
    assert!(output.unwrap().status.success(), "{command}");
}

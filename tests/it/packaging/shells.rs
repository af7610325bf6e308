//! The man page and the completions in `contrib/`, in the programs that they are for. A unit test checks that they are
//! current.

use std::path::Path;
use std::process::Command;

fn contrib(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib").join(name)
}

fn completes(shell: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packaging/completions.py");
    let output = Command::new("python3").arg(script).arg(shell).arg(contrib("completions")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs python3 with pexpect"]
fn bash_completes_options_values_and_files() {
    completes("bash");
}

#[test]
#[ignore = "needs zsh, and python3 with pexpect"]
fn zsh_completes_options_values_and_files() {
    completes("zsh");
}

#[test]
#[ignore = "needs fish, and python3 with pexpect"]
fn fish_completes_options_values_and_files() {
    completes("fish");
}

#[test]
#[ignore = "needs man"]
fn the_man_page_has_no_warnings() {
    let mut command = Command::new("man");
    command.args(["--warnings", "-E", "UTF-8", "-Tutf8", "-l"]).arg(contrib("wstail.1"));
    let output = command.envs([("LC_ALL", "C.UTF-8"), ("MANWIDTH", "100"), ("MANROFFSEQ", "")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && page.contains("address to listen on") && page.lines().count() > 200, "{page}");
}

//! Static binaries, for 64-bit ARM by emulation, and builds for other systems.

use std::path::Path;
use std::process::Command;

use crate::support::{Log, Process, serve_by};

fn cargo(arguments: &[&str], target: &str) {
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--quiet", "--no-default-features", "--features=cli", "--target", target])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        // No C compiler is needed: there is nothing to link but Rust.
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
        .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
        .status();
    assert!(status.unwrap().success(), "{arguments:?} for {target}");
}

/// A server and a client built for that target follow a log through a rotation.
fn smoke(target: &str, emulator: Option<&str>) {
    cargo(&["build", "--release"], target);
    // Next to the directory of the profile with which this test was built.
    let built = Path::new(env!("CARGO_BIN_EXE_wstail")).ancestors().nth(2).unwrap();
    let binary = built.join(target).join("release/wstail");
    let command = || match emulator {
        Some(emulator) => {
            let mut command = Command::new(emulator);
            command.arg(&binary);
            command
        }
        None => Command::new(&binary),
    };
    let log = Log::with("one\n");
    let server = serve_by(command(), &[log.directory()], &["--rotate-wait", "0"]);
    let mut tail = command();
    tail.args(["tail", "-n", "all", &format!("{}/app.log", server.address)]).stdout(std::process::Stdio::piped());
    let tail = Process::start(tail);
    assert_eq!(tail.line(), "one");
    log.append("two\n");
    assert_eq!(tail.line(), "two");
    log.rotate("app.log.1", "three\n");
    assert_eq!(tail.line(), "three");
    server.process.signal(rustix::process::Signal::TERM);
    assert!(server.process.wait().success());
}

#[test]
#[ignore = "needs the target x86_64-unknown-linux-musl"]
fn a_static_binary_serves_and_follows() {
    smoke("x86_64-unknown-linux-musl", None);
}

#[test]
#[ignore = "needs qemu-user and the target aarch64-unknown-linux-musl"]
fn a_static_binary_for_arm_serves_and_follows() {
    smoke("aarch64-unknown-linux-musl", Some("qemu-aarch64"));
}

#[test]
#[ignore = "needs the targets of other systems"]
fn it_builds_where_it_cannot_run() {
    for target in ["x86_64-apple-darwin", "x86_64-unknown-freebsd", "x86_64-pc-windows-gnu"] {
        cargo(&["check"], target);
    }
}

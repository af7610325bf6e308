//! Static binaries without TLS, for 64-bit ARM by emulation, and builds for other systems.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Log, Process, serve_by};

/// Builds the program as docs/deploy.md does without a C compiler: there is nothing to link but Rust. The profile is another
/// one, because that takes half the time.
fn build(target: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_wstail")).ancestors().nth(2).unwrap();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--no-default-features", "--features=cli,regex", "--target", target])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", built)
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
        .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
        // Whoever looks for a compiler finds one that fails.
        .envs(["CC", "TARGET_CC"].map(|variable| (variable, "false")))
        .status();
    assert!(status.unwrap().success(), "{target}");
    built.join(target).join("debug/wstail")
}

/// A server and a client follow a log through a rotation.
fn follows(program: impl Fn() -> Command) {
    let log = Log::with("one\n");
    let server = serve_by(program(), &[log.directory()], &["--rotate-wait", "0"]);
    let mut tail = program();
    tail.args(["tail", "-n", "all", &format!("{}/app.log", server.address)]).stdout(Stdio::piped());
    let tail = Process::start(tail);
    assert_eq!(tail.line(), "one");
    log.append("two\n");
    assert_eq!(tail.line(), "two");
    log.rotate("app.log.1", "three\n");
    assert_eq!(tail.line(), "three");
    server.process.signal(rustix::process::Signal::TERM);
    assert_eq!(server.process.end().0, 0);
}

#[test]
#[ignore = "needs the target x86_64-unknown-linux-musl"]
fn a_static_binary_without_tls_serves_and_follows() {
    let program = build("x86_64-unknown-linux-musl");
    follows(|| Command::new(&program));
}

#[test]
#[ignore = "needs qemu-user and the target aarch64-unknown-linux-musl"]
fn a_static_binary_without_tls_for_arm_serves_and_follows() {
    let program = build("aarch64-unknown-linux-musl");
    follows(|| {
        let mut command = Command::new("qemu-aarch64");
        command.arg(&program);
        command
    });
}

#[test]
#[ignore = "needs the targets of other systems"]
fn it_compiles_for_macos_and_freebsd() {
    for target in ["x86_64-apple-darwin", "x86_64-unknown-freebsd"] {
        let status = Command::new(env!("CARGO"))
            .args(["check", "--locked", "--quiet", "--no-default-features", "--features=cli,regex", "--target", target])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(status.unwrap().success(), "{target}");
    }
}

#[test]
#[ignore = "needs cargo"]
fn without_tls_no_c_compiler_is_needed() {
    let tree = |features: &str| {
        let mut command = Command::new(env!("CARGO"));
        command.args(["tree", "--locked", "--edges=build,normal", "--prefix=none", "--no-default-features", features]);
        let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let needs_compiler = |tree: String| tree.lines().any(|line| line.starts_with("cc v"));
    assert!(!needs_compiler(tree("--features=cli,regex")));
    assert!(needs_compiler(tree("--features=cli,regex,tls")), "the test looks for the wrong crate");
}

#[test]
#[ignore = "needs cargo"]
fn no_dependency_needs_a_newer_rust() {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--locked", "--format-version=1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let metadata: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let parse = |version: &str| -> Vec<u32> { version.split('.').map(|part| part.parse().unwrap()).collect() };
    let least = parse(env!("CARGO_PKG_RUST_VERSION"));
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50, "the dependencies are among them");
    for package in packages {
        let needed = package["rust_version"].as_str().map(parse).unwrap_or_default();
        assert!(needed[..needed.len().min(2)] <= least[..2], "{} needs {}", package["name"], package["rust_version"]);
    }
}

//! The stripped binaries, as `cargo build --release` makes them, without TLS and with it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::Outcome;
use super::super::peer::Peer;
use super::super::stage::Stage;

const ROW: &str = "size";
const MUSL: &str = "x86_64-unknown-linux-musl";

pub fn run(stage: &mut Stage) -> Outcome<()> {
    let folder = stage.directory().join("build");
    // Not the binary that is measured elsewhere: for a bench, the features of dev-dependencies are added to its own.
    for (what, features) in [("dynamic, MB", &["--no-default-features", "--features=cli"][..]), ("with TLS, MB", &[])] {
        match build(&folder, None, features) {
            Ok(size) => stage.report.add(ROW, Peer::Wstail, what, size),
            Err(error) => stage.report.note(ROW, format!("no binary: {error}")),
        }
    }
    let installed = Command::new("rustup").args(["target", "list", "--installed"]).output();
    match build(&folder, Some(MUSL), &["--no-default-features", "--features=cli"]) {
        Ok(size) => stage.report.add(ROW, Peer::Wstail, "static musl, MB", size),
        Err(_) if installed.is_ok_and(|list| !String::from_utf8_lossy(&list.stdout).contains(MUSL)) => {
            stage.report.note(ROW, format!("no static binary: `rustup target add {MUSL}` adds its target"));
        }
        Err(error) => stage.report.note(ROW, format!("no static binary: {error}")),
    }
    Ok(())
}

/// Builds the program; its size in MB.
fn build(folder: &Path, target: Option<&str>, features: &[&str]) -> Outcome<f64> {
    eprintln!("{ROW}: building for {}", target.unwrap_or("this machine"));
    let output = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--bin", "wstail"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "--target-dir"])
        .arg(folder)
        .args(features)
        .args(target.iter().flat_map(|target| ["--target", target]))
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().into());
    }
    let binary = folder.join(target.unwrap_or_default()).join("release/wstail");
    Ok(fs::metadata(binary)?.len() as f64 / 1e6)
}

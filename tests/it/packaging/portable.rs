//! Builds for other systems.

use std::process::Command;

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

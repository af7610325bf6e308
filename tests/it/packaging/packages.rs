//! What `contrib/package` builds: what is in the packages, and that one can install, use and remove them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use rustix::process::Signal;

use crate::support::{Log, Process, serve_by};

/// The directory of the packages, which are built once.
static PACKAGES: LazyLock<PathBuf> = LazyLock::new(|| {
    let built = Path::new(env!("CARGO_BIN_EXE_wstail")).ancestors().nth(2).unwrap();
    let directory = built.join("package");
    package(Path::new(env!("CARGO_MANIFEST_DIR")), built, &directory, &[]);
    directory
});

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn package(sources: &Path, built: &Path, directory: &Path, variables: &[(&str, &str)]) {
    let mut command = Command::new(sources.join("contrib/package"));
    command.arg(directory).env("CARGO_TARGET_DIR", built).envs(variables.iter().copied());
    output(&mut command);
}

/// Runs a command, and returns what it prints.
fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {printed}{}", String::from_utf8_lossy(&output.stderr));
    printed
}

fn run(words: &[&str]) -> String {
    output(Command::new(words[0]).args(&words[1..]))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn deb(architecture: &str) -> PathBuf {
    PACKAGES.join(format!("wstail_{VERSION}-1_{architecture}.deb"))
}

/// Unpacks the archive for a target, and returns its directory.
fn unpack(target: &str, directory: &Path) -> PathBuf {
    let name = format!("wstail-{VERSION}-{target}");
    run(&["tar", "xzf", text(&PACKAGES.join(format!("{name}.tar.gz"))), "-C", text(directory)]);
    directory.join(name)
}

/// A server and a client follow a log through a rotation. Both have this root.
fn follows(program: impl Fn() -> Command, root: &Path) {
    let log = Log::within(&root.join("tmp"), "one\n");
    // The program may run as another user.
    fs::set_permissions(log.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    let served = Path::new("/").join(log.directory().strip_prefix(root).unwrap());
    let server = serve_by(program(), &[&served], &["--rotate-wait", "0"]);
    let mut tail = program();
    tail.args(["tail", "-n", "all", &format!("{}/app.log", server.address)]).stdout(Stdio::piped());
    let tail = Process::start(tail);
    assert_eq!(tail.line(), "one");
    log.append("two\n");
    assert_eq!(tail.line(), "two");
    log.rotate("app.log.1", "three\n");
    assert_eq!(tail.line(), "three");
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.end().0, 0);
}

/// The program in a root of its own.
fn within(root: &Path, path: &str) -> Command {
    let mut command = Command::new("chroot");
    command.arg(root).arg(path);
    command
}

/// A root directory with nothing but a place for logs.
fn empty_root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("tmp")).unwrap();
    root
}

#[test]
#[ignore = "needs the tools of contrib/package"]
fn builds_in_two_directories_are_the_same() {
    let copy = tempfile::tempdir().unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = run(&["git", "-C", text(sources), "ls-files", "--cached", "--others", "--exclude-standard"]);
    for file in files.lines().filter(|file| sources.join(file).is_file()) {
        let to = copy.path().join("elsewhere").join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(sources.join(file), to).unwrap();
    }
    let commit = run(&["git", "-C", text(sources), "log", "-1", "--format=%ct"]);
    let elsewhere = copy.path().join("elsewhere");
    let target = "x86_64-unknown-linux-musl";
    let variables = [("SOURCE_DATE_EPOCH", commit.trim()), ("TARGETS", target)];
    package(&elsewhere, &elsewhere.join("built"), &elsewhere.join("out"), &variables);
    let sums = |directory: &Path| -> BTreeSet<String> {
        let sums = fs::read_to_string(directory.join("SHA256SUMS")).unwrap();
        let lines = sums.lines().filter(|line| line.contains("x86_64") || line.contains("amd64"));
        lines.map(str::to_owned).collect()
    };
    let (one, other) = (sums(&PACKAGES), sums(&elsewhere.join("out")));
    assert_eq!(one.len(), 3, "an archive, a .deb and an .rpm");
    assert_eq!(one, other);
}

#[test]
#[ignore = "needs the tools of contrib/package"]
fn an_archive_holds_what_one_needs_without_a_package_manager() {
    for target in ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"] {
        let directory = tempfile::tempdir().unwrap();
        let top = unpack(target, directory.path());
        for file in [
            "wstail",
            "wstail.1",
            "README.md",
            "CHANGELOG.md",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "docs/options.md",
            "contrib/completions/wstail.bash",
            "contrib/completions/_wstail",
            "contrib/completions/wstail.fish",
            "contrib/wstail.service",
            "contrib/openrc/wstail",
            "contrib/openwrt/wstail",
        ] {
            assert!(top.join(file).is_file(), "{target}: {file}");
        }
    }
    output(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(&*PACKAGES));
}

#[test]
#[ignore = "needs the tools of contrib/package, and root"]
fn the_program_of_an_archive_runs_in_an_empty_root() {
    let root = empty_root();
    let unpacked = tempfile::tempdir().unwrap();
    fs::copy(unpack("x86_64-unknown-linux-musl", unpacked.path()).join("wstail"), root.path().join("wstail")).unwrap();
    follows(|| within(root.path(), "/wstail"), root.path());
}

#[test]
#[ignore = "needs the tools of contrib/package, and qemu-user"]
fn the_program_for_arm_serves_and_follows() {
    let unpacked = tempfile::tempdir().unwrap();
    let program = unpack("aarch64-unknown-linux-musl", unpacked.path()).join("wstail");
    let emulated = || {
        let mut command = Command::new("qemu-aarch64");
        command.arg(&program);
        command
    };
    follows(emulated, Path::new("/"));
}

#[test]
#[ignore = "needs the tools of contrib/package, and lintian"]
fn lintian_finds_no_errors() {
    for architecture in ["amd64", "arm64"] {
        run(&["lintian", "--allow-root", "--fail-on", "error", text(&deb(architecture))]);
    }
}

/// The files of a root, without what dpkg itself writes down.
fn files(root: &Path) -> BTreeSet<String> {
    let all = run(&["find", text(root), "-xdev", "-printf", "%P\n"]);
    let is_own = |path: &&str| path.starts_with("var/lib/dpkg/") || path.starts_with("var/log/");
    all.lines().filter(|path| !is_own(path)).map(str::to_owned).collect()
}

#[test]
#[ignore = "needs the tools of contrib/package, debootstrap, systemd and root"]
fn the_debian_package_is_installed_used_and_purged_without_a_trace() {
    let directory = tempfile::tempdir().unwrap();
    let root = &directory.path().join("root");
    run(&["debootstrap", "--variant=minbase", "--include=systemd", "bookworm", text(root)]);
    let before = files(root);
    fs::copy(deb("amd64"), root.join("tmp/wstail.deb")).unwrap();
    run(&["chroot", text(root), "dpkg", "--install", "/tmp/wstail.deb"]);
    fs::remove_file(root.join("tmp/wstail.deb")).unwrap();
    let installed: BTreeSet<_> = files(root).difference(&before).cloned().collect();
    for file in [
        "usr/bin/wstail",
        "etc/default/wstail",
        "usr/lib/systemd/system/wstail.service",
        "usr/share/man/man1/wstail.1.gz",
        "usr/share/bash-completion/completions/wstail",
        "usr/share/zsh/vendor-completions/_wstail",
        "usr/share/fish/vendor_completions.d/wstail.fish",
        "usr/share/doc/wstail/copyright",
    ] {
        // Some systems install no documentation.
        assert!(installed.contains(file) || file.contains("/doc/"), "{file}: {installed:?}");
    }
    follows(|| within(root, "/usr/bin/wstail"), root);
    let root_option = format!("--root={}", text(root));
    run(&["systemd-analyze", &root_option, "--man=no", "verify", "wstail.service"]);
    run(&["systemctl", &root_option, "--quiet", "enable", "wstail.service"]);
    assert!(root.join("etc/systemd/system/multi-user.target.wants/wstail.service").is_symlink());
    run(&["chroot", text(root), "dpkg", "--purge", "wstail"]);
    let left: Vec<_> = files(root).difference(&before).cloned().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
#[ignore = "needs the tools of contrib/package, and root"]
fn the_rpm_is_installed_and_erased() {
    let root = empty_root();
    let package = PACKAGES.join(format!("wstail-{VERSION}-1.x86_64.rpm"));
    let needs = run(&["rpm", "-qp", "--requires", text(&package)]);
    let is_known = |need: &str| need.starts_with("rpmlib(") || need == "/bin/sh";
    assert!(needs.lines().all(is_known), "{needs}");
    let rpm = |arguments: &[&str]| {
        output(Command::new("rpm").args(["--root", text(root.path()), "--nodeps", "--noscripts"]).args(arguments));
    };
    rpm(&["--install", text(&package)]);
    assert!(root.path().join("usr/share/zsh/site-functions/_wstail").is_file());
    follows(|| within(root.path(), "/usr/bin/wstail"), root.path());
    rpm(&["--erase", "wstail"]);
    let left = files(root.path());
    assert!(!left.iter().any(|path| path.contains("wstail")), "{left:?}");
}

#[test]
#[ignore = "needs the tools of contrib/package, buildah, umoci and root"]
fn the_image_has_all_that_the_program_needs() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let context = directory.path().join("context");
    let image = PACKAGES.join("image");
    fs::create_dir_all(context.join("target/package")).unwrap();
    run(&["cp", "-r", text(&image), text(&context.join("target/package"))]);
    for file in ["Containerfile", ".dockerignore"] {
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(file), context.join(file)).unwrap();
    }
    let buildah = |arguments: &[&str]| {
        let mut command = Command::new("buildah");
        command.args(["--storage-driver", "vfs", "--root", &place("images"), "--runroot", &place("running")]);
        output(command.args(arguments));
    };
    buildah(&["bud", "--isolation", "chroot", "--tag", "wstail", text(&context)]);
    buildah(&["push", "wstail", &format!("oci:{}:latest", place("oci"))]);
    run(&["umoci", "unpack", "--image", &format!("{}:latest", place("oci")), &place("bundle")]);
    let config: serde_json::Value =
        serde_json::from_slice(&fs::read(directory.path().join("bundle/config.json")).unwrap()).unwrap();
    assert_eq!(config["process"]["args"], serde_json::json!(["/wstail", "serve", "/logs", "--host", "0.0.0.0"]));
    assert_eq!(config["process"]["user"]["uid"], 65534);
    let root = &directory.path().join("bundle/rootfs");
    assert!(root.join("etc/ssl/certs/ca-certificates.crt").is_file());
    fs::create_dir(root.join("tmp")).unwrap();
    let within = || {
        let mut command = Command::new("chroot");
        command.arg("--userspec=65534:65534").arg(root).arg("/wstail");
        command
    };
    follows(within, root);
}

//! Which peers are installed, and how the others are.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder that is looked at before PATH.
const FOLDER: &str = "WSTAIL_BENCH_BIN_DIR";

/// A program, how one is known to be the right one, and what installs it: Debian's packages, then a command.
struct Recipe {
    name: &'static str,
    check: &'static [&'static str],
    says: &'static str,
    packages: &'static str,
    command: &'static str,
}

const RECIPES: [Recipe; 6] = [
    Recipe { name: "tail", check: &["--version"], says: "GNU", packages: "coreutils", command: "" },
    Recipe { name: "nc", check: &["-h"], says: "OpenBSD", packages: "netcat-openbsd", command: "" },
    Recipe { name: "websocketd", check: &["--version"], says: "websocketd", packages: "websocketd", command: "" },
    Recipe {
        name: "websocat",
        check: &["--version"],
        says: "websocat 1.",
        packages: "",
        command: "cargo install --locked websocat --version 1.14.1 --no-default-features \
                  --features signal_handler,tokio-process,unix_stdio",
    },
    Recipe {
        name: "frontail",
        check: &["--version"],
        says: "4.",
        packages: "nodejs npm",
        command: "npm install --global frontail",
    },
    Recipe {
        name: "python3",
        check: &["-c", "import websockets; print(websockets.__name__)"],
        says: "websockets",
        packages: "python3-websockets",
        command: "",
    },
];

/// The programs that were found.
pub struct Tools(Vec<(&'static str, PathBuf)>);

impl Tools {
    pub fn find() -> Tools {
        Tools(RECIPES.iter().filter_map(|recipe| Some((recipe.name, recipe.find()?))).collect())
    }

    pub fn path(&self, name: &str) -> Option<&Path> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, path)| path.as_path())
    }

    /// The programs that are missing, and one line for a root shell that installs them.
    pub fn missing(&self) -> Option<(String, String)> {
        let missing = RECIPES.iter().filter(|recipe| self.path(recipe.name).is_none());
        let words = |word: fn(&Recipe) -> &str| missing.clone().map(word).filter(|word| !word.is_empty());
        let names: Vec<_> = words(|recipe| recipe.name).collect();
        let packages: Vec<_> = words(|recipe| recipe.packages).collect();
        let apt = format!("apt-get update && apt-get install -y {}", packages.join(" "));
        let apt = (!packages.is_empty()).then_some(apt.as_str());
        let commands: Vec<_> = apt.into_iter().chain(words(|recipe| recipe.command)).collect();
        (!names.is_empty()).then(|| (names.join(", "), commands.join(" && ")))
    }
}

impl Recipe {
    fn find(&self) -> Option<PathBuf> {
        let folders = [env::var_os(FOLDER), env::var_os("PATH")];
        let folders = folders.iter().flatten().flat_map(env::split_paths);
        folders.map(|folder| folder.join(self.name)).find(|path| is_program(path) && self.fits(path))
    }

    fn fits(&self, path: &Path) -> bool {
        let output = Command::new(path).args(self.check).stdin(Stdio::null()).output();
        output.is_ok_and(|output| {
            let says = [output.stdout, output.stderr].concat();
            String::from_utf8_lossy(&says).contains(self.says)
        })
    }
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

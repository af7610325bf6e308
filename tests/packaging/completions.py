"""Types half words and Tab in a real shell, on a terminal: completions.py SHELL COMPLETIONS-DIRECTORY

A script in the place of wstail writes down the arguments that the shell passes to it in the end.
"""

import os, re, sys, tempfile, time
import pexpect

shell, completions = sys.argv[1], os.path.abspath(sys.argv[2])
DEADLINE = 20

# What is typed, and the arguments that it becomes.
TYPED = [
    ("se\t", ["serve"]),
    ("help hea\t", ["help", "healthcheck"]),
    ("tail --show\t", ["tail", "--show-cursor"]),
    ("tail --color al\t", ["tail", "--color", "always"]),
    ("tail --color=ne\t", ["tail", "--color=never"]),
    ("tail -o js\t", ["tail", "-o", "json"]),
    ("tail -l w\t host/x --no-f\t", ["tail", "-l", "warn", "host/x", "--no-follow"]),
    ("ls --out\tt\t", ["ls", "--output", "text"]),
    ("serve --format h\t", ["serve", "--format", "html"]),
    ("produce --rotate-how c\t", ["produce", "--rotate-how", "copytruncate"]),
    ("tail --token-file tok\t", ["tail", "--token-file", "token.txt"]),
    ("tail --cursor-dir c\t", ["tail", "--cursor-dir", "cursors"]),
    ("serve a\t", ["serve", "a b.log"]),
    ("produce tok\t", ["produce", "token.txt"]),
    ("ls tok\t", ["ls", "token.txt"]),
    # A URL, and a command without operands: no files.
    ("tail tok\t", ["tail", "tok"]),
    ("demo tok\t", ["demo", "tok"]),
    # A number: neither a file nor an option.
    ("tail -n tok\t", ["tail", "-n", "tok"]),
    # After two dashes nothing is an option.
    ("serve -- --po\t", ["serve", "--", "--po"]),
]
# What is listed for a word that could be several.
LISTED = [
    ("tail --color a\t\t", ["auto", "always"]),
    ("tail --level \t\t", ["trace", "debug", "info", "notice", "warn", "error", "fatal"]),
    ("tail --cursor-\t\t", ["--cursor-file", "--cursor-dir"]),
    ("\t\t", ["serve", "tail", "ls", "produce", "demo", "healthcheck"]),
]

# fish still writes there when it is closed.
directory = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
home = directory.name
work, programs, passed = f"{home}/work", f"{home}/bin", f"{home}/passed"
os.makedirs(f"{work}/cursors"), os.makedirs(programs)
for name in ["token.txt", "a b.log", "cannot-be-a-directory"]:
    open(f"{work}/{name}", "w").close()
with open(f"{programs}/wstail", "w") as script:
    script.write(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {passed}.new && mv {passed}.new {passed}\n")
os.chmod(f"{programs}/wstail", 0o755)

START = {
    "bash": ("--rcfile", f". {completions}/wstail.bash\nbind 'set enable-bracketed-paste off'\nPS1='ready> '\n"),
    "zsh": ("", f"fpath=({completions} $fpath)\nautoload -U compinit\ncompinit -u -D\nPS1='ready> '\n"),
    "fish": ("", f"set -p fish_complete_path {completions}\nfunction fish_prompt; echo -n 'ready> '; end\n"),
}
option, text = START[shell]
start = {"bash": f"{home}/rc", "zsh": f"{home}/.zshrc", "fish": f"{home}/.config/fish/config.fish"}[shell]
os.makedirs(os.path.dirname(start), exist_ok=True)
with open(start, "w") as file:
    file.write(text)
environment = {
    "HOME": home, "ZDOTDIR": home, "PATH": f"{programs}:/usr/bin:/bin", "TERM": "xterm", "LANG": "C.UTF-8",
}


def start_shell():
    child = pexpect.spawn(
        shell, [option, start] if option else ["-i"], cwd=work, env=environment, encoding="utf-8", timeout=DEADLINE,
        dimensions=(50, 200),
    )
    child.expect("ready> ")
    return child


child = start_shell()
faults = []
for typed, expected in TYPED:
    child.send(f"wstail {typed}\r")
    deadline = time.monotonic() + DEADLINE
    while not os.path.exists(passed) and time.monotonic() < deadline:
        time.sleep(0.02)
    if os.path.exists(passed):
        # Some shells leave the slash of a directory, and zsh joins an option and its value.
        arguments = [argument.rstrip("/") for argument in open(passed).read().splitlines()]
        if expected[1:2] == ["--output"] and len(arguments) == 2:
            arguments[1:] = arguments[1].split("=")
        os.remove(passed)
    else:
        arguments = None
        child.sendcontrol("c")
    if arguments != expected:
        faults.append(f"{typed!r} became {arguments}, not {expected}")

child.close(force=True)

for typed, words in LISTED:
    child = start_shell()
    # In fish the second Tab would choose one.
    child.send(f"wstail {typed if shell != 'fish' else typed[:-1]}")
    missing = list(words)
    seen = ""
    deadline = time.monotonic() + DEADLINE
    while missing and time.monotonic() < deadline:
        try:
            seen += child.read_nonblocking(4096, timeout=1)
        except pexpect.TIMEOUT:
            pass
        # Without what colours and moves the text.
        plain = re.sub(r"\x1b[\[(][0-9;?]*[A-Za-z]", "", seen)
        missing = [word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", plain)]
    if missing:
        faults.append(f"{typed!r} does not list {missing}: {plain!r}")
    child.close(force=True)

if faults:
    sys.exit(f"{shell}: " + "\n".join(faults))
print(f"{shell}: {len(TYPED)} command lines completed, {len(LISTED)} lists shown")

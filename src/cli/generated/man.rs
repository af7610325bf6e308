//! The man page, in the macros of man(7).

use super::super::schema::{CommandSchema, Flag, takes_value, value};
use super::{ORIGIN, commands, names, plain};

const INTRODUCTION: &str = r#".SH NAME
wstail \- serve logs over WebSocket and HTTP, and follow them
.SH SYNOPSIS
.B wstail
.I COMMAND
.RI [ OPTIONS ]
.RI [ ARGUMENTS ]
.SH DESCRIPTION
.B wstail serve
serves the logs of a machine, and
.B wstail tail
follows them from another one, through rotation, restarts and lost connections.
Every byte arrives once and in order, or a gap is reported.
.PP
A value is given as
.B \-\-port 8080
or
.BR \-\-port=8080 .
Short options can be combined.
SECS may be a fraction.
SIZE is a number of bytes, or a number with KB, MB, GB (powers of 1000) or KiB, MiB, GiB (powers of 1024).
TIME is a date, a time of day, a duration before now, or a time as the log writes it.
Arguments after
.B \-\-
are never options.
.SH COMMANDS
"#;

const REST: &str = r#".SH ENVIRONMENT
.TP
.B WSTAIL_\fICOMMAND\fB_\fIOPTION
Sets a long option, in capitals and with
.B _
for
.BR \- :
.B WSTAIL_SERVE_PORT=8080
is
.BR "wstail serve \-\-port 8080" .
The command line takes precedence.
.TP
.B WSTAIL_TOKEN
The token that a client sends, or one more that a server accepts.
.TP
.B RUST_LOG
How much is logged: debug, info or warn.
.TP
.B NO_COLOR
Turns colours off.
.TP
.B WSTAIL_NO_NOTIFY
If it is 1, the server polls every log instead of relying on change reports from the kernel.
.SH EXIT STATUS
.TP
.B 0
Success;
.B serve
and
.B demo
also when a signal stops them.
.TP
.B 1
Failure; the reason is on stderr.
.TP
.B 2
Bad usage.
.TP
.B 130
Interrupted by Ctrl-C, SIGTERM or SIGHUP; this is how a
.B tail
that follows a log normally ends.
.SH EXAMPLES
.TP
.B wstail serve /var/log
Serve the logs of this machine to programs on it.
.TP
.B wstail ls 127.0.0.1
List them.
.TP
.B wstail tail 127.0.0.1/syslog
Print the last 10 lines of one of them, and follow it.
.TP
.B wstail tail \-S yesterday \-l error '127.0.0.1/*.log'
Print the errors of several logs since yesterday, and each new one.
.SH SEE ALSO
.BR tail (1),
.BR journalctl (1),
.BR logrotate (8)
"#;

pub(super) fn page() -> String {
    let mut page = format!(".\\\" {ORIGIN}\n");
    page += &format!(".TH WSTAIL 1 \"\" \"wstail {}\" \"User Commands\"\n{INTRODUCTION}", env!("CARGO_PKG_VERSION"));
    commands().iter().for_each(|command| page += &section(command));
    page + REST
}

fn section(command: &CommandSchema) -> String {
    let operands: Vec<_> = command.operands().collect();
    let synopsis: String = operands.iter().map(|(name, _)| format!(" \\fI{}\\fR", escaped(name))).collect();
    let mut section = format!(".SS wstail {} [OPTIONS]{synopsis}\n", command.name());
    section += &format!("{}\n", escaped(&plain(command.description())));
    for (name, text) in &operands {
        section += &format!(".TP\n\\fI{}\\fR\n{}\n", escaped(name), text_of(text));
    }
    command.flags().for_each(|flag| section += &format!(".TP\n{}\n{}\n", heading(flag), text_of(flag.description)));
    section + ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nprint this help\n"
}

/// `-n, --lines N`
fn heading(flag: &Flag) -> String {
    let names: Vec<_> = names(flag).iter().map(|name| format!("\\fB{}\\fR", escaped(name))).collect();
    let value = if takes_value(flag) { format!(" \\fI{}\\fR", value(flag)) } else { String::new() };
    names.join(", ") + &value
}

/// A description, with what is between backquotes in bold.
fn text_of(description: &str) -> String {
    let text = escaped(&plain(description));
    let parts = text.split('`').enumerate();
    let text: String =
        parts.map(|(at, part)| if at % 2 == 1 { format!("\\fB{part}\\fR") } else { part.to_owned() }).collect();
    // A line that begins with one of these is a command.
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

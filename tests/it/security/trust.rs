//! TLS: which certificates are trusted, and which files can be used.

use std::fs;

use crate::support::certificates::{Certificates, local_certificates, secure_url, tail};
use crate::support::{Log, Process, wstail};

#[test]
fn an_untrusted_certificate_ends_tail() {
    let (log, files, others) =
        (Log::with("a\n"), local_certificates(), [local_certificates(), Certificates::new(&["elsewhere"])]);
    let server = files.serve(&log, &[]);
    let refused = |cause: &str| {
        let line =
            format!("wstail: cannot connect to {}: the certificate is not trusted: {cause}\n", secure_url(&server));
        (1, line)
    };
    let check = |arguments: &[&str]| tail(&secure_url(&server), &[arguments, &["--no-follow"]].concat());
    let causes = ["it was not signed by a trusted issuer (see --ca-file)", "its issuer is unknown (see --ca-file)"];
    for (other, cause) in others.iter().zip(causes) {
        assert_eq!(check(&["--ca-file", &other.word("ca.pem")]).end(), refused(cause));
    }
    let trusting = check(&["--insecure"]);
    assert_eq!(trusting.lines(), ["a"]);
    let warning =
        "wstail: certificates are not checked: anyone between client and server can read and change everything\n";
    assert_eq!(trusting.end(), (0, format!("{warning}wstail: connected to {}\n", secure_url(&server))));
    let quiet = check(&["--insecure", "-q"]);
    assert_eq!((quiet.lines(), quiet.end()), (vec!["a".to_owned()], (0, String::new())));
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let log = Log::with("a\n");
    for (names, host, expected) in [
        (&["logs.example.com", "127.0.0.2"][..], "127.0.0.1", 1),
        (&["logs.example.com", "127.0.0.1"], "localhost", 1),
        (&["127.0.0.1"], "127.0.0.1", 0),
        (&["localhost"], "localhost", 0),
        (&["localhost"], "127.0.0.1", 1),
    ] {
        let files = Certificates::new(names);
        let server = files.serve(&log, &[]);
        let port = server.address.rsplit(':').next().unwrap();
        let arguments = ["--ca-file", &files.word("ca.pem"), "--no-follow", "-q"];
        let (code, errors) = tail(&format!("wss://{host}:{port}/app.log"), &arguments).end();
        let end = if expected == 0 { "" } else { ": the certificate is not trusted: it is for another name\n" };
        assert!(code == expected && errors.ends_with(end), "{names:?} as {host}: {code} {errors}");
    }
}

#[test]
fn the_systems_roots_are_trusted_unless_a_file_says_otherwise() {
    let (log, files, other) = (Log::with("a\n"), local_certificates(), local_certificates());
    let server = files.serve(&log, &[]);
    let run = |arguments: &[&str]| {
        let mut command = wstail();
        command.env("SSL_CERT_FILE", files.path("ca.pem")).env_remove("SSL_CERT_DIR").args(arguments);
        Process::start(command).end()
    };
    assert_eq!(run(&["tail", &secure_url(&server), "--no-follow", "-q"]), (0, String::new()));
    assert_eq!(run(&["healthcheck", &format!("https://{}/-/healthz", server.address)]), (0, String::new()));
    let (code, errors) = run(&["tail", &secure_url(&server), "--ca-file", &other.word("ca.pem"), "--no-follow"]);
    assert!(code == 1 && errors.contains("is not trusted"), "{errors}");
}

#[test]
fn unusable_tls_files_are_reported_in_one_line() {
    let (log, files, other) = (Log::with("a\n"), local_certificates(), local_certificates());
    fs::write(files.path("empty.pem"), "").unwrap();
    let sealed =
        ["ENCRYPTED PRIVATE KEY-----", "EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,7C\n"];
    let sealed = [("pkcs8.pem", sealed[0]), ("sec1.pem", sealed[1])].map(|(name, text)| {
        fs::write(files.path(name), format!("-----BEGIN {text}\nMIHs\n-----END {}", &text[..26])).unwrap();
        files.word(name)
    });
    let directory = log.directory().to_str().unwrap().to_owned();
    let [cert, key, empty, foreign] =
        [files.word("cert.pem"), files.word("key.pem"), files.word("empty.pem"), other.word("key.pem")];
    let missing = files.word("missing.pem");
    let serve = |cert: &str, key: &str| ["serve", &directory, "--tls-cert", cert, "--tls-key", key].map(str::to_owned);
    let tail = |options: &[&str]| [&["tail", "h:1/a"], options].concat().into_iter().map(str::to_owned).collect();
    let cases: [(Vec<String>, String); 13] = [
        (
            serve(&missing, &key).into(),
            format!("cannot use the certificate file `{missing}`: no such file or directory"),
        ),
        (serve(&cert, &missing).into(), format!("cannot use the key file `{missing}`: no such file or directory")),
        (serve(&empty, &key).into(), format!("cannot use the certificate file `{empty}`: it contains no certificate")),
        (serve(&cert, &cert).into(), format!("cannot use the key file `{cert}`: it contains no key")),
        (
            serve(&cert, &foreign).into(),
            format!("cannot use the key file `{foreign}`: it does not match the certificate `{cert}`"),
        ),
        (serve(&cert, &sealed[0]).into(), format!("cannot use the key file `{}`: it is encrypted", sealed[0])),
        (serve(&cert, &sealed[1]).into(), format!("cannot use the key file `{}`: it is encrypted", sealed[1])),
        (
            serve("/dev/zero", &key).into(),
            "cannot use the certificate file `/dev/zero`: it is larger than 1 MiB".into(),
        ),
        (serve(&cert, "/dev/zero").into(), "cannot use the key file `/dev/zero`: it is larger than 1 MiB".into()),
        (tail(&["--ca-file", "/dev/zero"]), "cannot use the CA file `/dev/zero`: it is larger than 1 MiB".into()),
        (tail(&["--ca-file", &empty]), format!("cannot use the CA file `{empty}`: it contains no certificate")),
        (tail(&["--ca-file", &missing]), format!("cannot use the CA file `{missing}`: no such file or directory")),
        (
            tail(&["--ca-file", &cert, "--insecure"]),
            "--ca-file and --insecure cannot be combined (see `wstail tail --help`)".into(),
        ),
    ];
    for (arguments, expected) in cases {
        let mut command = wstail();
        command.args(&arguments);
        assert_eq!(Process::start(command).end(), (2, format!("wstail: {expected}\n")), "{arguments:?}");
    }
}

//! The forms of times that are recognised, as a table: for readers, for the documentation, and for the tests.

/// A form in which loggers write times.
#[derive(Clone, Copy, Debug)]
pub struct LogFormat {
    /// Who writes it, or what it is called.
    pub name: &'static str,
    /// Two lines: of 2026-11-23 01:32:27 and of 2026-03-05 14:08:09, both in UTC.
    pub samples: [&'static str; 2],
}

const fn form(name: &'static str, first: &'static str, second: &'static str) -> LogFormat {
    LogFormat { name, samples: [first, second] }
}

/// What is recognised in every line.
#[rustfmt::skip]
pub const FORMATS: &[LogFormat] = &[
    form("RFC 3339", "2026-11-23T01:32:27Z started", "2026-03-05T15:08:09.123456+01:00 stopped"),
    form("loguru", "2026-11-23 01:32:27.123 | INFO     | app:main:5 - started", "2026-03-05 14:08:09.004 | ERROR    | app:main:9 - failed"),
    form("Python logging", "2026-11-23 01:32:27,123 - root - INFO - started", "2026-03-05 14:08:09,004 WARNING slow"),
    form("log4j, logback", "2026-11-23 01:32:27,123 INFO [main] Server: started", "2026-03-05 14:08:09.004 WARN [pool-1-thread-2] Pool: slow"),
    form("fraction behind a colon", "2026-11-23 01:32:27:123 started", "2026-03-05 14:08:09:004 stopped"),
    form("nginx error log", "2026/11/23 01:32:27 [error] 7#7: *1 open() failed", "2026/03/05 14:08:09 [warn] 7#7: low on workers"),
    form("Go log", "2026/11/23 01:32:27 listening", "2026/03/05 14:08:09.123456 main.go:23: stopped"),
    form("Go time.String", "2026-11-23 01:32:27.123456789 +0000 UTC m=+0.01 up", "2026-03-05 15:08:09.1 +0100 CET down"),
    form("Rust time crate", "2026-11-23 1:32:27.123 +00:00:00 up", "2026-03-05 15:08:09.5 +01:00:00 down"),
    form("Rust env_logger", "[2026-11-23T01:32:27Z INFO  app] up", "[2026-03-05T14:08:09Z WARN  app] slow"),
    form("Rust tracing, in colours", "\x1b[2m2026-11-23T01:32:27.123456Z\x1b[0m \x1b[32m INFO\x1b[0m app: up", "\x1b[2m2026-03-05T14:08:09.000001Z\x1b[0m \x1b[31mERROR\x1b[0m app: no"),
    form("PostgreSQL", "2026-11-23 01:32:27.123 UTC [42] LOG:  ready", "2026-03-05 14:08:09.004 GMT [42] ERROR:  syntax error"),
    form("PostgreSQL, numeric zone", "2026-11-23 02:32:27.123+01 [42] LOG:  ready", "2026-03-05 09:08:09-05 [42] LOG:  checkpoint"),
    form("MySQL", "2026-11-23T01:32:27.123456Z 0 [Note] ready", "2026-03-05T14:08:09.123456Z 8 [Warning] aborted"),
    form("containerd, CRI-O", "2026-11-23T01:32:27.123456789Z stdout F up", "2026-03-05T15:08:09.1+01:00 stderr P down"),
    form("zap console", "2026-11-23T01:32:27.123Z\tinfo\tapp/main.go:5\tup", "2026-03-05T15:08:09.004+0100\twarn\tslow"),
    form("dots", "2026.11.23 01:32:27 up", "2026.03.05 14:08:09.123 down"),
    form("underscore", "2026-11-23_01:32:27 up", "2026-03-05_14:08:09.12345 down"),
    form("without leading zeros", "2026-11-23 1:32:27 up", "2026/3/5 14:08:09 down"),
    form("month by name", "2026-Nov-23 01:32:27.123456 up", "2026 Mar  5 14:08:09 down"),
    form("without seconds", "2026-11-23 01:32 up", "2026-03-05 14:08 down"),
    form("quoted, CSV", "\"2026-11-23 01:32:27\",\"7\",\"up\"", "\"2026-03-05T14:08:09Z\",down"),
    form("compact date", "20261123 01:32:27 up", "20260305-14:08:09.123 down"),
    form("ISO 8601, basic", "20261123T013227Z up", "20260305T150809.123+0100 down"),
    form("syslog, RFC 5424", "<165>1 2026-11-23T01:32:27.003Z host app 7 ID1 - up", "<14>1 2026-03-05T06:08:09-08:00 host app - - - down"),
    form("syslog, RFC 3164", "Nov 23 01:32:27 host sshd[42]: up", "<13>Mar  5 14:08:09 host app: down"),
    form("syslog with a year", "Nov 23 2026 01:32:27 fw : %ASA-6: up", "Mar  5 2026 14:08:09.123: %SYS-5: down"),
    form("year behind the time", "Nov 23 01:32:27 2026 host up", "Mar  5 14:08:09.123 2026 down"),
    form("Apache error log", "[Mon Nov 23 01:32:27.123456 2026] [core:error] [pid 7] no", "[Thu Mar 05 14:08:09.000001 2026] [mpm:notice] up"),
    form("ctime, dmesg -T", "[Mon Nov 23 01:32:27 2026] usb 1-1: up", "Thu Mar  5 14:08:09 2026 down"),
    form("date(1)", "Mon Nov 23 01:32:27 UTC 2026 up", "Thu Mar  5 14:08:09 GMT 2026 down"),
    form("JavaScript Date", "Mon Nov 23 2026 02:32:27 GMT+0100 (CET) up", "Thu Mar 05 2026 14:08:09 GMT+0000 (UTC) down"),
    form("RFC 2822", "Mon, 23 Nov 2026 01:32:27 +0000 up", "Thu, 5 Mar 2026 14:08:09 GMT down"),
    form("common log format", "10.0.0.1 - - [23/Nov/2026:01:32:27 +0000] \"GET / HTTP/1.1\" 200 5", "2001:db8::1 - a b [05/Mar/2026:15:08:09 +0100] \"-\" 408 0"),
    form("Tomcat", "23-Nov-2026 01:32:27.123 INFO [main] up", "05-Mar-2026 14:08:09.004 SEVERE [main] down"),
    form("BIND, dnsmasq", "23-Nov-2026 01:32:27.123 queries: info: up", "5-Mar-2026 14:08:09.004 general: down"),
    form("day and month by name", "23 Nov 2026 01:32:27.123 up", "5 Mar 14:08:09 down"),
    form("java.util.logging", "Nov 23, 2026 1:32:27 AM org.app.Main run", "Mar 5, 2026 2:08:09 PM org.app.Main stop"),
    form("German", "23.11.2026 01:32:27 up", "05.03.2026 14:08:09,123 down"),
    form("American", "11/23/2026 01:32:27 AM up", "03/05/2026 2:08:09 PM down"),
    form("American, 24 hours", "11/23/2026 01:32:27.123 up", "03/05/2026, 14:08:09 down"),
    form("JavaScript toLocaleString", "11/23/2026, 1:32:27\u{202f}AM up", "3/5/2026, 2:08:09\u{202f}PM down"),
    form("klog, glog", "I1123 01:32:27.123456       7 main.go:5] up", "E0305 14:08:09.000001   77 main.go:9] down"),
    form("glog with a year", "I20261123 01:32:27.123456  7 main.cc:5] up", "W20260305 14:08:09.000001 7 main.cc:9] slow"),
    form("Ruby Logger", "I, [2026-11-23T01:32:27.123456 #7]  INFO -- : up", "E, [2026-03-05T14:08:09.000001 #7] ERROR -- : down"),
    form("Squid, seconds since the epoch", "1795397547.123     45 10.0.0.1 TCP_HIT/200", "1772719689 down"),
    form("Nagios", "[1795397547] SERVICE ALERT: up", "[1772719689] HOST ALERT: down"),
    form("candump", "(1795397547.123456) can0 123#00", "(1772719689.000001) can1 7FF#"),
    form("milliseconds since the epoch", "1795397547123 up", "1772719689004 down"),
    form("micro- and nanoseconds", "1795397547123456 up", "1772719689123456789 down"),
    form("TAI64N", "@400000006b0397b5075bcd15 up", "@4000000069a98e5300000005 down"),
    form("auditd", "type=SYSCALL msg=audit(1795397547.123:45): arch=c000003e", "node=web type=CWD msg=audit(1772719689.004:46): cwd=\"/\""),
    form("audit in the kernel's log", "[   12.345678] audit: type=1400 audit(1795397547.123:45): denied", "audit(1772719689.004:7): granted"),
    form("Docker json-file", r#"{"log":"\"time\":\"2001-01-01T00:00:00Z\"\n","stream":"stdout","time":"2026-11-23T01:32:27.123456789Z"}"#, r#"{"log":"down\n","stream":"stderr","time":"2026-03-05T14:08:09Z"}"#),
    form("zap, JSON", r#"{"level":"info","ts":1795397547.1234567,"msg":"up"}"#, r#"{"level":"warn","ts":"2026-03-05T15:08:09.004+0100","msg":"slow"}"#),
    form("pino, bunyan", r#"{"level":30,"time":1795397547123,"pid":7,"msg":"up"}"#, r#"{"name":"app","time":"2026-03-05T14:08:09.004Z","v":0}"#),
    form("Logstash", r#"{"@timestamp":"2026-11-23T01:32:27.123Z","message":"up"}"#, r#"{"@version":"1","@timestamp":"2026-03-05T15:08:09.004+01:00"}"#),
    form("Serilog", r#"{"@t":"2026-11-23T01:32:27.1234567Z","@mt":"up"}"#, r#"{"@t":"2026-03-05T14:08:09Z","@l":"Error"}"#),
    form("slog, JSON", r#"{"time":"2026-11-23T01:32:27.123456789Z","level":"INFO","msg":"up"}"#, r#"{ "time" : "2026-03-05T14:08:09Z" }"#),
    form("log4j2, JSON", r#"{"timeMillis":1795397547123,"thread":"main","level":"INFO"}"#, r#"{"thread":"main","timeMillis":1772719689004}"#),
    form("MongoDB", r#"{"t":{"$date":"2026-11-23T01:32:27.123+00:00"},"s":"I","c":"NETWORK"}"#, r#"{"t":{"$date":"2026-03-05T15:08:09.004+01:00"},"s":"W"}"#),
    form("journalctl -o json", r#"{"_PID":"7","__REALTIME_TIMESTAMP":"1795397547123456","MESSAGE":"up"}"#, r#"{"__REALTIME_TIMESTAMP":"1772719689000001"}"#),
    form("CloudTrail", r#"{"eventVersion":"1.0","eventTime":"2026-11-23T01:32:27Z"}"#, r#"{"user":{"time":5,"a":["}"]},"eventTime":"2026-03-05T14:08:09Z"}"#),
    form("logrus", "time=\"2026-11-23T01:32:27Z\" level=info msg=up", "time=\"2026-03-05T15:08:09+01:00\" level=warning msg=\"a b\""),
    form("slog, go-kit", "time=2026-11-23T01:32:27.123Z level=INFO msg=up", "level=warn ts=2026-03-05T14:08:09.004Z caller=a.go:5 msg=slow"),
    form("logfmt, other keys", "msg=\"a \\\"b\\\" c\" timestamp=1795397547 up", "level=info datetime=\"2026-03-05 14:08:09\""),
];

/// What is recognised behind a prefix that other lines of the log have, too.
#[rustfmt::skip]
pub const PREFIXED: &[LogFormat] = &[
    form("level first", "INFO 2026-11-23 01:32:27,123 up", "WARNING 2026-03-05 14:08:09,004 down"),
    form("level and thread first", "INFO  [main] 2026-11-23 01:32:27 up", "ERROR [jobs] 2026-03-05 14:08:09 down"),
    form("Redis", "7:M 23 Nov 2026 01:32:27.123 * Ready", "77:C 05 Mar 2026 14:08:09.004 # down"),
    form("NestJS", "[Nest] 7  - 11/23/2026, 1:32:27 AM     LOG up", "[Nest] 42  - 03/05/2026, 2:08:09 PM   ERROR down"),
    form("docker compose", "web_1  | 2026-11-23T01:32:27Z up", "db_1   | 2026-03-05T14:08:09Z down"),
    form("docker compose and klog", "api-1  | I1123 01:32:27.123456 7 a.go:5] up", "db-12  | E0305 14:08:09.000001 7 a.go:9] down"),
    form("Cisco IOS", "*Nov 23 2026 01:32:27.123: %SYS-5: up", "*Mar  5 2026 14:08:09.004: %SYS-5: down"),
    form("request id first", "[550e8400-e29b-41d4-a716-446655440000] 2026-11-23T01:32:27Z GET /", "[00000000-1111-2222-3333-abcdefabcdef] 2026-03-05T14:08:09Z GET /"),
    form("in colours", "\x1b[32mINFO\x1b[0m 2026-11-23 01:32:27 up", "\x1b[31mERROR\x1b[0m 2026-03-05 14:08:09 down"),
    form("Python basicConfig", "INFO:root:2026-11-23 01:32:27,123:up", "ERROR:app:2026-03-05 14:08:09,004:down"),
];

use crate::support::{Log, dechunk, serve};

const LOG: &str = "one a\ntwo\nthree a\nfour\nfive\nsix a\n";

#[test]
fn plain_http_sends_the_lines_that_match() {
    let log = Log::with(LOG);
    let server = serve(&log);
    for (query, expected) in [
        ("grep=a", "one a\nthree a\nsix a\n"),
        ("grep=a&exclude=x", "one a\nsix a\n"),
        ("exclude=a", "two\nfour\nfive\n"),
        ("grep=^t", "two\nthree a\n"),
        ("grep=o&grep=a&match=all", "one a\n"),
        ("grep=six&context=1,0", "five\nsix a\n"),
        ("grep=two&grep=six&context=0,1", "two\nthree a\n--\nsix a\n"),
        ("grep=a&max=2", "one a\nthree a\n"),
        ("grep=one&context=0,1&max=1", "one a\ntwo\n"),
        ("max=2", "one a\ntwo\n"),
        ("grep=a&from=4", "six a\n"),
        ("grep=A&ignore-case=1", "one a\nthree a\nsix a\n"),
        ("grep=A", ""),
        ("grep=.&fixed=1", ""),
    ] {
        let query = query.replace('^', "%5E");
        let answer = server.get(&format!("/app.log?{query}"));
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        assert!(answer.head.contains("Transfer-Encoding: chunked"), "{query}");
        assert_eq!(String::from_utf8_lossy(&dechunk(&answer.body).0), expected, "{query}");
    }
}

use crate::support::{Log, serve};

#[test]
fn a_pattern_that_cannot_be_used_is_refused_with_its_place() {
    let log = Log::with("a\n");
    let server = serve(&log);
    let long = "a".repeat(1025);
    let many = "grep=a&".repeat(17);
    for (query, words) in [
        ("grep=a(", &["`grep`", "unclosed group"][..]),
        ("grep=b&grep=a(", &["pattern 2", "`grep`"]),
        ("exclude=%5Bz-a%5D", &["`exclude`"]),
        ("grep=(%3F=a)", &["`grep`", "look-around"]),
        ("grep=(%3F:a%7B1000%7D)%7B1000%7D", &["`grep`"]),
        (&format!("grep={long}"), &["`grep`", "1024"]),
        ("grep=", &["`grep`", "empty"]),
        ("grep=%FF", &["`grep`"]),
        ("grep=a%0Ab", &["`grep`", "no line contains the newline at character 2"]),
        ("exclude=%0Aa.b", &["`exclude`", "no line contains the newline at character 1"]),
        (&many, &["`grep`", "16"]),
        ("context=1001", &["`context`"]),
        ("max=0", &["`max`"]),
        ("level=loud", &["`level`"]),
    ] {
        let answer = server.get(&format!("/app.log?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        let text = answer.text();
        assert!(words.iter().all(|word| text.contains(word)), "{query}: {text}");
        assert_eq!(text.trim_end().lines().count(), 1, "{query}: {text}");
    }
    assert_eq!(server.get("/missing.log?grep=a(").status, 400, "before the log is looked for");
    assert_eq!(server.get("/missing.log?grep=a").status, 404);
}

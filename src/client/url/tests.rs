use super::*;
use crate::protocol::criteria::{Case, Context, Level};

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

#[test]
fn every_spelling_is_understood() {
    for text in ["ws://h:8765/a.log", "http://h:8765/a.log", "h:8765/a.log", "WS://h:8765/a.log#x"] {
        let url = url(text);
        assert_eq!((url.authority().as_str(), url.target().as_str()), ("h:8765", "/a.log"), "{text}");
    }
    assert_eq!(url("ws://[::1]:9/x").authority(), "[::1]:9");
    assert_eq!((url("h/a").authority(), url("[::1]/a").authority()), ("h:8765".into(), "[::1]:8765".into()));
    assert_eq!(url("ws://[::1]/x").to_string(), "ws://[::1]:80/x");
    assert_eq!(Url::page("h").unwrap().authority(), "h:8765");
}

#[test]
#[cfg(feature = "tls")]
fn tls_has_a_port_of_its_own() {
    for text in ["wss://h/a", "HTTPS://h/a", "https://h:443/a"] {
        let url = url(text);
        assert!(url.is_secure() && url.to_string() == "wss://h:443/a", "{text}: {url}");
    }
    assert!(!url("http://h/a").is_secure());
}

#[test]
#[cfg(not(feature = "tls"))]
fn without_the_feature_there_is_no_tls() {
    assert!("wss://h/a".parse::<Url>().unwrap_err().to_string().ends_with("without the feature `tls`"));
}

#[test]
fn a_zone_is_understood_and_not_sent() {
    for text in ["ws://[fe80::99%25lo]:1/a", "[fe80::99%lo]:1/a", "http://[fe80::99%25%6co]:1/a"] {
        let url = url(text);
        assert_eq!((url.host(), url.zone(), url.authority().as_str()), ("fe80::99", Some("lo"), "[fe80::99]:1"));
        assert_eq!(url.to_string(), "ws://[fe80::99%lo]:1/a", "{text}");
    }
    assert_eq!(url("[fe80::1%25]:1/a").zone(), Some("25"));
}

#[test]
fn a_first_line_and_last_lines_exclude_each_other() {
    let mut url = url("h:1/a?lines=5");
    url.set_from(7);
    assert_eq!(url.target(), "/a?from=7");
    url.set_lines(Lines::Last(3));
    assert_eq!(url.target(), "/a?lines=3");
    url.set_from(7);
    url.set_cursor(&"c.1".parse().unwrap());
    assert_eq!(url.target(), "/a?cursor=c.1");
}

#[test]
fn a_path_is_encoded_where_it_must_be() {
    let url = url("h:1//srv/log s/日志%20.log");
    assert_eq!(url.target(), "//srv/log%20s/%E6%97%A5%E5%BF%97%20.log");
    assert_eq!(url.log(), "srv/log s/日志 .log");
}

#[test]
fn parameters_are_kept_and_set_once() {
    let mut url = url("h:1/a?lines=5&format=html");
    assert!(url.names("lines") && !url.names("tail"));
    url.set_tail(true);
    url.set_lines(Lines::All);
    assert_eq!(url.target(), "/a?format=html&tail=1&lines=all");
}

#[test]
fn a_filter_is_encoded_and_understood_by_a_server() {
    let mut criteria = Criteria {
        grep: vec!["a+b c&d=%2B#".into(), "é|\\d\"{}`<>'".into()],
        match_all: true,
        exclude: vec!["/-/healthz?".into()],
        fixed: true,
        case: Case::Sensitive,
        context: Context::Lines { before: 1, after: 2 },
        level: Some(Level::Warn),
        max: NonZeroU64::new(3),
    };
    let mut url = url("h:1/a?lines=5&grep=old&grep=older&max=9");
    url.set_criteria(&criteria);
    let (_, query) = url.target().split_once('?').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(query.starts_with("lines=5&grep=a%2Bb%20c%26d%3D%252B%23&grep=%C3%A9%7C%5Cd"), "{query}");
    assert!(query.ends_with("&match=all&exclude=%2F-%2Fhealthz%3F&fixed=1&ignore-case=0&context=1,2&level=warn&max=3"));
    assert_eq!(Parameters::parse(&query).unwrap().criteria, criteria);
    assert_eq!(url.criteria().unwrap(), criteria);

    url.set_max(NonZeroU64::MIN);
    criteria.max = Some(NonZeroU64::MIN);
    assert_eq!(url.criteria().unwrap(), criteria);
    url.set_criteria(&Criteria::default());
    assert_eq!(url.target(), "/a?lines=5");
}

#[test]
fn a_malformed_filter_in_a_url_is_named() {
    let error = url("h:1/a?format=new&level=loud").criteria().unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("`level`"), "{error}");
    assert!(url("h:1/a?format=new").criteria().unwrap().is_everything());
}

#[test]
fn a_user_is_refused_and_the_password_is_not_told() {
    for text in ["ws://user:s3#cret@h/a", "ws://user:s3/cret@h/a", "ws:/user:s3cret@h/a"] {
        assert!(!Url::page(text).unwrap_err().to_string().contains("s3"), "{text}");
    }
    for text in ["ws://user:s3cret@h:1/a", "http://s3cret@h/a", "user:s3cret@h:1/a", "ws://s3cret@/", "x://u:s3cret@h/"]
    {
        let error = text.parse::<Url>().unwrap_err();
        let expected = "cannot use the URL: it names a user, which is not supported: use --token-file";
        assert!(error.is_usage() && error.to_string() == expected, "{text}: {error}");
    }
    assert_eq!(url("h:1/a@b?c=d@e").target(), "/a@b?c=d@e");
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "a.log",
        "::1/a",
        "[fe80::1%]:1/a",
        "[fe80::1%25%2f]:1/a",
        "ftp://h/a",
        "ws://h:0/a",
        "ws://h:x/a",
        "ws:///a",
        "h:1/",
        "h:1",
        "ws://h o:1/a",
        "ws://[::1/a",
        "ws://[::1]8765/a",
    ] {
        let error = text.parse::<Url>().unwrap_err();
        assert!(error.is_usage() && error.to_string().contains('`'), "{text}: {error}");
    }
}

use super::*;

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

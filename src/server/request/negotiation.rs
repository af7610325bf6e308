//! What a client takes, as its header fields say. Whether a request for a log's address comes from a browser, which gets the
//! page, or from a program, which gets the text; the parameter `view` is handled elsewhere. And whether it takes answers
//! that are compressed.

/// A media range of an `Accept` field, or a coding of an `Accept-Encoding`, in lower case.
#[derive(Debug)]
struct MediaRange {
    kind: String,
    quality: f32,
}

/// Whether the fields `Sec-Fetch-Mode` and `Accept` are those of a browser that navigates to a page.
///
/// Programs accept HTML, too: Java sends `text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2` by default. But no
/// browser accepts anything at all, or any image, without naming XHTML.
pub(in crate::server) fn wants_page<'f>(
    mut modes: impl Iterator<Item = &'f [u8]>,
    accepted: impl Iterator<Item = &'f [u8]>,
) -> bool {
    modes.any(|mode| mode.trim_ascii().eq_ignore_ascii_case(b"navigate")) || prefers_html(accepted)
}

/// Whether the fields `Accept-Encoding` name gzip.
pub(in crate::server) fn accepts_gzip<'f>(accepted: impl Iterator<Item = &'f [u8]>) -> bool {
    let fields: Vec<_> = accepted.map(|field| String::from_utf8_lossy(field).to_ascii_lowercase()).collect();
    let codings = fields.iter().flat_map(|field| field.split(',')).filter_map(MediaRange::parse);
    codings.into_iter().any(|coding| coding.kind == "gzip" && coding.quality > 0.0)
}

fn prefers_html<'f>(accepted: impl Iterator<Item = &'f [u8]>) -> bool {
    let fields: Vec<_> = accepted.map(|field| String::from_utf8_lossy(field).to_ascii_lowercase()).collect();
    // A range with a quality of 0 is not acceptable, even if another range includes it.
    let ranges = fields.iter().flat_map(|field| field.split(',')).filter_map(MediaRange::parse);
    let ranges: Vec<MediaRange> = ranges.filter(|range| range.quality > 0.0).collect();
    let quality = |kind: &str| {
        let qualities = ranges.iter().filter(|range| range.kind == kind).map(|range| range.quality);
        qualities.fold(0.0, f32::max)
    };
    let names = |kind: &str| ranges.iter().any(|range| range.kind == kind);
    let highest = ranges.iter().map(|range| range.quality).fold(0.0, f32::max);
    let takes_anything = names("*/*") || names("*") || names("image/*");
    names("text/html")
        && quality("text/html") >= highest
        && !names("text/plain")
        && (!takes_anything || names("application/xhtml+xml"))
}

impl MediaRange {
    /// `None` if it is malformed.
    fn parse(text: &str) -> Option<MediaRange> {
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next().filter(|kind| !kind.is_empty())?.to_owned();
        let mut quality = 1.0;
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            if name.trim() == "q" {
                quality = value.trim().parse().ok().filter(|quality| (0.0..=1.0).contains(quality))?;
            }
        }
        Some(MediaRange { kind, quality })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(accept: &str) -> bool {
        wants_page(std::iter::empty(), [accept.as_bytes()].into_iter())
    }

    #[test]
    fn gzip_is_accepted_if_it_is_named() {
        let accepts = |field: &str| accepts_gzip([field.as_bytes()].into_iter());
        assert!(accepts("gzip, deflate, br, zstd") && accepts("br;q=1.0, GZIP;q=0.5"));
        assert!(!accepts("") && !accepts("gzip;q=0") && !accepts("identity") && !accepts("gzipped") && !accepts("*"));
        assert!(!accepts_gzip(std::iter::empty()));
    }

    #[test]
    fn browsers_get_the_page() {
        for accept in [
            // Firefox, Chromium, Safari, and an old Firefox.
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,\
             application/signed-exchange;v=b3;q=0.7",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/png,image/*;q=0.8,*/*;q=0.5",
            "text/html",
            "Text/HTML; level=1 ; Q=0.5",
            "text/html, application/json",
            "application/json;q=0.9, text/html;q=0.9",
            "text/html, text/plain;q=0, */*;q=0.0",
        ] {
            assert!(page(accept), "{accept}");
        }
        let two = ["application/json;q=0.5", "text/html"].map(str::as_bytes);
        assert!(wants_page(std::iter::empty(), two.into_iter()), "two fields are one");
    }

    #[test]
    fn programs_get_the_text() {
        for accept in [
            "",
            "*/*",
            "text/plain",
            "text/htmlx",
            "text/html;q=0",
            "text/html; q=0.000",
            "text/html;q=2",
            "text/html;q=nan",
            "text/html;q=",
            "text/html;q=0.9, application/json",
            "text/plain, text/html;q=0.5",
            "text/html, text/plain;q=0.5",
            "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
            "text/html, */*",
            "text/html, image/*",
            "*/*, text/html; q=0.1",
        ] {
            assert!(!page(accept), "{accept}");
        }
    }

    #[test]
    fn a_navigation_gets_the_page_whatever_it_accepts() {
        let wants = |mode: &str| wants_page([mode.as_bytes()].into_iter(), [&b"text/plain"[..]].into_iter());
        assert!(wants("navigate") && !wants("cors") && !wants("no-cors") && !wants(""));
    }
}

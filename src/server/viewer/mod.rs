//! The page for browsers and its parts, compiled in: hand-written HTML, CSS and JavaScript modules.
//!
//! The page is the same for every address, and browsers request it anew each time. Its parts have a hash of all of them
//! in their address, and browsers may cache them forever: after an update of the server, a new page never loads an old
//! part. Comments, indentation and spaces without a meaning are not sent. The page names all scripts, so that a browser asks for them at once.

use std::sync::LazyLock;

/// A file of the viewer.
struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! assets {
    ($($name:literal: $kind:expr),* $(,)?) => {
        &[$(Asset { name: $name, kind: $kind, text: include_str!($name) }),*]
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

static ASSETS: &[Asset] = assets! {
    "view/pane.css": "text/css; charset=utf-8",
    "viewer.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "log/beyond.js": SCRIPT,
    "log/block.js": SCRIPT,
    "log/entries.js": SCRIPT,
    "log/ids.js": SCRIPT,
    "log/numbering.js": SCRIPT,
    "log/pages.js": SCRIPT,
    "log/place.js": SCRIPT,
    "log/scan.js": SCRIPT,
    "log/scan_worker.js": SCRIPT,
    "log/store.js": SCRIPT,
    "log/stream.js": SCRIPT,
    "shell/address.js": SCRIPT,
    "shell/bars.js": SCRIPT,
    "shell/controls.js": SCRIPT,
    "shell/dom.js": SCRIPT,
    "shell/files.js": SCRIPT,
    "shell/lines.js": SCRIPT,
    "shell/links.js": SCRIPT,
    "shell/main.js": SCRIPT,
    "shell/net.js": SCRIPT,
    "shell/paging.js": SCRIPT,
    "shell/picking.js": SCRIPT,
    "shell/reader.js": SCRIPT,
    "shell/search.js": SCRIPT,
    "shell/states.js": SCRIPT,
    "shell/take.js": SCRIPT,
    "text/ansi.js": SCRIPT,
    "text/carried.js": SCRIPT,
    "text/levels.js": SCRIPT,
    "text/lines.js": SCRIPT,
    "text/time.js": SCRIPT,
    "view/pane.js": SCRIPT,
    "view/row.js": SCRIPT,
    "view/rows.js": SCRIPT,
    "view/ruler.js": SCRIPT,
    "view/selection.js": SCRIPT,
};

static PAGE: &str = include_str!("page.html");

/// The assets' texts as they are sent.
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| ASSETS.iter().map(|asset| compact(asset.text)).collect());

/// The text without indentation, without lines that are only a comment, and without spaces and ends of lines around
/// punctuation. A line that has an expression, or a string that is not in double quotes, stays as it is. No string in
/// the assets spans lines, and no comment stands behind code.
fn compact(text: &str) -> String {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//"));
    let mut compact = String::with_capacity(text.len());
    for line in lines {
        // Every other part is a string.
        let is_plain =
            |(index, part): (usize, &str)| !part.contains('\\') && (index % 2 == 1 || !part.contains(['\'', '`', '/']));
        let is_plain = line.split('"').enumerate().all(is_plain);
        for (index, part) in line.split('"').enumerate() {
            if index > 0 {
                compact.push('"');
            }
            if index % 2 == 1 || !is_plain {
                compact.push_str(part);
            } else {
                part.split_inclusive(' ').for_each(|word| push(&mut compact, word));
            }
        }
        if !compact.ends_with(['{', ',', ';', '(']) {
            compact.push('\n');
        }
    }
    compact
}

/// Adds a word and the space after it, without the spaces that only people need. In CSS a space before a colon or a `>`
/// has a meaning.
fn push(compact: &mut String, word: &str) {
    if word.starts_with(['{', '}', '=', '?', '&', '|', '<']) && compact.ends_with(' ') {
        compact.pop();
    }
    let is_separate = word.trim_end().ends_with([',', '{', '}', ';', ':', '=', '>', '?', '&', '|', '<']);
    compact.push_str(if is_separate { word.trim_end() } else { word });
}

/// Distinguishes one set of assets from another.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = crc32fast::Hasher::new();
    TEXTS.iter().for_each(|text| hasher.update(text.as_bytes()));
    format!("{:08x}", hasher.finalize())
});

/// Scripts, styles, the icon, connections and the search worker, all from the page's own origin only; `'self'` includes
/// `ws:` and `wss:` there.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One of the viewer's parts, ready to be sent.
pub(super) struct ViewerPart {
    pub kind: &'static str,
    pub etag: String,
    pub text: String,
    pub fields: Vec<(&'static str, String)>,
}

/// The page, with its parts below `base`: a path that begins and ends with a slash.
pub(super) fn page(base: &str) -> ViewerPart {
    let is_loaded_with_page = |asset: &&Asset| asset.kind == SCRIPT && !asset.name.contains("worker");
    let preload = |asset: &Asset| format!("<link rel=\"modulepreload\" href=\"{{parts}}{}\">\n", asset.name);
    let preloads: String = ASSETS.iter().filter(is_loaded_with_page).map(preload).collect();
    let parts = format!("{base}-/viewer/{}/", *HASH);
    let text = PAGE.replace("{preloads}\n", &preloads).replace("{parts}", &parts);
    let fields =
        [("Cache-Control", "no-cache"), ("Vary", "Accept, Sec-Fetch-Mode"), ("Content-Security-Policy", POLICY)];
    part("text/html; charset=utf-8", text, &fields)
}

/// The part at `HASH/NAME` or `HASH/FOLDER/NAME` below `/-/viewer/`.
pub(super) fn asset(address: &[Vec<u8>]) -> Option<ViewerPart> {
    let [hash, name @ ..] = address else { return None };
    let name = name.join(&b'/');
    let index = ASSETS.iter().position(|asset| asset.name.as_bytes() == name).filter(|_| hash == HASH.as_bytes())?;
    Some(part(ASSETS[index].kind, TEXTS[index].clone(), &[("Cache-Control", "public, max-age=31536000, immutable")]))
}

fn part(kind: &'static str, text: String, fields: &[(&'static str, &str)]) -> ViewerPart {
    let etag = format!("{:08x}", crc32fast::hash(text.as_bytes()));
    let fields = fields.iter().chain(&[("Referrer-Policy", "no-referrer")]);
    ViewerPart { kind, etag, text, fields: fields.map(|&(name, value)| (name, value.to_owned())).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_together_have_96_kb_at_most_and_each_about_8() {
        let assets: usize = TEXTS.iter().map(String::len).sum();
        let size = assets + PAGE.len();
        assert!(size <= 96_000, "{size}");
        for asset in ASSETS {
            assert!(asset.text.len() <= 8 * 1024 + 512, "{}: {}", asset.name, asset.text.len());
        }
    }

    #[test]
    fn every_part_is_found_below_the_hash_only() {
        for asset in ASSETS {
            let name = asset.name.split('/').map(|part| part.as_bytes().to_vec());
            let address = |hash: &str| [hash.as_bytes().to_vec()].into_iter().chain(name.clone()).collect::<Vec<_>>();
            assert_eq!(super::asset(&address(&HASH)).unwrap().text, compact(asset.text));
            assert!(super::asset(&address("0")).is_none());
        }
    }

    #[test]
    fn comments_indentation_and_needless_spaces_are_not_sent() {
        let script = "// A\n\nif (b) {\n  // C\n  d(\"// e\", /f, g/);\n  const g = { h, i: \"j, k\" };\n}\n";
        assert_eq!(compact(script), "if (b){d(\"// e\", /f, g/);const g={h,i:\"j, k\"};}\n");
        assert_eq!(compact("nav :is(a, b) > c { d: e; }\n"), "nav :is(a,b) >c{d:e;}\n");
    }

    #[test]
    fn the_page_addresses_its_parts_below_the_base() {
        let text = page("/logs/").text;
        assert!(
            text.contains(&format!("\"/logs/-/viewer/{}/shell/main.js\"", *HASH)) && !text.contains("{parts}"),
            "{text}"
        );
    }
}

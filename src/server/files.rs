//! The list of logs, as JSON: `GET /-/files`.

use std::time::UNIX_EPOCH;

use serde_json::json;

use crate::follow::listing::{Entry, Listing};

/// `{"files":[{"path","size","modified"}…]}`, newest first; with `"cut":true` where there were more names than are looked
/// at.
pub(super) fn json(listing: &Listing) -> String {
    let files: Vec<_> = listing.entries.iter().map(file).collect();
    if listing.is_cut { json!({"files": files, "cut": true}) } else { json!({"files": files}) }.to_string()
}

fn file(entry: &Entry) -> serde_json::Value {
    let modified = entry.modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    json!({"path": entry.path, "size": entry.size, "modified": modified})
}

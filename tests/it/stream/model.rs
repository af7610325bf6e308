//! Text cut into messages at random offsets, compared with the whole text.
//! A failure prints its seed; `WSTAIL_SEED=N cargo test --test it model` plays one again.

use std::time::{Duration, Instant};

use wstail::protocol::MAX_MESSAGE;
use wstail::text::html::Html;
use wstail::text::lines::LineBuffer;

use crate::support::random::{Random, seeds};

const CASES: u64 = 1500;

/// Pushes random pieces with random pauses, and takes the messages as they become ready.
fn messages(seed: u64, html: bool) -> (Vec<u8>, Vec<String>) {
    let mut random = Random::new(seed);
    let mut lines = LineBuffer::new(html.then(Html::default), false);
    let (mut now, mut written, mut messages) = (Instant::now(), Vec::new(), Vec::new());
    for _ in 0..60 {
        let times = if random.below(600) == 0 { 5_000 } else { 1 };
        let bytes = random.bytes().repeat(times);
        lines.push(&bytes, random.below(3) == 0, now);
        written.extend(bytes);
        now += Duration::from_millis(random.below(150) as u64);
        messages.extend(std::iter::from_fn(|| lines.next(now)));
        assert!(lines.due().is_none_or(|due| due <= now + Duration::from_secs(1)), "seed {seed}");
    }
    lines.finish();
    messages.extend(std::iter::from_fn(|| lines.next(now)));
    (written, messages)
}

#[test]
fn messages_joined_are_the_text_of_the_log() {
    for seed in seeds(CASES) {
        let (written, messages) = messages(seed, false);
        assert!(messages.iter().all(|message| message.len() <= MAX_MESSAGE && message != "ping"), "seed {seed}");
        assert!(messages.concat() == String::from_utf8_lossy(&written), "seed {seed}");
    }
}

#[test]
fn html_is_the_same_text_and_every_message_is_balanced() {
    let visible = |html: &str| {
        let text: String = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    for seed in seeds(CASES) {
        let (written, messages) = messages(seed, true);
        for message in &messages {
            assert!(message.len() <= MAX_MESSAGE && message != "ping", "seed {seed}");
            assert_eq!(message.matches("<span").count(), message.matches("</span>").count(), "seed {seed}");
        }
        let whole = String::from_utf8_lossy(&written);
        let mut html = Html::default();
        let (at_once, used) = html.render(&whole, usize::MAX);
        assert_eq!(used, whole.len());
        assert!(visible(&messages.concat()) == visible(&at_once), "seed {seed}");
    }
}

//! Follows one log and prints it: `cargo run --example follow_one -- localhost:8765/app.log?tail=1`

use std::error::Error;
use std::io::{self, Write};

use wstail::{LogEvent, Reader};

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("usage: follow_one HOST[:PORT]/LOG?tail=1")?;
    follow(&url, io::stdout().lock())
}

/// Prints the log until it ends; with `tail=1` that is never.
pub fn follow(url: &str, mut out: impl Write) -> Result<(), Box<dyn Error>> {
    for event in Reader::connect(url)? {
        match event? {
            LogEvent::Data(bytes) => out.write_all(&bytes)?,
            LogEvent::Gap { bytes: Some(bytes), .. } => eprintln!("{bytes} bytes are missing here"),
            LogEvent::Gap { bytes: None, .. } => eprintln!("bytes are missing here"),
            LogEvent::Lost { error, pause } => eprintln!("{error}; reconnecting in {pause:.1?}"),
            _ => {}
        }
        out.flush()?;
    }
    Ok(())
}

//! Follows several logs at once, one thread each, and prints their lines with their names:
//! `cargo run --example several_logs -- localhost:8765/app.log?tail=1 localhost:8765/web.log?tail=1`

use std::error::Error;
use std::io::{self, Write};
use std::sync::mpsc;
use std::{mem, thread};

use wstail::{LogEvent, Reader, Url};

fn main() -> Result<(), Box<dyn Error>> {
    let urls = std::env::args().skip(1).map(|url| url.parse()).collect::<Result<_, _>>()?;
    follow(urls, io::stdout().lock())
}

/// Prints the lines of all logs as they come, until all logs have ended.
pub fn follow(urls: Vec<Url>, mut out: impl Write) -> Result<(), Box<dyn Error>> {
    // The readers end when the trigger is dropped: here, when `out` cannot be written any more.
    let (_trigger, shutdown) = wstail::shutdown()?;
    let (sender, lines) = mpsc::sync_channel::<wstail::Result<String>>(100);
    for url in urls {
        let (sender, shutdown) = (sender.clone(), shutdown.clone());
        thread::spawn(move || {
            let (name, mut unfinished) = (url.log(), Vec::new());
            for event in Reader::new(url, shutdown) {
                match event {
                    Ok(LogEvent::Data(bytes)) => unfinished.extend(bytes),
                    Ok(_) => continue,
                    Err(error) => drop(sender.send(Err(error))),
                }
                while let Some(end) = unfinished.iter().position(|&byte| byte == b'\n') {
                    let rest = unfinished.split_off(end + 1);
                    let line = mem::replace(&mut unfinished, rest);
                    if sender.send(Ok(format!("{name}: {}", String::from_utf8_lossy(&line)))).is_err() {
                        return;
                    }
                }
            }
        });
    }
    drop(sender);
    for line in lines {
        out.write_all(line?.as_bytes())?;
    }
    Ok(())
}

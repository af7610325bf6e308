//! Serves a directory from within another program until Enter is pressed:
//! `cargo run --example embed_server -- /var/log`

use std::error::Error;
use std::io;
use std::path::Path;

use wstail::{Server, ServerConfig, ServerHandle};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).ok_or("usage: embed_server DIRECTORY")?;
    let server = serve(directory.as_ref())?;
    println!("{}://{}/ serves the logs; press Enter to stop", server.scheme(), server.addresses()[0]);
    io::stdin().read_line(&mut String::new())?;
    Ok(server.stop()?)
}

/// Serves until the handle is dropped.
pub fn serve(directory: &Path) -> wstail::Result<ServerHandle> {
    let mut config = ServerConfig::new([directory]);
    config.port = 0; // any free one
    Server::bind(config)?.spawn()
}

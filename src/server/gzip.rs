//! Compresses what is sent as a whole to clients that accept it: the page's parts, and the list of logs. Without the
//! feature `gz` nothing is compressed.

/// What is shorter gains nothing.
#[cfg(feature = "gz")]
const LEAST: usize = 512;

/// A compressor has 300 KB and is made on the stack, for which that of a connection is too small.
#[cfg(feature = "gz")]
const STACK: usize = 2 << 20;

/// `None` if it is not worth it, or the process has no thread left for it.
#[cfg(feature = "gz")]
pub(super) fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    use std::io::Write;
    use std::thread;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    if bytes.len() < LEAST {
        return None;
    }
    let compress = || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::default());
        encoder.write_all(bytes)?;
        encoder.finish()
    };
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("gzip".to_owned()).stack_size(STACK);
        builder.spawn_scoped(scope, compress).ok()?.join().ok()?.ok()
    })
}

#[cfg(not(feature = "gz"))]
pub(super) fn gzip(_: &[u8]) -> Option<Vec<u8>> {
    None
}

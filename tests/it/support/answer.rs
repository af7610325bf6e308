//! HTTP answers of a server.

use std::io::Read;
use std::net::TcpStream;

/// An HTTP response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// What arrives up to the end of the connection.
    pub fn read(mut stream: TcpStream) -> Answer {
        let mut bytes = Vec::new();
        if let Err(error) = stream.read_to_end(&mut bytes) {
            panic!("the answer was cut off: {error} after {:?}", String::from_utf8_lossy(&bytes));
        }
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or_else(|| {
            panic!("no head in {:?}", String::from_utf8_lossy(&bytes));
        });
        let body = bytes.split_off(end + 4);
        let head = String::from_utf8(bytes).unwrap();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Answer { status, head, body }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The content of a chunked body, which must end with the last chunk.
    pub fn chunked(&self) -> Vec<u8> {
        assert!(self.head.to_lowercase().contains("\r\ntransfer-encoding: chunked\r\n"), "{}", self.head);
        let (payload, rest) = dechunk(&self.body);
        assert_eq!(rest, Some(&b""[..]), "the last chunk is the end");
        payload
    }
}

/// The content of a chunked body as far as it has arrived and, if it is complete, what follows it.
pub fn dechunk(mut body: &[u8]) -> (Vec<u8>, Option<&[u8]>) {
    let mut payload = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&body[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap_or_else(|_| panic!("no chunk's length: {length:?}"));
        let Some((chunk, rest)) = body[end + 2..].split_at_checked(length + 2) else { break };
        assert!(chunk.ends_with(b"\r\n"), "a chunk of {length} bytes does not end where it should");
        payload.extend_from_slice(&chunk[..length]);
        body = rest;
        if length == 0 {
            return (payload, Some(body));
        }
    }
    (payload, None)
}

//! A server that speaks `wstail.v1` as its test says.

use std::net::{TcpListener, TcpStream};
use std::thread;

use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket, accept_hdr};
use wstail::protocol::event::SUBPROTOCOL;

/// Starts it, and returns its address. `speak` gets the number of the connection and the request's target.
pub fn by_hand(speak: impl Fn(usize, &str, &mut WebSocket<TcpStream>) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let mut target = String::new();
            #[expect(clippy::result_large_err, reason = "tungstenite asks for it")]
            let pick = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
                target = request.uri().to_string();
                response.headers_mut().insert("Sec-WebSocket-Protocol", SUBPROTOCOL.parse().unwrap());
                Ok(response)
            };
            let mut socket = accept_hdr(stream, pick).unwrap();
            speak(number, &target, &mut socket);
        }
    });
    address
}

/// Sends the first event.
pub fn open(socket: &mut WebSocket<TcpStream>) {
    let open = r#"{"event":"open","path":"app.log","size":0,"heartbeat":0.2,"cursor":"abc"}"#;
    socket.send(Message::text(open)).unwrap();
}

/// Ends the stream as complete.
pub fn end(socket: &mut WebSocket<TcpStream>) {
    let _ = socket.close(Some(CloseFrame { code: 1000.into(), reason: "".into() }));
    while socket.read().is_ok() {}
}

/// Sends bytes of the log.
pub fn send(socket: &mut WebSocket<TcpStream>, text: &str) {
    socket.send(Message::binary(text.as_bytes().to_vec())).unwrap();
}

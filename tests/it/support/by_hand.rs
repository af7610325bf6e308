//! A server that speaks `wstail.v1` as its test says.

use std::net::{TcpListener, TcpStream};
use std::thread;

use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::StatusCode;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket, accept_hdr};
use wstail::protocol::event::SUBPROTOCOL;

/// Starts it, and returns its address. `speak` gets the number of the connection and the request's target. One connection
/// is served after the other.
pub fn by_hand(speak: impl Fn(usize, &str, &mut WebSocket<TcpStream>) + Send + 'static) -> String {
    let (listener, address) = listen();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let (target, mut socket) = accept(stream, |_| true).unwrap();
            speak(number, &target, &mut socket);
        }
    });
    address
}

/// The same, with a thread for each connection. `accepts` gets a request's target; if it says no, there is no such log.
pub fn by_many_hands(
    accepts: impl Fn(&str) -> bool + Clone + Send + 'static,
    speak: impl Fn(&str, &mut WebSocket<TcpStream>) + Clone + Send + 'static,
) -> String {
    let (listener, address) = listen();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (accepts, speak) = (accepts.clone(), speak.clone());
            thread::spawn(move || {
                if let Some((target, mut socket)) = accept(stream, accepts) {
                    speak(&target, &mut socket);
                }
            });
        }
    });
    address
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// The request's target, and the open socket, if it is accepted.
fn accept(stream: TcpStream, accepts: impl Fn(&str) -> bool) -> Option<(String, WebSocket<TcpStream>)> {
    let mut target = String::new();
    #[expect(clippy::result_large_err, reason = "tungstenite asks for it")]
    let pick = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        target = request.uri().to_string();
        if !accepts(&target) {
            let mut refusal = ErrorResponse::new(Some("no such log\n".to_owned()));
            *refusal.status_mut() = StatusCode::NOT_FOUND;
            return Err(refusal);
        }
        response.headers_mut().insert("Sec-WebSocket-Protocol", SUBPROTOCOL.parse().unwrap());
        Ok(response)
    };
    let socket = accept_hdr(stream, pick).ok()?;
    Some((target, socket))
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

/// Sends an event of a list of logs.
pub fn tell(socket: &mut WebSocket<TcpStream>, event: &str) -> bool {
    socket.send(Message::text(event)).is_ok()
}

"""A client by websocket-client, which blocks. Arguments: URL, number of lines. Prints the log's text."""

import sys

import websocket

socket = websocket.create_connection(sys.argv[1], timeout=60)
lines = 0
while lines < int(sys.argv[2]):
    message = socket.recv()
    if message == "ping":
        socket.send("pong")
    else:
        lines += message.count("\n")
        print(message, end="")
socket.close()

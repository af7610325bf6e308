"""The design that wstail grew out of, as a peer to measure against: one asyncio process, the whole file read to find
its last lines, then a look a second whose finds go out as one message; `ping` is sent and `pong` awaited as text.

    python3 seed.py PORT          serves any file: ws://127.0.0.1:PORT/absolute/path?lines=N (or lines=all)
"""
import asyncio
import sys
import time
from urllib.parse import parse_qs, unquote, urlsplit

import websockets

LOOK = 1
HEARTBEAT = 10
ANSWER = 5


def last_lines(log, count):
    lines = log.readlines()
    return lines if count == "all" else lines[-int(count):]


async def beat(socket):
    await socket.send("ping")
    if await asyncio.wait_for(socket.recv(), ANSWER) != "pong":
        raise ConnectionError("no pong")


async def follow(socket, path, count):
    with open(path, encoding="utf-8") as log:
        await socket.send("".join(last_lines(log, count)))
        beaten = time.monotonic()
        while True:
            await asyncio.sleep(LOOK)
            lines = log.readlines()
            if lines:
                await socket.send("".join(lines))
            if time.monotonic() - beaten >= HEARTBEAT:
                await beat(socket)
                beaten = time.monotonic()


async def serve(socket, *_):
    # Since its release 13 the library keeps the address in a request.
    target = urlsplit(socket.request.path if hasattr(socket, "request") else socket.path)
    try:
        await follow(socket, unquote(target.path), parse_qs(target.query)["lines"][0])
    except (websockets.ConnectionClosed, asyncio.TimeoutError, ConnectionError):
        pass


async def main():
    options = {"ping_interval": None, "compression": None}
    async with websockets.serve(serve, "127.0.0.1", int(sys.argv[1]), **options):
        await asyncio.Future()


asyncio.run(main())

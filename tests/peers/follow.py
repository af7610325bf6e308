"""The seed's kind of client: an asyncio consumer that answers `pong`.

Arguments: URL, pings to answer before it ends, or `lines N` to end after N lines. Prints the log's text."""

import asyncio
import sys

import websockets


async def main(url, until, count):
    pings = lines = 0
    async with websockets.connect(url, ping_interval=None) as socket:
        async for message in socket:
            if message == "ping":
                pings += 1
                await socket.send("pong")
            else:
                lines += message.count("\n")
                sys.stdout.write(message)
                sys.stdout.flush()
            if count <= (pings if until == "pings" else lines):
                return


asyncio.run(asyncio.wait_for(main(sys.argv[1], sys.argv[2], int(sys.argv[3])), 60))

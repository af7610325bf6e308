"""A client by aiohttp. Arguments: URL, number of lines. Prints the log's text."""

import asyncio
import sys

import aiohttp


async def main(url, count):
    lines = 0
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        async for message in socket:
            if message.data == "ping":
                await socket.send_str("pong")
            else:
                lines += message.data.count("\n")
                print(message.data, end="")
            if lines >= count:
                return


asyncio.run(asyncio.wait_for(main(sys.argv[1], int(sys.argv[2])), 60))

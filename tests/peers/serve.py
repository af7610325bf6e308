"""The seed's kind of server: text pings, no subprotocol. Prints its port, then how many pongs came."""

import asyncio

import websockets


async def follow(socket):
    await socket.send("first\nsecond\n")
    pongs = 0
    for number in range(3):
        await socket.send("ping")
        pongs += await asyncio.wait_for(socket.recv(), 10) == "pong"
        await socket.send(f"after ping {number}\n")
    print(pongs, flush=True)


async def main():
    async with websockets.serve(follow, "127.0.0.1", 0, ping_interval=0.2) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.sleep(60)


asyncio.run(main())

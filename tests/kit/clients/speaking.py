"""A program that speaks over a WebSocket with `websockets`, as its documents say: prints what it heard as JSON."""

import asyncio
import json
import ssl
import sys

import websockets


async def run(url):
    async with websockets.connect(url, ssl=ssl.create_default_context()) as socket:
        first = await socket.recv()
        await socket.send("hello")
        second = await socket.recv()
        await socket.send("bye")
        try:
            await socket.recv()
        except websockets.ConnectionClosed as closed:
            sys.stdout.write(json.dumps([first, second, closed.rcvd.code]))


asyncio.run(run(sys.argv[1]))

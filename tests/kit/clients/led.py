"""The official Python SDK as the client of a call that waits for a yes: it leads a person to the page that it is told.

Arguments: the gate's URL, a token, and a file into which the address is written. Prints what the tool answered.
"""

import asyncio
import sys
from pathlib import Path

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult

URL, TOKEN, TOLD = sys.argv[1:4]


async def lead(_, params):
    await asyncio.to_thread(Path(TOLD).write_text, params.url)
    return ElicitResult(action="accept")


async def main() -> None:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as http,
        Client(streamable_http_client(URL, http_client=http), elicitation_callback=lead) as client,
    ):
        answer = await client.call_tool("echo", {"text": "led"})
        sys.stdout.write(f"{client.protocol_version} {answer.is_error} {answer.content[0].text}")


asyncio.run(main())

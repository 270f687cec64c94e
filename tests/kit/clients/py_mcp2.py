"""The official Python SDK 2.x as a client, in the 2026-07-28 era."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from steps import LIMIT, Session, run


@asynccontextmanager
async def connected(url: str, token: str) -> AsyncIterator[Session]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=LIMIT) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):

        async def names() -> list[str]:
            return [tool.name for tool in (await client.list_tools()).tools]

        yield Session(client.protocol_version, names, client.call_tool)


run(connected)

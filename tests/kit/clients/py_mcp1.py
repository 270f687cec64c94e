"""The official Python SDK 1.x as a client, in the 2025-11-25 era."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from steps import LIMIT, Session, run


@asynccontextmanager
async def connected(url: str, token: str) -> AsyncIterator[Session]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(headers=headers, timeout=LIMIT) as http,
        streamable_http_client(url, http_client=http) as (incoming, outgoing, _),
        ClientSession(incoming, outgoing) as client,
    ):
        hello = await client.initialize()

        async def names() -> list[str]:
            return [tool.name for tool in (await client.list_tools()).tools]

        yield Session(str(hello.protocolVersion), names, client.call_tool)


run(connected)

"""FastMCP as a client; it negotiates by itself, the newer era first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from steps import LIMIT, Session, run


@asynccontextmanager
async def connected(url: str, token: str) -> AsyncIterator[Session]:
    transport = StreamableHttpTransport(url, headers={"Authorization": f"Bearer {token}"})
    async with Client(transport, timeout=LIMIT) as client:

        async def names() -> list[str]:
            return [tool.name for tool in await client.list_tools()]

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            return await client.call_tool(name, arguments, raise_on_error=False)

        yield Session(str(client.protocol_version), names, call)


run(connected)

"""The official Python SDK 1.x, of the 2025-11-25 era, with nothing but a gate's URL: it registers, and calls.

`URL CALLBACK`. It prints where to send the person and is given back where they came out; then what it was able to do.
"""

import asyncio
import json
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken


class Kept(TokenStorage):
    """What an SDK keeps, in memory."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


async def shown(url: str) -> None:
    say({"open": url})


async def came_back() -> tuple[str, str | None]:
    line = await asyncio.to_thread(sys.stdin.readline)
    said = {name: values[0] for name, values in parse_qs(urlsplit(line.strip()).query).items()}
    return said["code"], said.get("state")


async def main(url: str, callback: str) -> None:
    kept = Kept()
    about = OAuthClientMetadata(client_name="Python SDK", redirect_uris=[callback])
    auth = OAuthClientProvider(url, about, kept, shown, came_back)
    async with (
        httpx.AsyncClient(auth=auth, timeout=30) as http,
        streamable_http_client(url, http_client=http) as (incoming, outgoing, _),
        ClientSession(incoming, outgoing) as client,
    ):
        await client.initialize()
        names = [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool("echo", {"text": "hello"})
        text = result.content[0].text
    say({"tools": names, "text": text, "scope": kept.tokens.scope, "refresh": bool(kept.tokens.refresh_token)})


asyncio.run(main(*sys.argv[1:]))

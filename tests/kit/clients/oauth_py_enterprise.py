"""The official Python SDK's enterprise client (SEP-990): it shows an assertion of the company's identity provider.

`URL ISSUER CLIENT SECRET ASSERTION`. It prints what it was able to do, and for whom it was asked to get the assertion.
"""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.auth import TokenStorage
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthToken


class Kept(TokenStorage):
    """What an SDK keeps, in memory."""

    tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens


async def main(url: str, issuer: str, client_id: str, secret: str, assertion: str) -> None:
    asked: list[tuple[str, str]] = []

    async def fetched(audience: str, resource: str) -> str:
        asked.append((audience, resource))
        return assertion

    auth = IdentityAssertionOAuthProvider(
        server_url=url, storage=Kept(), client_id=client_id, client_secret=secret, issuer=issuer,
        assertion_provider=fetched,
    )  # fmt: skip
    async with (
        httpx2.AsyncClient(auth=auth, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        result = await client.call_tool("echo", {"text": "hello"})
        text = result.content[0].text
    audience, resource = asked[0]
    sys.stdout.write(json.dumps({"text": text, "audience": audience, "resource": resource}) + "\n")


asyncio.run(main(*sys.argv[1:]))

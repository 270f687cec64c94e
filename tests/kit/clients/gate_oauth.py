"""What the MCP conformance suite drives as a client: the gate's own OAuth client and connections, and nothing else.

The suite gives a scenario's name and context in the environment and the server's URL last. The person at the browser is
played by one request whose redirect is read and not followed.
"""

import asyncio
import json
import os
import sys
from typing import Any

from remit.core.canonical import read
from remit.core.errors import RemitError
from remit.gateway.upstream import origin
from remit.gateway.upstream.fault import Fault
from remit.gateway.upstream.oauth import grant, keys
from remit.gateway.upstream.oauth.client import Client, Registered
from remit.gateway.upstream.oauth.enterprise import Provider, managed
from remit.gateway.upstream.oauth.fetch import Answer, Fetch
from remit.gateway.upstream.pool import Pool

SCENARIO = os.environ["MCP_CONFORMANCE_SCENARIO"]
VERSION = os.environ["MCP_CONFORMANCE_PROTOCOL_VERSION"]
CONTEXT: dict[str, Any] = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
REDIRECT = "http://127.0.0.1:8787/connect/back"
DOCUMENT = "https://conformance-test.local/client-metadata.json"
REGISTRATION = {
    "client_name": "Remit",
    "redirect_uris": [REDIRECT],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "application_type": "native",
}
META = "io.modelcontextprotocol/"
TRIES = 4


def client(url: str, fetch: Fetch) -> Client:
    """The gate's client as this scenario's operator would have set it up."""

    async def browser(place: str) -> str:
        return dict((await fetch.get(place)).headers)[b"location"].decode()

    async def workload(_: str) -> str:
        return str(CONTEXT["valid_jwt"])

    name, secret = CONTEXT.get("client_id", ""), CONTEXT.get("client_secret", "")
    registered: dict[str, Registered] = {"": Registered(name, secret)} if name else {}
    way = grant.code(browser, REDIRECT)
    match SCENARIO:
        case "auth/client-credentials-jwt":
            registered = {"": Registered(name, key=keys.from_pem(CONTEXT["private_key_pem"].encode()))}
            way = grant.credentials()
        case "auth/client-credentials-basic":
            way = grant.credentials()
        case "auth/wif-jwt-bearer":
            way = grant.assertion(workload)
        case "auth/enterprise-managed-authorization":
            there = Provider(CONTEXT["idp_token_endpoint"], CONTEXT["idp_client_id"], CONTEXT["idp_id_token"])
            way = managed(fetch, there)
    return Client(
        url, way, fetch, registered=registered, key=keys.fresh(), document=DOCUMENT, registration=REGISTRATION
    )


async def send(pool: Pool, path: bytes, way: Client, body: dict[str, Any]) -> Answer:
    """One message; what it is asked for on the way is done, a few times at most."""
    extra = [(b"accept", b"application/json, text/event-stream"), (b"content-type", b"application/json")]
    if body["method"] != "initialize":
        extra.append((b"mcp-protocol-version", VERSION.encode()))
    if VERSION >= "2026":
        extra.append((b"mcp-method", body["method"].encode()))
        if body["method"] == "tools/call":
            extra.append((b"mcp-name", body["params"]["name"].encode()))
    for _ in range(TRIES):
        await way.ready()
        outcome = await pool.request(b"POST", path, [*extra, *way.headers("POST")], json.dumps(body).encode())
        if isinstance(outcome, Fault):
            raise outcome.error()
        async with outcome:
            answer = Answer(outcome.status, tuple(outcome.headers), await outcome.read(1 << 20))
        if answer.status not in (401, 403) or not await way.challenged(answer.status, answer.headers):
            break
    if answer.status >= 300:
        raise RemitError("upstream_rejected", f"The server answered with status {answer.status}.", "Ask it why.")
    return answer


async def main() -> None:
    url = sys.argv[-1]
    place, path = origin.parse(url)
    fetch, pool = Fetch(), Pool(place)
    way = client(url, fetch)
    modern = VERSION >= "2026"
    meta = {META + "protocolVersion": VERSION, META + "clientCapabilities": {}}

    def message(method: str, number: int | None, **params: Any) -> dict[str, Any]:
        body: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
        if modern:
            params["_meta"] = meta
        return body if number is None else body | {"id": number}

    try:
        if not modern:
            hello = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "remit", "version": "1"}}
            await send(pool, path, way, message("initialize", 1, **hello))
            await send(pool, path, way, message("notifications/initialized", None))
        listed = await send(pool, path, way, message("tools/list", 2))
        called = await send(pool, path, way, message("tools/call", 3, name="test-tool", arguments={}))
        for answer in (listed, called):
            text = answer.body.partition(b"data: ")[2].strip() if b"data: " in answer.body else answer.body
            assert "result" in read(text), answer.body
    except RemitError as fault:
        sys.exit(str(fault))
    finally:
        pool.close()
        fetch.close()


asyncio.run(main())

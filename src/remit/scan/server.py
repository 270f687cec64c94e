"""One entry that tells a client which MCP server to start or call, whatever the file's format: what is wrong. Pure."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from remit.core.finding import Kind
from remit.scan import launch, secret
from remit.scan.launch import Told, Word
from remit.scan.node import Node

ADDRESSES: Final = ("url", "httpUrl", "serverUrl", "uri", "endpoint", "baseUrl", "base_url", "server_url")
_ENVS: Final = ("env", "environment", "envs", "envVars")
_HEADERS: Final = ("headers", "http_headers", "requestHeaders")
_LOOPBACK: Final = frozenset({"localhost", "host.docker.internal"})
_CALLED: Final = re.compile(
    r"(?i)(?:mcp|anthropic|openai|ollama|litellm|otel_exporter_otlp|llm|a2a)\w*_(?:url|uri|endpoint|server|host|address|base)$"
)
_UUID: Final = re.compile(r"(?i)^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_LISTED: Final = re.compile(r"(?i)allow(?:ed)?_?(?:commands?|list)|whitelist")
_PLAIN: Final = re.compile(
    r"(?i)^[\w+]+://.*[?&](?:sslmode=disable|ssl-?mode=disabled|(?:tls|ssl)=false|sslverify=false|tlsinsecure=true"
    r"|tlsallowinvalid(?:certificates|hostnames)=true|trustservercertificate=true|ssl_cert_reqs=none)"
)
_FALSE: Final = (
    "rejectUnauthorized",
    "verify",
    "verify_ssl",
    "ssl_verify",
    "tlsVerify",
    "tls_verify",
    "verifySsl",
    "verify_tls",
)
_TRUE: Final = (
    "insecure",
    "insecureSkipVerify",
    "insecure_skip_verify",
    "skipTlsVerify",
    "skip_tls_verify",
    "allowInsecure",
    "disable_tls_verification",
    "insecure-skip-tls-verify",
)


def told(server: Node) -> Iterator[Told]:
    """What is wrong with a server's entry."""
    for part in (*_ENVS, *_HEADERS):
        for key, node in _pairs(server[part]):
            yield from variable(part, key, node)
    for key in ("bearer_token", "token", "apiKey", "api_key"):
        if secret.is_literal(server[key].text):
            yield Kind.LITERAL_SECRET, server[key].line, f"{key} holds a literal value"
    listed = any(_LISTED.search(key) for part in _ENVS for key, _ in _pairs(server[part]))
    yield from launch.told(words(server), limits=listed)
    for word, line in words(server)[1:]:
        yield from ((Kind.OPEN_REMOTE, line, said) for said in address(word) if word.startswith(("http", "ws")))
    for key in ADDRESSES:
        for said in (*address(server[key].text), *_path(server[key].text)):
            yield Kind.OPEN_REMOTE, server[key].line, said
    for node in (server, server["tls"], server["ssl"]):
        yield from checks(node)


def variable(part: str, key: str, node: Node) -> Iterator[Told]:
    """What is wrong with one variable or header."""
    value = node.text if isinstance(node.value, str) else str(node.value if node.value is not None else "")
    if isinstance(node.value, str) and secret.is_held(key, value):
        yield Kind.LITERAL_SECRET, node.line, f"{part} {key} holds a literal value"
    if launch.unchecked(key, value):
        yield Kind.OPEN_REMOTE, node.line, f"{key} turns certificate checks off"
    if launch.folder(key) and any(launch.broad(one) for one in re.split(r"[:,;]", value) if one):
        yield Kind.BROAD_TOOL, node.line, f"{key} is the root or a whole home"
    if launch.unasked(key, value):
        yield Kind.UNASKED, node.line, f"{key} lets everything run with nobody asked"
    if key == "DANGEROUSLY_OMIT_AUTH" and value.lower() in ("1", "true"):
        yield Kind.OPEN_REMOTE, node.line, f"{key} lets anybody call"
    if plain(value):
        yield Kind.OPEN_REMOTE, node.line, f"{key} says that the connection is made without TLS or its checks"
    if called(key, value):
        yield Kind.OPEN_REMOTE, node.line, f"{key} is called over http, without TLS"


ASKS: Final = re.compile(r"(?i)auth|token|api_?key|jwt|secret|password|client_?ca")
"""Names of variables that say who may call a server."""
_LISTENS: Final = re.compile(
    r"^OLLAMA_HOST$|(?:^|_)MCP_(?:\w+_)?(?:HOST|BIND\w*|LISTEN\w*|ADDR\w*)$|^FASTMCP_(?:\w+_)?HOST$"
)


def listens(name: str, value: str) -> bool:
    """Say whether a variable opens a model's or an MCP server to all addresses."""
    return bool(_LISTENS.search(name)) and bool(re.match(r"(?:https?://)?(?:0\.0\.0\.0|\[?::\]?)(?::\d+)?/?$", value))


def called(name: str, value: str) -> bool:
    """Say whether a variable names a server or a model that is called over plain http beyond the machine."""
    return bool(_CALLED.search(name)) and beyond(value)


def plain(value: str) -> bool:
    """Say whether an address of a database beyond the machine says to connect without TLS, or without its checks."""
    return bool(_PLAIN.search(value)) and beyond(re.sub(r"^[\w+]+://", "http://", value))


def beyond(url: str) -> bool:
    """Say whether an http address leads out of the machine and out of a cluster of containers."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    inside = "." not in host or host.endswith((".local", ".internal", ".svc", ".localhost", ".test"))
    return (
        url.startswith(("http://", "ws://"))
        and not inside
        and not _loopback(host)
        and "$" not in host
        and "{" not in host
    )


def words(server: Node) -> list[Word]:
    """The command and its arguments with their lines; a command that is one text is split at its spaces."""
    nodes = [*server["command"].items, *server["cmd"].items, *server["fullCommand"].items, *server["args"].items]
    found = [(node.text, node.line) for node in nodes if node.text]
    if len(found) == 1 and " " in found[0][0]:
        return [(word, found[0][1]) for word in found[0][0].split()]
    return found


def address(url: str) -> Iterator[str]:
    """What is wrong with an address that is called."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        given = parse_qsl(parts.query)
    except ValueError:
        return
    if parts.scheme in ("http", "ws") and host and not _loopback(host) and "$" not in host and "{" not in host:
        yield "its address is http, without TLS"
    named = [value for key, value in given if secret.is_name(key) or key.lower() in ("apikey", "auth")]
    if (parts.password and secret.is_literal(parts.password)) or any(secret.is_literal(value) for value in named):
        yield "its address holds a token"
    elif any(secret.is_reference(value) for value in named):
        yield "its address refers to a token"


def _path(url: str) -> Iterator[str]:
    """A segment of the path of a server's address that looks drawn at random: whoever has the address may call."""
    try:
        segments = urlsplit(url).path.split("/")
    except ValueError:
        return
    if any(secret.is_random(one) and len(one) >= 24 and not _UUID.match(one) for one in segments):
        yield "its address holds a token"


def _loopback(host: str) -> bool:
    try:
        return host in _LOOPBACK or ip_address(host).is_loopback
    except ValueError:
        return False


def _pairs(node: Node) -> Iterator[tuple[str, Node]]:
    yield from node.members.items()
    if isinstance(node.value, list):
        for one in node.value:
            name, mark, value = one.text.partition("=")
            if mark:
                yield name, Node(one.line, value)
            elif one["name"].text:
                yield one["name"].text, one["value"]


def checks(part: Node) -> Iterator[Told]:
    """Which members of an object turn certificate checks off."""
    for name, node in part.members.items():
        if (name in _FALSE and node.value is False) or (name in _TRUE and node.value is True):
            yield Kind.OPEN_REMOTE, node.line, f"{name} turns certificate checks off"

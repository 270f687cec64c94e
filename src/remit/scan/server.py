"""One entry that tells a client which MCP server to start or call, whatever the file's format: what is wrong. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import addressed, checked, launch, opened, packaged, secret, uttered
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.wrapped import Word, split

ADDRESSES: Final = ("url", "httpUrl", "serverUrl", "uri", "endpoint", "baseUrl", "base_url", "server_url")
_ENVS: Final = ("env", "environment", "envs", "envVars")
_HEADERS: Final = ("headers", "http_headers", "requestHeaders")
_FALSE: Final = frozenset(
    {"rejectunauthorized", "verify", "verifyssl", "sslverify", "tlsverify", "verifytls", "strictssl", "verifycerts",
     "verifycertificate", "verifycertificates", "validatecertificate", "validatecertificates", "checkcertificate",
     "checkhostname", "sslverification", "tlsverification", "certificatevalidation"}
)  # fmt: skip
_TRUE: Final = frozenset(
    {"insecure", "insecureskipverify", "skiptlsverify", "allowinsecure", "disabletlsverification", "tlsinsecure",
     "insecureskiptlsverify", "ignorehttpserrors", "acceptinsecurecerts", "insecuretls", "tlsskipverify", "skipverify",
     "skipsslverify", "sslskipverify", "ignorecertificateerrors", "trustservercertificate", "allowselfsigned",
     "disablesslverification", "insecuressl", "tlsinsecureskipverify", "allowinvalidcertificates"}
)  # fmt: skip
"""Members that say whether certificates are checked, in whatever spelling, and the value that turns it off."""


_DIRECT: Final = (
    "bearer_token", "token", "apiKey", "api_key", "authorization", "authorization_token", "authToken", "auth_token",
    *ADDRESSES,
)  # fmt: skip
"""Members of an entry that may be a credential, or hold one."""


def told(server: Node) -> Iterator[Told]:
    """What is wrong with a server's entry."""
    for part in (*_ENVS, *_HEADERS):
        for key, node in _pairs(server[part]):
            yield from variable(part, key, node)
    for key in _DIRECT:
        if secret.is_held(key, server[key].text):
            yield Kind.LITERAL_SECRET, server[key].line, f"{key} holds a literal value"
    listed = any(opened.lists(key) for part in _ENVS for key, _ in _pairs(server[part]))
    started = words(server)
    yield from launch.told(started, limits=listed, keyed=keyed(server))
    yield from addressed.open_to_all(started, served=True)
    for word, line in started[1:]:
        yield from (
            (Kind.OPEN_REMOTE, line, said) for said in addressed.address(word) if word.startswith(("http", "ws"))
        )
    for key in ADDRESSES:
        for said in (*addressed.address(server[key].text), *addressed.path(server[key].text)):
            yield Kind.OPEN_REMOTE, server[key].line, said
    for node in (server, server["tls"], server["ssl"]):
        yield from checks(node)


def variable(part: str, key: str, node: Node) -> Iterator[Told]:
    """What is wrong with one variable or header."""
    value = node.text if isinstance(node.value, str) else str(node.value if node.value is not None else "")
    if isinstance(node.value, str):
        yield from ((Kind.LITERAL_SECRET, line, f"{part} {said}") for line, said in uttered.held(key, node))
    if checked.unchecked(key, value):
        yield Kind.OPEN_REMOTE, node.line, f"{key} turns certificate checks off"
    if opened.wide(key, value):
        yield Kind.BROAD_TOOL, node.line, f"{key} is the root or a whole home"
    if opened.every(key, value):
        yield Kind.BROAD_TOOL, node.line, f"{key} lets every command be run"
    if launch.unasked(key, value):
        yield Kind.UNASKED, node.line, f"{key} lets everything run with nobody asked"
    if key == "DANGEROUSLY_OMIT_AUTH" and value.lower() in ("1", "true"):
        yield Kind.OPEN_REMOTE, node.line, f"{key} lets anybody call"
    yield from ((Kind.OPEN_REMOTE, node.line, said) for said in addressed.variable(key, value))


def keyed(server: Node) -> bool:
    """Say whether what an entry starts is given a credential: by a variable, a file of them, or one by its name."""
    given = [(key, node.text) for part in _ENVS for key, node in _pairs(server[part])]
    named = [one.text for key in ("env_vars", "env_keys") for one in server[key].items]
    return (
        any(server[part].text for part in _ENVS)
        or any(packaged.is_named(key) or packaged.is_held(text) or key.startswith("...") for key, text in given)
        or any(packaged.is_named(name) for name in named)
        or any(server[key].items for key in ("envFile", "env_file", "secrets"))
    )


def words(server: Node) -> list[Word]:
    """The command and its arguments with their lines; a command that is one text is split at its spaces."""
    nodes = [*server["command"].items, *server["cmd"].items, *server["fullCommand"].items, *server["args"].items]
    found = [(node.text, node.line) for node in nodes if node.text]
    if len(found) == 1 and " " in found[0][0]:
        line = found[0][0]
        return [(word, found[0][1]) for word in (split(line) if re.search(r"[\"']", line) else line.split())]
    return found


def _pairs(node: Node) -> Iterator[tuple[str, Node]]:
    yield from node.members.items()
    if isinstance(node.value, list):
        for one in node.value:
            name, mark, value = one.text.partition("=")
            if mark:
                yield name, Node(one.line, value)
            elif one["name"].text:
                yield one["name"].text, one["value"]


def unchecked(name: str, value: object) -> bool:
    """Say whether a member or argument of this name and value turns certificate checks off."""
    bare = re.sub(r"[-_]", "", name).lower()
    return (bare in _FALSE and value is False) or (bare in _TRUE and value is True)


def checks(part: Node) -> Iterator[Told]:
    """Which members of an object turn certificate checks off."""
    for name, node in part.members.items():
        if unchecked(name, node.value) and not (name == "insecure" and stays(part["endpoint"])):
            yield Kind.OPEN_REMOTE, node.line, f"{name} turns certificate checks off"


def stays(endpoint: Node) -> bool:
    """Say whether a collector of traces, which is told to use no TLS, is this machine's or the cluster's own."""
    text = endpoint.text
    return isinstance(endpoint.value, str) and not addressed.beyond(text if "://" in text else f"http://{text}")

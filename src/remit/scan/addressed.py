"""Addresses that are called in the open or with a token in them, and servers that ask nobody who calls. Pure."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import pairwise
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from remit.core.finding import Kind
from remit.scan import secret
from remit.scan.sight import is_credential, references
from remit.scan.wrapped import Word, program

_LOOPBACK: Final = frozenset(
    {"localhost", "host.docker.internal", "gateway.docker.internal", "host.containers.internal"}
)
_CALLED: Final = re.compile(
    r"(?i)(?:^|[_-])(?:ur[li]|endpoint|server|host|address|addr|base|gateway|backend|upstream|api)s?$"
    r"|(?<=[a-z])(?:Ur[li]|URL|Endpoint|Server|Host|Address|Base|Gateway)$"
)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OWN: Final = re.compile(
    r"(?i)(?:^|_)(?:app|site|public|frontend|web|web_?site|home(?:page)?|docs?|documentation|redirect|callback|origin"
    r"|self|schema|namespace|licen[cs]e|issuer|metadata|repo(?:sitory)?|proxy|help|support|avatar|image|logo|feed|rss"
    r"|canonical|allowed|cors\w*|trusted)_?(?:base_?)?(?:ur[li]|origin|host|server|address|base)s?$|(?:^|_)\w*proxy$"
)
"""Names of one's own address, of a page or of a name that looks like an address; what a proxy is called by is http."""
_UUID: Final = re.compile(r"(?i)^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_FILE: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
"""The end of a file's name: a picture, a page, a program."""
_PLAIN: Final = re.compile(
    r"(?i)^[\w+]+://.*[?&](?:sslmode=disable|ssl-?mode=disabled|(?:tls|ssl)=false|sslverify=false|tlsinsecure=true"
    r"|tlsallowinvalid(?:certificates|hostnames)=true|trustservercertificate=true|ssl_cert_reqs=none|encrypt=false"
    r"|sslaccept=accept_invalid_certs|useSSL=false)"
)
_KEYS: Final = frozenset({"apikey", "auth", "key", "sig", "code", "subscription-key", "access_key", "sas"})
_TURNS: Final = re.compile(
    r"(?i)(?:page|next|continuation|cursor|sync|csrf|xsrf|reset|invit\w*|confirm\w*|verif\w*|nonce|delta|skip|start|id)"
    r"[-_]?token$"
)
"""Tokens that open nothing: where a list goes on, or what a person is sent once."""
_ENDS: Final = frozenset(
    {"com", "org", "net", "io", "dev", "ai", "app", "co", "info", "example", "cloud", "tech", "tools", "online", "site",
     "agency", "systems", "studio", "software", "services", "team", "work", "works", "company", "digital", "network"}
)  # fmt: skip
_BLANK: Final = re.compile(r"(?i)your|<|placeholder|(?:^|[.-])(?:fake|dummy|foo|bar)(?:[.-]|$)")
"""A host that is still to be named, or that code needs a name for and never calls."""
_CLUSTER: Final = (".local", ".internal", ".svc", ".localhost", ".test", ".cluster")


def beyond(url: str) -> bool:
    """Say whether an http address leads out of the machine and out of a cluster of containers."""
    if not url.startswith(("http://", "ws://")):
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if "." not in host or host.endswith(_CLUSTER) or here(host) or "$" in host or "{" in host:
        return False
    labels = host.split(".")
    named = len(labels) == 2 and port is not None and not labels[1].isdigit()
    return not (named and len(labels[1]) > 2 and labels[1] not in _ENDS) and not _BLANK.search(host)


def here(host: str) -> bool:
    """Say whether a host is this machine, or where a cloud's machine learns about itself."""
    try:
        found = ip_address(host)
    except ValueError:
        return host in _LOOPBACK
    return found.is_loopback or found.is_link_local or found.is_unspecified


def address(url: str) -> Iterator[str]:
    """What is wrong with an address that is called."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return
    named = host and not here(host) and "$" not in host and "{" not in host and not _BLANK.search(host)
    if parts.scheme in ("http", "ws") and named:
        yield "its address is http, without TLS"
    yield from tokens(parts)


def tokens(parts: SplitResult) -> Iterator[str]:
    """What an address holds or refers to of a token: in front of its host, or behind its question mark."""
    try:
        named = [value for key, value in parse_qsl(parts.query) if _opens(key, value)]
    except ValueError:
        named = []
    front = parts.netloc.rpartition("@")[0]
    name, _, password = front.partition(":")
    given = [one for one in (password, *named) if one]
    if any(secret.is_literal(one) for one in given) or secret.is_known(name):
        yield "its address holds a token"
    elif any(secret.is_reference(one) for one in given) or any(
        is_credential(one.strip("${}%").rpartition(".")[2]) for one in references("", name)
    ):
        yield "its address refers to a token"


_DRAWN: Final = re.compile(r"\$\{([^{}]{0,200})\}")


def drawn(url: str) -> str:
    """An address that code puts together, what it puts in as a reference by its last name."""

    def named(one: re.Match[str]) -> str:
        names = re.findall(r"[A-Za-z_]\w*", re.sub(r"(?:\?\?|\|\|).*", "", one[1]))
        return "${" + (names[-1] if names else "") + "}"

    return _DRAWN.sub(named, url)


def _opens(key: str, value: str) -> bool:
    """Say whether a part of an address's query is a token: by its name, and for a short name by its value too."""
    if _TURNS.search(key):
        return False
    if secret.is_name(key) or key.lower() in ("apikey", "auth"):
        return True
    return key.lower() in _KEYS and (secret.is_random(value) or any(references("", value)))


def path(url: str) -> Iterator[str]:
    """A segment of the path of a server's address that looks drawn at random: whoever has the address may call."""
    try:
        segments = urlsplit(url).path.split("/")
    except ValueError:
        return
    if any(
        secret.is_random(one) and len(one) >= 24 and not _UUID.match(one) and not _FILE.search(one) for one in segments
    ):
        yield "its address holds a token"


def called(name: str, value: str) -> bool:
    """Say whether a variable names a server or a model that is called over plain http beyond the machine."""
    return bool(_CALLED.search(name)) and not _OWN.search(name) and beyond(value)


def worded(name: str) -> str:
    """A member's name with its words apart, as a variable's are."""
    return _HUMP.sub("_", name)


def plain(value: str) -> bool:
    """Say whether an address of a database beyond the machine says to connect without TLS, or without its checks."""
    return bool(_PLAIN.search(value)) and beyond(re.sub(r"^[\w+]+://", "http://", value))


def variable(name: str, value: str) -> Iterator[str]:
    """What is wrong with the address that a variable holds."""
    if plain(value):
        yield f"{name} says that the connection is made without TLS or its checks"
    if called(name, value):
        yield f"{name} is called over http, without TLS"
    elif value.startswith(("http://", "https://", "ws://", "wss://")) and ("@" in value or "?" in value):
        try:
            yield from (f"{name}: {said}" for said in tokens(urlsplit(value)))
        except ValueError:
            return


NOBODY: Final = "it listens to all addresses, and asks nobody who they are"
ASKS: Final = re.compile(r"(?i)auth|token|api_?key|jwt|secret|password|client_?ca")
"""Names of variables that say who may call a server."""
_LISTENS: Final = re.compile(
    r"^OLLAMA_HOST$|(?:^|_)MCP_(?:\w+_)?(?:HOST|BIND\w*|LISTEN\w*|ADDR\w*)$|^FASTMCP_(?:\w+_)?HOST$"
)
_ALL: Final = re.compile(r"(?:\w+://)?(?:0\.0\.0\.0|\[?::\]?)(?::\d+)?/?$")


def listens(name: str, value: str) -> bool:
    """Say whether a variable opens a model's or an MCP server to all addresses."""
    return bool(_LISTENS.search(name)) and bool(_ALL.match(value))


_HOST: Final = re.compile(
    r"--?(?:[\w-]+[-.])?(?:host|hostname|bind|listen|addr|address|ip|interface)(?:-(?:addr|address|host|ip))?"
)
_ASKS: Final = re.compile(r"(?i)^--?[\w-]*(?:auth|token|key|jwt|oidc|mtls|client-ca|password)")
_NOBODY: Final = re.compile(r"(?i)^--?(?:no|disable|without|skip|omit)-|[= ](?:none|off|false|disabled)$")
_SERVES: Final = re.compile(
    r"(?i)mcp|\b(?:vllm|sglang|llama-server|langgraph|adk|opencode|goose|ollama|lms|local-?ai|text-generation-launcher"
    r"|supergateway|toolbox(?=\s.*--tools?-files?)|agents?|a2a|jupyter\w*|start-notebook\.\w+)\b"
)
"""Programs that serve tools, agents or models."""


def open_to_all(words: list[Word], *, served: bool = False) -> Iterator[tuple[Kind, int, str]]:
    """A started server of tools that listens to all addresses, with no word among its arguments of who may call."""
    if not served and not _SERVES.search(" ".join(word for word, _ in words)):
        return
    pairs = [*pairwise([*words, ("", 0)])]
    if any(_asks(word, after) for (word, _), (after, _) in pairs):
        return
    for (word, line), (after, _) in pairs:
        flag, mark, value = word.partition("=")
        if _HOST.fullmatch(flag) and _ALL.match(value if mark else after):
            yield Kind.OPEN_REMOTE, line, NOBODY
            return


def _asks(word: str, after: str) -> bool:
    """Say whether a flag says who may call; one that is given nothing, or says that nobody is asked, does not."""
    flag, mark, value = word.partition("=")
    named = _ASKS.search(flag) or re.match(r"--\w+\.(?:token|password|hashed_password)$", flag)
    return bool(named) and not _NOBODY.search(f"{word} {after}") and not (mark and not value.strip("\"'"))


def spoken(words: list[Word]) -> Iterator[tuple[Kind, int, str]]:
    """Addresses among the words of a command: with a token in them, or called in the open."""
    first = program(words[0][0]) if words else ""
    line_of = " ".join(word for word, _ in words)[:4000] if any("http://" in word for word, _ in words) else ""
    for at, (word, line) in enumerate(words):
        flag, mark, value = word.partition("=")
        text = value if mark and re.fullmatch(r"[\w-]+", flag) else word
        text = text.removeprefix("git+").strip("\"'")
        if not text.startswith(("http://", "https://", "ws://", "wss://")):
            continue
        before = flag if text != word and mark else words[at - 1][0] if at else ""
        for said in address(text):
            if "http," not in said or (beyond(text) and _is_call(first, before, line_of)):
                yield Kind.OPEN_REMOTE, line, said


def _is_call(first: str, flag: str, line: str) -> bool:
    """Say whether a command calls what is named behind this word: a flag for a server, or a server of tools."""
    if first in ("curl", "wget", "http", "xh"):
        return bool(re.search(r"(?i)authorization|\bmcp\b|/mcp|agent", line))
    return bool(_CALLED.search(flag.lstrip("-"))) or "mcp" in line.lower()

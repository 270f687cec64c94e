"""How the servers of a client's file are reached, as they would be registered. Pure.

What is told here is written down for good, so nothing that may be a secret stands in it: three asterisks stand for
that, and `lacks` says why the server cannot be used as it was met.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from remit.scan import client, document, holder, launch, secret, server
from remit.scan.node import Node

HIDDEN: Final = "***"
_VARIABLE: Final = re.compile(r"\$\{|\$[A-Za-z_(]|%[A-Za-z_]+%|\{\{|\{(?:env|file|input):|<[^>]*>")
_PARTS: Final = re.compile(r"[=:,/?&@]")
_LOGIN: Final = re.compile(r"(?<=://)[^/\s@]+@|\?\S*")
_VERSION: Final = re.compile(r"(?<=.)@[\w.^~*-]+$|==[\w.]+$|:[\w.-]+$")
_WORDS: Final = 64
_LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Target:
    """One server: its name in the file, where it stands, and its address or the words of its command."""

    server: str
    line: int
    url: str = ""
    argv: tuple[str, ...] = ()
    lacks: str = ""

    @property
    def mark(self) -> str:
        """Eight digits that are the same for what is reached alike."""
        return hashlib.sha256(repr((self.url, self.argv)).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def targets(path: str, text: str) -> tuple[Target, ...]:
    """Every server of a file that is switched on and that an address or a command is told of."""
    known = client.wants(path)
    if not known and not client.foreign(path, text):
        return ()
    keys = client.KEYS if known else client.FOREIGN
    inner = [
        one for root in document.read(path, text) for one in ((root,) if known else (root, *document.embedded(root)))
    ]
    return tuple(
        made
        for root in inner
        for name, entry in client.servers(root, keys)
        if entry["disabled"].value is not True and entry["enabled"].value is not False
        for made in _target(name, entry)
    )


def _target(name: str, entry: Node) -> Iterator[Target]:
    url = next((entry[key].text for key in server.ADDRESSES if entry[key].text), "")
    words = server.words(entry)
    if url:
        yield _of_url(name, entry.line, url)
    elif words:
        yield _of_command(name, entry.line, words)


def _of_url(name: str, line: int, url: str) -> Target:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:-]+", host, re.ASCII) or len(url) > _LONGEST:
        return Target(name, line, HIDDEN, (), "its address is not an http URL as it stands")
    at = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    if any(_drawn(one) for one in parts.path.split("/")) or _VARIABLE.search(parts.path) or secret.is_known(url):
        return Target(name, line, f"{at}/{HIDDEN}", (), "its address holds what may be a token, or a variable")
    more = parts.username is not None or parts.query or parts.fragment
    return Target(name, line, f"{at}{parts.path}", (), "its address holds more than a path" if more else "")


def _of_command(name: str, line: int, words: list[launch.Word]) -> Target:
    held = [one.text for one in holder.flags(words) if one.text and _is_held(one.name, one.text)]
    argv, lacks = [], ""
    for word, _ in words[:_WORDS]:
        clean = _LOGIN.sub(HIDDEN, word) if "://" in word else word
        for text in held:
            clean = clean.replace(text, HIDDEN)
        if secret.is_known(clean) or any(_drawn(part) for part in _PARTS.split(clean)) or len(clean) > _LONGEST:
            clean = HIDDEN
        if clean != word:
            lacks = "its command holds what may be a secret"
        elif _VARIABLE.search(word):
            lacks = lacks or "its command holds a variable"
        argv.append(clean)
    if len(words) > _WORDS:
        lacks = "its command is too long"
    return Target(name, line, "", tuple(argv), lacks)


def _is_held(name: str, text: str) -> bool:
    """Say whether a flag's value may be a secret: more is held to be one here than where people are told of it."""
    return secret.is_held(name, text) or (secret.is_name(name) and not _VARIABLE.search(text))


def _drawn(part: str) -> bool:
    return secret.is_random(part) or secret.is_known(part)


def same(one: Target, file: str, url: str, argv: Sequence[str]) -> bool:
    """Say whether a server of a file is what is registered with this address or command.

    A version makes no other server of a package; a file's place counts where its command names another file. Where
    something is hidden, host or package and program must do.
    """
    if one.url or url:
        hidden = HIDDEN in one.url
        return bool(one.url and url) and (_host(one.url) == _host(url) if hidden else _plain(one.url) == _plain(url))
    mine, theirs = _words(one.argv), _words(argv)
    if not mine or not theirs or launch.program(mine[0]) != launch.program(theirs[0]):
        return False
    if any(HIDDEN in word for word in mine):
        return _package(mine) == _package(theirs)
    return len(mine) == len(theirs) and all(
        a == b or b in _places(file, a) for a, b in zip(mine[1:], theirs[1:], strict=True)
    )


def _plain(url: str) -> str:
    return url.rstrip("/").lower() if urlsplit(url).path in ("", "/") else url.rstrip("/")


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()


def _words(argv: Sequence[str]) -> list[str]:
    words = launch.bare([(word, 0) for word in argv]) if argv else []
    package = launch.package_of(words)
    return [_VERSION.sub("", word) if package and word == package[0] else word for word, _ in words]


def _package(words: list[str]) -> str:
    found = launch.package_of([(word, 0) for word in words])
    return found[0] if found else " ".join(words[1:2])


def _places(file: str, word: str) -> tuple[str, ...]:
    folder = posixpath.dirname(file)
    return tuple(posixpath.normpath(posixpath.join(one, word)) for one in (folder, posixpath.dirname(folder)))

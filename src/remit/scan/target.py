"""How the servers of a client's file are reached, as they would be registered. Pure.

What is told here is written down for good, so nothing that may be a secret stands in it: three asterisks stand for
that, and `lacks` says why the server cannot be used as it was met.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from remit.scan import client, document, ground, hide, holder, packaged, secret, server, workload, wrapped
from remit.scan.node import Node

HIDDEN: Final = "***"
_VARIABLE: Final = re.compile(r"\$\{|\$[A-Za-z_(]|%[A-Za-z_]+%|\{\{|\{(?:env|file|input):|<[^>]*>")
_FLAG: Final = re.compile(r"--([A-Za-z][A-Za-z-]{0,40})=")
_VERSION: Final = re.compile(r"(?<=.)@[\w.^~*-]+$|==[\w.]+$|:[\w.-]+$")
_NAMED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_WORDS: Final = 64
_LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Target:
    """One server: its name in the file, where it stands, and its address or the words of its command.

    `folder` is where its command runs, if that tells which program it is. `variables` are the names of those that its
    file sets for it: what stands in them is told nowhere.
    """

    server: str
    line: int
    url: str = ""
    argv: tuple[str, ...] = ()
    lacks: str = ""
    folder: str = ""
    variables: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """Digits that are the same for what is reached alike; the first eight do, unless somebody took just these."""
        way = (self.url, self.argv, self.folder) if self.folder else (self.url, self.argv)
        return hashlib.sha256(repr(way).encode("utf-8", "surrogatepass")).hexdigest()


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
        for made in (replace(one, variables=_variables(entry)) for one in _target(path, name, entry))
    )


def _variables(entry: Node) -> tuple[str, ...]:
    """The names of the variables that a server's entry sets, but for what may be no name."""
    named = (name for part in ("env", "environment", "envs") for name, _ in workload.pairs(entry[part]))
    return tuple(dict.fromkeys(name for name in named if _NAMED.fullmatch(name) and not hide.may(name)))


def _target(path: str, name: str, entry: Node) -> Iterator[Target]:
    url = next((entry[key].text for key in server.ADDRESSES if entry[key].text), "")
    words = server.words(entry)
    if url:
        yield _of_url(name, entry.line, url)
    elif words:
        yield _placed(path, entry, _of_command(name, entry.line, words))


def _placed(path: str, entry: Node, made: Target) -> Target:
    """The same with the folder in which it runs, where that counts."""
    where = ground.folder(path, entry, made.argv)
    given = entry["cwd"].text
    if given and (_VARIABLE.search(given) or hide.may(given) or len(given) > _LONGEST):
        return replace(made, folder=HIDDEN, lacks=made.lacks or "its folder holds a variable, or what may be a secret")
    return replace(made, folder=where)


def _of_url(name: str, line: int, url: str) -> Target:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:-]+", host, re.ASCII) or len(url) > _LONGEST:
        return Target(name, line, HIDDEN, (), "its address is not an http URL as it stands")
    at = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    if "@" in url.partition("://")[2].partition(parts.netloc)[2]:
        return Target(name, line, HIDDEN, (), "its address holds what may be a password")
    if hide.in_path(parts.path) or _VARIABLE.search(parts.path) or secret.is_known(url):
        return Target(name, line, f"{at}/{HIDDEN}", (), "its address holds what may be a token, or a variable")
    more = parts.username is not None or parts.query or parts.fragment
    return Target(name, line, f"{at}{parts.path}", (), "its address holds more than a path" if more else "")


def _of_command(name: str, line: int, words: list[wrapped.Word]) -> Target:
    held = [one.text for one in holder.flags(words) if len(one.text) > 2 and _is_held(one.name, one.text)]
    argv, lacks = [], ""
    told = [word for word, _ in words[:_WORDS]]
    for word, hidden in zip(told, hide.words(told), strict=True):
        clean = word
        for text in held:
            clean = clean.replace(text, HIDDEN)
        if hidden or len(clean) > _LONGEST:
            flag = _FLAG.match(word)
            clean = f"{flag[0]}{HIDDEN}" if flag and hide.tells(flag[1]) else HIDDEN
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
    return secret.is_held(name, text) or (hide.tells(name) and not hide.refers(text))


def same(one: Target, url: str, argv: Sequence[str], directory: str = "", *, found: str = "") -> bool:
    """Say whether a server of a file is what a person put in force with this address, or command and folder.

    A version makes no other server of a package. `found` is where the PATH has its bare program. Where something is
    hidden, the host or the rest of the command must do.
    """
    if one.url or url:
        hidden = HIDDEN in one.url
        return bool(one.url and url) and (_host(one.url) == _host(url) if hidden else _plain(one.url) == _plain(url))
    mine, theirs = _words(one.argv), _words(argv)
    if any(HIDDEN in word for word in mine):
        mine, theirs = _open(mine), _open(theirs)
    if not mine or len(mine) != len(theirs):
        return False
    whole = [found or mine[0], *(posixpath.normpath(posixpath.join(one.folder, word)) for word in mine[1:])]
    whole[0] = posixpath.normpath(posixpath.join(one.folder, mine[0])) if "/" in mine[0] else whole[0]
    if any(b not in (a, full) for a, b, full in zip(mine, theirs, whole, strict=True)):
        return False
    return directory == one.folder or all(mine[n] != theirs[n] for n in ground.relative(mine))


def _plain(url: str) -> str:
    return url.rstrip("/").lower() if urlsplit(url).path in ("", "/") else url.rstrip("/")


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()


def _words(argv: Sequence[str]) -> list[str]:
    package = packaged.package_of(wrapped.bare([(word, 0) for word in argv])) if argv else None
    return [_VERSION.sub("", word) if package and word == package[0] else word for word in argv]


def _open(words: list[str]) -> list[str]:
    """The words of a command without what is hidden in it, and without the flag that this is the value of."""
    shut = {n for n, word in enumerate(words) if HIDDEN in word}
    shut |= {
        n - 1 for n in shut if words[n] == HIDDEN and n and words[n - 1].startswith("-") and "=" not in words[n - 1]
    }
    return [word for n, word in enumerate(words) if n not in shut]

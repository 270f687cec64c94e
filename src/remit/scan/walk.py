"""The walk: all that the scanner reads. It reads regular files of bounded size, follows no link and runs nothing."""

import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from remit.core.finding import Finding
from remit.scan import readers, shapes
from remit.scan.join import join
from remit.scan.kept import Kept, mark
from remit.scan.sight import Held, Met, Sight

LARGEST: Final = 4 << 20
"""Bytes of a file that are read; a larger one is named as not read."""

PASSED_OVER: Final = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv"})
"""Folders that hold others' code or a store of versions."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A file or folder that should have been read and was not, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What one walk found, what it could not read, and how many files it read and met.

    `seen` are the agents and servers that it met, `held` the credentials that these and others are given: no
    two scans say alike which are the same.
    `shapes` is the library whose shapes of issuers' tokens were looked for; "" when only those built in were.
    """

    findings: tuple[Finding, ...]
    unread: tuple[Unread, ...]
    read: int
    met: int
    seen: tuple[Met, ...] = ()
    shapes: str = ""
    held: tuple[Held, ...] = field(default=(), compare=False)


def scan(places: tuple[str, ...], kept: Kept | None = None) -> Scan:
    """Scan files and folders. What cannot be read is named in `unread`; nothing is raised for it.

    `kept` says what was seen in files that have not changed since, and is told what is seen now.
    """
    findings: list[Finding] = []
    sights: list[Sight] = []
    unread: list[Unread] = []
    key = secrets.token_bytes(32)
    read = met = 0
    for path in _paths(places, unread):
        met += 1
        name = path.replace(os.sep, "/")
        if not readers.wants(name):
            continue
        found = _known(path, name, kept) or _look(path, name, key, kept)
        if isinstance(found, str):
            unread.append(Unread(name, found))
        else:
            read += 1
            findings += found.findings
            sights += found.sights
    if kept is not None:
        kept.write()
    findings += join(sights)
    findings.sort(key=lambda one: (-one.rule.severity.rank, one.evidence.file, one.evidence.line, one.kind))
    unread.sort(key=lambda one: one.file)
    seen = tuple(sorted((one for one in sights if isinstance(one, Met)), key=lambda one: (one.file, one.line)))
    held = tuple(one for one in sights if isinstance(one, Held))
    return Scan(tuple(findings), tuple(unread), read, met, seen, shapes.source(), held)


def _known(path: str, name: str, kept: Kept | None) -> readers.Looked | None:
    if kept is None:
        return None
    try:
        seen = os.lstat(path)
    except OSError:
        return None
    return kept.get(name, mark(seen)) if stat.S_ISREG(seen.st_mode) else None


def _look(path: str, name: str, key: bytes, kept: Kept | None) -> readers.Looked | str:
    read = contents(path)
    if isinstance(read, str):
        return read
    data, seen = read
    found = readers.look(name, data, key)
    if kept is not None and isinstance(found, readers.Looked):
        kept.put(name, mark(seen), found)
    return found


def _paths(places: tuple[str, ...], unread: list[Unread]) -> Iterator[str]:
    """Every entry below the places that is no folder, once. A link to a folder is not entered: no loop holds it."""
    tops: dict[str, str] = {}
    files: dict[str, str] = {}
    for place in _spelt(places):
        if Path(place).is_dir():
            tops.setdefault(os.path.realpath(place), place)
        else:
            files.setdefault(str(Path(os.path.realpath(Path(place).parent), Path(place).name)), place)
    yield from files.values()
    folders = [(place, f"{real.rstrip(os.sep)}{os.sep}") for real, place in tops.items()]
    while folders:
        folder, real = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    path = entry.name if folder == os.curdir else f"{folder.rstrip(os.sep)}{os.sep}{entry.name}"
                    if not entry.is_dir(follow_symlinks=False):
                        if not files or real + entry.name not in files:
                            yield path
                    elif entry.name not in PASSED_OVER and real + entry.name not in tops:
                        folders.append((path, f"{real}{entry.name}{os.sep}"))
        except OSError as fault:
            unread.append(Unread(folder.replace(os.sep, "/"), _why(fault)))


def _spelt(places: tuple[str, ...]) -> list[str]:
    """The places as they are spelt; where one is a whole path all are, so that what lies in them is put together."""
    whole = any(os.path.isabs(place) for place in places)  # noqa: PTH117 - a path may be no text
    return [os.path.abspath(place) if whole else os.path.normpath(place) for place in places]  # noqa: PTH100


def contents(path: str) -> tuple[bytes, os.stat_result] | str:
    """The file's bytes and its mark; else why not. It is opened without waiting (a FIFO), and no link is followed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as fault:
        return "a link, which is not followed" if Path(path).is_symlink() else _why(fault)
    try:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            return "no regular file"
        if before.st_size > LARGEST:
            return f"larger than {LARGEST} bytes"
        data = _whole(handle)
        after = os.fstat(handle)
    except OSError as fault:
        return _why(fault)
    finally:
        os.close(handle)
    if len(data) != before.st_size or (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        return "changed while it was read"
    return data, after


def _whole(handle: int) -> bytes:
    """What the file holds, and never more than one byte over the bound, however it grows."""
    parts: list[bytes] = []
    left = LARGEST + 1
    while left and (part := os.read(handle, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _why(fault: OSError) -> str:
    return fault.strerror or "the system refused"

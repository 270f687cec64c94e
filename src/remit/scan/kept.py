"""What was seen in files that have not changed since: kept beside the user's other caches, private, and sealed.

A file is known again by its path, device, inode, size and both its times, and by the rules that read it: those are the
scanner's own bytes. What holds a secret's digest is not kept. What is not whole, not this user's
or not sealed with this user's key is as good as absent, and nothing that lies in a scanned tree is ever believed.
"""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import shapes
from remit.scan.readers import Looked
from remit.scan.sight import Envelope, Granted, Handed, Held, Met, Sight, Used

FEWEST: Final = 500
"""Files below which a tree is read anew each time: it takes no time, and leaves nothing behind."""
_FRESH_NS: Final = 2_000_000_000
"""A file that changed so lately may change again with the same times."""
_SIGHTS: Final = {one.__name__: one for one in (Held, Handed, Envelope, Granted, Used, Met)}
Mark = tuple[int, int, int, int, int]
_Row = tuple[Mark, list[tuple[str, str, int, str]], list[tuple[str, list[str | int | bool | None]]]]


class Kept:
    """Owned by one scan of some places. `get` and `put` know files by their marks; `write` leaves what was seen."""

    def __init__(self, folder: Path, places: Iterable[str], now_ns: int) -> None:
        self._folder = folder
        self._now = now_ns
        self._name = hashlib.sha256(
            repr((str(Path.cwd()), sorted(places))).encode("utf-8", "surrogatepass")
        ).hexdigest()
        self._next: dict[str, _Row] = {}
        self._key = self._secret()
        self._rows = self._read() if self._key else {}

    def get(self, path: str, mark: Mark) -> Looked | None:
        """What was seen in this file, when it is the same still."""
        row = self._rows.get(path)
        if row is None or row[0] != mark:
            return None
        self._next[path] = row
        if not row[1] and not row[2]:
            return _NOTHING
        found = tuple(Finding(Kind(k), Confidence(c), Evidence(path, line, said)) for k, c, line, said in row[1])
        return Looked(found, tuple(_SIGHTS[name](path, *rest) for name, rest in row[2]))  # type: ignore[arg-type]

    def put(self, path: str, mark: Mark, looked: Looked) -> None:
        """Keep what was seen in a file, unless it holds what stands for a secret or changed only now."""
        if max(mark[3:]) > self._now - _FRESH_NS or any(
            isinstance(one, Held) and not one.stored for one in looked.sights
        ):
            return
        found = [
            (one.kind.value, one.confidence.value, one.evidence.line, one.evidence.said) for one in looked.findings
        ]
        self._next[path] = mark, found, [_flat(one) for one in looked.sights]

    def write(self) -> None:
        """Leave what was seen for the next scan of the same places. A disk that refuses only costs that scan time."""
        if not self._key or len(self._next) < FEWEST or self._next == self._rows:
            return
        try:
            body = msgspec.msgpack.encode((_rules(), self._next))
            _replace(self._folder / self._name, hmac.digest(self._key, body, "sha256") + body)
        except (OSError, ValueError, UnicodeError):
            return

    def _read(self) -> dict[str, _Row]:
        data = _own(self._folder / self._name)
        if (
            data is None
            or not self._key
            or not hmac.compare_digest(data[:32], hmac.digest(self._key, data[32:], "sha256"))
        ):
            return {}
        try:
            rules, rows = msgspec.msgpack.decode(data[32:], type=tuple[str, dict[str, _Row]])
        except msgspec.MsgspecError:
            return {}
        return rows if rules == _rules() else {}

    def _secret(self) -> bytes:
        """This user's key; none when the folder is not this user's alone."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            seen = self._folder.lstat()
            if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid() or seen.st_mode & 0o077:
                return b""
            found = _own(self._folder / "key")
            if found is None or len(found) != 32:
                found = secrets.token_bytes(32)
                _replace(self._folder / "key", found)
        except OSError:
            return b""
        return found


def folder(environ: dict[str, str], places: Iterable[str]) -> Path | None:
    """Where this user's caches lie; none when what is scanned holds that and not the whole home."""
    home = environ.get("HOME", "")
    given = environ.get("XDG_CACHE_HOME", "") or (f"{home}/.cache" if home else "")
    if not given.startswith("/"):
        return None
    found, own = os.path.realpath(given), os.path.realpath(home)
    for place in places:
        real = os.path.realpath(place)
        below = found == real or found.startswith(real.rstrip("/") + "/")
        if below and not (own == real or own.startswith(real.rstrip("/") + "/")):
            return None
    return Path(found) / "remit" / "scan"


def mark(seen: os.stat_result) -> Mark:
    """What a file is known by."""
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


_NOTHING: Final = Looked((), ())


def _flat(one: Sight) -> tuple[str, list[str | int | bool | None]]:
    names = [name for name in one.__dataclass_fields__ if name != "file"]
    return type(one).__name__, [getattr(one, name) for name in names]


@cache
def _rules() -> str:
    """The rules that read: a digest of the scanner's own text, and the version of the library that knows shapes."""
    found = hashlib.sha256(shapes.source().encode())
    for package in ("remit.scan", "remit.core"):
        for one in sorted(files(package).iterdir(), key=lambda each: each.name):
            if one.name.endswith(".py"):
                found.update(one.name.encode() + b"\0" + one.read_bytes())
    return found.hexdigest()


def _own(path: Path) -> bytes | None:
    """A file's bytes, when it is a regular file of this user that nobody else may open; no link is followed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        seen = os.fstat(handle)
        if not stat.S_ISREG(seen.st_mode) or seen.st_uid != os.geteuid() or seen.st_mode & 0o077:
            return None
        return file.read()


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    part.replace(path)

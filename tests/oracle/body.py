"""Twin of `core.body`: what lenient readers of many habits make of a body, each as arguments, as the gate tells them.

A reader takes what it can: another separator, another line end, the last of two headers, a charset that was said
anywhere, a name that was said in another way, parts within parts, and what comes before or after. What two of them read
differently may be neither decided nor sent.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from itertools import product
from urllib.parse import unquote_to_bytes

Pairs = tuple[tuple[str, object], ...]
FLAGS = ("loose", "charsets", "nested", "last", "lines")


def readings(said: str, body: bytes, method: str, *, lines: bool = True) -> set[tuple[str, Pairs]]:
    """The method and the arguments that each reader sees, with the last or the first of what is said twice.

    With `lines`, by readers too that take one octet for the end of a line.
    """
    found = set()
    for flags in product((False, True), repeat=len(FLAGS)):
        habits = dict(zip(FLAGS, flags, strict=True))
        if habits["lines"] and not lines:
            continue
        pairs = list(_form(said, body, habits) if "urlencoded" in said.lower() else _multipart(said, body, habits))
        seen: dict[str, object] = {}
        for name, value in pairs:
            # Names that differ in their case alone are one to some.
            seen = seen | {name.casefold(): value} if habits["last"] else {name.casefold(): value} | seen
        over = seen.get("_method") if habits["loose"] else None
        found.add((str(over or method).upper(), tuple(sorted(seen.items(), key=str))))
    return found


def _form(said: str, body: bytes, habits: dict[str, bool]) -> Iterator[tuple[str, object]]:
    pieces = re.split(rb"[&;]" if habits["loose"] else rb"&", body.strip() if habits["loose"] else body)
    raw = []
    for piece in pieces if body else ():
        name, _, value = piece.partition(b"=")
        text = unquote_to_bytes(name.replace(b"+", b" ")).decode("latin-1")
        raw.append((text.split("[")[0] if habits["loose"] else text, unquote_to_bytes(value.replace(b"+", b" "))))
    charset = _charset(said) or next((value.decode("latin-1") for name, value in raw if name == "_charset_"), "")
    for name, value in raw:
        yield name, _text(value, charset if habits["charsets"] else "")


def _multipart(said: str, body: bytes, habits: dict[str, bool]) -> Iterator[tuple[str, object]]:
    parts = list(_parts(said, body, habits))
    field = next((data for heads, data in parts if _named(heads, habits)[0] == "_charset_"), b"").decode("latin-1")
    for heads, raw in parts:
        name, file = _named(heads, habits)
        kind = heads.get("content-type", "")
        coding = heads.get("content-transfer-encoding", "").strip().lower()
        data = base64.b64decode(raw + b"==") if coding == "base64" and habits["loose"] else raw
        if habits["nested"] and kind.lower().startswith("multipart/"):
            yield from _multipart(kind, data, habits)
        elif file is None:
            yield name, _text(data, (_charset(kind) or field) if habits["charsets"] else "")
        else:
            media = kind.partition(";")[0].strip().lower() or "application/octet-stream"
            yield from ((name, hashlib.sha256(data).hexdigest()), (f"{name}_length", len(data)))
            yield from ((f"{name}_name", file), (f"{name}_type", media))


def _parts(said: str, body: bytes, habits: dict[str, bool]) -> Iterator[tuple[dict[str, str], bytes]]:
    marks = re.findall(r'boundary="?([^";]*)"?', said, re.IGNORECASE)
    mark = (marks or [""])[-1 if habits["last"] else 0].strip().encode()
    end = rb"\r?\n" if habits["lines"] else rb"\r\n"
    pieces = re.split(rb"(?:\A|" + end + rb")--" + re.escape(mark) + rb"(?=--|[ \t]*\r?\n)", body)
    for number, piece in enumerate(pieces):
        if number == 0 or (piece.startswith(b"--") and not (habits["loose"] and piece[2:].strip())):
            continue
        bare = re.sub(rb"\A(?:--)?[ \t]*\r?\n", b"", piece)
        split = re.split(end + end, b"\r\n" + bare, maxsplit=1)
        heads: dict[str, str] = {}
        for line in re.split(end, split[0]):
            name, _, value = line.decode("latin-1").partition(":")
            if habits["last"] or name.strip().lower() not in heads:
                heads[name.strip().lower()] = value.strip()
        yield heads, split[1] if len(split) > 1 else b""


def _named(heads: dict[str, str], habits: dict[str, bool]) -> tuple[str, str | None]:
    """The name and the file's name of a part; who knows RFC 5987 believes the starred one."""
    placed = heads.get("content-disposition", "")
    found: dict[str, str] = {}
    for name, quoted, plain in re.findall(r'([\w*]+)=(?:"((?:[^"\\]|\\.)*)"|([^;]*))', placed):
        value = (quoted or plain).strip()
        if habits["loose"] and name.endswith("*"):
            found[name[:-1]] = unquote_to_bytes(value.rpartition("'")[2]).decode("utf-8", "replace")
        elif habits["last"] or name not in found:
            found[name] = value
    return found.get("name", ""), found.get("filename")


def _charset(said: str) -> str:
    found = re.search(r'charset="?([\w.-]+)', said, re.IGNORECASE)
    return found[1] if found else ""


def _text(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset or "utf-8", "surrogateescape")
    except (LookupError, UnicodeDecodeError):
        return data.decode("latin-1")

"""Bodies that are no JSON: a form, a form with files, or octets; each read in one way only, and written anew.

A file, and a body of octets, is no value that anybody could judge: its argument is the SHA-256 of its octets in
hexadecimal, beside their number, and for a file the name and type that were said of it.
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Final

from remit.core.canonical import Json
from remit.core.errors import RemitError

FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
MEDIA: Final = re.compile(r"[a-z]{1,32}/[a-z0-9][a-z0-9.+-]{0,63}", re.ASCII)
MOST: Final = 64
"""Parts that one body may have."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}", re.ASCII)
_FORMED: Final = re.compile(rb"(?:[A-Za-z0-9\-._~!$'()*,:@/?+]|%[0-9A-Fa-f]{2})*")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_RESERVED: Final = re.compile(rb"[^A-Za-z0-9\-._~]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BOUNDARY: Final = re.compile(
    r'multipart/form-data\s*;\s*boundary=("?)([A-Za-z0-9\'()+_,\-./:=?]{1,70})\1', re.IGNORECASE
)
_PLACED: Final = re.compile(
    r'form-data; name="([A-Za-z_][A-Za-z0-9_.\-]{0,63})"(?:; filename="([^"\\\r\n/%\x00-\x1f\x7f]{0,128})")?',
    re.IGNORECASE,
)
CHARSET: Final = "_charset_"
"""A field that says in which charset the others are (RFC 7578 section 4.6): some readers believe it, and others not."""
_PLAINLY: Final = re.compile(rf'{FORM}\s*(?:;\s*charset=("?)utf-8\1\s*)?', re.IGNORECASE)
_TEXT: Final = re.compile(r"text/plain(?:;\s*charset=utf-8)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One member: a text, or with `file` octets under a file's name and type (empty for a whole body)."""

    name: str
    data: bytes = field(repr=False)
    file: str | None = None
    media: str = ""

    @property
    def arguments(self) -> list[tuple[str, Json]]:
        """What is decided about: the text itself, or digest, number of octets, name and type."""
        if self.file is None:
            return [(self.name, self.data.decode())]
        found: list[tuple[str, Json]] = [
            (self.name, hashlib.sha256(self.data).hexdigest()),
            (f"{self.name}_length", len(self.data)),
        ]
        said = [(f"{self.name}_name", self.file), (f"{self.name}_type", self.media)] if self.file else []
        return [*found, *said]


def parts(kind: str, said: str, body: bytes) -> list[Part]:
    """Read a body of this kind (`form`, `multipart`, or a media type) that was said to be of the media type `said`.

    Refuses another media type and what is none of its kind (`body_refused`), and what could be read in two ways
    (`request_ambiguous`).
    """
    media = said.partition(";")[0].strip().lower()
    if kind not in ("form", "multipart"):
        _same(media, kind)
        return [Part("body", body, "", kind)]
    _same(media, FORM if kind == "form" else MULTIPART)
    found = _form(said.strip(), body) if kind == "form" else _multipart(said.strip(), body)
    for one in found:
        if one.name.casefold() == CHARSET:
            raise _ambiguous("a field says a charset for the others")
    return found


def written(kind: str, found: list[Part]) -> tuple[str, bytes]:
    """The media type and the octets of these parts, in the one way in which they are written here."""
    if kind == "form":
        return FORM, b"&".join(one.name.encode() + b"=" + escaped(one.data) for one in found)
    if kind != "multipart":
        return kind, found[0].data
    seal = hashlib.sha256()
    for one in found:
        seal.update(hashlib.sha256(one.data).digest())
    mark = b"remit-" + seal.hexdigest().encode()
    pieces = []
    for one in found:
        head = f'content-disposition: form-data; name="{one.name}"'
        if one.file is not None:
            head += f'; filename="{one.file}"\r\ncontent-type: {one.media}'
        pieces.append(b"--%b\r\n%b\r\n\r\n%b\r\n" % (mark, head.encode(), one.data))
    return f"{MULTIPART}; boundary={mark.decode()}", b"".join(pieces) + b"--%b--\r\n" % mark


def _form(said: str, body: bytes) -> list[Part]:
    if not _PLAINLY.fullmatch(said):
        raise _ambiguous("its media type says more than that it is UTF-8")
    found = []
    for piece in body.split(b"&"):
        name, equals, value = piece.partition(b"=")
        text = name.decode("latin-1")
        if not equals or not _NAME.fullmatch(text) or not _FORMED.fullmatch(value):
            raise _ambiguous("the form is not of plain NAME=VALUE parts")
        data = _ESCAPE.sub(lambda one: bytes([int(one[1], 16)]), value.replace(b"+", b" "))
        _plain(data)
        found.append(Part(text, data))
    if len(found) > MOST:
        raise _ambiguous("the form has too many parts")
    return found


def _multipart(said: str, body: bytes) -> list[Part]:
    marked = _BOUNDARY.fullmatch(said)
    if marked is None:
        raise _ambiguous("its boundary is not plainly said")
    mark = b"--" + marked[2].encode()
    # Each delimiter stands at the beginning of a line; what comes before the first or after the last is no part.
    first, *rest = (b"\r\n" + body).split(b"\r\n" + mark)
    if first or not rest or rest[-1] not in (b"--", b"--\r\n") or not 1 < len(rest) <= MOST + 1:
        raise _ambiguous("it does not begin and end with its boundary, or has too many parts")
    return [_part(one) for one in rest[:-1]]


def _part(text: bytes) -> Part:
    head, blank, data = text.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if lines[0] or not blank or len(head) > 1024:
        raise _ambiguous("a part has no plain head")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        try:
            name, colon, value = line.decode().partition(":")
        except UnicodeDecodeError:
            raise _ambiguous("the head of a part is not UTF-8") from None
        name = name.lower()
        if not colon or name in fields or name not in ("content-disposition", "content-type"):
            raise _ambiguous("the head of a part holds what it must not")
        fields[name] = value.strip()
    placed = _PLACED.fullmatch(fields.get("content-disposition", ""))
    if placed is None:
        raise _ambiguous("a part does not plainly say its name")
    media = fields.get("content-type", "")
    if placed[2] is None:
        if media and not _TEXT.fullmatch(media):
            raise _ambiguous("a part without a file's name is no text")
        _plain(data)
        return Part(placed[1], data)
    media = media.partition(";")[0].strip().lower() or "application/octet-stream"
    if not placed[2] or not MEDIA.fullmatch(media) or media.startswith("multipart/"):
        raise _ambiguous("a file has no plain name or type, or is a form of its own")
    return Part(placed[1], data, placed[2], media)


def _plain(data: bytes) -> None:
    """Refuse a text that is not UTF-8 or holds a control character that is no white space."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _ambiguous("a text is not UTF-8") from None
    if _CONTROL.search(text):
        raise _ambiguous("a text holds a control character")


def escaped(data: bytes) -> bytes:
    """Octets as they stand in a path, a query or a form: everything but unreserved characters is escaped (RFC 3986)."""
    return _RESERVED.sub(lambda found: b"%%%02X" % found[0][0], data)


def _same(said: str, wanted: str) -> None:
    if said != wanted:
        raise RemitError("body_refused", f"The body is not {wanted}.", f"Send it with Content-Type: {wanted}.")


def _ambiguous(why: str) -> RemitError:
    return RemitError("request_ambiguous", f"This body could be read in two ways: {why}.", "Send it in its plain form.")

"""Takes known secret values out of what a target answers, in every spelling that an echo is likely to use.

Spellings: as it is, percent-encoded, JSON-escaped and HTML-escaped (each character by itself, so mixtures too),
base64 in both alphabets at each of the three alignments, and hexadecimal. Not covered, and not claimed: encryption,
compression (ask upstream for identity encoding), reversal, or one character per answer.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final, final

MARK: Final = b"[redacted by Remit]"
_FEWEST: Final = 8
_SHORT: Final = {
    b'"': (rb"\"", b"&quot;"),
    b"\\": (rb"\\",),
    b"/": (rb"\/",),
    b"&": (b"&amp;",),
    b"<": (b"&lt;",),
    b">": (b"&gt;",),
    b"'": (b"&apos;",),
    b" ": (b"+",),
    b"\t": (rb"\t",),
}


@final
class Redactor:
    """The values of one resource, compiled once for all its answers. Values under 8 bytes are ignored."""

    __slots__ = ("_escapes", "_first", "_literals", "_longest", "_pattern", "_seekers", "_spelled")

    def __init__(self, secrets: Iterable[bytes]) -> None:
        values = sorted({s for s in secrets if len(s) >= _FEWEST}, key=lambda v: (-len(v), v))
        spelled: list[list[tuple[bytes, ...]]] = [[_spellings(byte) for byte in value] for value in values]
        encoded = [text for value in values for text in _encoded(value)]
        self._spelled = spelled + [[(bytes([byte]),) for byte in text] for text in encoded]
        self._literals = values + encoded
        self._longest = max((sum(max(map(len, byte)) for byte in text) for text in self._spelled), default=0)
        self._pattern = re.compile(
            b"|".join(b"".join(_group(byte) for byte in text) for text in self._spelled) or b"(?!)"
        )
        self._seekers = [re.compile(text) for text in _seekers(spelled)]
        self._first = {spelling[:1] for text in self._spelled for spelling in text[0]}
        self._escapes = (b"%", b"\\", b"&", b"+") if any(b" " in v for v in values) else (b"%", b"\\", b"&")

    def redact(self, data: bytes) -> bytes:
        """Return a whole body without the values; the very same object when there were none in it."""
        for mark in (*self._escapes, *self._literals) if self._literals else ():
            if mark in data:
                break
        else:
            return data
        done, start = [], 0
        for found in self.matches(data):
            done += [data[start : found.start()], MARK]
            start = found.end()
        return b"".join([*done, data[start:]]) if done else data

    def stream(self) -> "RedactedStream":
        """Begin one streamed answer."""
        return RedactedStream(self)

    def matches(self, data: bytes) -> Iterator[re.Match[bytes]]:
        """Find the complete values, leftmost first and none in another.

        As `finditer` of the whole pattern would, which is tried only where something that has one certain beginning
        was found: a regular expression that begins with one octet is looked for many times faster than a choice.
        """
        seeks = [
            *(partial(_found, one, data) for one in self._seekers),
            *(partial(data.find, one) for one in self._literals),
        ]
        places = [(place, seek) for seek in seeks if (place := seek(0)) >= 0]
        while places:
            at = min(place for place, _ in places)
            found = self._pattern.match(data, at)
            if found is not None:
                yield found
            stop = at + 1 if found is None else found.end()
            moved = ((place if place >= stop else seek(stop), seek) for place, seek in places)
            places = [(place, seek) for place, seek in moved if place >= 0]

    def unfinished(self, data: bytes, start: int, stop: int) -> int | None:
        """Find the first place from which the data runs out in the middle of a value."""
        for at in range(max(start, len(data) - self._longest), stop):
            if data[at : at + 1] in self._first and any(_runs_out(data, at, text) for text in self._spelled):
                return at
        return None


@final
class RedactedStream:
    """One streamed answer on its way to the agent, owned by one reader."""

    __slots__ = ("_held", "_redactor", "seen")

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = b""
        self.seen = 0
        """How many values were taken out so far: more than none is worth a finding."""

    def feed(self, chunk: bytes) -> bytes:
        """Return what may go out now. Only a tail that could be the beginning of a value is held back."""
        data = self._held + chunk
        done, start = [], 0
        # A complete value goes first; what is held is looked for only behind the last one.
        for found in self._redactor.matches(data):
            if self._redactor.unfinished(data, start, found.start() + 1) is not None:
                break
            done += [data[start : found.start()], MARK]
            start = found.end()
            self.seen += 1
        cut = self._redactor.unfinished(data, start, len(data))
        cut = len(data) if cut is None else cut
        self._held = data[cut:]
        return b"".join([*done, data[start:cut]])

    def end(self) -> bytes:
        """Return what was held: the stream is over, so it is no value's beginning any more."""
        rest, self._held = self._held, b""
        clean = self._redactor.redact(rest)
        self.seen += clean is not rest
        return clean


def _runs_out(data: bytes, at: int, text: list[tuple[bytes, ...]]) -> bool:
    """Say whether the data from here to its end could begin a value; several spellings of a byte are all followed."""
    places = {at}
    for spellings in text:
        following = set()
        for place in places:
            rest = data[place : place + 8]
            for spelling in spellings:
                if _same(rest[: len(spelling)], spelling):
                    following.add(place + len(spelling))
                elif len(rest) < len(spelling) and _same(rest, spelling[: len(rest)]):
                    return True
        if not following:
            return False
        places = following
    return False


def _same(found: bytes, spelling: bytes) -> bool:
    """Compare; the digits and letters of an escape count in either case."""
    return found == spelling or (len(spelling) > 1 and found.lower() == spelling.lower())


def _spellings(byte: int) -> tuple[bytes, ...]:
    raw = bytes([byte])
    return (
        raw,
        b"%%%02X" % byte,
        b"\\u00%02x" % byte,
        b"\\x%02x" % byte,
        b"&#%d;" % byte,
        b"&#x%x;" % byte,
        *_SHORT.get(raw, ()),
    )


def _group(spellings: tuple[bytes, ...]) -> bytes:
    if len(spellings) == 1:
        return re.escape(spellings[0])
    longer = b"|".join(re.escape(s) for s in spellings[1:])
    return b"(?:" + re.escape(spellings[0]) + b"|(?i:" + longer + b"))"


def _found(seeker: re.Pattern[bytes], data: bytes, start: int) -> int:
    found = seeker.search(data, start)
    return -1 if found is None else found.start()


def _seekers(spelled: list[list[tuple[bytes, ...]]]) -> Iterator[bytes]:
    """Each value once for every way to write its first octet, so that each begins with one certain octet."""
    for text in spelled:
        rest = b"".join(map(_group, text[1:]))
        for spelling in text[0]:
            yield (re.escape(spelling) if len(spelling) == 1 else _either(spelling)) + rest


def _either(spelling: bytes) -> bytes:
    """An escape, its digits and letters in either case."""
    return b"".join(b"[%c%c]" % (one, one ^ 32) if chr(one).isalpha() else re.escape(bytes([one])) for one in spelling)


def _encoded(value: bytes) -> list[bytes]:
    """The part of each base64 alignment that depends on the value alone, in both alphabets, and hexadecimal twice."""
    found = {value.hex().encode(), value.hex().upper().encode()}
    for lead in range(3):
        text = base64.b64encode(bytes(lead) + value).rstrip(b"=")
        end = len(text) if (lead + len(value)) % 3 == 0 else len(text) - 1
        core = text[(0, 2, 3)[lead] : end]
        if len(core) >= _FEWEST:
            found |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return sorted(found, key=lambda v: (-len(v), v))

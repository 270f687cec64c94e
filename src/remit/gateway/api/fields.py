"""Which header fields pass, on the way there and back. Both ways it is an allow-list.

An agent says nothing of who it is: that is in its credential. A target says nothing that would make a client go
elsewhere, keep a cookie, or show a secret: `Location` passes only where it leads back through the gate.
"""

import re
from collections.abc import Iterable
from typing import Final

from remit.core.errors import RemitError
from remit.gateway.api.rows import counted

Field = tuple[bytes, bytes]

THERE: Final = frozenset(
    {
        b"accept", b"accept-language", b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since",
        b"idempotency-key", b"prefer", b"range", b"last-event-id",
    }
)  # fmt: skip
BACK: Final = frozenset(
    {
        b"content-type", b"content-language", b"content-disposition", b"content-range", b"accept-ranges", b"etag",
        b"last-modified", b"retry-after", b"preference-applied", b"ratelimit-limit", b"ratelimit-remaining",
        b"ratelimit-reset", b"x-ratelimit-limit", b"x-ratelimit-remaining", b"x-ratelimit-reset", b"x-request-id",
    }
)  # fmt: skip
_PLACE: Final = re.compile(
    r"(https?://[A-Za-z0-9.:\[\]-]+)?(/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*)(\?[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*)?"
)
_NEVER: Final = re.compile(rb"q\s*=\s*0(\.0*)?")
_PLAIN: Final = re.compile(rb"[\x20-\x7e\t]*")


def there(given: Iterable[Field], *, body: bool, media: str = "application/json") -> list[Field]:
    """The fields that go upstream; `media` is what a body is.

    Refuses one with other octets than visible ASCII, or given twice (`header_invalid`).

    What is dropped is looked at too: a field that one reader takes and another cannot is an attack, whatever its name.
    """
    kept: list[Field] = []
    seen: set[bytes] = set()
    for name, value in given:
        if not _PLAIN.fullmatch(value):
            raise _invalid("A header field holds octets that are no visible ASCII.")
        if name == b"transfer-encoding" and value.strip().lower() != b"chunked":
            raise _invalid("The body is encoded for its transfer in another way than in chunks.")
        if name in THERE:
            if name in seen:
                raise _invalid("A header field is given twice.")
            seen.add(name)
            kept.append((name, value))
    kept.append((b"accept-encoding", b"identity"))
    if body:
        kept.append((b"content-type", media.encode()))
    return kept


def countable(given: Iterable[Field]) -> list[Field]:
    """The same, where rows are limited: of what an agent would accept, only the media types whose rows are counted.

    Where none is left it is the API's own choice: no agent asks for another form of a list so that it counts as 1.
    """
    kept: list[Field] = []
    for name, value in given:
        said = value if name != b"accept" else b", ".join(one.strip() for one in value.split(b",") if _counts(one))
        if said or name != b"accept":
            kept.append((name, said))
    return kept


def _counts(asked: bytes) -> bool:
    kind, *more = (part.strip().lower() for part in asked.split(b";"))
    return counted(kind) and not any(_NEVER.fullmatch(one) for one in more)


def back(given: Iterable[Field], origin: str, base: str, prefix: str) -> list[Field]:
    """The fields that go to the client; a `Location` on the upstream's own origin leads back through `prefix`."""
    kept = [(name, value) for name, value in given if name in BACK and _PLAIN.fullmatch(value)]
    for name, value in given:
        if name == b"location":
            place = location(value.decode("latin-1"), origin, base)
            if place is not None:
                kept.append((b"location", (prefix + place).encode("latin-1")))
    return [*kept, (b"cache-control", b"no-store")]


def location(value: str, origin: str, base: str) -> str | None:
    """A redirect's target below the registered base, as a path; None when it leads anywhere else."""
    found = _PLACE.fullmatch(value)
    if found is None or found[1] not in (None, origin):
        return None
    path = found[2]
    if not (path == base or path.startswith(f"{base}/")) or "/." in path or "//" in path or "%2e" in path.lower():
        return None
    return path[len(base) :] + (found[3] or "")


def _invalid(what: str) -> RemitError:
    return RemitError("header_invalid", what, "Send plain header fields, each once.")

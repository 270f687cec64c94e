"""What an HTTP answer holds: how many rows, for what limits them, and which values, for lineage. Pure."""

from collections.abc import Iterator
from typing import Final

from remit.core.canonical import Json, read
from remit.core.errors import RemitError

LINED: Final = (b"csv", b"tab-separated-values", b"ndjson", b"jsonl", b"json-lines", b"json-seq")


def rows(kind: bytes, body: bytes) -> int:
    """Count the rows of an answer of this media type.

    Of JSON the members of its outermost arrays together, of an event stream its events, of a list by lines its lines,
    of anything else 1. JSON that cannot be read counts as its octets: no answer holds more rows than that.
    """
    if kind.endswith(LINED):
        return sum(bool(line.strip()) for line in body.splitlines())
    if kind.endswith(b"json"):
        try:
            found = list(_arrays(read(body)))
        except RemitError:
            return max(1, len(body))
        return sum(found) if found else 1
    if kind == b"text/event-stream":
        return sum(line.startswith(b"data") for line in body.splitlines())
    return 1


def counted(kind: bytes) -> bool:
    """Say whether rows are told apart in this media type: an answer of any other counts as 1, whatever it holds."""
    return kind.endswith((b"json", *LINED)) or kind == b"text/event-stream"


def held(kind: bytes, body: bytes) -> tuple[Json] | None:
    """What an answer says, where it is JSON in one reading; None for any other: its values are not known."""
    if not kind.endswith(b"json") or kind.endswith(LINED):
        return None
    try:
        return (read(body),)
    except RemitError:
        return None


def _arrays(value: Json) -> Iterator[int]:
    """How long each outermost array is."""
    if isinstance(value, list):
        yield len(value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _arrays(one)

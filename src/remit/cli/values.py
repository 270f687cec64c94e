"""How values are written on the command line: spans, dates, JSON, keys; read once, or refused with what would do."""

import json
import re
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.core.moment import Instant

_SPAN: Final = re.compile(r"(\d{1,6})(s|m|h|d|w)", re.ASCII)
_UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


class Span(click.ParamType[int]):
    """A length of time: 30s, 15m, 8h, 30d or 2w. Milliseconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        match = _SPAN.fullmatch(str(value))
        if isinstance(value, int):
            return value
        if match is None or not int(match[1]):
            self.fail("write a length of time as 30s, 15m, 8h, 30d or 2w", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


SPAN: Final = Span()


def due(text: str, now: Instant) -> Instant:
    """An instant: a date (2027-01-31), a date and time in RFC 3339, or a span from now."""
    match = _SPAN.fullmatch(text)
    if match:
        return Instant(now + int(match[1]) * _UNITS[match[2]])
    try:
        at = datetime.fromisoformat(text)
    except ValueError as fault:
        raise RemitError(
            "moment_invalid", f"{text} is not a date.", "Write 2027-01-31, or a span from now such as 90d."
        ) from fault
    return Instant(int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000))


def json_value(text: str) -> Json:
    """One JSON value from the argument, from @FILE, or from stdin when it is a dash."""
    if text == "-":
        return read(sys.stdin.buffer.read())
    return read(Path(text[1:]).read_bytes() if text.startswith("@") else text.encode())


def document(path: str) -> dict[str, Json]:
    """One table from a TOML or JSON file (`file_invalid`)."""
    place = Path(path)
    try:
        data = place.read_bytes()
    except OSError as fault:
        raise RemitError(
            "file_failed", f"{path} cannot be read: {fault.strerror}.", "Check the path and its rights."
        ) from fault
    try:
        found = tomllib.loads(data.decode()) if place.suffix == ".toml" else read(data)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise RemitError("file_invalid", f"{path} is not TOML: {fault}.", "Correct the line that is named.") from fault
    except RemitError as fault:
        raise RemitError(fault.code, f"{path}: {fault.message}", fault.remedy) from fault
    if not isinstance(found, dict):
        raise RemitError("file_invalid", f"{path} holds no table.", "Write one object with members.")
    return found


def keys_of(path: str | None) -> tuple[dict[str, str], ...]:
    """Public keys from a JWK or JWK set in a file."""
    if path is None:
        return ()
    found = document(path)
    keys = found.get("keys", [found])
    if not isinstance(keys, list) or not all(isinstance(one, dict) for one in keys):
        raise RemitError("jwk_invalid", f"{path} holds no JWK set.", "Give one public JWK, or a set of them.")
    return tuple(
        {name: str(value) for name, value in one.items() if not isinstance(value, list | dict)} for one in keys
    )


def labelled(pairs: tuple[str, ...]) -> dict[str, str]:
    """Labels as NAME=VALUE."""
    found = {}
    for pair in pairs:
        name, mark, value = pair.partition("=")
        if not name or not mark:
            raise RemitError("label_invalid", f"{pair} is not a label.", "Write NAME=VALUE.")
        found[name] = value
    return found


def compact(value: Json) -> str:
    """One value on one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

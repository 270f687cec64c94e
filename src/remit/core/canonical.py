"""JSON as the law reads it: parsed strictly, written canonically, so that two readers never see different things.

Canonical bytes are RFC 8785 (JCS). Parsing refuses duplicate members, NaN and infinities, lone surrogates, a byte-order
mark, text that is not UTF-8 and nesting deeper than `DEPTH`. What was decided is what is written again from the parsed
value, never the bytes that came in.
"""

import hashlib
import json
import math
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import msgspec
import rfc8785

from remit.core.errors import RemitError

Json = Any
"""None, bool, int, float, str, or a list or dict of these: what JSON can say."""

DEPTH: Final = 64
EXACT: Final = 2**53 - 1

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_format = msgspec.json.format
_sorted = msgspec.json.Encoder(order="sorted").encode
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_PLAIN: Final = bytes.maketrans(b"-_", b"+/")


def read(data: bytes) -> Json:
    """Parse one JSON text. Refuses what two readers could read differently (`json_invalid`)."""
    try:
        value = _decode(data)
        plain = _encode(value)
        if plain != data and plain != _format(data, indent=-1):
            # More than spaces between the tokens, perhaps what a second reader would see otherwise: the strict way.
            text = data.decode("utf-8")
            value = json.loads(
                text,
                object_pairs_hook=_members,
                parse_constant=_refuse_constant,
                parse_float=_finite,
                parse_int=_integer,
            )
            _encode(value)
    except RemitError:
        raise
    except (ValueError, RecursionError, msgspec.MsgspecError) as fault:
        raise _invalid("It is not well-formed JSON in UTF-8.") from fault
    if data.count(b"[") + data.count(b"{") > DEPTH and _depth(value) > DEPTH:
        raise _invalid(f"It is nested deeper than {DEPTH} levels.")
    return value


def write(value: Json) -> bytes:
    """Compact JSON in the order of the value's own members: what is forwarded after a decision."""
    return _encode(value)


def canon(value: Json) -> bytes:
    """RFC 8785 canonical bytes. Refuses what has none: NaN, lone surrogates, integers beyond 2**53 (`json_invalid`)."""
    try:
        if _plain(value):
            return _sorted(value)
        return rfc8785.dumps(value)
    except (ValueError, TypeError, RecursionError, msgspec.MsgspecError) as fault:
        raise _invalid("It holds a value that has no canonical form.") from fault


def digest(value: Json) -> bytes:
    """SHA-256 of the canonical bytes."""
    return hashlib.sha256(canon(value)).digest()


def b64(data: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5)."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_URL_SAFE).decode("ascii")


def unb64(text: str) -> bytes:
    """Read canonical base64url without padding; another spelling of the same bytes is refused (`base64_invalid`)."""
    try:
        data = a2b_base64(text.encode("ascii").translate(_PLAIN) + b"=" * (-len(text) % 4))
    except ValueError as fault:
        raise RemitError("base64_invalid", "This is not base64url.", "Encode it as RFC 4648 section 5 says.") from fault
    if b64(data) != text:
        raise RemitError("base64_invalid", "This base64url is not canonical.", "Encode it as RFC 4648 section 5 says.")
    return data


def _plain(value: Json) -> bool:
    """Say whether msgspec's sorted form is the canonical one: ASCII member names, exact integers, no fractions."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return bool(-EXACT <= value <= EXACT)
    if kind is dict:
        members: dict[str, Json] = value
        for name, held in members.items():
            if not name.isascii() or not (type(held) is str or _plain(held)):
                return False
        return True
    if kind is list or kind is tuple:
        return all(map(_plain, value))
    return False


def _members(pairs: list[tuple[str, Json]]) -> Mapping[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _invalid("It names one member of an object twice.")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise _invalid("It holds NaN or an infinity.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _invalid("It holds a number beyond what a double can hold.")
    return number


def _integer(text: str) -> int:
    if len(text) > 40:
        raise _invalid("It holds an integer of more than 40 digits.")
    return int(text)


def _depth(value: Json) -> int:
    deepest, level, layer = 0, 0, [value]
    while layer:
        deepest, level = level, level + 1
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return deepest + 1


def _invalid(why: str) -> RemitError:
    return RemitError(
        "json_invalid", f"This JSON was refused. {why}", "Send one strict JSON value (RFC 8259) in UTF-8."
    )

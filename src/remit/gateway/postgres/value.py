"""Values of a statement: constants as JSON, and parameters that become JSON when they are bound.

A value that has no plain JSON form is an object `{"sql": kind}`, which no limit on a plain value passes.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation, localcontext
from typing import Any, Final

from remit.core.canonical import EXACT, Json

INTEGERS: Final = frozenset({"smallint", "integer", "bigint", "int2", "int4", "int8", "int", "oid"})
NUMBERS: Final = frozenset({"numeric", "real", "double precision", "float4", "float8", "decimal"})
TEXTS: Final = frozenset({"text", "character varying", "varchar", "name", "character", "bpchar", "char"})
OIDS: Final = {
    16: "boolean", 18: "char", 19: "name", 20: "bigint", 21: "smallint", 23: "integer", 25: "text", 26: "oid",
    700: "real", 701: "double precision", 1042: "bpchar", 1043: "varchar", 1700: "numeric", 2950: "uuid",
}  # fmt: skip
UNKNOWN: Final = frozenset({0, 705})
OTHER: Final = -1
"""The type of a parameter that is known to be none of `OIDS`."""
NAMED: Final = {
    "bool": 16, "char": 18, "name": 19, "int8": 20, "int2": 21, "int4": 23, "text": 25, "oid": 26, "float4": 700,
    "float8": 701, "unknown": 705, "bpchar": 1042, "varchar": 1043, "numeric": 1700, "uuid": 2950,
}  # fmt: skip
"""The same types by the names that the grammar gives them."""
_DIGITS: Final = 6
"""How many decimal digits a `real` keeps in any case."""
_GROUPS: Final = 100
_WIDE: Final = Context(prec=40_000)
_SMALL: Final = frozenset({"smallint", "integer", "int2", "int4", "int"})
_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,30}", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_TRUE: Final = frozenset({"t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"})
_FALSE: Final = frozenset({"f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0"})
_KEPT: Final = {"real": 6, "float4": 6, "double precision": 15, "float8": 15}
"""How many digits are left of a binary number that is made a numeric."""
_REAL: Final = frozenset({"real", "float4"})
_DOUBLE: Final = frozenset({"double precision", "float8"})
_MOMENT: Final = re.compile(r"(?:(date)|(?:(timestamp)|time)(?:\((\d)\))? with(?:out)? time zone)", re.ASCII)
_MOMENTS: Final = {
    1082: "date", 1083: "time without", 1114: "timestamp without", 1184: "timestamp with time", 1266: "time with time",
}  # fmt: skip
_DAY: Final = r"[1-9]\d{3}-\d{2}-\d{2}"
_TIME: Final = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.(\d{1,6}))?)?"
_OFFSET: Final = r"(?:Z|[+-]\d{2}(?::\d{2})?)"
_CHARS: Final = re.compile(r"(?:character|bpchar|char)(?:\(\d+\))?|(?:character varying|varchar)\((\d+)\)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that stands in the text."""

    value: Json


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter, by number from 1, and the type that it is read as when nothing nearer says one.

    `kept` is the type that it is then made, `unsure` that another place in the statement may say its type.
    """

    number: int
    type: str
    kept: str = ""
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """One bound parameter: its octets (None is null), its format (0 text, 1 binary) and its type, 0 when not known."""

    data: bytes | None = field(repr=False)
    binary: bool = False
    oid: int = 0


Value = Fixed | Slot


def opaque(kind: str) -> Fixed:
    """A value that is not plain in the text."""
    return Fixed({"sql": kind})


def family(kind: str) -> str:
    """What a type is read as: int, number, text, bool, uuid or other."""
    plain = kind.partition("(")[0].strip().lower()
    if plain in INTEGERS:
        return "int"
    if plain in NUMBERS:
        return "number"
    if plain in TEXTS:
        return "text"
    if plain in ("boolean", "bool"):
        return "bool"
    return "uuid" if plain == "uuid" else "other"


def plain(text: str, kind: str) -> Json:
    """A value's text as JSON, read as this type; text that is none of the type stays a text."""
    held = family(kind)
    low = text.strip().lower()
    if kind == "oid" and text.strip()[:1] == "0" != text.strip():
        # It takes a leading zero for an octal number.
        return text
    if held in ("int", "number"):
        return number(text)
    if held == "bool":
        return True if low in _TRUE else False if low in _FALSE else text
    if held == "uuid":
        bare = low.strip("{}").replace("-", "")
        return _dashed(bare) if _HEX.fullmatch(bare) else text
    return text


def _dashed(bare: str) -> str:
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))


def kept(value: Json, kind: str) -> Json:
    """The value, when a column or cast of this type keeps it as it is; one that it would round is not plain."""
    held = family(kind)
    if type(value) is bool or not isinstance(value, int | float | str) or held not in ("int", "number"):
        return value
    exact = _exact(value)
    if exact is None:
        return value
    exponent = exact.normalize(_WIDE).as_tuple().exponent
    whole = isinstance(exponent, int) and exponent >= 0
    if held == "int":
        # A negative oid is a large number, and a large oid a negative one.
        fits = whole and (exact >= 0 if kind == "oid" else kind not in _SMALL or abs(exact) < 2**31)
    elif kind in _REAL:
        fits = len(exact.normalize(_WIDE).as_tuple().digits) <= _DIGITS
    elif kind in _DOUBLE:
        fits = not isinstance(value, str)
    else:
        scaled = re.fullmatch(r"numeric\(\d+,(-?\d+)\)", kind)
        fits = scaled is None or (isinstance(exponent, int) and -exponent <= int(scaled[1]))
    return value if fits else {"sql": "rounded"}


def _exact(value: float | str) -> Decimal | None:
    """A number exactly, also where it stands as a text because no plain number is the same; None for another text."""
    try:
        exact = Decimal(value if isinstance(value, str) else repr(value))
    except (InvalidOperation, ValueError):
        return None
    return exact if exact.is_finite() else None


def number(text: str) -> Json:
    """A number's text as JSON: an exact integer or binary number where there is one, else the text."""
    if _WHOLE.fullmatch(text):
        whole = int(text)
        return whole if -EXACT <= whole <= EXACT else text
    try:
        exact = Decimal(text)
    except (InvalidOperation, ValueError):
        return text
    if not exact.is_finite() or abs(exact.adjusted()) > 300:
        return text
    if exact == exact.to_integral_value():
        return int(exact) if -EXACT <= exact <= EXACT else text
    near = float(exact)
    return near if Decimal(repr(near)) == exact else text


def bind(value: Value, bound: Sequence[Bound]) -> Json:
    """The value with these parameters."""
    if isinstance(value, Fixed):
        return value.value
    if not 0 < value.number <= len(bound):
        return {"sql": "unbound"}
    one = bound[value.number - 1]
    if value.unsure and one.oid in UNKNOWN and one.data is not None:
        return {"sql": "parameter"}
    return kept(kept(_read(one, value.type), value.type), value.kept)


def _read(one: Bound, kind: str) -> Json:
    if one.data is None:
        return None
    declared = kind if one.oid in UNKNOWN else OIDS.get(one.oid, "")
    if not _alike(family(declared), family(kind)):
        return {"sql": "cast"}
    if not one.binary and not _plainly(one.data.decode(errors="replace"), kind, one.oid):
        return {"sql": "cast"}
    try:
        if (family(kind) == "text" or kind == '"char"') and (_cut(one.data, declared) or _cut(one.data, kind)):
            return {"sql": "cast"}
        if not one.binary:
            return _made(kept(plain(one.data.decode(), declared), declared), declared, kind)
        return _made(_binary(one.data, declared), declared, kind)
    except (ValueError, struct.error, ArithmeticError):
        return {"sql": "binary"}


def _plainly(text: str, kind: str, oid: int = 0) -> bool:
    """Whether a date or time is said so that no setting of the session and no cast makes another one of it."""
    meant = _MOMENT.fullmatch(kind)
    if meant is None:
        return True
    if oid not in UNKNOWN and not kind.replace(f"({meant[3]})", "").startswith(_MOMENTS.get(oid, "-")):
        return False
    form = _DAY if meant[1] or meant[2] else ""
    if not meant[1]:
        form += ("[ T]" if form else "") + _TIME + (_OFFSET if " with " in kind else "")
    said = re.fullmatch(form, text, re.ASCII)
    return said is not None and (meant[1] is not None or len(said[1] or "") <= int(meant[3] or 6))


def _alike(declared: str, meant: str) -> bool:
    """Whether a value of one family is the same one in the other."""
    return meant in (declared, "other") or {declared, meant} == {"int", "number"}


def _made(value: Json, declared: str, kind: str) -> Json:
    """A number of a declared type, when it is then made another one: a binary one keeps only some of its digits."""
    if type(value) is bool or not isinstance(value, int | float | str) or declared not in _KEPT or declared == kind:
        return value
    exact = _exact(value)
    if exact is None:
        return value
    if kind in _DOUBLE and declared in _REAL:
        same = isinstance(value, int | float) and struct.unpack("!f", struct.pack("!f", value))[0] == value
    else:
        same = kind in _REAL | _DOUBLE or len(exact.normalize(_WIDE).as_tuple().digits) <= _KEPT[declared]
    return value if same else {"sql": "rounded"}


def _cut(data: bytes, kind: str) -> bool:
    """Whether a text of this type is another one than it was given as."""
    if kind in ("char", '"char"'):
        return len(data) != 1 or data == b"\0"
    if kind == "name":
        return len(data) > 63
    sized = _CHARS.fullmatch(kind)
    # A character(n) has no spaces at its end, and of what is too long for a varchar(n) they fall off.
    return sized is not None and (len(data.decode()) > int(sized[1]) if sized[1] else data.endswith(b" "))


def _binary(data: bytes, kind: str) -> Json:
    held = family(kind)
    if held == "int" and len(data) in (2, 4, 8):
        signed = kind.partition("(")[0] != "oid"
        whole = int.from_bytes(data, signed=signed)
        return whole if -EXACT <= whole <= EXACT else str(whole)
    if held == "bool" and len(data) == 1:
        return data != b"\0"
    if held == "text":
        return data.decode()
    if held == "uuid" and len(data) == 16:
        return _dashed(data.hex())
    if held == "number":
        if kind in ("real", "float4"):
            return number(repr(struct.unpack("!f", data)[0]))
        if kind in ("double precision", "float8"):
            return number(repr(struct.unpack("!d", data)[0]))
        return number(_numeric(data))
    return {"sql": "binary"}


def _numeric(data: bytes) -> str:
    """PostgreSQL's binary numeric: groups of four decimal digits (numeric_send)."""
    count, weight, sign, scale = struct.unpack_from("!hhHH", data)
    if sign not in (0, 0x4000) or len(data) != 8 + 2 * count or not -400 < weight < 400 or count > _GROUPS:
        raise ValueError
    groups = struct.unpack_from(f"!{count}h", data, 8)
    # Exactly, and what is behind the scale falls off, as PostgreSQL does it.
    with localcontext(Context(prec=4_000, rounding=ROUND_DOWN)):
        whole = Decimal(0)
        for place, group in enumerate(groups):
            whole += Decimal(group) * Decimal(10) ** (4 * (weight - place))
        text = format(whole.quantize(Decimal(1).scaleb(-scale)) if scale < 400 else whole, "f")
    return f"-{text}" if sign else text


_CONSTANTS: Final = {"ival": "int", "fval": "number", "boolval": "bool"}


def constant(node: Any, kind: str) -> Fixed:
    """An A_Const of the grammar as JSON, read as this type where it is written in quotes."""
    if node.isnull:
        return Fixed(None)
    held = node.WhichOneof("val")
    if held != "sval" and not _alike(_CONSTANTS.get(held, "other"), family(kind)):
        return opaque("cast")
    if held == "ival":
        return Fixed(kept(node.ival.ival, kind))
    if held == "fval":
        return Fixed(kept(number(node.fval.fval), kind))
    if held == "boolval":
        return Fixed(node.boolval.boolval)
    if held == "sval" and (_cut(node.sval.sval.encode(), kind) or not _plainly(node.sval.sval, kind)):
        return opaque("cast")
    if held == "sval":
        return Fixed(kept(plain(node.sval.sval, kind), kind))
    return opaque("bits")

"""Records: the frozen form in which every noun is kept, sent and receipted.

A record is a msgspec struct: types are checked, unknown members are refused, and `__post_init__` of each noun refuses
what cannot be. `load` and `dump` are the only way between a record and JSON.
"""

from typing import Any, TypeVar

import msgspec

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.grant import Step


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One noun's facts at one instant; the base of all that a receipt can carry."""


R = TypeVar("R", bound=Record)


def load(kind: type[R], value: Json) -> R:
    """Build a record from JSON. Refuses unknown members and wrong types (`record_invalid`)."""
    try:
        return msgspec.convert(value, kind, dec_hook=_decode)
    except msgspec.ValidationError as fault:
        raise RemitError(
            "record_invalid",
            f"This {kind.__name__.lower()} was refused: {fault}.",
            "Correct the member that is named and send it again.",
        ) from fault


def dump(record: Record) -> dict[str, Json]:
    """Write a record as JSON members, defaults left out."""
    value: dict[str, Json] = msgspec.to_builtins(record, enc_hook=_encode, str_keys=True)
    return value


def changed(record: R, **members: Any) -> R:  # noqa: ANN401 - the struct checks each member's type again on load
    """Build the same record with these members replaced."""
    return msgspec.structs.replace(record, **members)


def _decode(kind: type, value: Json) -> object:
    if kind is Step:
        return Step.from_json(value)
    raise RemitError("record_invalid", f"A {kind.__name__} cannot stand in a record.", "Use JSON values only.")


def _encode(value: object) -> Json:
    if isinstance(value, Step):
        return value.to_json()
    raise RemitError("record_invalid", f"A {type(value).__name__} cannot stand in a record.", "Use JSON values only.")

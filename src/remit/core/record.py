"""Records: the frozen form in which every noun is kept, sent and receipted.

A record is a msgspec struct: types are checked, unknown members are refused, and `__post_init__` of each noun refuses
what cannot be. `load` and `dump` are the only way between a record and JSON. Steps have a JSON form of their own.
"""

import functools
from typing import Any, TypeVar

import msgspec

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.step import Step


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One noun's facts at one instant; the base of all that a receipt can carry."""


R = TypeVar("R", bound=Record)


def load(kind: type[R], value: Json) -> R:
    """Build a record from JSON. Refuses unknown members and wrong types (`record_invalid`)."""
    try:
        plain = _without_steps(kind)
        if plain is kind or not isinstance(value, dict):
            return msgspec.convert(value, kind)
        rest = msgspec.convert({name: held for name, held in value.items() if name != "steps"}, plain)
        steps = value.get("steps", [])
        if not isinstance(steps, list):
            raise _invalid(kind, "Expected `array` - at `$.steps`")
        return kind(**msgspec.structs.asdict(rest), steps=tuple(Step.from_json(one) for one in steps))
    except msgspec.ValidationError as fault:
        raise _invalid(kind, str(fault)) from fault


def dump(record: Record) -> dict[str, Json]:
    """Write a record as JSON members, defaults left out."""
    plain = _without_steps(type(record))
    if plain is type(record):
        value: dict[str, Json] = msgspec.to_builtins(record)
        return value
    members = msgspec.structs.asdict(record)
    steps = members.pop("steps")
    value = msgspec.to_builtins(plain(**members))
    value["steps"] = [step.to_json() for step in steps]
    return value


def changed(record: R, **members: Any) -> R:
    """Build the same record with these members replaced."""
    return msgspec.structs.replace(record, **members)


@functools.cache
def _without_steps(kind: type[Record]) -> type[msgspec.Struct]:
    """The same record without its steps; the kind itself when it has none."""
    fields = msgspec.structs.fields(kind)
    if all(field.name != "steps" for field in fields):
        return kind
    kept: list[Any] = [
        (field.name, field.type) if field.required else (field.name, field.type, _default(field))
        for field in fields
        if field.name != "steps"
    ]
    config = kind.__struct_config__
    return msgspec.defstruct(
        kind.__name__,
        kept,
        frozen=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
        kw_only=True,
        tag_field=config.tag_field,
        tag=config.tag,
    )


def _default(field: Any) -> Any:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else msgspec.field(default_factory=made)


def _invalid(kind: type[Record], why: str) -> RemitError:
    return RemitError(
        "record_invalid",
        f"This {kind.__name__.lower()} was refused: {why}.",
        "Correct the member that is named and send it again.",
    )

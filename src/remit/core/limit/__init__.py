"""Argument limits: each can only make a grant smaller. The JSON form of each is in docs/spec/limits.md."""

from collections.abc import Callable, Mapping
from typing import Final

from remit.core.canonical import Json
from remit.core.limit.owned import Owned
from remit.core.limit.places import Cidr, Host, Subpath
from remit.core.limit.shape import ArgumentLimit, invalid
from remit.core.limit.values import AnyValue, Equals, MaxLength, OneOf, Pattern, Prefix, Range

__all__ = [
    "READERS", "AnyValue", "ArgumentLimit", "Cidr", "Equals", "Host", "MaxLength", "OneOf", "Owned", "Pattern",
    "Prefix", "Range", "Subpath", "all_cover", "from_json",
]  # fmt: skip

READERS: Final[Mapping[str, Callable[[Json], ArgumentLimit]]] = {
    AnyValue.tag: AnyValue.from_json,
    Equals.tag: Equals.from_json,
    OneOf.tag: OneOf.from_json,
    Prefix.tag: Prefix.from_json,
    Pattern.tag: Pattern.from_json,
    Range.tag: Range.from_json,
    Subpath.tag: Subpath.from_json,
    Host.tag: Host.from_json,
    Cidr.tag: Cidr.from_json,
    MaxLength.tag: MaxLength.from_json,
    Owned.tag: Owned.from_json,
}


def from_json(form: Json) -> ArgumentLimit:
    """Read one limit: an object with one member, the tag. Refuses all else (`limit_invalid`)."""
    if not isinstance(form, Mapping) or len(form) != 1:
        raise invalid("A limit is an object with exactly one member.")
    ((tag, body),) = form.items()
    if tag not in READERS:
        raise invalid("Its name is not known.")
    return READERS[tag](body)


def all_cover(outer: tuple[ArgumentLimit, ...], inner: tuple[ArgumentLimit, ...]) -> bool:
    """Say whether every value that passes all of `inner` passes all of `outer`. False when that cannot be shown."""
    for limit in inner:
        if isinstance(limit, OneOf):
            left = [value for value in limit.values() if all(other.allows(value) for other in inner)]
            if all(mine.allows(value) for value in left for mine in outer):
                return True
    return all(any(mine.covers(theirs) for theirs in inner) for mine in outer)

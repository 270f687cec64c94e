"""Connector: what an operator declares of a tool when its resource is registered, so that lineage can read it.

What each argument is for, what the tool does to the world, which fields of its answers the service itself sets, which
of them name a record, which ids a write has just minted, and whose a record is. The format is docs/spec/lineage.md.
"""

import functools
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from remit.core.canonical import Json
from remit.core.errors import RemitError

ROLES: Final = frozenset({"destination", "object", "content", "setting", "free"})
KINDS: Final = frozenset({"text", "name", "id", "email", "url", "time", "amount", "number"})
EFFECTS: Final = frozenset({"read", "write"})
SETTERS: Final = frozenset({"", "service", "minted"})
MOST: Final = 200
_POINTER = re.compile(r"(/[^/\x00-\x1f]{1,128}){0,16}")
_SORT = re.compile(r"(?:[a-z][a-z0-9_-]{0,59})?")


class Argument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One argument (a JSON Pointer, `*` for any member of a list): what it is for, and how its value is read.

    `destination` is whom or what the act reaches, `object` what it is done to, `content` what people will read,
    `setting` how it is done, `free` nothing that matters. `words` says which words of a request mean a value, `of` what
    sort of object an id is one of: 7 the order is not 7 the invoice.
    """

    role: str = "setting"
    kind: str = "text"
    words: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    of: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES or self.kind not in KINDS or len(self.words) > MOST or not _SORT.fullmatch(self.of):
            raise invalid(f"an argument's role is one of {', '.join(sorted(ROLES))}, and its kind is known.")


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One field of an answer: who sets it, whether it names its record, and whose the object is that it identifies.

    `by` is `service` for what the service itself sets, `minted` for the id that a write has just made, else empty:
    whoever wrote the record. `owner` points at the owner's account within the answer, from the same record; `/` says
    that the tool answers only with what belongs to whoever it acts for. `of` is the sort of object, as of an argument.
    """

    by: str = ""
    kind: str = "text"
    names: bool = False
    owner: str = ""
    of: str = ""

    def __post_init__(self) -> None:
        owner = _POINTER.fullmatch(self.owner.rstrip("/"))
        if self.by not in SETTERS or self.kind not in KINDS or not owner or not _SORT.fullmatch(self.of):
            raise invalid("a field is set by the service or minted, and its kind is known.")


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one tool is to lineage. Owned by the operator who registers the resource; the target never says it.

    `effect` is `read` or `write`; `trusted` says that everybody who can write what it answers is trusted; `verbs` and
    `nouns` are the words by which a request means this act.
    """

    effect: str = "write"
    trusted: bool = False
    verbs: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    arguments: Mapping[str, Argument] = msgspec.field(default_factory=dict)
    results: Mapping[str, Field] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        words = (*self.verbs, *self.nouns)
        places = (*self.arguments, *self.results)
        if self.effect not in EFFECTS or len(words) > MOST or len(places) > MOST:
            raise invalid("a tool's effect is read or write, and it has at most 200 words, arguments and fields.")
        if any(not word or len(word) > 60 for word in words) or not all(_POINTER.fullmatch(one) for one in places):
            raise invalid("words have 1 to 60 characters, and places are JSON Pointers such as /items/*/id.")

    def field(self, place: str) -> Field | None:
        """What was declared of a field; in a pattern `*` is any element of a list and any member of an object."""
        found = self.results.get(place)
        if found is None:
            found = next((one for pattern, one in self.results.items() if _matches(pattern, place)), None)
        return found

    @property
    def reaches(self) -> bool:
        """Whether a call of it can have an effect outside: it writes, or its arguments say where to."""
        return self.effect != "read" or any(one.role == "destination" for one in self.arguments.values())


@functools.lru_cache(maxsize=4096)
def _matches(pattern: str, place: str) -> bool:
    mine, theirs = pattern.split("/"), place.split("/")
    return len(mine) == len(theirs) and all(one in {"*", other} for one, other in zip(mine, theirs, strict=True))


def read(form: Json) -> dict[str, Shape]:
    """Read a connector file: `{"tools": {name: shape}}`. Refuses unknown members (`connector_invalid`)."""
    if not isinstance(form, dict) or form.keys() != {"tools"} or not isinstance(form["tools"], dict):
        raise invalid("it is an object with the member tools.")
    try:
        return msgspec.convert(form["tools"], dict[str, Shape])
    except msgspec.ValidationError as fault:
        raise invalid(f"{fault}.") from fault


def invalid(why: str) -> RemitError:
    """The refusal of a declaration."""
    return RemitError("connector_invalid", f"This connector was refused: {why}", "See docs/spec/lineage.md.")

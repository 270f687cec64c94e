"""Sources: what an answer holds, value by value, and for what it may vouch.

An answer vouches for a value only by a grade: its whole tool is trusted, the service itself set the field, a write has
just minted the id, or the brief declared a flow. A value with no grade is still remembered, so that it can be said
which call's answer it came from; it vouches for nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from remit.core.canonical import Json
from remit.core.connector import Argument, Field, Shape
from remit.core.lineage import day, lexicon, request, value
from remit.core.lineage.request import Reading
from remit.core.lineage.rules import Flow, Rules
from remit.core.resource import split

TRUSTED: Final = 1
SERVICE: Final = 2
MINTED: Final = 4
NAMED: Final = 8
NEAR: Final = 16
EXTREME: Final = 32
SELECTED: Final = 64
ALONE: Final = 128
_POINTED: Final = NAMED | NEAR | SELECTED
FLOWS: Final = 8
"""From this bit on, one for each flow of the brief."""
MOST: Final = 4_000
"""Values of one answer that are remembered; what comes after vouches for nothing."""
DEEPEST: Final = 24
SHORT: Final = 48
"""A day or a time is not longer."""
_PLAIN: Final = Field()


class Held(NamedTuple):
    """One value that an answer holds: its atom, the field, its record's number, and its grades."""

    atom: str
    field: str
    record: int
    grade: int
    owner: str = ""


class Hold(NamedTuple):
    """One place at which an earlier answer of this task holds a value."""

    call: str
    leaf: int
    action: str
    path: str
    field: str
    record: int
    grade: int
    version: int
    owner: bytes = b""


class Heed(msgspec.Struct, frozen=True):
    """What reading the answer of one allowed call takes. Made with its decision; it goes with the permit."""

    action: str
    path: str
    shape: Shape
    rules: Rules
    request: str
    arguments: Mapping[str, Json]
    key: bytes
    version: int = 0


@dataclass(slots=True)
class _Leaf:
    place: str
    record: int
    content: Json


def harvest(heed: Heed, answer: Json) -> tuple[Held, ...]:
    """Take from an answer every value that it holds, each with its grades. Total for any JSON; bounded by `MOST`."""
    reader = _Reader(heed, list(_leaves(answer)))
    found: dict[Held, None] = {}
    for number, (place, minutes) in reader.spans.items():
        found[Held(f"span:{minutes}", place, number, reader.base | reader.grades.get(number, 0) | SERVICE)] = None
    for leaf in reader.leaves:
        for one in reader.held(leaf):
            found.setdefault(one, None)
        if len(found) >= MOST:
            break
    return tuple(found)[:MOST]


class _Reader:
    """One answer while it is read."""

    def __init__(self, heed: Heed, leaves: list[_Leaf]) -> None:
        shape, reading = heed.shape, request.read(heed.request)
        self.heed, self.leaves, self.records = heed, leaves, _records(leaves)
        self.grades = _graded(shape, reading, self.records)
        self.reads = shape.effect == "read"
        self.base = TRUSTED if (shape.trusted or heed.action in heed.rules.trusted) and self.reads else 0
        if not shape.reaches and _selected(heed, reading):
            self.base |= SELECTED
        flows = enumerate(heed.rules.flows) if self.reads else ()
        self.flows = [(number, one) for number, one in flows if _flows(one, heed, reading)]
        self.anchors, self.spans = _times(shape, self.records)

    def held(self, leaf: _Leaf) -> Iterator[Held]:
        """What one field holds: itself as a whole, and each thing that its text names."""
        field = self.heed.shape.field(leaf.place) or _PLAIN
        grade = self.base | self.grades.get(leaf.record, 0)
        bits = self._flowing(leaf, grade)
        own = MINTED if field.by == "minted" else SERVICE if field.by == "service" and self.reads else 0
        owner = _owner(field, leaf, self.records) if field.owner and self.reads else ""
        for atom in whole(leaf.content, field.kind):
            yield Held(atom, leaf.place, leaf.record, grade | own | bits)
        if owner and not isinstance(leaf.content, bool):
            yield Held(thing(split(self.heed.action)[0], field.of, leaf.content), leaf.place, leaf.record, 0, owner)
        if isinstance(leaf.content, str):
            for atom in self._inside(leaf.content, leaf.record, flows=bool(bits), hints=bool(grade & _POINTED)):
                yield Held(atom, leaf.place, leaf.record, grade & ~TRUSTED | bits)

    def _inside(self, text: str, record: int, *, flows: bool, hints: bool) -> Iterator[str]:
        """What a text names: all of it where it may vouch or hint, else its addresses, to say where they came from."""
        if not flows and not hints:
            yield from value.addresses(text)
            return
        yield from (one.atom for one in value.literals(text))
        yield from value.names(text)
        if flows:
            for anchor in self.anchors.get(record, ()):
                yield from (f"date:{at}" for at in value.near(text, anchor))

    def _flowing(self, leaf: _Leaf, grade: int) -> int:
        bits = 0
        for number, flow in self.flows:
            if flow.origin[1] in {"", leaf.place} and (flow.record == "any" or grade & (NAMED | NEAR)):
                bits |= 1 << (FLOWS + number)
        return bits


def _leaves(answer: Json) -> Iterator[_Leaf]:
    """Every scalar of an answer, by the pattern of its place and the number of the innermost list member it is in."""
    count = [0]

    def walk(inner: Json, place: str, record: int, depth: int) -> Iterator[_Leaf]:
        if depth > DEEPEST:
            return
        if isinstance(inner, dict):
            for name, held in inner.items():
                yield from walk(held, f"{place}/{name}", record, depth + 1)
        elif isinstance(inner, list):
            for held in inner:
                own = record
                if isinstance(held, dict):
                    count[0] += 1
                    own = count[0]
                yield from walk(held, f"{place}/*", own, depth + 1)
        elif inner is not None:
            yield _Leaf(place, record, inner)

    yield from walk(answer, "", 0, 0)


def _records(leaves: list[_Leaf]) -> dict[int, list[_Leaf]]:
    found: dict[int, list[_Leaf]] = {}
    for leaf in leaves:
        found.setdefault(leaf.record, []).append(leaf)
    return found


def _graded(shape: Shape, reading: Reading, records: dict[int, list[_Leaf]]) -> dict[int, int]:
    """How the request speaks of each record: by its whole name, by a part of it, or as the most or least of all."""
    found: dict[int, int] = {}
    for number, leaves in records.items():
        grade = 0
        for leaf in leaves:
            field = shape.field(leaf.place)
            if field is None or not isinstance(leaf.content, str):
                continue
            if field.names:
                grade |= _named(reading, leaf.content)
            elif (field.by == "service" and field.kind == "name" and reading.holds(leaf.content)) or (
                field.by == "service" and field.kind == "email" and value.email(leaf.content) in reading.named
            ):
                grade |= NEAR
        found[number] = grade
    for number in _extreme(shape, reading, records):
        found[number] |= EXTREME
    return found


def _times(
    shape: Shape, records: dict[int, list[_Leaf]]
) -> tuple[dict[int, tuple[str, ...]], dict[int, tuple[str, int]]]:
    """For each record the days that the service sets in it, and the length between the first and the second time."""
    days: dict[int, tuple[str, ...]] = {}
    lengths: dict[int, tuple[str, int]] = {}
    if shape.effect != "read":
        return days, lengths
    for number, leaves in records.items():
        set_by = {place for place, field in shape.results.items() if field.by == "service" and field.kind == "time"}
        known = [(one.place, at) for one in leaves if one.place in set_by and (at := value.instant(one.content))]
        days[number] = tuple({day.write(at // 1440) for _, at in known})
        if len(known) == 2 and known[1][1] > known[0][1]:
            lengths[number] = known[1][0], known[1][1] - known[0][1]
    return days, lengths


def _named(reading: Reading, name: str) -> int:
    own = [word for word in value.words(name) if word not in lexicon.STOP]
    said = [word for word in reading.text.split() if word not in lexicon.STOP]
    if not own:
        return 0
    runs = {tuple(said[at : at + len(own)]) for at in range(len(said) - len(own) + 1)}
    if tuple(own) in runs:
        return NAMED
    pairs = set(pairwise(said))
    return NEAR if any(pair in pairs for pair in pairwise(own)) else 0


def _extreme(shape: Shape, reading: Reading, records: dict[int, list[_Leaf]]) -> list[int]:
    """The one record that is the most or least of all by what the service counts, where the request asks for that."""
    said = {token.word for token in reading.tokens if not token.masked}
    most, least = bool(said & lexicon.MOST), bool(said & lexicon.LEAST)
    late, early = bool(said & lexicon.LATEST), bool(said & lexicon.EARLIEST)
    found = []
    for place, field in shape.results.items():
        up, down = (most, least) if field.kind in {"number", "amount"} else (late, early)
        if field.by != "service" or field.kind not in {"number", "amount", "time"} or up is down:
            continue
        ranked = [(_rank(leaf.content), number) for number, ls in records.items() for leaf in ls if leaf.place == place]
        known = [(rank, number) for rank, number in ranked if rank is not None]
        if len(known) == len(ranked) > 1 and len({type(rank) for rank, _ in known}) == 1:
            known.sort(key=lambda one: one[0], reverse=up)
            if known[0][0] != known[1][0]:
                found.append(known[0][1])
    return found


def _rank(content: Json) -> float | str | None:
    if isinstance(content, bool):
        return None
    if isinstance(content, int | float):
        return float(content)
    return content if isinstance(content, str) and value.moment(content) else None


def _selected(heed: Heed, reading: Reading) -> bool:
    """Say whether the request names what the call looked for: each text that it was given, and at least one."""
    texts = [one for one in heed.arguments.values() if isinstance(one, str) and one.strip()]
    return bool(texts) and all(_spoken(reading, one) for one in texts)


def _spoken(reading: Reading, text: str) -> bool:
    atom = value.email(text) or value.url(text)
    if atom:
        return atom in reading.named
    at = value.moment(text)
    if at:
        return all(f"{kind}:{part}" in reading.named for kind, part in zip(("date", "time"), at, strict=True) if part)
    return reading.holds(text)


def _flows(flow: Flow, heed: Heed, reading: Reading) -> bool:
    """Say whether this answer is one that a flow begins at."""
    if flow.origin[0] != heed.action:
        return False
    for name, want in flow.where.items():
        given = heed.arguments.get(name)
        if not isinstance(given, str) or not (_spoken(reading, given) if want == "request" else _same(given, want)):
            return False
    return True


def _same(one: str, other: str) -> bool:
    return (value.url(one) or value.email(one) or one.strip()) == (value.url(other) or value.email(other) or other)


def _owner(field: Field, leaf: _Leaf, records: dict[int, list[_Leaf]]) -> str:
    """Whose this object is, as the answer says: the atom of the account, `*` for whoever it acts for."""
    if field.owner == "/":
        return "*"
    for number in (leaf.record, 0):
        for other in records.get(number, ()):
            if other.place == field.owner:
                return account(other.content)
    return ""


def thing(resource: str, sort: str, content: Json) -> str:
    """The atom of an object as the target itself tells objects apart: its sort and its very text at this resource."""
    return f"object:{resource}/{sort}:{_digits(content) if isinstance(content, int | float) else content}"


def account(content: Json) -> str:
    """The atom of an account: its very text, but for the case of an e-mail address."""
    text = _digits(content) if isinstance(content, int | float) else str(content)
    return value.email(text) or f"account:{text}"


def whole(content: Json, kind: str) -> tuple[str, ...]:
    """The atoms of a field as a whole. Text of more than `LONGEST` characters is too long to be a value."""
    if isinstance(content, bool):
        return ()
    if isinstance(content, int | float):
        return (value.phrase(_digits(content)), *(one for one in (value.amount(content),) if one))
    if not isinstance(content, str) or not content.strip() or len(content) > value.LONGEST:
        return ()
    atoms = [value.phrase(content), value.email(content), value.url(content)]
    if kind in {"amount", "number"}:
        atoms.append(value.amount(content))
    at = value.moment(content) if len(content) <= SHORT and (kind == "time" or value.exact(content)) else None
    if at:
        atoms += [f"{name}:{part}" for name, part in zip(("date", "time"), at, strict=True) if part]
    return tuple(one for one in atoms if one)


def _digits(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)


def forms(content: Json, argument: Argument) -> tuple[tuple[str, ...], ...]:
    """How an argument's value may be held: alternatives, each of atoms that must stand together."""
    if isinstance(content, bool):
        return ((f"bool:{str(content).lower()}",),)
    if isinstance(content, int | float):
        text = (value.phrase(_digits(content)),)
        quantity = value.amount(content)
        return ((quantity,),) if argument.kind in {"amount", "number"} and quantity else (text,)
    if not isinstance(content, str):
        return ()
    exact = value.email(content) or value.url(content)
    if exact and argument.kind in {"email", "url", "text", "name"}:
        return ((exact,),)
    if argument.kind in {"amount", "number"}:
        quantity = value.amount(content)
        return ((quantity,),) if quantity else ()
    at = value.moment(content) if argument.kind in {"time", "text"} else None
    if at:
        date, time = at
        hour = (f"time:{time}",) if time else ()
        days = (f"date:{date}", f"date:{value.year_less(date)}") if date else ()
        return tuple((one, *hour) for one in days) or (hour,)
    return ((value.phrase(content),),)

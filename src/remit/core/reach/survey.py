"""Survey: what was seen of a target's rights at one instant, or taken from an export of it; the edges that it adds.

The record says which target, when, and the digest of what was seen; that lies beside the ledger, in the form of
docs/spec/reach.md. It never changes silently: another look is another receipt. Pure.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from remit.core import ids
from remit.core.canonical import b64, canon
from remit.core.errors import RemitError
from remit.core.moment import Instant, instant
from remit.core.reach.graph import KINDS, Builder, decoded, invalid
from remit.core.record import Record
from remit.core.shown import several

FORMAT: Final = "remit-survey-v1"
SOURCES: Final = ("postgres", "aws", "kubernetes", "github", "scopes", "facts")
SHARED: Final = frozenset({"person", "service", "agent", "secret", "resource", "domain"})
"""Kinds whose names are the same in every survey; all others belong to its target."""
OLD: Final = 24 * 3_600_000
"""Milliseconds after which a survey is called old."""
LARGEST: Final = 256 << 20


class Survey(Record, frozen=True, kw_only=True, tag_field="noun", tag="survey"):
    """That a target was looked at: which, of which source, when, and the digest of what was seen.

    `login` is whom it was looked at as; `nodes` and `edges` how many it has; `notes` what it cannot tell. Owned by the
    resource of that name, which need not be registered.
    """

    resource: str
    source: str
    at: Instant
    digest: str
    nodes: int
    edges: int
    login: str = ""
    notes: tuple[str, ...] = ()
    state: str = "kept"

    def __post_init__(self) -> None:
        ids.name("resource", self.resource)
        instant(self.at)
        if self.source not in SOURCES or self.state != "kept" or len(self.digest) != 43:
            raise invalid("Its source, state or digest cannot be.")
        if self.nodes < 0 or self.edges < 0 or len(self.notes) > 50 or any(len(one) > 300 for one in self.notes):
            raise invalid("It counts less than nothing, or has too many notes.")


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was seen. A node is kind, name, title; an edge is source, target (by place), label, and if it writes."""

    format: str
    source: str
    nodes: tuple[tuple[str, str, str], ...]
    edges: tuple[tuple[int, int, str, bool], ...]
    login: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        most = len(self.nodes)
        if self.format != FORMAT or self.source not in SOURCES:
            raise invalid(f"It is no {FORMAT}.")
        if any(kind not in KINDS or kind == "write" for kind, _, _ in self.nodes):
            raise invalid("It has a node of a kind that it cannot have.")
        if any(not (0 <= source < most and 0 <= target < most) for source, target, _, _ in self.edges):
            raise invalid("An edge leads to a node that it does not have.")

    def written(self) -> bytes:
        """The canonical bytes."""
        return canon(msgspec.to_builtins(self))


@dataclass(slots=True)
class Gathering:
    """Gathers what is seen; each node and edge once, in canonical order at the end."""

    source: str
    login: str = ""
    notes: list[str] = field(default_factory=list)
    titles: dict[tuple[str, str], str] = field(default_factory=dict)
    links: dict[tuple[tuple[str, str], tuple[str, str], str], bool] = field(default_factory=dict)

    def node(self, kind: str, name: str, title: str = "") -> tuple[str, str]:
        """A node, made when it is new."""
        if title or (kind, name) not in self.titles:
            self.titles[kind, name] = title
        return kind, name

    def edge(self, source: tuple[str, str], target: tuple[str, str], label: str, *, writes: bool = False) -> None:
        """Say that whoever holds the first has the second, and can write to it."""
        for one in (source, target):
            self.titles.setdefault(one, "")
        if source != target:
            self.links[source, target, label] = writes or self.links.get((source, target, label), False)

    def seen(self) -> Seen:
        """What was gathered."""
        names = sorted(self.titles)
        place = {one: at for at, one in enumerate(names)}
        edges = sorted((place[a], place[b], label, writes) for (a, b, label), writes in self.links.items())
        return Seen(
            format=FORMAT,
            source=self.source,
            nodes=tuple((*one, self.titles[one]) for one in names),
            edges=tuple(edges),
            login=self.login,
            notes=tuple(dict.fromkeys(note[:300] for note in self.notes))[:50],
        )


def read(data: bytes) -> Seen:
    """Read what was seen (`reach_invalid`)."""
    if len(data) > LARGEST:
        raise invalid("It is larger than 256 MB.")
    return decoded(data, Seen, "a survey")


def digest(data: bytes) -> str:
    """The digest of what was seen."""
    return b64(hashlib.sha256(data).digest())


def name_at(resource: str, kind: str, name: str) -> str:
    """How a survey's node is called in the whole graph."""
    return name if kind in SHARED else f"{resource}/{name}"


def join(builder: Builder, resource: str, seen: Seen) -> list[int]:
    """Add what was seen to a graph; each thing that is there is in its target. Returns its nodes by place."""
    home = builder.node("resource", resource)
    nodes = []
    for kind, name, title in seen.nodes:
        at = builder.node(kind, name_at(resource, kind, name), title)
        nodes.append(at)
        if kind in ("object", "code"):
            builder.edge(at, home, "is in")
    for source, target, label, writes in seen.edges:
        (builder.writes if writes else builder.edge)(nodes[source], nodes[target], label)
    return nodes


def usable(seen: Seen, login: str) -> dict[str, set[str]]:
    """Each object of a database that a login can use, and the verbs, by what it has or inherits."""
    rooms = [("role", login), ("rights", login)]
    places = {(kind, name): at for at, (kind, name, _) in enumerate(seen.nodes)}
    leaving: dict[int, list[tuple[int, str]]] = {}
    for source, target, label, _ in seen.edges:
        leaving.setdefault(source, []).append((target, label))
    waiting = [places[room] for room in rooms if room in places]
    done = set(waiting)
    found: dict[str, set[str]] = {}
    for one in waiting:
        for target, label in leaving.get(one, ()):
            kind, name, _ = seen.nodes[target]
            if kind == "object":
                found.setdefault(name, set()).update(label.split(", "))
            elif kind == "rights" and target not in done:
                done.add(target)
                waiting.append(target)
    return found


def missing(resource: str) -> RemitError:
    """The refusal where a survey's text is gone."""
    return RemitError(
        "survey_missing", f"What was seen of {resource} is gone.", f"Look again: remit reach introspect {resource}."
    )


def oldest(surveys: Sequence[Survey], now: Instant) -> list[str]:
    """What is to be said of surveys that are old."""
    return [
        f"What is known of {one.resource} ({one.source}) is {several((now - one.at) // 3_600_000, 'hour')} old."
        for one in surveys
        if now - one.at > OLD
    ]

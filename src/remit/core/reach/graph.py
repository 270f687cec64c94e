"""The graph of who leads to what: nodes of a few kinds, edges with a label, in compact arrays by number.

An edge says that whoever holds the first has the second too. What is written to is a node of its own (`write`), before
the object that it is a write to, so that what can be written is counted as exactly as what can be read. Pure.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from sys import byteorder
from typing import Final, TypeVar

import msgspec

from remit.core.errors import RemitError
from remit.core.reach.amount import Amount

Form = TypeVar("Form")

KINDS: Final = (
    "person", "service", "agent", "brief", "task", "grant", "credential", "refresh", "lease", "connection", "secret",
    "role", "rights", "tool", "write", "object", "resource", "domain", "code",
)  # fmt: skip
"""`role` is a login or group at a target, `rights` what is inherited of it; `code` is running programs at a target."""
NUMBER: Final = {name: number for number, name in enumerate(KINDS)}
_UNNAMED: Final = frozenset({NUMBER["write"], NUMBER["grant"]})
"""Kinds that are found by their keys alone."""
_NAMED: Final = tuple(name for name, number in NUMBER.items() if number not in _UNNAMED)
STATES: Final = {state: f" ({state})" for state in ("suspended", "proposed", "ended")}
"""What stands behind the title of what is registered or was there, and of which nothing is live now."""
MOST: Final = 4_000_000
"""Nodes, or edges, of one graph."""
LONGEST: Final = 1024
_LABELS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph in arrays: what leaves node `n` is `targets[offsets[n]:offsets[n + 1]]`, each with its label's number.

    `keys` are the nodes' keys, `KIND:NAME`; `kinds` their kinds' numbers; `titles` how some are called; `amounts` what
    each grant may do at most; `sensitive` the domains that are; `at` the number of each key.
    """

    keys: tuple[str, ...]
    kinds: bytes
    offsets: "array[int]"
    targets: "array[int]"
    labels: "array[int]"
    said: tuple[str, ...]
    titles: Mapping[int, str] = field(default_factory=dict)
    amounts: Mapping[int, Amount] = field(default_factory=dict)
    sensitive: frozenset[int] = frozenset()
    at: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)

    def kind(self, node: int) -> str:
        """The kind of a node."""
        return KINDS[self.kinds[node]]

    def name(self, node: int) -> str:
        """A node's key without its kind."""
        return self.keys[node].partition(":")[2]

    def title(self, node: int) -> str:
        """How people call it."""
        return self.titles.get(node) or self.keys[node]

    def called(self, node: int) -> str:
        """A node by its kind and how it is called; a grant, which is called as its tool is, by its key as well."""
        if self.kinds[node] == NUMBER["grant"] and node in self.titles:
            return f"{self.keys[node]} ({self.titles[node]})"
        return f"{self.kind(node)}:{self.titles[node]}" if node in self.titles else self.keys[node]

    def label(self, source: int, target: int) -> str:
        """What leads from one node to a next one; the first, where there are several. Empty when nothing does."""
        for place in range(self.offsets[source], self.offsets[source + 1]):
            if self.targets[place] == target:
                return self.said[self.labels[place]]
        return ""

    def find(self, text: str) -> int:
        """The node that is meant: by its key, its name or how it is called, with or without its kind before it.

        An agent is meant before its brief, which may share its name. Raises `reach_unknown`, `reach_ambiguous`.
        """
        exact = self.at.get(text.partition(" (")[0] if text.startswith("grant:") else text)
        if exact is not None:
            return exact
        head, _, rest = text.partition(":")
        kinds, name = ((head,), rest) if rest and head in _NAMED else (_NAMED, text)
        numbers = {NUMBER[kind] for kind in kinds}
        held = (self.at.get(f"{kind}:{name}") for kind in kinds)
        called = {n for n, title in self.titles.items() if name in (title, _bare(title)) and self.kinds[n] in numbers}
        named = sorted(called.union(n for n in held if n is not None))
        agents = [n for n in named if self.kind(n) == "agent"]
        if len(agents) == 1 and {self.kind(n) for n in named} == {"agent", "brief"}:
            return agents[0]
        if not named:
            raise RemitError(
                "reach_unknown", f"Nothing is known here as {text}.", "Name it as KIND:NAME; list: remit reach."
            )
        if len(named) > 1:
            keys = ", ".join(self.keys[n] for n in named[:5])
            raise RemitError("reach_ambiguous", f"This could be {keys}.", "Name it as KIND:NAME.")
        return named[0]

    def cut(self, nodes: Iterable[int]) -> frozenset[int]:
        """These nodes, each with the writes to it: without it, nothing can be written to it either."""
        gone = set(nodes)
        writes = (self.at.get(f"write:{self.keys[node]}") for node in gone)
        return frozenset(gone.union(node for node in writes if node is not None))


def _bare(title: str) -> str:
    """A title without the state behind it."""
    return next((title[: -len(said)] for said in STATES.values() if title.endswith(said)), title)


class Builder:
    """Gathers nodes and edges, each once, and builds the graph. Owned by whoever reads what it is made of."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self._kinds = bytearray()
        self._at: dict[str, int] = {}
        self._labels: dict[str, int] = {}
        self._leaving: list[array[int]] = []
        self._count = 0
        self._titles: dict[int, str] = {}
        self._amounts: dict[int, Amount] = {}
        self._sensitive: set[int] = set()

    def node(self, kind: str, name: str, title: str = "", amount: Amount | None = None) -> int:
        """The number of a node, made when it is new. Refuses what cannot be one (`reach_invalid`)."""
        key = f"{kind}:{name}"
        at = self._at.get(key)
        if at is None:
            if kind not in NUMBER or not 0 < len(name) <= LONGEST or len(self.keys) >= MOST:
                raise invalid("It has a node of no known kind, without a name, or too many of them.")
            at = self._at[key] = len(self.keys)
            self.keys.append(key)
            self._leaving.append(array("Q"))
            self._kinds.append(NUMBER[kind])
        if title:
            self._titles[at] = title
        if amount is not None:
            self._amounts[at] = amount
        return at

    def has(self, kind: str, name: str) -> bool:
        """Say whether there is such a node."""
        return f"{kind}:{name}" in self._at

    def edge(self, source: int, target: int, label: str) -> None:
        """Say that whoever holds the first has the second."""
        number = self._labels.setdefault(label, len(self._labels))
        if number >= _LABELS or self._count >= MOST:
            raise invalid("It has too many edges or labels.")
        if source != target:
            self._count += 1
            self._leaving[source].append(target << 32 | number)

    def writes(self, source: int, target: int, label: str) -> None:
        """Say that whoever holds the first can write to the second."""
        key = self.keys[target]
        between = self.node("write", key, self._titles.get(target) or key.partition(":")[2])
        self.edge(source, between, label)
        self.edge(between, target, "is a write to")

    def sensitive(self, domain: int) -> None:
        """Say that a domain is sensitive."""
        self._sensitive.add(domain)

    def build(self) -> Graph:
        """The graph of what was gathered."""
        gathered, offsets = array("Q"), array("i", [0])
        for leaving in self._leaving:
            gathered.extend(sorted(set(leaving)) if len(leaving) > 1 else leaving)
            offsets.append(len(gathered))
        edges = memoryview(gathered).cast("B")
        low = byteorder == "little"
        targets, labels = array("i"), array("H")
        targets.frombytes(edges.cast("i")[int(low) :: 2].tobytes())
        labels.frombytes(edges.cast("H")[0 if low else 3 :: 4].tobytes())
        return Graph(
            keys=tuple(self.keys),
            kinds=bytes(self._kinds),
            offsets=offsets,
            targets=targets,
            labels=labels,
            said=tuple(self._labels),
            titles=self._titles,
            amounts=self._amounts,
            sensitive=frozenset(self._sensitive),
            at=self._at,
        )


def of_arrays(kinds: bytes, sources: Iterable[int], targets: Iterable[int]) -> Graph:
    """A graph of nodes by number alone, from edges in order of their sources; as a kept survey holds them."""
    leaving = Counter(sources)
    keys = tuple(f"{KINDS[kind]}:{n}" for n, kind in enumerate(kinds))
    return Graph(
        keys=keys,
        at={key: n for n, key in enumerate(keys)},
        kinds=kinds,
        offsets=array("i", accumulate((leaving[n] for n in range(len(kinds))), initial=0)),
        targets=array("i", targets),
        labels=array("H", bytes(2 * leaving.total())),
        said=("leads to",),
    )


def invalid(why: str) -> RemitError:
    """The refusal of a graph, or of a survey."""
    return RemitError("reach_invalid", f"This graph was refused. {why}", "See docs/spec/reach.md.")


def decoded(data: bytes | msgspec.Raw, form: type[Form], what: str) -> Form:
    """JSON of this form, which is to be `what` (`reach_invalid`)."""
    try:
        return msgspec.json.decode(data, type=form)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as fault:
        raise invalid(f"It does not read as {what}: {fault}.") from fault

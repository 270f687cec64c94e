"""Reach of a plan: the static bound of what a task could do at worst, before it does anything.

The answer for the graph of the plan alone: a task, its grants, what each acts on, and where that is. The bound never
says less than what calls can do: its twin, tests/core/test_reach, plays calls against it.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal

from remit.core.budget import Most
from remit.core.canonical import Json
from remit.core.reach.amount import NONE, UNBOUNDED, Amount, number, of_step, text, total
from remit.core.reach.graph import NUMBER, Builder, Graph
from remit.core.reach.walk import Walk, walk
from remit.core.resource import split
from remit.core.shown import several
from remit.core.step import Step

__all__ = ["UNBOUNDED", "Reach", "bounded", "lay", "over", "reach"]


@dataclass(frozen=True, slots=True)
class Reach:
    """What could be done at worst. `systems` and `writable` are names of resources and of what is written to there."""

    systems: tuple[str, ...]
    writable: tuple[str, ...]
    calls: Decimal
    writes: Decimal
    objects: Decimal
    rows: Decimal
    recipients: Decimal
    people: Decimal
    money: Mapping[str, Decimal]
    depth: int = 0
    children: Decimal = NONE

    def to_json(self) -> dict[str, Json]:
        """Write it; what has no bound reads `unbounded`."""
        counts = ("calls", "writes", "objects", "rows", "recipients", "people", "children")
        return {
            "systems": list(self.systems),
            "writable": list(self.writable),
            **{name: number(getattr(self, name)) for name in counts},
            "money": {name: text(most) for name, most in self.money.items()},
            "depth": self.depth,
        }

    def says(self) -> str:
        """Say it in one line."""
        counts = ("calls", "writes", "objects", "rows", "recipients", "people", "children")
        said = [several(len(self.systems), "system"), *(f"{number(getattr(self, name))} {name}" for name in counts)]
        return ", ".join([*said, *(f"{text(most)} of {name}" for name, most in self.money.items())])


def reach(
    steps: Sequence[Step],
    reads: AbstractSet[str],
    *,
    seconds: int,
    depth: int = 0,
    children: int | None = None,
    contacts: Sequence[str] = (),
    money: Iterable[str] = (),
    amounts: Sequence[Amount] | None = None,
) -> Reach:
    """Bound what these steps could do in so many seconds; `reads` are the actions that change nothing.

    `amounts` is what each step gives, where whoever asks knows more of its tool than the limits say.
    """
    builder = Builder()
    task, names = builder.node("task", "this"), tuple(money)
    for place, step in enumerate(steps):
        only = step.action in reads
        given = amounts[place] if amounts else of_step(step, seconds, contacts, names, reads=only)
        lay(builder, task, f"{place}", step, given, reads=only)
    graph = builder.build()
    below = NONE if depth == 0 else UNBOUNDED if children is None else Decimal(children)
    return bounded(graph, walk(graph, task), names, depth, below)


def lay(builder: Builder, holder: int | None, name: str, step: Step, given: Amount, *, reads: bool) -> int:
    """Lay a step into a graph: who holds it, if anybody yet, the grant, the tool and the system that it acts on."""
    grant = builder.node("grant", name, step.action, given)
    resource, kind = split(step.action)
    tool = builder.node("tool", f"{resource}/{kind}", step.action)
    if holder is not None:
        builder.edge(holder, grant, "is given")
    (builder.edge if reads else builder.writes)(grant, tool, "uses")
    builder.edge(tool, builder.node("resource", resource), "is a tool of")
    return grant


def bounded(graph: Graph, walked: Walk, money: Sequence[str] = (), depth: int = 0, children: Decimal = NONE) -> Reach:
    """What was reached in a graph, as numbers: systems and what is written to by name, the grants' amounts summed."""
    kinds = graph.kinds
    sums = total([graph.amounts[node] for node in walked.order if node in graph.amounts])
    systems = [graph.name(node) for node in walked.order if kinds[node] == NUMBER["resource"]]
    written = [graph.titles.get(node) or graph.name(node) for node in walked.order if kinds[node] == NUMBER["write"]]
    return Reach(
        systems=tuple(sorted(systems)),
        writable=tuple(sorted(written)),
        calls=sums.calls,
        writes=sums.writes,
        objects=sums.objects,
        rows=sums.rows,
        recipients=sums.recipients,
        people=sums.people,
        money=dict.fromkeys(money, NONE) | dict(sums.money),
        depth=depth,
        children=children,
    )


def over(found: Reach, most: Most) -> tuple[str, ...]:
    """In what this reach is beyond a budget, by name."""
    held = [name for name, limit in most.counts() if _of(found, name) > limit]
    return (*held, *(f"money:{name}" for name, text_ in most.money.items() if found.money[name] > Decimal(text_)))


def _of(found: Reach, name: str) -> Decimal:
    return Decimal(len(found.systems)) if name == "systems" else getattr(found, name)

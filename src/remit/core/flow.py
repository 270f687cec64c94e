"""Flow: one errand, rebuilt end to end from what the ledger says of it. Pure.

Lanes are identities: a person by the delegated path, an agent by its own. A switch is where one allowed call is of
another lane than the one before it. A crossing is a value that an answer on one path held and a call on the other path
was given. What is not known is a gap, shown as one, never left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from remit.core.canonical import Json


@dataclass(frozen=True, slots=True)
class Lane:
    """One identity: by which path, who stands behind it, and which agent acts."""

    path: str
    subject: str
    agent: str


@dataclass(frozen=True, slots=True)
class Act:
    """One call. `what` is done, error, cut, not_sent, withheld, unknown, open or refused; `gaps` what is not known."""

    leaf: int
    at: int
    task: str
    lane: int
    action: str
    call: str
    what: str
    plan: int = 0
    code: str = ""
    approval: str = ""
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """From one allowed call to the next one, of another lane: their places among the acts."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """A value that went from one path to the other: from an answer to a call, and where it stood in each."""

    source: str
    target: str
    source_at: str
    target_at: str


@dataclass(frozen=True, slots=True)
class Flow:
    """An errand from its first call to its last. `blended` is when it used both paths, 0 when it has not."""

    task: str
    blended: int
    lanes: tuple[Lane, ...]
    acts: tuple[Act, ...]
    switches: tuple[Switch, ...]
    crossings: tuple[Crossing, ...]
    gaps: tuple[str, ...] = ()


@dataclass
class Known:
    """What lies beside the ledger: whose values were erased, and of which answers it is known what they held."""

    erased: frozenset[str] = frozenset()
    remembered: frozenset[str] = frozenset()
    expected: bool = False
    """Whether answers are remembered at all: where the brief could use both paths."""
    gaps: list[str] = field(default_factory=list)


def build(task: str, blended: int, entries: Iterable[tuple[int, Mapping[str, Json]]], known: Known) -> Flow:
    """Put the decisions and outcomes of an errand together, in the order of the ledger."""
    lanes: dict[Lane, int] = {}
    acts: list[Act] = []
    crossings: list[Crossing] = []
    decided: list[tuple[int, Mapping[str, Json]]] = []
    ended: dict[str, str] = {}
    merged = 0
    for leaf, said in entries:
        if said["kind"] == "call.decided":
            decided.append((leaf, said))
        elif said["kind"] == "call.outcome":
            ended[said["call"]] = said["result"]
        elif said["kind"] == "call.denials":
            merged += said["count"]
    for leaf, said in decided:
        lane = Lane(said.get("path", ""), said.get("subject", ""), said.get("agent", ""))
        number = lanes.setdefault(lane, len(lanes))
        acts.append(_act(leaf, said, number, ended, known))
        crossings += [Crossing(one["call"], said["call"], one["from"], one["to"]) for one in said.get("crossings", ())]
    gaps = [*known.gaps, *([f"{merged} refusals of its agents are only counted"] if merged else [])]
    return Flow(task, blended, tuple(lanes), tuple(acts), _switches(acts), tuple(crossings), tuple(gaps))


def _act(leaf: int, said: Mapping[str, Json], lane: int, ended: Mapping[str, str], known: Known) -> Act:
    call, allowed = said["call"], said["decision"] == "allow"
    result = ended.get(call, "open")
    what = ("done" if result == "ok" else result) if allowed else "refused"
    gaps = []
    if what in ("open", "unknown"):
        gaps.append("outcome unknown")
    if call in known.erased:
        gaps.append("values erased")
    if allowed and known.expected and result == "ok" and call not in known.remembered:
        gaps.append("what it answered is not remembered")
    return Act(
        leaf=leaf,
        at=said["at"],
        task=said.get("task", ""),
        lane=lane,
        action=said["action"],
        call=call,
        what=what,
        plan=said.get("plan", 0),
        code=said.get("code", ""),
        approval=said.get("approval", ""),
        gaps=tuple(gaps),
    )


def _switches(acts: list[Act]) -> tuple[Switch, ...]:
    found, last = [], -1
    for number, act in enumerate(acts):
        if act.what == "refused":
            continue
        if last >= 0 and acts[last].lane != act.lane:
            found.append(Switch(last, number))
        last = number
    return tuple(found)

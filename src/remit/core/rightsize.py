"""Right-size: what a brief gives against what was used of it, and the proposal of a narrower one.

A proposal is bound to the digest of exactly what was shown (law 6), and is only ever narrower than the brief that it
was made for (law 3). What it lists was seen in calls, so its body lies beside the ledger until it is applied. The
format is docs/spec/rightsize.md.
"""

from collections.abc import Mapping
from typing import Final

from remit.core import ids
from remit.core.approval import Yes
from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.grant import plan_within
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant
from remit.core.record import Record, changed, dump

LIFE: Final = Lifecycle(
    "rightsize",
    {
        "proposed": {"heard": "proposed", "approved": "approved", "applied": "applied", "dropped": "dropped"},
        "approved": {"applied": "applied", "dropped": "dropped"},
        "applied": {"undone": "undone"},
        "undone": {},
        "dropped": {},
    },
)
COUNTS: Final = ("allowed", "fail", "refused", "open", "erased", "unlike", "plans")
"""Of a replay: calls allowed then and now; allowed then, not now; refused then and now; refused then, allowed now;
not replayable because erased, or because the ledger does not hold what they rested on; plans no longer within."""
FEWER: Final = ("steps", "dispatchers", "agents", "subagents", "domains", "reverse")
LESS: Final = ("life", "idle", "credential_life", "bearer_life", "depth")


class Support(Record, frozen=True, kw_only=True):
    """How much must have been seen before anything is said in general: calls, tasks and days, each at least."""

    calls: int = 20
    tasks: int = 5
    days: int = 2

    def __post_init__(self) -> None:
        if min(self.calls, self.tasks, self.days) < 1:
            raise _invalid("Its support cannot be.")

    def holds(self, calls: int, tasks: int, days: int) -> bool:
        """Say whether so much was seen."""
        return calls >= self.calls and tasks >= self.tasks and days >= self.days


class Rightsize(Record, frozen=True, kw_only=True, tag_field="noun", tag="rightsize"):
    """One proposal of a narrower brief. Owned by the operator; answered by the brief's approvers, where it has any.

    `base` is the version it was made for, `before` that one's digest, and `shown` the salted digest of its body; `size`
    and `until` say up to which entry and instant of the ledger it saw, from `since` on. `counts` is what its replay
    found. `by` offered it, and never answers it. `applied` is the version that it made, and `undone` the one that took
    it back, 0 before; `turned` is when its state last moved.
    """

    id: str
    brief: str
    base: int
    before: str
    shown: str
    at: Instant
    since: Instant
    until: Instant
    size: int
    support: Support
    counts: dict[str, int]
    by: str
    groups: tuple[str, ...] = ()
    need: int = 1
    yes: tuple[Yes, ...] = ()
    applied: int = 0
    undone: int = 0
    turned: Instant = Instant(0)
    state: str = "proposed"

    def __post_init__(self) -> None:
        ids.parse("rsz", self.id)
        ids.name("brief", self.brief)
        if self.state not in LIFE.table or set(self.counts) != set(COUNTS) or self.base < 1 or self.need < 1:
            raise _invalid("Its state, version or counts cannot be.")


def wider(old: Brief, new: Brief) -> tuple[str, ...]:
    """In what a brief is not shown to lie within another, by member; empty when it only narrows (law 3).

    One-sided: what cannot be shown to be narrower is wider. What is neither more nor less must be the same.
    """
    found = [] if not plan_within(old.steps, new.steps) else ["steps"]
    found += [name for name in FEWER[1:] if not set(getattr(new, name)) <= set(getattr(old, name))]
    found += [name for name in LESS if getattr(new, name) > getattr(old, name)]
    theirs, mine = dump(old), dump(new)
    rest = (theirs.keys() | mine.keys()) - {*FEWER, *LESS, "version"}
    return (*found, *sorted(name for name in rest if theirs.get(name) != mine.get(name)))


def differences(old: Brief, new: Brief) -> dict[str, Json]:
    """The members that differ, for people: before and after; steps are told one by one elsewhere."""
    one, other = dump(old), dump(new)
    names = sorted(name for name in (one.keys() | other.keys()) - {"version", "steps"})
    return {name: [one.get(name), other.get(name)] for name in names if one.get(name) != other.get(name)}


def body(proposed: Brief, moved: tuple[int, ...], notes: Mapping[str, Json], replay: Json) -> dict[str, Json]:
    """What is shown and bound: the brief, where each of its base's steps went (-1 for nowhere), why, and the replay."""
    return {
        "v": 1,
        "brief": dump(changed(proposed, version=1)),
        "moved": list(moved),
        "notes": dict(notes),
        "replay": replay,
    }


def _invalid(why: str) -> RemitError:
    return RemitError("rightsize_invalid", f"This proposal was refused. {why}", "See docs/spec/rightsize.md.")

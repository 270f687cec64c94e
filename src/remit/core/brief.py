"""Brief: the operator's written ceiling for one kind of task, and who may open one."""

from collections.abc import Iterable
from typing import Final

from remit.core import ids
from remit.core.approval import Terms
from remit.core.budget import Budget
from remit.core.errors import RemitError
from remit.core.freshness import Freshness
from remit.core.grant import Step
from remit.core.lifecycle import UNUSED, Lifecycle
from remit.core.lineage.rules import Rules
from remit.core.principal import Person
from remit.core.record import Record
from remit.core.resource import split
from remit.core.trust import TrustPath

LIFE: Final = Lifecycle(
    "brief",
    {
        "proposed": {"applied": "live", "refused": "refused"},
        "refused": {"applied": "live"},
        "live": {"applied": "live", "withdrawn": "withdrawn"},
        "withdrawn": {},
    },
)
REVERSE: Final = frozenset({"sampling", "elicitation", "roots"})
UNPLANNED: Final = frozenset({"refuse", "hold", "end"})
BLENDED: Final = frozenset({"read_only", "ask", "refuse", "policy"})
REPLAN: Final = frozenset({"refuse", "ask"})
MINUTE: Final = 60_000
LONGEST: Final = 24 * 60 * MINUTE


class Brief(Record, frozen=True, kw_only=True, tag_field="noun", tag="brief"):
    """What one kind of task may ever do. Owned by the operator; an agent never writes one.

    Times are milliseconds. `bearer_life` is how long a credential may last that is bound to no key; 0 gives none.
    `dispatchers` are person and service ids, or `group:NAME`; an agent cannot be one. `depth`
    is how many levels of child tasks may hang below a task; `reverse` are the requests from server to client that may
    pass; `approval` is how its asks are put to people; `unplanned` what an act outside the plan does to the task:
    nothing (`refuse`), it is suspended until a dispatcher resumes it (`hold`), or it ends (`end`). `replan` says what
    becomes of a plan that is wider than the one in force or goes another path, once what that one gave has ended; the
    groups in `approvers` are asked for what the brief itself asks; `path_approvers` names others for
    what is done by one trust path (law 2). `subagents` may be given child tasks and nothing
    else. `budget` is the most that one errand may reach and use in all. `lineage` is the rule of who must vouch for
    what. `blended` is what holds for an errand that has used both paths: it only reads (`read_only`), its writes are
    asked about (`ask`), the other path is refused (`refuse`), or policy alone says (`policy`).
    `fresh` says how old a sign-in, an attestation and the last sight of the owner may be. One that is only proposed may
    lack its steps; in force it never does.
    """

    name: str
    version: int
    purpose: str
    steps: tuple[Step, ...]
    dispatchers: tuple[str, ...]
    agents: tuple[str, ...]
    domains: tuple[str, ...]
    life: int = 60 * MINUTE
    idle: int = 10 * MINUTE
    credential_life: int = 5 * MINUTE
    bearer_life: int = 2 * MINUTE
    depth: int = 0
    reverse: tuple[str, ...] = ()
    approval: Terms = Terms()
    unplanned: str = "refuse"
    replan: str = "refuse"
    approvers: tuple[str, ...] = ()
    path_approvers: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - msgspec copies it
    subagents: tuple[str, ...] = ()
    budget: Budget | None = None
    lineage: Rules | None = None
    blended: str = "read_only"
    fresh: Freshness = Freshness()
    state: str = "live"

    def __post_init__(self) -> None:
        ids.name("brief", self.name)
        for domain in self.domains:
            ids.name("data domain", domain)
        for agent in (*self.agents, *self.subagents):
            ids.parse("agt", agent)
        for one in self.dispatchers:
            if one.startswith("group:"):
                ids.name("group", one[6:])
            elif not one.startswith("agt_"):
                ids.parse(one[:3] if one[:3] in ("per", "svc") else "per", one)
            else:
                raise _invalid(
                    "An agent can never dispatch.", "List persons, services or groups as dispatchers (law 4)."
                )
        for step in self.steps:
            split(step.action)
        bare = not self.steps and self.state not in UNUSED
        if bare or not self.dispatchers or not self.agents or not self.domains:
            raise _invalid("A brief needs steps, dispatchers, agents and data domains.", "Add the part that is empty.")
        if (
            self.version < 1
            or self.state not in LIFE.table
            or not set(self.reverse) <= REVERSE
            or self.unplanned not in UNPLANNED
            or not 0 <= self.depth <= 8
        ):
            raise _invalid(
                "Its version, state, depth, reverse kinds or unplanned rule are out of range.",
                "See docs/spec/brief.md.",
            )
        _rules(self)
        if not self._timed:
            raise _invalid(
                "Its times do not fit into each other.",
                "Keep credential_life and idle within life, life within 7 days, bearer_life from 0 to a day.",
            )

    @property
    def _timed(self) -> bool:
        whole = 0 < self.credential_life <= self.life <= 7 * 24 * 60 * MINUTE and 0 < self.idle <= self.life
        return whole and 0 <= self.bearer_life <= LONGEST

    def gives(self, agent: str, *, child: bool) -> bool:
        """Say whether this agent may have a task of this brief, or a child task of one."""
        return agent in self.agents or (child and agent in self.subagents)

    def asked(self, paths: Iterable[TrustPath]) -> tuple[str, ...]:
        """The groups that are asked about what is done by these paths: each path's own, else the brief's."""
        named = [group for path in paths for group in self.path_approvers.get(path.value, self.approvers)]
        return tuple(sorted(set(named))) if self.path_approvers else self.approvers

    def dispatched_by(self, principal: str, person: Person | None) -> bool:
        """Say whether this principal may open tasks of this brief."""
        if principal in self.dispatchers:
            return True
        return person is not None and any(f"group:{group}" in self.dispatchers for group in person.groups)


def _rules(one: Brief) -> None:
    """Refuse rules that are none, and a brief that asks people without naming them."""
    if one.replan not in REPLAN or one.blended not in BLENDED:
        raise _invalid("Its replan or blended rule is out of range.", "See docs/spec/brief.md.")
    for group in one.approvers:
        ids.name("group", group)
    for path, groups in one.path_approvers.items():
        if path not in list(TrustPath) or not groups or len(set(groups)) != len(groups):
            raise _invalid(
                "A path's approvers are not named, or twice.", "Name groups for own or delegated, each once."
            )
        for group in groups:
            ids.name("group", group)
    asks = "ask" in (one.replan, one.blended) or (one.budget is not None and one.budget.over == "ask")
    if len(set(one.approvers)) != len(one.approvers) or (asks and not one.approvers):
        raise _invalid("It asks people and names none, or one twice.", "Name the groups in approvers, each once.")


def _invalid(why: str, remedy: str) -> RemitError:
    return RemitError("brief_invalid", f"This brief was refused. {why}", remedy)

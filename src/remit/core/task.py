"""Task and Plan: one errand under a brief, and the versioned steps that it is given."""

from typing import Final

import msgspec

from remit.core import ids
from remit.core.canonical import b64, digest
from remit.core.errors import RemitError
from remit.core.grant import Step
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.record import Record

LIFE: Final = Lifecycle(
    "task",
    {
        "open": {"planned": "open", "blended": "open", "suspended": "suspended", "ended": "ended"},
        "suspended": {"resumed": "open", "admitted": "open", "ended": "ended"},
        "ended": {},
    },
)
HELD: Final = ("", "unplanned", "unproven", "reach")
"""Why a task is suspended: an act outside its plan, an end that is not proven yet, a reach that waits for a yes."""
ENDS: Final = (
    "complete",
    "idle",
    "deadline",
    "revoked",
    "parent",
    "agent",
    "owner",
    "person",
    "plan",
    "fault",
    "refused",
    "unwatched",
)


class Task(Record, frozen=True, kw_only=True, tag_field="noun", tag="task"):
    """One errand. Everything that is given for it ends with it; an ended task never lives again.

    `consent` is the person's yes that it and everything below it rests on, empty where it was opened otherwise.
    `requester` is the principal that dispatched it; `person` is who the delegated path acts for, empty when there is
    none. `held` says why it is suspended; `lifted` in which parts of the brief's budget people let it go beyond, and
    `admitted` by which approval it was opened; `blended` since when its errand has used both paths. `request` is the
    salted digest of the words of the request, which lie beside it. One that is `watched` ends when whoever runs
    its command was not heard from for a minute (control/run).
    """

    id: str
    brief: str
    agent: str
    requester: str
    opened: Instant
    deadline: Instant
    idle: int
    plan: int = 0
    person: str = ""
    parent: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    purpose: str = ""
    state: str = "open"
    consent: str = ""
    because: str = ""
    held: str = ""
    lifted: tuple[str, ...] = ()
    admitted: str = ""
    request: str = ""
    blended: Instant = Instant(0)
    watched: bool = False

    def __post_init__(self) -> None:
        ids.parse("tsk", self.id)
        ids.name("brief", self.brief)
        ids.parse("agt", self.agent)
        if self.person:
            ids.parse("per", self.person)
        if self.parent:
            ids.parse("tsk", self.parent)
        if self.consent:
            ids.parse("con", self.consent)
        instant(self.opened)
        instant(self.deadline)
        if self.requester.startswith("agt_"):
            raise RemitError(
                "task_invalid", "An agent cannot open a task.", "Let a dispatcher of the brief open it (law 4)."
            )
        if self.opened >= self.deadline or self.idle <= 0 or self.state not in LIFE.table:
            raise RemitError(
                "task_invalid", "This task's times or state do not fit.", "Give a deadline after its opening."
            )
        if len(self.labels) > 16 or any(len(k) > 40 or len(v) > 200 for k, v in self.labels.items()):
            raise RemitError(
                "task_invalid", "It has too many or too long labels.", "Use up to 16 labels of up to 200 characters."
            )
        if self.held not in HELD or (self.held and self.state == "open"):
            raise RemitError("task_invalid", "This is not why a task is held.", "Report this: it is a defect in Remit.")
        if self.because and self.because not in ENDS:
            raise RemitError("task_invalid", "This is not a reason to end.", f"Use one of {', '.join(ENDS)}.")


class Plan(Record, frozen=True, kw_only=True, tag_field="noun", tag="plan"):
    """One version of a task's steps. `sources` names, for each step, the brief's step that covers it.

    `moved` is what it is against the version before (see core/replan), empty for the first; `approval` the yes that it
    rests on; `because` the code with which another plan was refused or put off, where this one only goes on with the
    steps before.
    """

    task: str
    version: int
    steps: tuple[Step, ...]
    sources: tuple[int, ...]
    at: Instant
    moved: str = ""
    approval: str = ""
    because: str = ""

    def __post_init__(self) -> None:
        ids.parse("tsk", self.task)
        if self.version < 1 or len(self.steps) != len(self.sources) or not 1 <= len(self.steps) <= 200:
            raise RemitError("plan_invalid", "A plan has 1 to 200 steps.", "Send between 1 and 200 steps.")

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical steps, in base64url."""
        return b64(digest([step.to_json() for step in self.steps]))

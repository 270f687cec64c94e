"""The model that law 1 is held against: what has happened, in order, and from it alone what is still live.

Nothing here follows a cascade: whether a call may happen is worked out from the acts themselves each time. It knows one
resource, one brief and a call that every plan of this world holds on its path.
"""

from dataclasses import dataclass, field

DAY = 24 * 60 * 60 * 1000


@dataclass
class Errand:
    id: str
    agent: str
    requester: str
    person: str
    parent: str
    born: int
    deadline: int
    active: int
    plan: int = 1
    moved: int = 0


@dataclass
class Paper:
    id: str
    task: str
    plan: int
    path: str
    issued: int
    expires: int
    key: str


@dataclass
class Model:
    """`acts` counts; each end is remembered by the number of the act that brought it."""

    idle: int
    acts: int = 0
    tasks: dict[str, Errand] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)
    ended: dict[tuple[str, str], int] = field(default_factory=dict)
    stopped: dict[str, list[int]] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    since: dict[str, int] = field(default_factory=dict)
    pinned: bool = True
    permits: bool = True
    gone_keys: dict[str, int] = field(default_factory=dict)

    def act(self) -> int:
        self.acts += 1
        return self.acts

    def over(self, kind: str, target: str) -> bool:
        return (kind, target) in self.ended

    def why_not(self, paper: Paper, now: int) -> str:
        """Why a call with this credential may not happen now; empty when it may."""
        task = self.tasks[paper.task]
        checks = {
            "credential revoked": self.over("credential", paper.id),
            "credential expired": not paper.issued <= now < paper.expires,
            "key retired": now >= self.gone_keys.get(paper.key, now + 1),
            "path closed": paper.path in self.closed or paper.issued <= self.since.get(paper.path, -1),
            "plan moved": paper.plan != task.plan,
            "task idle": now - task.active >= self.idle,
            "review overdue": now >= self.due[task.agent],
            "agent stopped": task.agent not in self.active,
            "owner left": self.over("person", self.owners[task.agent]),
            "person left": paper.path == "delegated" and self.over("person", task.person),
            "brief withdrawn": self.over("brief", "notes"),
            "agent not listed": task.agent not in self.listed,
            "resource removed": self.over("resource", "notes"),
            "tool suspended": not self.pinned,
            "no policy permits": not self.permits,
            **self._errands(task, now),
        }
        return ", ".join(name for name, wrong in checks.items() if wrong)

    def _errands(self, task: Errand, now: int) -> dict[str, bool]:
        found, below = {}, None
        one: Errand | None = task
        while one is not None:
            found |= {
                f"task {one.id} revoked": self.over("task", one.id),
                f"deadline of {one.id}": now >= one.deadline,
                f"requester of {one.id} left": self.over("person", one.requester),
                f"person of {one.id} left": bool(one.person) and self.over("person", one.person),
                f"agent of {one.id} was stopped": any(act > one.born for act in self.stopped.get(one.agent, ())),
                f"plan above {below.id if below else ''} moved": below is not None and one.moved > below.born,
            }
            below, one = one, self.tasks.get(one.parent)
        return found

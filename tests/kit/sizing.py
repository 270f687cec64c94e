"""A random but repeatable past under one brief, to right-size: tasks, plans, children, calls, asks, ends, erasures."""

import random
from typing import Any

from remit.control import approval, brief, credential, policy, task
from remit.control.authority import Authority
from remit.core.answer import Deny
from remit.core.approval import Approval
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.core.record import changed
from remit.core.step import Step
from remit.core.trust import TrustPath
from remit.store import payload
from tests.kit.world import World

LOCKS = (
    {"any": True}, {"subpath": "/notes"}, {"subpath": "/notes/a"}, {"prefix": "/notes/"}, {"prefix": "/notes/b"},
    {"one_of": ["/notes/a/1", "/notes/b/1"]}, {"max_length": 12},
)  # fmt: skip
SUMS = ({"any": True}, {"range": {"min": 0, "max": 50}}, {"range": {"max": 5}}, {"one_of": [1, 2, 3]})
ASKS = {
    "ask.cedar": '@id("ask") @ask("ops") permit(principal, action == Action::"mcp:notes/write_note", resource)'
    ' when { context.args has path && context.args.path like "*/ask" };'
    '\n@id("rest") permit(principal, action in Action::"mcp:notes", resource)'
    ' unless { context.args has path && context.args.path like "*/ask" };'
    '\n@id("no-wipe") forbid(principal, action == Action::"mcp:notes/wipe", resource);'
}


class Past:
    """What happened in one world, by chance alone."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.rng = world, random.Random(seed)
        self.papers: list[Any] = []
        self.tasks: list[Any] = []
        self.permits: list[Permit] = []
        self.calls: list[str] = []
        self.waiting: list[tuple[str, Any, Call]] = []

    def begin(self) -> "Past":
        """Put a brief of random steps in force, and policies of which one asks."""
        world, rng = self.world, self.rng
        world.act(lambda c: policy.apply(c, {"common": ASKS, "delegated": {}, "own": {}}, 1, "operator"))
        steps = tuple(self.a_step() for _ in range(rng.randint(2, 6)))
        self.brief = world.act(lambda c: brief.apply(c, world.a_brief(steps=steps), "operator"))
        return self

    def a_step(self) -> Step:
        """One step, by chance."""
        rng, form = self.rng, {}
        kind = rng.choice(["read_note"] * 4 + ["write_note"] * 4 + ["wipe"])
        form["action"], form["path"] = f"mcp:notes/{kind}", rng.choice(["own", "own", "delegated"])
        if kind != "wipe":
            form["arguments"] = {"path": [rng.choice(LOCKS[:2])]}
        if kind == "write_note":
            form["arguments"] |= {"text": [{"any": True}], "amount": [rng.choice(SUMS[:2])]}
            form["optional"] = ["text", "amount"]
        if rng.random() < 0.4:
            form["uses"] = rng.randint(2, 5)
        if rng.random() < 0.3:
            form["rows"] = {"max": rng.randint(3, 20)}
        if rng.random() < 0.2:
            form["rate"] = {"count": rng.randint(1, 4), "seconds": rng.randint(1, 60)}
        if kind == "write_note" and rng.random() < 0.4:
            form["totals"] = [{"argument": "amount", "max": str(rng.randint(5, 60))}]
            form["optional"] = ["text"]
        return Step.from_json(form)

    def go(self, acts: int, wait: Any) -> "Past":
        """So many acts; `wait` lets so many milliseconds pass."""
        for _ in range(acts):
            wait(self.rng.randint(1, 9_000))
            try:
                self.act()
            except RemitError:
                continue
        return self

    def act(self) -> None:
        """One act."""
        chance = self.rng.random()
        if chance < 0.08 or not self.papers:
            self.opens()
        elif chance < 0.80:
            self.calls_once()
        elif chance < 0.86:
            self.notes()
        elif chance < 0.90:
            self.answers()
        elif chance < 0.93:
            self.erases()
        elif chance < 0.96:
            self.replans()
        elif chance < 0.98:
            gone = self.rng.choice(self.tasks)
            self.world.act(lambda c: task.end(c, gone.id, "complete", "operator"))
        else:
            self.rewrites()

    def opens(self) -> None:
        """A task, or a child of one; with the brief's steps, or some of them made narrower."""
        rng, world = self.rng, self.world
        given: dict[str, Any] = {"brief": "notes", "agent": world.agent.id}
        who = rng.choice([world.owner, world.person]).id
        if self.tasks and rng.random() < 0.3:
            above = rng.choice(self.tasks)
            given |= {"parent": above.id, "person": above.person}
            who = above.requester
        if rng.random() < 0.4:
            given["steps"] = tuple(self.less(one) for one in rng.sample(self.brief.steps, rng.randint(1, 2)))
        opened = world.act(lambda c: task.open_task(c, requester=who, by=who, **given))
        self.tasks.append(opened)
        self.paper(opened)

    def paper(self, one: Any) -> None:
        """A credential of a task, for either path."""
        path = self.rng.choice([TrustPath.OWN, TrustPath.OWN, TrustPath.DELEGATED])
        person = one.person if path is TrustPath.DELEGATED else ""
        given = {"task_id": one.id, "agent_id": self.world.agent.id, "path": path, "person_id": person}
        held = self.world.act(lambda c: credential.give(c, **given))
        self.papers.append(self.world.enter(held.text))

    def calls_once(self) -> None:
        """One call, which may be refused."""
        rng, entry = self.rng, self.rng.choice(self.papers[-2:])
        near = [one.action.rpartition("/")[2] for one in self.brief.steps if one.path is entry.path]
        kind = rng.choice([*near, *near, "read_note", "write_note", "wipe", "@list"])
        given: dict[str, Any] = {}
        if kind in ("read_note", "write_note"):
            given["path"] = f"/notes/{rng.choice('abc')}/{rng.choice(['1', '2', 'x', 'ask'])}"
        if kind == "write_note" and rng.random() < 0.8:
            given |= {"amount": rng.randint(0, 9), "text": "t" * rng.randint(0, 9)}
        call = Call(f"mcp:notes/{kind}", given)
        found = self.world.decide(call, entry)
        if isinstance(found, Permit):
            self.permits.append(found)
            self.calls.append(found.call)
        elif isinstance(found, Deny) and found.approval:
            self.waiting.append((found.approval, entry, call))

    def notes(self) -> None:
        """An outcome."""
        permit = self.permits.pop(self.rng.randrange(len(self.permits))) if self.permits else None
        if permit is not None:
            self.world.note(permit, result=self.rng.choice(["ok", "ok", "error"]), rows=self.rng.randint(0, 4))

    def answers(self) -> None:
        """A person's yes or no, and the same call again."""
        if not self.waiting:
            return
        identity, entry, call = self.waiting.pop()
        person = self.world.owner.id
        one = self.world.act(lambda c: c.need(Approval, identity))
        yes = self.rng.random() < 0.7
        self.world.act(lambda c: approval.answer(c, identity, person, yes=yes, shown=one.shown, via="test"))
        self.world.decide(call, entry)

    def erases(self) -> None:
        """The values of one call go."""
        if self.calls:
            gone = self.rng.choice(self.calls)
            self.world.act(lambda c: (c.keep(), payload.erase(c.db, gone)))

    def replans(self) -> None:
        """A narrower plan, and a credential for it."""
        one = self.rng.choice(self.tasks)
        steps = tuple(self.less(step) for step in self.rng.sample(self.brief.steps, 1))
        self.world.act(lambda c: task.plan(c, one.id, steps, "operator"))
        self.paper(one)

    def rewrites(self) -> None:
        """Another version of the brief: a step more, or other steps first."""
        steps = [*self.brief.steps]
        self.rng.shuffle(steps)
        if self.rng.random() < 0.5 and len(steps) < 8:
            steps.append(self.a_step())
        wanted = self.world.a_brief(steps=tuple(steps))
        self.brief = self.world.act(lambda c: brief.apply(c, wanted, "operator"))

    def less(self, step: Step) -> Step:
        """The same step, or one with less in it."""
        form, rng = step.to_json(), self.rng
        if "path" in form.get("arguments", {}) and rng.random() < 0.5:
            form["arguments"]["path"] = [*form["arguments"]["path"], rng.choice(LOCKS)]
        if "amount" in form.get("arguments", {}) and rng.random() < 0.3:
            form["arguments"]["amount"] = [*form["arguments"]["amount"], rng.choice(SUMS)]
        if rng.random() < 0.4:
            form["uses"] = min(form.get("uses", 9), rng.randint(1, 3))
        return Step.from_json(form)

    def a_proposal(self) -> tuple[Brief, tuple[int, ...]]:
        """Some brief that is no wider, and where each step went."""
        steps: list[Step] = []
        moved: list[int] = []
        for one in self.brief.steps:
            goes = self.rng.random() < 0.25
            moved.append(-1 if goes else len(steps))
            if not goes:
                steps.append(self.less(one))
        if not steps:
            return self.brief, tuple(range(len(self.brief.steps)))
        return changed(self.brief, steps=tuple(steps)), tuple(moved)


def sized(authority: Authority) -> int:
    """How many entries the ledger has."""
    from remit.store import log

    return log.newest(authority.db).size

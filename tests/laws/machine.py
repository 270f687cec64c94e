"""The state machine of law 1: two authorities on one store take turns; a model of what happened judges each answer."""

import tempfile
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from remit.control import agent, brief, credential, key, policy, resource, revocation, sweep, task
from remit.core.errors import RemitError
from remit.core.permit import Entry, Permit
from remit.core.receipt import decode
from remit.core.record import changed
from remit.core.trust import TrustPath
from remit.custody.signer import TOKEN_PURPOSES
from remit.store.log import newest
from remit.store.opening import open_db
from tests.kit import stores
from tests.kit.hours import Hours
from tests.kit.live import DAY, Errand, Model, Paper
from tests.kit.world import COMMON, TOOLS, World, read_call

IDLE = 2 * 60_000
SOME = st.integers(0, 5)
STEPS = (0, 999, 1_000, 30_000, IDLE - 1, IDLE, 4 * 60_000, 5 * 60_000, 60 * 60_000)
OTHER = {**TOOLS["read_note"], "description": "Changed upstream."}
SILENT = {"base.cedar": '@id("none") permit(principal, action == Action::"mcp:notes/wipe", resource);'}


class Machine(RuleBasedStateMachine):
    """`allowed` and `refused` count over all runs, so that a test can see that both happened."""

    kind = "sqlite"
    allowed = 0
    refused = 0
    reasons: ClassVar[set[str]] = set()

    @initialize()
    def open(self):
        self.folder = tempfile.TemporaryDirectory()
        self.hours = Hours()
        place = stores.place(self.kind, Path(self.folder.name) / "store")
        first = World(place, self.hours.clock()).settle()
        second = World(place, self.hours.clock())
        second.owner, second.person, second.agent = first.owner, first.person, first.agent
        self.worlds = (first, second)
        self.reader = open_db(stores.where(place))
        self.model = Model(idle=IDLE)
        bot = first.agent.id
        self.model.active.add(bot)
        self.model.listed.add(bot)
        self.model.owners[bot] = first.owner.id
        self.model.due[bot] = first.agent.review_due
        self.bot, self.turn = bot, 0
        self.people = (first.owner.id, first.person.id)
        self.starts_anew(0)

    @rule(who=st.integers(0, 1))
    def starts_anew(self, who):
        """Put right what can be put right, and give out credentials on both paths."""
        self.opens_a_path(TrustPath.OWN)
        self.opens_a_path(TrustPath.DELEGATED)
        self.pins_again()
        self.applies_policies(COMMON)
        self.changes_the_brief(True)
        self.reviews(30 * DAY)
        self.hours.pass_by(1_000)
        self.opens_a_task(who, None)
        if self.model.tasks:
            self.issues(0, TrustPath.OWN)
            self.issues(0, TrustPath.DELEGATED)

    @rule(who=st.integers(0, 1), which=st.integers(0, 11))
    def one_thing_ends(self, who, which):
        """Everything is right but for one thing."""
        self.starts_anew(who)
        ends = (
            lambda: self.changes_the_brief(False), lambda: self.revokes("path", 0), lambda: self.revokes("path", 1),
            lambda: self.reopens("own"), lambda: self.reopens("delegated"), self.turns_overdue,
            lambda: self.sees_the_tools(False), lambda: self.retires_a_key(TrustPath.OWN),
            lambda: self.revokes("agent", 0),
            lambda: self.time_goes_by(IDLE), lambda: self.applies_policies(SILENT), lambda: self.moves_a_plan(0),
        )  # fmt: skip
        ends[which]()

    def reopens(self, path):
        self.revoke("path", path)
        self.opens_a_path(TrustPath(path))

    def turns_overdue(self):
        self.reviews(20_000)
        self.time_goes_by(20_000)

    @invariant()
    def every_answer_is_right(self):
        if hasattr(self, "model"):
            for paper in list(self.model.papers.values())[-3:]:
                self.call(paper)

    def teardown(self):
        for one in self.worlds:
            one.close()
        self.reader.close()
        self.folder.cleanup()

    @property
    def now(self):
        return self.hours.wall

    def next(self):
        """The authority whose turn it is."""
        self.turn += 1
        return self.worlds[self.turn % 2]

    def do(self, work):
        """Do control work on the next authority; None when it was refused."""
        try:
            return self.next().act(work)
        except RemitError:
            return None

    def pick(self, held, number):
        return list(held.values())[-1 - number % len(held)]

    @rule(who=st.integers(0, 1), below=st.none() | SOME)
    def opens_a_task(self, who, below):
        parent = self.pick(self.model.tasks, below) if below is not None and self.model.tasks else None
        requester = parent.requester if parent else self.people[who]
        given = {"parent": parent.id, "person": parent.person} if parent else {}
        born = self.model.act()
        found = self.do(
            lambda c: task.open_task(c, brief="notes", agent=self.bot, requester=requester, by=requester, **given)
        )
        if found:
            self.model.tasks[found.id] = Errand(
                found.id, self.bot, found.requester, found.person, found.parent, born, found.deadline, found.opened
            )

    @precondition(lambda self: self.model.tasks)
    @rule(number=SOME)
    def moves_a_plan(self, number):
        one = self.pick(self.model.tasks, number)
        world = self.worlds[0]
        narrower = tuple(s for s in world.a_brief().steps if s.action == "mcp:notes/read_note")
        moved = self.model.act()
        made = self.do(lambda c: task.plan(c, one.id, narrower, self.bot))
        if made:
            one.plan, one.moved = made.version, moved

    @precondition(lambda self: self.model.tasks)
    @rule(number=SOME, path=st.sampled_from(list(TrustPath)))
    def issues(self, number, path):
        one = self.pick(self.model.tasks, number)
        person = one.person if path is TrustPath.DELEGATED else ""
        found = self.do(lambda c: credential.give(c, task_id=one.id, agent_id=self.bot, path=path, person_id=person))
        if found:
            paper = found.credential
            self.model.papers[paper.id] = Paper(
                paper.id, one.id, paper.plan, path.value, paper.issued, paper.expires, paper.key
            )

    @precondition(lambda self: self.model.papers)
    @rule(number=SOME, times=st.integers(1, 2))
    def calls(self, number, times):
        for _ in range(times):
            self.call(self.pick(self.model.papers, number))

    @precondition(lambda self: self.model.papers)
    @rule(number=SOME)
    def calls_again(self, number):
        self.call(self.pick(self.model.papers, number))

    def call(self, paper):
        world = self.next()
        entry = Entry(paper.id, paper.task, self.bot, TrustPath(paper.path), "notes")
        why, answers = self.model.why_not(paper, self.now), []

        def done(answer):
            # Read now, while the answer is being given: a moment later it might be there.
            answers.append(answer)
            if isinstance(answer, Permit):
                answers.append(self.undurable(answer))

        world.gate.decide(read_call(), entry, "", done)
        assert not answers[1:] or not answers[1], answers[1]
        allowed = isinstance(answers[0], Permit)
        assert not (allowed and why), f"a call was allowed although: {why}"
        assert allowed or why, f"a call was refused that nothing stands against: {answers[0]}"
        if not allowed:
            type(self).refused += 1
            type(self).reasons |= {answers[0].code}
            return
        type(self).allowed += 1
        self.model.tasks[paper.task].active = self.now
        world.note(answers[0])

    def undurable(self, permit):
        """What another connection does not find of a permit's decision in the ledger; empty when all is there."""
        row = self.reader.one("SELECT body FROM leaf WHERE number = ?", (permit.leaf,))
        if row is None:
            return "a permit was given whose leaf is not durable"
        receipt = decode(bytes(row[0]))
        if (receipt["call"], receipt["decision"]) != (permit.call, "allow"):
            return "the permit's leaf is another's"
        return "" if newest(self.reader).size > permit.leaf else "a permit was given that no signed head covers"

    @rule(kind=st.sampled_from(["task", "credential", "task", "credential", "agent", "path"]), number=SOME)
    def revokes(self, kind, number):
        held = {"task": self.model.tasks, "credential": self.model.papers}.get(kind, {})
        if kind in ("task", "credential") and not held:
            return
        target = {"agent": self.bot, "path": ("own", "delegated")[number % 2]}.get(kind)
        self.revoke(kind, target or self.pick(held, number).id)

    @rule(number=st.integers(0, 11))
    def ends_for_good(self, number):
        """Rare, since little happens afterwards: a person leaves, the brief is withdrawn, the resource is removed."""
        if number < 4:
            what = (("person", self.people[0]), ("person", self.people[1]), ("brief", "notes"), ("resource", "notes"))
            self.revoke(*what[number])

    def revoke(self, kind, target):
        act = self.model.act()
        if self.do(lambda c: revocation.revoke(c, kind, target, "operator")) is None:
            return
        if kind == "path":
            self.model.closed.add(target)
        elif kind == "agent":
            self.stop(act)
        else:
            self.model.ended[kind, target] = act
            if kind == "person" and self.model.owners[self.bot] == target and self.bot in self.model.active:
                self.stop(act)

    def stop(self, act):
        self.model.active.discard(self.bot)
        self.model.stopped.setdefault(self.bot, []).append(act)

    @rule(path=st.sampled_from(list(TrustPath)))
    def opens_a_path(self, path):
        if path.value in self.model.closed:
            opened = self.do(lambda c: revocation.open_path(c, path, "operator"))
            self.model.closed.discard(path.value)
            self.model.since[path.value] = opened.since

    @rule(life=st.sampled_from([20_000, 60_000, 30 * DAY]))
    def reviews(self, life):
        due = self.now + life
        if self.do(lambda c: agent.review(c, self.bot, due, "operator")):
            self.model.active.add(self.bot)
            self.model.due[self.bot] = due

    @rule(who=st.integers(0, 1))
    def transfers(self, who):
        if self.do(lambda c: agent.transfer(c, self.bot, self.people[who], "operator")):
            self.model.owners[self.bot] = self.people[who]

    @rule(step=st.sampled_from(STEPS))
    def time_goes_by(self, step):
        self.hours.pass_by(step)

    @rule()
    def sweeps(self):
        self.do(sweep.sweep)

    @rule(listed=st.sampled_from([True, True, False]))
    def changes_the_brief(self, listed):
        world = self.worlds[0]
        bots = (self.bot,) if listed else (self.other(),)
        wider = changed(world.a_brief(), agents=bots, idle=IDLE, bearer_life=world.a_brief().credential_life)
        if self.do(lambda c: brief.apply(c, wider, "operator")):
            self.model.listed = set(bots)

    def other(self):
        """Another agent, which no task is given to."""
        if not hasattr(self, "second"):
            self.second = self.worlds[0].act(
                lambda c: agent.add(
                    c, name="other", owner=self.fresh_owner(c), purpose="Waits.", review_due=self.now + DAY,
                    ceiling=(), keys=(), by="operator",
                )
            ).id  # fmt: skip
        return self.second

    def fresh_owner(self, change):
        from remit.control.principal import add_person

        return add_person(change, "local", "otto", "Otto Other", (), "operator").id

    @rule(text=st.sampled_from([COMMON, SILENT]))
    def applies_policies(self, text):
        if self.do(lambda c: policy.apply(c, {"common": text, "delegated": {}, "own": {}}, 1, "operator")) is not None:
            self.model.permits = text is COMMON

    @rule(same=st.booleans())
    def sees_the_tools(self, same):
        offered = {"read_note": TOOLS["read_note"] if same else OTHER}
        if self.do(lambda c: resource.differing(c, "notes", offered)) is not None and not same:
            self.model.pinned = False

    @rule()
    def pins_again(self):
        if self.do(lambda c: resource.pin_tool(c, "notes", "read_note", TOOLS["read_note"], "operator", reads=False)):
            self.model.pinned = True

    @rule(path=st.sampled_from(list(TrustPath)))
    def retires_a_key(self, path):
        """At once, as after a leak; what it signed is dead from then on."""

        def work(change):
            signer = change.authority.signer
            signer.reload()
            kid = signer.active(TOKEN_PURPOSES[path]).kid
            key.rotate(change, TOKEN_PURPOSES[path], "operator")
            signer.retire(kid, change.now)
            key.sync(change, "operator")
            return kid

        kid = self.worlds[0].act(work)
        self.worlds[1].authority.signer.reload()
        self.model.gone_keys[kid] = self.now


class Shared(Machine):
    """The same on the store that nodes share."""

    kind = "postgresql"
    allowed = 0
    refused = 0
    reasons: ClassVar[set[str]] = set()

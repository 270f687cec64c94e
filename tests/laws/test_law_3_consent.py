"""Law 3, of consent: no sequence of consents, exchanges, refreshes, plans and ends gives what person or agent lacks."""

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from remit.control import brief, principal, revocation, task
from remit.core.call import Call
from remit.core.consent import Consent
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.core.principal import Person
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.store.record import Reader
from tests.kit.consenting import consenting
from tests.kit.hours import Hours
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, steps

RUN = settings(
    max_examples=12, stateful_step_count=30, derandomize=True, database=None, deadline=None,
    report_multiple_bugs=False, suppress_health_check=list(HealthCheck), phases=[Phase.generate], print_blob=False,
)  # fmt: skip
READ, WRITE, WIPE = "mcp:notes/read_note", "mcp:notes/write_note", "mcp:notes/wipe"
CALLS = (
    Call(READ, {"path": "/notes/a"}),
    Call(READ, {"path": "/notes/b"}),
    Call(WRITE, {"path": "/notes/a", "text": "t"}),
)
WISHES = (
    ((), ""), ((READ,), "/notes/a"), ((READ,), ""), ((READ, WRITE), "/notes/b"), ((WRITE,), ""), ((READ,), "/etc"),
)  # fmt: skip
"""Actions, and the parameter `path`."""
SOME = st.integers(0, 4)


class Door(RuleBasedStateMachine):
    """The model knows what each consent was to, and what ended since; it follows no cascade."""

    allowed = 0
    refused = 0

    @initialize()
    def open(self):
        self.folder = tempfile.TemporaryDirectory()
        self.hours = Hours()
        self.world = World(Path(self.folder.name), self.hours.clock()).settle()
        self.pia = consenting(self.world)
        self.listed, self.steps = True, {READ, WRITE, WIPE}
        self.codes, self.tokens, self.papers = [], [], []
        self.gave, self.only, self.dead, self.used = {}, {}, set(), set()

    def teardown(self):
        if hasattr(self, "world"):
            self.world.close()
            self.folder.cleanup()

    @rule(asked=st.sampled_from(WISHES))
    def authorizes(self, asked):
        actions, only = asked
        wish = {"actions": actions, "parameters": {"path": only} if only else {}}
        offers = self.pia.offers(**wish)
        may = self.listed and set(actions or self.steps) <= self.steps and only != "/etc"
        assert bool(offers) <= may, "a consent was on offer that the person or the brief does not hold"
        if not offers:
            return
        given = self.pia.give(offers[0].digest, **wish)
        self.only[given.consent.id] = only
        self.gave[given.consent.id] = set(actions or self.steps)
        self.codes.append((given.code, given.consent))

    @precondition(lambda self: self.codes)
    @rule(number=SOME, good=st.booleans())
    def redeems(self, number, good):
        code, consent = self.codes[-1 - number % len(self.codes)]
        answer = self.pia.redeem(code, **({} if good else {"verifier": "w" * 43}))
        self.came(answer, code, consent)
        if code in self.used or not good:
            assert isinstance(answer, RemitError), "a code counted twice, or without its verifier"
        if code in self.used:
            self.dead.add(consent.id)
        self.used.add(code)

    @rule(asked=st.sampled_from(WISHES))
    def is_given(self, asked):
        """From the question to the credential, so that there is something to go wrong."""
        before = len(self.codes)
        self.authorizes(asked=asked)
        if len(self.codes) > before:
            self.redeems(number=0, good=True)

    @precondition(lambda self: self.tokens)
    @rule(number=SOME)
    def refreshes(self, number):
        text, consent = self.tokens[-1 - number % len(self.tokens)]
        answer = self.pia.renew(text)
        self.came(answer, text, consent)
        if text in self.used:
            assert isinstance(answer, RemitError), "a refresh token counted twice"
            self.dead.add(consent.id)
        self.used.add(text)

    def came(self, answer, text, consent):
        if isinstance(answer, RemitError):
            return
        made, following = answer
        assert consent.id not in self.dead, "something was given for a consent that is ended"
        assert made.credential.path is TrustPath.DELEGATED, "a consent gave the other path"
        assert (made.credential.subject, made.credential.agent) == (self.world.person.id, self.world.agent.id)
        assert made.credential.task == consent.task
        self.tokens.append((following, consent))
        self.papers.append((made, consent))

    @precondition(lambda self: self.papers)
    @rule(number=SOME, kept=st.sampled_from([1, 2, 3]), path=st.sampled_from(list(TrustPath)))
    def plans(self, number, kept, path):
        """A plan of any kind: narrower is taken, and anything beyond the consent is refused."""
        _, consent = self.papers[-1 - number % len(self.papers)]
        wanted = steps(path)[:kept]
        try:
            self.world.act(lambda c: task.plan(c, consent.task, wanted, "agent"))
        except RemitError:
            return
        beyond = {one.action for one in wanted} - self.gave[consent.id]
        assert not beyond, f"a plan went beyond the consent: {beyond}"
        assert path is TrustPath.DELEGATED, "a plan went to the other path"

    @precondition(lambda self: self.codes)
    @rule(number=SOME, kind=st.sampled_from(["consent", "task"]))
    def ends(self, number, kind):
        _, consent = self.codes[-1 - number % len(self.codes)]
        target = consent.id if kind == "consent" else consent.task
        with suppress(RemitError):
            self.world.act(lambda c: revocation.revoke(c, kind, target, "operator"))
        self.dead.add(consent.id)

    @rule(listed=st.booleans(), kept=st.sampled_from([1, 2, 3, 3]))
    def changes_the_brief(self, listed, kept):
        people = (self.world.person.id,) if listed else (self.world.owner.id,)
        narrower = self.world.a_brief(dispatchers=people, steps=steps(TrustPath.DELEGATED)[:kept])
        self.world.act(lambda c: brief.apply(c, narrower, "operator"))
        self.listed, self.steps = listed, {one.action for one in narrower.steps}

    @rule(groups=st.sampled_from([(), ("ops",)]))
    def changes_groups(self, groups):
        self.world.act(lambda c: principal.add_person(c, "local", "pia", "Pia Person", groups, "operator"))

    @rule(step=st.sampled_from([0, 1_000, 61_000]))
    def time_goes_by(self, step):
        self.hours.pass_by(step)

    @invariant()
    def no_credential_does_what_was_not_given(self):
        if not hasattr(self, "papers"):
            return
        reader = Reader(self.world.authority.view)
        person = reader.get(Person, self.world.person.id)
        for made, consent in self.papers[-3:]:
            one, now_is = reader.get(Task, consent.task), reader.get(Consent, consent.id)
            plan = reader.get(Plan, f"{one.id}:{one.plan}")
            assert {step.path for step in plan.steps} == {TrustPath.DELEGATED}, "the plan took the other path"
            for call in CALLS:
                found = self.world.gate.enter(made.text, "notes")
                answer = self.world.decide(call, found) if hasattr(found, "credential") else None
                if not isinstance(answer, Permit):
                    type(self).refused += 1
                    continue
                type(self).allowed += 1
                self.world.note(answer)
                assert consent.id not in self.dead, "a call was allowed whose consent is ended"
                assert now_is.state == "live", "a call was allowed whose consent is not live"
                assert call.action in self.gave[consent.id], "a call was allowed that was not consented to"
                assert self.only[consent.id] in ("", call.arguments["path"]), "a call went beyond a parameter"
                assert call.action in self.steps, "a call was allowed that the brief does not hold"
                assert person.state == "active", "a call was allowed for who is gone"


def nothing_that_was_not_given(_folder: Path) -> None:
    Door.allowed = Door.refused = 0
    run_state_machine_as_test(Door, settings=RUN)
    assert Door.allowed > 25, f"hardly a call was allowed: {Door.allowed}"
    assert Door.refused > 25, f"hardly a call was refused: {Door.refused}"


FAULTS = (
    Planted(
        "the plan holds the whole brief", "control/consent.py",
        "        steps=found.planned,\n", "",
        nothing_that_was_not_given, "the plan took the other path",
    ),
    Planted(
        "a parameter is shown and not held to", "control/consent.py",
        "    return Offer(brief, agent, planned, tuple(", "    return Offer(brief, agent, tuple(steps), tuple(",
        nothing_that_was_not_given, "a call went beyond a parameter",
    ),
    Planted(
        "a parameter need not be within the brief", "core/parameters.py",
        "if all(mine.allows(value) for mine in limits for value in one.values()) else None", "if limits else None",
        nothing_that_was_not_given, "was on offer",
    ),
    Planted(
        "the brief's dispatchers are not read", "control/consent.py",
        "    if not brief.dispatched_by(person.id, person):\n        return None\n", "",
        nothing_that_was_not_given, "was on offer",
    ),
    Planted(
        "a code counts without its verifier", "control/renewal.py",
        "if redirect != code.redirect or not hmac.compare_digest(challenge.encode(), code.challenge.encode()):",
        "if redirect != code.redirect:", nothing_that_was_not_given, "without its verifier",
    ),
)  # fmt: skip


def test_law(tmp_path):
    nothing_that_was_not_given(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)

"""Law 2: two trust paths, never one credential. Each has its own key, policy set, approvers, tag and handle.

Every order of events is run on both stores against a slow, obvious model of two paths that know nothing of each other.
"""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from remit.control import brief, credential, delegation, policy, principal, revocation
from remit.core.agent import Agent
from remit.core.answer import Deny
from remit.core.credential import Credential
from remit.core.permit import Permit, Unknown
from remit.core.task import Task
from remit.core.trust import TrustPath
from remit.custody.jws import TokenRefusal
from remit.custody.signer import TOKEN_PURPOSES
from remit.custody.token import Memory, verify
from tests.kit import stores
from tests.kit.hours import Hours
from tests.kit.planted import Planted, each_goes_red
from tests.kit.tokens import forge, header
from tests.kit.told import told
from tests.kit.world import COMMON, World, read_call, steps

PATHS = st.sampled_from(list(TrustPath))
OTHER = {TrustPath.OWN: TrustPath.DELEGATED, TrustPath.DELEGATED: TrustPath.OWN}
FORBID = '@id("none") forbid(principal, action in Action::"mcp:notes", resource);'


class Paths(RuleBasedStateMachine):
    """One blended task of the person's, with a credential of each path. The model: what each path has been through."""

    kind = stores.KINDS[0]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.hours = Hours()
        self.world = World(stores.place(self.kind, Path(self.folder.name) / "store"), self.hours.clock()).settle()
        self.open = dict.fromkeys(TrustPath, True)
        self.forbidden = dict.fromkeys(TrustPath, False)
        self.held: dict[TrustPath, Any] = {}
        self.task = self.world.a_task(requester=self.world.person.id)
        for path in TrustPath:
            self.renew(path)

    def teardown(self) -> None:
        self.world.close()
        self.folder.cleanup()

    def renew(self, path: TrustPath) -> None:
        self.hours.pass_by(1_000)
        person = self.world.person.id if path is TrustPath.DELEGATED else ""
        made = self.world.a_credential(self.task.id, path, person)
        self.held[path] = {"made": made, "dead": False}

    @rule(path=PATHS)
    def call(self, path: TrustPath) -> None:
        self.hours.pass_by(1_000)
        one = self.held[path]
        entry = self.world.enter(one["made"].text)
        assert entry.path is path, "a credential came in on the other path"
        found = self.world.decide(read_call(), entry)
        allowed = self.open[path] and not one["dead"] and not self.forbidden[path]
        assert isinstance(found, Permit) == allowed, f"on {path.value} the model says {allowed}: {found}"
        assert told(self.world)[-1]["path"] == path.value, "its receipt does not name its path"
        if allowed:
            self.world.note(found)

    @rule(path=PATHS)
    def revoke(self, path: TrustPath) -> None:
        self.hours.pass_by(1_000)
        self.world.act(lambda c: revocation.revoke(c, "path", path.value, "operator"))
        self.open[path] = False
        self.held[path]["dead"] = True

    @rule(path=PATHS)
    def reopen(self, path: TrustPath) -> None:
        self.hours.pass_by(1_000)
        self.world.act(lambda c: revocation.open_path(c, path, "operator"))
        self.open[path] = True
        self.held[path]["dead"] = True

    @rule(path=PATHS)
    def ask_for_another(self, path: TrustPath) -> None:
        if self.open[path]:
            self.renew(path)

    @rule(path=PATHS, forbidden=st.booleans())
    def apply_policy(self, path: TrustPath, forbidden: bool) -> None:
        self.forbidden[path] = forbidden
        sets: dict[str, dict[str, str]] = {
            one.value: {"own.cedar": FORBID} if self.forbidden[one] else {} for one in TrustPath
        }
        self.world.act(lambda c: policy.apply(c, {"common": COMMON, **sets}, 1, "operator"))

    @precondition(lambda self: not any(one["dead"] for one in self.held.values()))
    @rule(path=PATHS)
    def show_it_as_the_other(self, path: TrustPath) -> None:
        """A token that says one path under the key of the other, and an entry that claims the other's credential."""
        ours, now = self.world.authority.signer, self.world.authority.clock.now()
        one = self.held[path]["made"].credential
        said = {"aud": [f"{self.world.authority.issuer}/mcp/notes"], "iss": self.world.authority.issuer}
        said |= {"sub": one.subject, "client_id": one.agent, "iat": now // 1000, "exp": now // 1000 + 60}
        said |= {"jti": one.id, "remit_task": one.task, "remit_plan": 1, "remit_path": path.value}
        text = forge(ours, header(ours, OTHER[path]), said, OTHER[path])
        found = verify(text, issuer=said["iss"], audience=said["aud"][0], now=now, keys=ours, memory=Memory())
        assert isinstance(found, TokenRefusal), "a key of one path signed for the other"
        assert isinstance(self.world.gate.enter(text, "notes"), Unknown), "a key of one path signed for the other"


def scripted(kind: str) -> None:
    """Each event once on each path, with a call on both after it."""
    machine = type(f"Scripted_{kind}", (Paths,), {"kind": kind})()
    for path in TrustPath:
        for event in (
            lambda p: machine.apply_policy(p, True), lambda p: machine.apply_policy(p, False),
            machine.show_it_as_the_other, machine.revoke, machine.reopen, machine.ask_for_another,
        ):  # fmt: skip
            event(path)
            for each in TrustPath:
                machine.call(each)
    machine.teardown()


def explore(kind: str, runs: int) -> None:
    machine = type(f"Paths_{kind}", (Paths,), {"kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs, stateful_step_count=14, derandomize=True, database=None, deadline=None,
            report_multiple_bugs=False, suppress_health_check=list(HealthCheck), phases=[Phase.generate],
            print_blob=False,
        ),
    )  # fmt: skip


def each_path_is_cut_and_ruled_apart(_folder: Path) -> None:
    """Every order of calls, revocations, reopenings and policies of two paths."""
    scripted(stores.KINDS[0])
    explore(stores.KINDS[0], 10)


def a_step_is_done_on_its_own_path_alone(folder: Path) -> None:
    """What the plan holds on one path alone is refused on the other, and has no credential there."""
    world = World(folder).settle()
    for path in TrustPath:
        only = world.a_brief(name=f"only-{path.value}", steps=(*steps(path)[:1], *steps(OTHER[path])[1:2]))
        world.act(lambda c, only=only: brief.apply(c, only, "operator"))
        one = world.a_task(brief=only.name, requester=world.person.id)
        for each in TrustPath:
            person = world.person.id if each is TrustPath.DELEGATED else ""
            found = world.decide(read_call(), world.enter(world.a_credential(one.id, each, person).text))
            assert isinstance(found, Permit) == (each is path), f"a step of {path.value} on {each.value}: {found}"
    world.close()


def each_path_has_a_key_of_its_own(folder: Path) -> None:
    """No credential carries the key, the purpose or the subject of the other path."""
    world = World(folder).settle()
    one = world.a_task(requester=world.person.id)
    made = {
        path: world.a_credential(one.id, path, world.person.id if path is TrustPath.DELEGATED else "").credential
        for path in TrustPath
    }
    for path, paper in made.items():
        key = world.authority.signer.active(TOKEN_PURPOSES[path]).kid
        assert paper.key == key, "a credential names another path's key"
        wanted = world.person.id if path is TrustPath.DELEGATED else world.agent.id
        assert paper.subject == wanted, "a credential rests on the other path's subject"
    assert len({one.key for one in made.values()}) == 2, "both paths are signed by one key"
    world.close()


def who_leaves_takes_what_is_theirs_and_no_more(folder: Path) -> None:
    """A person who leaves ends what was delegated by them; an owner who leaves suspends the agents they own."""
    world = World(folder).settle()
    delegated = world.a_task(requester=world.person.id)
    own = world.a_task()
    other = world.act(lambda c: principal.add_person(c, "local", "otto", "Otto", (), "operator"))
    ended = world.act(lambda c: revocation.revoke(c, "person", world.person.id, "operator"))
    assert ended.tasks == (delegated.id,), "a person took what was not theirs, or left what was"
    assert not ended.agents, "a person suspended an agent that they do not own"
    entry = world.enter(world.a_credential(own.id).text)
    assert isinstance(world.decide(read_call(), entry), Permit), "the own path stopped with a person who left"
    world.act(lambda c: revocation.revoke(c, "person", other.id, "operator"))
    assert isinstance(world.decide(read_call(), entry), Permit), "the own path stopped with a stranger who left"
    gone = world.act(lambda c: revocation.revoke(c, "person", world.owner.id, "operator"))
    assert gone.agents == (world.agent.id,), "an owner left and their agents were not suspended"
    assert world.act(lambda c: c.need(Agent, world.agent.id)).state == "suspended", "an owner left their agents active"
    assert isinstance(world.decide(read_call(), entry), Deny), "an agent went on without its owner"
    assert world.act(lambda c: c.need(Task, own.id)).state == "ended", "a task of a suspended agent goes on"
    world.close()


def what_is_handed_on_stays_on_its_path(folder: Path) -> None:
    """A child task that came by one path holds no step of the other, and gets no credential of it."""

    world = World(folder).settle()
    sub = world.an_agent("sub")
    world.act(lambda c: brief.apply(c, world.a_brief(subagents=(sub.id,)), "operator"))
    one = world.a_task(requester=world.person.id)
    for path in TrustPath:
        held = world.a_credential(one.id, path, world.person.id if path is TrustPath.DELEGATED else "").credential
        made = world.act(lambda c, h=held: delegation.hand_on(c, h.id, sub.id, delegation.Wanted())).credential
        assert made.path is path, "what was handed on changed its path"
        crossed = world.act(lambda c, m=made, p=OTHER[path]: _crossed(c, m, p, world.person.id))
        assert not crossed, f"a child of the {path.value} path got a credential of the other"
    world.close()


def _crossed(change: Any, made: Credential, path: TrustPath, person: str) -> bool:
    given = {"task_id": made.task, "agent_id": made.agent, "path": path}
    found = change.part(lambda c: credential.give(c, **given, person_id=person if path is TrustPath.DELEGATED else ""))
    return not isinstance(found, Exception)


LAWS = (
    each_path_is_cut_and_ruled_apart,
    a_step_is_done_on_its_own_path_alone,
    each_path_has_a_key_of_its_own,
    who_leaves_takes_what_is_theirs_and_no_more,
    what_is_handed_on_stays_on_its_path,
)
DECIDE, REVOCATION = "core/decision.py", "control/revocation.py"
CUT = each_path_is_cut_and_ruled_apart
FAULTS = (
    Planted(
        "one handle closes both paths",
        "store/facts.py",
        "reader.get(Key, credential.key), reader.get(PathGate, credential.path.value)",
        'reader.get(Key, credential.key), reader.get(PathGate, "own") or reader.get(PathGate, credential.path.value)',
        CUT,
        "the model says",
    ),
    Planted(
        "what was issued before a reopening counts again",
        DECIDE,
        'gate.state != "open" or credential.issued <= gate.since',
        'gate.state != "open"',
        CUT,
        "the model says",
    ),
    Planted(
        "one policy set rules both paths",
        "control/policy.py",
        "change.reader.get(PolicyRecord, law.COMMON), change.reader.get(PolicyRecord, path.value)",
        'change.reader.get(PolicyRecord, law.COMMON), change.reader.get(PolicyRecord, "own")',
        CUT,
        "the model says",
    ),
    Planted(
        "a key signs for the other path",
        "custody/token.py",
        "if key.row.purpose is not TOKEN_PURPOSES[claims.path]:",
        "if key.row.purpose not in TOKEN_PURPOSES.values():",
        CUT,
        "a key of one path signed for the other",
    ),
    Planted(
        "a receipt hides its path",
        "core/receipt.py",
        'said["credential"], said["path"] = credential.id, credential.path.value',
        'said["credential"], said["path"] = credential.id, "own"',
        CUT,
        "does not name its path",
    ),
    Planted(
        "a step is done on either path",
        DECIDE,
        "if step.action == call.action and step.path is credential.path]",
        "if step.action == call.action]",
        a_step_is_done_on_its_own_path_alone,
        "a step of",
    ),
    Planted(
        "both paths are signed by one key",
        "control/credential.py",
        "signing = change.authority.signer.active(TOKEN_PURPOSES[path]).kid",
        "signing = change.authority.signer.active(TOKEN_PURPOSES[TrustPath.OWN]).kid",
        each_path_has_a_key_of_its_own,
        "names another path's key",
    ),
    Planted(
        "an owner leaves their agents active",
        REVOCATION,
        'ended += _agent(change, owned.id, by, "its owner left", stopped)',
        "ended += []",
        who_leaves_takes_what_is_theirs_and_no_more,
        "were not suspended",
    ),
    Planted(
        "a person leaves what they delegated",
        REVOCATION,
        '        if one.requester == target\n        for gone in task.end(change, one.id, "person", by)',
        '        if one.requester != target\n        for gone in task.end(change, one.id, "person", by)',
        who_leaves_takes_what_is_theirs_and_no_more,
        "a person took what was not theirs",
    ),
    Planted(
        "what is handed on crosses the paths",
        "core/delegation.py",
        "step for step in steps if step.path is credential.path and",
        "step for step in steps if",
        what_is_handed_on_stays_on_its_path,
        "got a credential of the other",
    ),
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    law(tmp_path)


@pytest.mark.parametrize("kind", stores.KINDS)
def test_every_order_of_events_on_both_stores(kind):
    scripted(kind)
    explore(kind, 15 if kind == stores.KINDS[0] else 6)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)

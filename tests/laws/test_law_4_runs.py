"""Law 4 for commands: whoever runs one never stands for a person, and what a person gave it outlives nobody's watch."""

from pathlib import Path

from remit.control import run
from remit.control.sweep import sweep
from remit.core.answer import Deny
from remit.core.credential import Credential
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.core.task import Task
from remit.core.trust import TrustPath
from tests.kit.consenting import consenting
from tests.kit.hours import Hours
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, read_call


def a_command_acts_for_a_person_by_their_consent_alone(folder: Path) -> None:
    hours = Hours()
    world = World(folder, hours.clock()).settle()
    pia = consenting(world)
    pia.client = world.act(lambda c: run.asking(c, brief="notes", agent="scribe", by="operator"))
    given = pia.give()
    made, token = pia.redeem(given.code)
    entry = world.enter(made.text)
    assert isinstance(world.decide(read_call(), entry), Permit)
    for work in (run.renew, lambda c, task, by: run.begin(c, **BEGUN)[0]):
        try:
            issued = world.act(lambda c, work=work: work(c, given.consent.task, "operator"))
        except RemitError:
            continue
        assert issued.credential.path is TrustPath.OWN, "whoever runs the command was given what is the person's"
    held = world.act(lambda c: list(c.reader.where(Credential, "task = ?", (given.consent.task,))))
    assert [one.id for one in held] == [made.credential.id], "another credential of the person's task was issued"
    assert world.act(lambda c: c.need(Task, given.consent.task)).watched, "a person's task goes on with nobody there"
    hours.pass_by(run.WATCH_MS - 1_000)
    world.act(lambda c: run.watch(c, given.consent.task) and None)
    made, token = pia.renew(token)
    entry = world.enter(made.text)
    hours.pass_by(run.WATCH_MS - 1_000)
    world.act(sweep)
    assert world.act(lambda c: c.need(Task, given.consent.task)).state == "open", "it ended though it was watched"
    hours.pass_by(1_000)
    world.act(sweep)
    ended = world.act(lambda c: c.need(Task, given.consent.task))
    assert (ended.state, ended.because) == ("ended", "unwatched"), "nobody was there, and it went on"
    refused = world.decide(read_call(), entry)
    assert isinstance(refused, Deny), "a call was allowed with nobody there"
    assert isinstance(pia.renew(token), RemitError), "a credential was issued with nobody there"
    world.close()


BEGUN = {
    "brief": "notes", "agent": "scribe", "requester": "pia", "labels": {}, "purpose": "", "life": None, "steps": None,
    "request": "", "by": "operator",
}  # fmt: skip
LAW = a_command_acts_for_a_person_by_their_consent_alone
FAULTS = (
    Planted(
        "what a person consented to for a command is not watched",
        "control/consent.py",
        "        watched=client.runs,\n",
        "",
        LAW,
        "a person's task goes on with nobody there",
    ),
    Planted(
        "who runs a command has the person's credentials issued",
        "control/run.py",
        "        path=TrustPath.OWN,\n        proved=Proved(NEVER),",
        "        path=TrustPath.DELEGATED,\n        person_id=task.person,\n        proved=Proved(NEVER),",
        LAW,
        "was given what is the person's",
    ),
)


def test_law(tmp_path):
    tmp_path.chmod(0o700)
    LAW(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)

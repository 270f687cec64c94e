"""Law 8 for what is told from outside: an event about a person ends what it must, once, and nothing of anybody else."""

from pathlib import Path

from remit.control import session, signal
from remit.control.session import Proof
from remit.core.answer import Deny
from remit.core.moment import Instant
from remit.core.permit import Permit
from remit.core.session import Session
from remit.core.signal import CAEP
from remit.core.trust import TrustPath
from remit.custody.secevent import Event
from tests.kit.nouns import transmitter
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, read_call

SOURCE = transmitter(issuer="local")


def a_signal_ends_what_it_must_once_and_nothing_else(folder: Path) -> None:
    world = World(folder).settle()
    world.act(lambda c: signal.add(c, SOURCE, "operator"))

    def tell(kind, name, said=None):
        now = world.authority.clock.now()
        about = {"format": "iss_sub", "iss": "local", "sub": "pia"}
        event = Event(name, f"{CAEP}{kind}", said or {}, about, now, Instant(now + 60_000))
        world.act(lambda c: signal.hear(c, SOURCE, event))

    def held():
        one = world.a_task(requester=world.person.id)
        world.act(lambda c: session.begin(c, world.person.id, Proof("local")))
        return [world.enter(world.a_credential(one.id, p, who).text) for p, who in paths]

    paths = ((TrustPath.DELEGATED, world.person.id), (TrustPath.OWN, ""))
    other = world.enter(world.a_credential(world.a_task().id).text)
    for number, (kind, task_ends) in enumerate((("session-revoked", True), ("token-claims-change", False))):
        delegated, own = held()
        tell(kind, f"j{number}")
        assert isinstance(world.decide(read_call(), delegated), Deny), f"after {kind} a delegated call was allowed"
        assert isinstance(world.decide(read_call(), own), Deny) is task_ends, f"after {kind} the task is not as it must"
        states = {one.state for one in world.act(lambda c: list(c.reader.where(Session)))}
        assert states == {"ended"}, f"after {kind} a session is open"
        assert isinstance(world.decide(read_call(), other), Permit), f"{kind} stopped what is not the person's"
    again, _ = held()
    tell("session-revoked", "j0")
    assert isinstance(world.decide(read_call(), again), Permit), "an event counted twice"
    world.close()


LAW = a_signal_ends_what_it_must_once_and_nothing_else
WHERE = "control/signal.py"
FAULTS = (
    Planted("a signal is only written down", WHERE, 'if what == "nothing":', 'if what != "":', LAW, "a delegated call"),
    Planted("sessions go on", WHERE, 'session.end_all(change, person, by, "signal")', "", LAW, "a session is open"),
    Planted(
        "a replay counts", WHERE, '{source.issuer} {event.id}"', '{source.issuer} {change.base}"', LAW, "counted twice"
    ),
    Planted(
        "everybody's credentials end",
        WHERE,
        "if one.path is TrustPath.DELEGATED and one.subject == person]",
        "]",
        LAW,
        "is not as it must",
    ),
)


def test_law(tmp_path):
    tmp_path.chmod(0o700)
    LAW(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)

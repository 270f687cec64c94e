"""Law 8 for clients: what a client was allowed ends with it, at once; what another client was allowed goes on."""

from pathlib import Path

from remit.control import client as clients
from remit.core.answer import Deny
from remit.core.consent import Consent
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.core.task import Task
from tests.kit.consenting import consenting
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, read_call


def what_a_client_was_allowed_ends_with_it(folder: Path) -> None:
    world = World(folder).settle()
    one, other = consenting(world), consenting(world)
    waiting, given, theirs = one.give(), one.give(), other.give()
    (made, token), (kept, again) = one.redeem(given.code), other.redeem(theirs.code)
    held, others = world.enter(made.text), world.enter(kept.text)
    assert isinstance(world.decide(read_call(), held), Permit)
    shown = one.offers()[0].digest
    gone = world.act(lambda c: clients.end(c, one.client.id, "operator"))
    assert isinstance(world.decide(read_call(), held), Deny), "a credential outlived its client"
    assert isinstance(one.renew(token, client=gone), RemitError), "a refresh token outlived its client"
    assert isinstance(one.redeem(waiting.code, client=gone), RemitError), "a code outlived its client"
    for yes in (waiting, given):
        assert world.act(lambda c, y=yes: c.need(Task, y.consent.task)).state == "ended", "a task outlived its client"
    try:
        one.give(shown)
    except RemitError as fault:
        assert fault.code == "consent_refused"  # noqa: PT017 - whether it is refused at all is the law
    live = world.act(lambda c: list(c.reader.where(Consent, "client = ? AND state = 'live'", (one.client.id,))))
    assert not live, "a person could still consent to a client that had ended"
    assert isinstance(world.decide(read_call(), others), Permit), "another client's credential ended with it"
    assert not isinstance(other.renew(again), RemitError), "another client's refresh token ended with it"
    world.close()


LAW = what_a_client_was_allowed_ends_with_it
CLIENT = "control/client.py"
FAULTS = (
    Planted(
        "a client ends alone",
        CLIENT,
        'revocation.revoke(change, "consent", given.id, by, "its client was ended")',
        "del given",
        LAW,
        "a credential outlived its client",
    ),
    Planted(
        "everybody's consents end",
        CLIENT,
        "\"client = ? AND state = 'live'\", (client_id,)",
        "\"state = 'live'\", ()",
        LAW,
        "another client's credential",
    ),
    Planted(
        "consent is given to a client as it was when the page was shown",
        "control/consent.py",
        "person, client = change.need(Person, session.person), change.need(Client, client.id)",
        "person = change.need(Person, session.person)",
        LAW,
        "could still consent",
    ),
)


def test_law(tmp_path):
    tmp_path.chmod(0o700)
    LAW(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)

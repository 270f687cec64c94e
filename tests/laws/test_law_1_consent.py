"""Law 1, of consent: a call under a task that a person consented to rests on their yes, read in its own transaction."""

from pathlib import Path

import pytest

from remit.control import revocation
from remit.core.answer import Deny
from remit.core.consent import Consent
from remit.core.permit import Permit
from remit.core.record import changed
from tests.kit import postgres
from tests.kit.consenting import consenting
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, read_call


def a_withdrawn_consent_stops_every_node(folder: Path | str) -> None:
    one, two = World(folder).settle(), World(folder)
    pia = consenting(one)
    given = pia.give()
    made, _ = pia.redeem(given.code)
    entry = two.enter(made.text)
    assert isinstance(two.decide(read_call(), entry), Permit), "it was live"
    one.act(lambda c: revocation.revoke(c, "consent", given.consent.id, one.person.id))
    for world in (two, one):
        assert isinstance(world.decide(read_call(), entry), Deny), "a call was allowed after its consent was withdrawn"
    one.close()
    two.close()


def a_withdrawn_consent_stops_every_node_of_the_shared_store(_folder: Path) -> None:
    a_withdrawn_consent_stops_every_node(postgres.fresh())


def the_consent_itself_is_read(folder: Path) -> None:
    """Not a flag that a cascade set: the consent alone is changed here, and its task is left open."""
    world = World(folder).settle()
    pia = consenting(world)
    for wrong in ({"state": "withdrawn"}, {"person": world.owner.id}):
        given = pia.give()
        made, _ = pia.redeem(given.code)
        entry = world.enter(made.text)
        assert isinstance(world.decide(read_call(), entry), Permit), "it was live"
        other = changed(given.consent, **wrong)
        world.act(lambda c, other=other: c.record("consent.withdrawn", other, "x"))
        answer = world.decide(read_call(), entry)
        assert isinstance(answer, Deny), f"a call was allowed with a consent that is {wrong}"
        assert answer.code == "consent_withdrawn", f"it was refused for something else: {answer.code}"
    world.close()


def what_a_consent_gave_ends_with_it(folder: Path) -> None:
    """Law 8: the task, its children, codes and refresh tokens; and a token that comes twice ends them all."""
    world = World(folder).settle()
    pia = consenting(world)
    given = pia.give()
    made, first = pia.redeem(given.code)
    pia.renew(first)
    pia.renew(first)
    state = world.act(lambda c: c.need(Consent, given.consent.id)).state
    assert state == "withdrawn", "a refresh token that came twice ended nothing"
    answer = world.decide(read_call(), world.enter(made.text))
    assert isinstance(answer, Deny), "a call was allowed after the family was ended"
    assert answer.code == "task_ended", "the task lives on without the consent it was opened by"
    world.close()


LAWS = (
    a_withdrawn_consent_stops_every_node, a_withdrawn_consent_stops_every_node_of_the_shared_store,
    the_consent_itself_is_read, what_a_consent_gave_ends_with_it,
)  # fmt: skip
DECIDE = "core/decision.py"
FAULTS = (
    Planted(
        "the consent is not read", DECIDE, "        or _consent_standing(task, facts.consent)\n", "",
        the_consent_itself_is_read, "a consent that is",
    ),
    Planted(
        "only that there was a consent", DECIDE,
        '(consent.id, consent.person, consent.state) != (task.consent, task.person, "live")',
        "consent.id != task.consent", the_consent_itself_is_read, "a consent that is",
    ),
    Planted(
        "a withdrawal that does not reach the task", "control/revocation.py",
        'ended = task.end(change, consents.withdraw(change, target, by, because).task, "revoked", by)',
        "consents.withdraw(change, target, by, because)", what_a_consent_gave_ends_with_it, "lives on",
    ),
    Planted(
        "a replay that ends nothing", "control/renewal.py",
        '_stolen(change, one.consent, "a refresh token came a second time")',
        "pass", what_a_consent_gave_ends_with_it, "ended nothing",
    ),
)  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)

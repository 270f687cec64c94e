"""Sessions, codes and refresh tokens past their life are forgotten, and nothing else; replay rebuilds the rest."""

import pytest

from remit.control import receipt, session
from remit.control.session import Proof
from remit.control.sweep import sweep
from remit.core.consent import Code, Consent, Refresh
from remit.core.session import Session
from remit.store import forgotten
from tests.kit import stores
from tests.kit.consenting import consenting
from tests.kit.hours import Hours
from tests.kit.world import World

HELD = (Session, Code, Refresh)


@pytest.fixture(params=stores.KINDS)
def world(request, tmp_path):
    hours = Hours()
    made = World(stores.place(request.param, tmp_path / "store"), hours.clock()).settle()
    made.hours = hours
    yield made
    made.close()


def counted(world):
    return [world.act(lambda c, k=kind: len(list(c.reader.where(k)))) for kind in HELD]


def swept(world):
    """A receipt of now, and what time does after it."""
    secret = world.act(lambda c: session.begin(c, world.person.id, Proof("https://idp.test")))
    world.authority.forgot = 0
    world.act(sweep)
    return secret


def test_what_is_past_is_forgotten_and_a_replay_rebuilds_the_rest(world, tmp_path):
    pia = consenting(world)
    given = pia.give()
    _, token = pia.redeem(given.code)
    pia.renew(token)
    before = counted(world)
    assert before == [1, 1, 2]
    world.hours.pass_by(forgotten.KEPT_MS - 60_000)
    swept(world)
    assert counted(world) == [2, 1, 2], "what is not past was forgotten"
    world.hours.pass_by(24 * 3_600_000)
    swept(world)
    assert counted(world) == [2, 0, 0], "what is past was kept, or what is not was forgotten"
    assert world.act(lambda c: c.need(Consent, given.consent.id)), "a consent stays"
    assert getattr(pia.renew(token), "code", "given") == "invalid_grant"
    assert getattr(pia.redeem(given.code), "code", "given") == "invalid_grant"
    (tmp_path / "twin").mkdir(mode=0o700)
    assert receipt.replay(world.authority, tmp_path / "twin" / "remit.db") == []


def test_a_row_that_was_lost_before_it_is_past_is_seen_by_a_replay(world, tmp_path):
    swept(world)

    def lose(change):
        change.keep()
        change.db.run("DELETE FROM session WHERE until > ?", (0,))

    world.act(lose)
    (tmp_path / "twin").mkdir(mode=0o700)
    assert "session: 0 rows" in receipt.replay(world.authority, tmp_path / "twin" / "remit.db")[0]


def test_many_are_forgotten_in_parts(world):
    for _ in range(5):
        swept(world)
    world.hours.pass_by(forgotten.KEPT_MS + 24 * 3_600_000)
    swept_now = world.act(lambda c: c.now)
    assert world.act(lambda c: (c.keep(), forgotten.forget(c.db, swept_now, 2))[1]) == 2
    assert world.act(lambda c: (c.keep(), forgotten.forget(c.db, swept_now, 9))[1]) == 3

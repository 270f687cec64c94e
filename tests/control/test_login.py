"""The operator's ways in: a link counts once, a secret is nowhere kept, and what has ended opens nothing."""

import pytest

from remit.control import login
from remit.core.errors import RemitError
from remit.core.login import LASTS, Login
from remit.store.record import Reader


def refused(world, work):
    with pytest.raises(RemitError) as caught:
        world.act(work)
    return caught.value.code


def stands(world, secret, kind):
    return login.stands(Reader(world.authority.view), secret, kind, world.authority.clock.now())


def test_a_link_gives_one_session_and_is_used_up(world):
    code = world.act(lambda c: login.issue(c, "link", "operator"))
    assert not stands(world, code, "session")
    secret = world.act(lambda c: login.enter(c, code, "session"))
    assert stands(world, secret, "session").kind == "session"
    assert not stands(world, secret, "token"), "a session is no token"
    assert refused(world, lambda c: login.enter(c, code, "session")) == "login_used"
    assert refused(world, lambda c: login.enter(c, secret, "session")) == "login_unknown"
    assert refused(world, lambda c: login.enter(c, "x" * 43, "session")) == "login_unknown"
    assert refused(world, lambda c: login.enter(c, "x" * 9999, "session")) == "login_unknown"


def test_two_who_use_one_link_at_once_get_one_session(world):
    code, found = world.act(lambda c: login.issue(c, "link", "operator")), []
    for who in ("a", "b"):
        world.batch.submit(who, lambda c: login.enter(c, code, "session"), found.append)
    while not world.batch.idle:
        world.batch.turn()
    assert sorted(type(one).__name__ for one in found) == ["RemitError", "str"]


def test_a_link_is_too_old_after_fifteen_minutes(world, time):
    one, two = (world.act(lambda c: login.issue(c, "link", "operator")) for _ in range(2))
    time.on(LASTS["link"] - 1)
    world.act(lambda c: login.enter(c, one, "token"))
    time.on(1)
    assert refused(world, lambda c: login.enter(c, two, "token")) == "login_old"


@pytest.mark.parametrize("kind", ["session", "token"])
def test_each_kind_ends_by_itself_and_by_hand(world, time, kind):
    kept, ended = (world.act(lambda c: login.issue(c, kind, "operator")) for _ in range(2))
    world.act(lambda c: login.end(c, login.name(ended), "operator"))
    world.act(lambda c: login.end(c, login.name(ended), "operator"))
    assert (bool(stands(world, kept, kind)), stands(world, ended, kind)) == (True, None)
    time.on(LASTS[kind])
    assert not stands(world, kept, kind)


def test_all_of_them_end_at_once(world):
    link = world.act(lambda c: login.issue(c, "link", "operator"))
    token = world.act(lambda c: login.issue(c, "token", "operator"))
    assert world.act(lambda c: login.end_all(c, "operator")) == 2
    assert not stands(world, token, "token")
    assert refused(world, lambda c: login.enter(c, link, "token")) == "login_used"


def test_no_secret_is_kept_and_its_id_opens_nothing(world):
    secret = world.act(lambda c: login.issue(c, "token", "operator"))
    bodies = [bytes(row[0]) for row in world.authority.view.all("SELECT body FROM leaf")]
    rows = [bytes(row[0]) for row in world.authority.view.all("SELECT body FROM login")]
    assert not any(secret.encode() in one for one in bodies + rows)
    (one,) = Reader(world.authority.view).where(Login)
    assert not stands(world, one.id, "token")


def test_a_secret_that_could_be_guessed_is_refused(world):
    assert refused(world, lambda c: login.keep(c, "token", "short", "operator")) == "login_weak"
    assert stands(world, "", "token") is None

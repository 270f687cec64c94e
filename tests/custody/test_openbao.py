"""OpenBao as a source, against a real server with a real PostgreSQL behind it."""

import itertools
from contextlib import closing

import psycopg
import pytest

from remit.core.grant import Step
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent, Minted
from remit.custody.sources.openbao import OpenBaoSource
from tests.custody.sources import Suite, fails_where_it_must, refused
from tests.kit import openbao
from tests.kit.nouns import named

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def bao():
    made = openbao.with_a_shop()
    yield made
    made.close()


def settings(bao, **more):
    given = {"address": bao.url, "policy": "orders", "token_role": "remit", "read.read_note": "database/creds/orders"}
    return given | {"env.PGUSER": "{username}", "env.PGPASSWORD": "{password}"} | more


@pytest.fixture
def source(bao):
    with closing(OpenBaoSource(Secret(bao.token.encode()), "ledger", settings(bao), 3_600_000)) as made:
        yield made


def intent(kind="read_note", **members):
    number = next(NUMBERS)
    step = Step.from_json({"action": f"mcp:notes/{kind}", "path": "own"})
    given = {"name": f"remit_{named('tsk')}_own_{number:08d}", "task": TaskId(named("tsk")), "path": TrustPath.OWN}
    given |= {"until": Instant(2**41), "life": 60_000, "steps": (step,), "labels": (("ticket", "T-7"),)}
    return Intent(**(given | members))


def connect(bao, lent):
    return psycopg.connect(bao.url_of_shop, user=lent.user, password=lent.password.reveal().decode(), autocommit=True)


def opens(bao):
    def check(lent):
        try:
            connect(bao, lent).close()
        except psycopg.OperationalError:
            return False
        return True

    return check


def test_it_does_what_every_source_does(source, bao):
    Suite(source, intent, opens(bao)).holds()


def test_the_suite_fails_on_a_drop_that_does_nothing_and_a_reach_that_is_not_told(source, bao):
    fails_where_it_must(Suite(source, intent, opens(bao)))


def test_the_token_carries_the_task_and_ends_with_the_lease(source, bao):
    minted = source.mint(intent(life=7_000))
    assert source.reach(minted) == ("policy orders",)
    (accessor,) = (accessor for name, accessor in source._standing() if name == minted.name)
    said = bao.done("POST", "auth/token/lookup-accessor", {"accessor": accessor})["data"]
    assert (said["explicit_max_ttl"], said["renewable"], said["meta"]["ticket"]) == (7, False, "T-7")
    assert said["display_name"].endswith(minted.name.replace("_", "-")) or minted.name in said["display_name"]
    lent = source.lend(minted)
    assert {name: value.reveal().decode() for name, value in lent.environ} == {
        "PGUSER": lent.user, "PGPASSWORD": lent.password.reveal().decode(),
    }  # fmt: skip
    source.drop(minted)


def test_what_was_minted_and_never_recorded_is_found_by_its_name_and_ended(source, bao):
    minted = source.mint(intent())
    lent = source.lend(minted)
    with closing(OpenBaoSource(Secret(bao.token.encode()), "ledger", settings(bao), 3_600_000)) as after:
        assert minted.name in after.found()
        lost = Minted(minted.name, minted.until, None)
        assert after.probe(lost) is Gone.LIVE
        after.drop(lost)
        assert after.probe(lost) is Gone.GONE
        assert minted.name not in after.found()
    with closing(OpenBaoSource(Secret(bao.token.encode()), "another", settings(bao), 3_600_000)) as other:
        assert other.found() == ()
    assert source.probe(minted) in (Gone.GONE, Gone.LIVE)
    source.drop(minted)
    assert source.probe(minted) is Gone.GONE
    assert not opens(bao)(lent)


def test_where_tokens_cannot_be_listed_a_lost_one_is_never_called_gone(bao):
    with closing(OpenBaoSource(Secret(bao.token.encode()), "ledger", settings(bao, list="no"), 60_000)) as source:
        assert (source.describe().longest, source.found()) == (60_000, ())
        one = intent()
        assert source.probe(Minted(one.name, one.until, None)) is Gone.UNKNOWN
        Suite(source, intent, opens(bao), never=(Gone.UNKNOWN,)).holds()


def test_open_sessions_are_the_engines_own_matter(bao):
    """With its own statements of revocation OpenBao ends them; as it comes they stay, without their rights."""
    for path, ended in (("orders", True), ("kept", False)):
        given = settings(bao, **{"read.read_note": f"database/creds/{path}"})
        with closing(OpenBaoSource(Secret(bao.token.encode()), "ledger", given, 3_600_000)) as source:
            minted = source.mint(intent())
            with connect(bao, source.lend(minted)) as conn:
                source.drop(minted)
                assert source.probe(minted) is Gone.GONE
                assert (refused_by(conn, "SELECT 1"), refused_by(conn, "SELECT * FROM orders")) == (ended, True)


def refused_by(conn, text):
    try:
        conn.execute(text)
    except psycopg.Error:
        return True
    return False


def test_an_answer_that_says_something_else_is_never_a_proof(source, bao):
    minted = source.mint(intent())
    with closing(OpenBaoSource(Secret(b"no-token-of-anybody"), "ledger", settings(bao), 3_600_000)) as stranger:
        for verb in (stranger.probe, stranger.drop, lambda _: stranger.mint(intent()), lambda _: stranger.found()):
            assert refused(verb, minted) == "target_declined"
    source.drop(minted)
    away = settings(bao, address="http://127.0.0.1:1")
    with closing(OpenBaoSource(Secret(bao.token.encode()), "ledger", away, 1)) as gone:
        for verb in (gone.probe, gone.drop, lambda _: gone.mint(intent()), lambda _: gone.found()):
            assert refused(verb, minted) == "target_unavailable"


def test_a_plan_that_no_one_secret_is_set_for_gets_none_and_a_mint_that_fails_leaves_no_token(source, bao):
    assert refused(source.mint, intent("write_note")) == "rights_unbounded"
    before = source.found()
    given = settings(bao, **{"read.read_note": "database/creds/none"})
    with closing(OpenBaoSource(Secret(bao.token.encode()), "ledger", given, 3_600_000)) as other:
        assert refused(other.mint, intent()) == "target_declined"
    given = settings(bao, **{"env.X": "{nothing}"})
    with closing(OpenBaoSource(Secret(bao.token.encode()), "ledger", given, 3_600_000)) as other:
        assert refused(other.mint, intent()) == "target_declined"
    assert source.found() == before


@pytest.mark.parametrize(
    "wrong",
    [{"policy": ""}, {"address": "http://bao.example"}, {"read.read_note": "x"}, {"ca_file": "/none"},
     {"address": "https://a@bao.example"}],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(bao, wrong):
    assert refused(lambda: OpenBaoSource(Secret(b"x"), "ledger", settings(bao) | wrong, 1)) == "setting_invalid"
    assert refused(lambda: OpenBaoSource(Secret(b"x"), "l", settings(bao, **{"env.PATH": "{x}"}), 1)) == (
        "injection_refused"
    )

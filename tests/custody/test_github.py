"""GitHub as a source, against a stand-in of our own: *partial*, by name. GitHub itself cannot be asked here.

What is shown: what is asked for, that a wider token is refused, and that a revoked one is proven so by its use.
"""

import itertools
import time
from contextlib import closing

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from remit.core.grant import Step
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent, Minted, Rung
from remit.custody.sources.github import GitHubSource
from tests.custody.sources import Suite, fails_where_it_must, refused
from tests.kit.github import APP, INSTALLATION, GitHub, pem
from tests.kit.nouns import named

NUMBERS = itertools.count()


def now():
    return Instant(time.time_ns() // 1_000_000)


@pytest.fixture(scope="module")
def github():
    with closing(GitHub()) as made:
        yield made


def settings(github, **more):
    given = {"address": github.url, "app": APP, "installation": INSTALLATION, "variable": "GITHUB_TOKEN"}
    given |= {"allow.read_note": "contents:read docs,site", "allow.write_note": "contents:write,issues:read docs,site"}
    return given | {"allow.read_report": "contents:read reports", "allow.close": "issues:write reports"} | more


@pytest.fixture
def source(github):
    with closing(GitHubSource(Secret(pem(github.key)), settings(github), now)) as made:
        yield made


def intent(*kinds, **members):
    number = next(NUMBERS)
    steps = [Step.from_json({"action": f"mcp:notes/{kind}", "path": "own"}) for kind in kinds or ("read_note",)]
    given = {"name": f"remit_{named('tsk')}_own_{number:08d}", "task": TaskId(named("tsk")), "path": TrustPath.OWN}
    given |= {"until": Instant(now() + 60_000), "life": 60_000, "steps": tuple(steps), "labels": (("ticket", "T-7"),)}
    return Intent(**(given | members))


def opens(github):
    return lambda lent: lent.headers[0][1].reveal().decode().removeprefix("Bearer ") in github.tokens


def test_partial_it_does_what_every_source_does(source, github):
    Suite(source, intent, opens(github), never=(Gone.UNKNOWN,)).holds()
    said = source.describe()
    assert (said.rung, said.revocable, said.shown) == (Rung.PER_TASK, True, "partial")


def test_partial_the_suite_fails_on_a_drop_that_does_nothing_and_a_reach_that_is_not_told(source, github):
    fails_where_it_must(Suite(source, intent, opens(github), never=(Gone.UNKNOWN,)))


def test_partial_a_token_has_the_permissions_and_repositories_of_the_steps(source, github):
    for kinds, permissions, places in (
        (("read_note",), {"contents": "read"}, ["docs", "site"]),
        (("read_note", "write_note"), {"contents": "write", "issues": "read"}, ["docs", "site"]),
        (("read_note", "read_report"), {"contents": "read"}, ["docs", "reports", "site"]),
        (("read_report", "close"), {"contents": "read", "issues": "write"}, ["reports"]),
    ):
        minted = source.mint(intent(*kinds))
        assert github.seen[-1].json == {"permissions": permissions, "repositories": places}
        lent = source.lend(minted)
        assert github.tokens[lent.environ[0][1].reveal().decode()][0] == permissions | {"metadata": "read"}
        assert minted.ends > minted.until
        assert len(minted.mark) == 44
        source.drop(minted)
    minted = source.mint(intent("read_report"))
    assert source.reach(minted) == ("contents:read on acme/reports", "metadata:read on acme/reports")
    source.drop(minted)
    assert github.tokens == {} or all("write" not in str(held) for held in github.tokens.values())


@pytest.mark.parametrize("kinds", [("read_note", "close"), ("write_note", "read_report"), ("other",)])
def test_partial_what_one_token_cannot_hold_without_more_gets_none(source, kinds):
    assert refused(source.mint, intent(*kinds)) == "rights_unbounded"


def test_partial_a_token_that_can_do_more_than_was_asked_for_is_revoked_and_refused(source, github):
    before = set(github.tokens)
    github.wider = True
    try:
        assert refused(source.mint, intent()) == "target_declined"
    finally:
        github.wider = False
    assert set(github.tokens) == before


def test_partial_only_that_a_token_is_not_known_is_an_end(source, github):
    lost = Minted("remit_x", Instant(1), None)
    source.drop(lost)
    assert (source.probe(lost), source.reach(lost), source.found()) == (Gone.UNKNOWN, (), ())
    assert refused(source.lend, lost) == "lease_ended"
    minted = source.mint(intent())
    for wrong, code in (({"address": github.url + "/nowhere"}, "target_declined"),
                        ({"address": "http://127.0.0.1:1"}, "target_unavailable")):  # fmt: skip
        with closing(GitHubSource(Secret(pem(github.key)), settings(github) | wrong, now)) as other:
            assert refused(other.found) == code
    with closing(GitHubSource(Secret(pem(rsa.generate_private_key(65537, 2048))), settings(github), now)) as stranger:
        assert refused(stranger.mint, intent()) == "target_declined"
    left = iter([1, 0])
    before = set(github.tokens)
    assert refused(source.mint, intent(left=lambda: next(left, 0))) == "mint_late"
    assert set(github.tokens) == before
    source.drop(minted)


@pytest.mark.parametrize(
    "wrong",
    [{"app": ""}, {"installation": "x"}, {"allow.read_note": "contents:all docs"}, {"allow.close": "issues:read"}],
)
def test_settings_that_cannot_be_are_refused(github, wrong):
    given = settings(github) | wrong
    assert refused(lambda: GitHubSource(Secret(pem(github.key)), given, now)) == "setting_invalid"
    assert refused(lambda: GitHubSource(Secret(b"x"), settings(github), now)) == "key_invalid"

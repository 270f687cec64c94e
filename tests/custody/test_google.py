"""Google's downscoped tokens as a source, against a stand-in of our own: *partial*, by name.

What is shown: the boundary that is asked for, and that no token is ever called dead before it has ended by itself. What
Google does with the boundary is not.
"""

import itertools
import json
import time
from contextlib import closing

import pytest

from remit.core.grant import Step
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent, Rung
from remit.custody.sources.google import GoogleSource
from tests.custody.sources import Suite, fails_where_it_must, refused
from tests.kit.google import Google
from tests.kit.nouns import named

NUMBERS = itertools.count()


def now():
    return Instant(time.time_ns() // 1_000_000)


@pytest.fixture(scope="module")
def google():
    with closing(Google()) as made:
        yield made


def settings(google, **more):
    given = {"token": f"{google.url}/token", "sts": f"{google.url}/v1/token", "variable": "GOOGLE_OAUTH_ACCESS_TOKEN"}
    given |= {"allow.read_note": "roles/storage.objectViewer reports/2026/,notes"}
    return given | {"allow.write_note": "roles/storage.objectUser,roles/storage.objectViewer drafts"} | more


@pytest.fixture
def source(google):
    with closing(GoogleSource(Secret(google.key().encode()), settings(google), now)) as made:
        yield made


def intent(*kinds, **members):
    number = next(NUMBERS)
    steps = [Step.from_json({"action": f"mcp:notes/{kind}", "path": "own"}) for kind in kinds or ("read_note",)]
    given = {"name": f"remit_{named('tsk')}_own_{number:08d}", "task": TaskId(named("tsk")), "path": TrustPath.OWN}
    given |= {"until": Instant(now() + 60_000), "life": 60_000, "steps": tuple(steps), "labels": (("ticket", "T-7"),)}
    return Intent(**(given | members))


def test_partial_it_does_what_every_source_does_but_prove_an_end(source, google):
    opens = lambda lent: lent.headers[0][1].reveal().decode().removeprefix("Bearer ") in google.narrow  # noqa: E731
    suite = Suite(source, intent, opens, gone=(Gone.UNKNOWN,), never=(Gone.UNKNOWN,))
    suite.holds()
    fails_where_it_must(suite)
    said = source.describe()
    assert (said.rung, said.revocable, said.shown) == (Rung.SHORT, False, "partial")
    minted = source.mint(intent())
    assert now() + 3_500_000 < minted.ends <= now() + said.longest
    assert minted.secret.reveal().decode() not in google.whole, "the account's own token was lent"


def test_partial_the_boundary_is_that_of_the_steps(source, google):
    source.mint(intent("read_note"))
    start = "resource.name.startsWith('projects/_/buckets/reports/objects/2026/')"
    listed = "api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('2026/')"
    assert list(google.narrow.values())[-1]["rules"] == [
        {"availableResource": "//storage.googleapis.com/projects/_/buckets/reports",
         "availablePermissions": ["inRole:roles/storage.objectViewer"],
         "availabilityCondition": {"expression": f"{start} || {listed}"}},
        {"availableResource": "//storage.googleapis.com/projects/_/buckets/notes",
         "availablePermissions": ["inRole:roles/storage.objectViewer"]},
    ]  # fmt: skip
    source.mint(intent("read_note", "write_note"))
    assert len(list(google.narrow.values())[-1]["rules"]) == 3
    assert refused(source.mint, intent("other")) == "rights_unbounded"
    many = settings(
        google, **{"allow.read_note": "roles/storage.objectViewer " + ",".join(f"bucket{n}" for n in range(11))}
    )
    with closing(GoogleSource(Secret(google.key().encode()), many, now)) as other:
        assert refused(other.mint, intent()) == "rights_unbounded"


def test_partial_a_key_that_google_does_not_take_and_a_late_mint_give_nothing(source, google):
    with closing(Google()) as another:
        given = settings(google)
        key = json.loads(another.key()) | {"token_uri": google.url}
        with closing(GoogleSource(Secret(json.dumps(key).encode()), given, now)) as stranger:
            assert refused(stranger.mint, intent()) == "target_declined"
            assert refused(stranger.found) == "target_declined"
    left = iter([1, 0])
    assert refused(source.mint, intent(left=lambda: next(left, 0))) == "mint_late"
    assert source.found() == ()


@pytest.mark.parametrize(
    "wrong",
    [{"allow.read_note": "roles/owner reports"}, {"allow.read_note": "roles/storage.objectViewer a'b"},
     {"allow.read_note": "roles/storage.objectViewer reports/x') || true || ('"}, {"token": "http://google.example/token"}],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(google, wrong):
    given = settings(google) | wrong
    assert refused(lambda: GoogleSource(Secret(google.key().encode()), given, now)) == "setting_invalid"
    assert refused(lambda: GoogleSource(Secret(b"{}"), settings(google), now)) == "setting_invalid"

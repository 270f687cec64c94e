"""Kubernetes as a source, against an API server of our own: *partial*, by name. No real one can be had here.

What is shown: the accounts, bindings and tokens that are asked for, and that a token whose account is gone is proven so
by a token review. What RBAC does with the bindings, and for how long an API server remembers a token, is not.
"""

import itertools
import json
from contextlib import closing

import pytest

from remit.core.grant import Step
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent, Minted, Rung
from remit.custody.sources.kubernetes import KubernetesSource
from tests.custody.sources import Suite, fails_where_it_must, refused
from tests.kit.kubernetes import ADMIN, Kubernetes
from tests.kit.nouns import named

NUMBERS = itertools.count()


@pytest.fixture
def cluster():
    with closing(Kubernetes()) as made:
        yield made


def settings(cluster, **more):
    given = {"address": cluster.url, "namespace": "agents", "variable": "KUBE_TOKEN"}
    given |= {"role.read_note": "Role/notes-reader", "role.write_note": "Role/notes-reader,ClusterRole/notes-writer"}
    return {name: value for name, value in (given | more).items() if value}


@pytest.fixture
def source(cluster):
    with closing(KubernetesSource(Secret(ADMIN.encode()), "ledger", settings(cluster))) as made:
        yield made


def intent(kind="read_note", **members):
    number = next(NUMBERS)
    step = Step.from_json({"action": f"mcp:notes/{kind}", "path": "own"})
    given = {"name": f"remit_{named('tsk')}_own_{number:08d}", "task": TaskId(named("tsk")), "path": TrustPath.OWN}
    given |= {"until": Instant(2**41), "life": 60_000, "steps": (step,), "labels": (("ticket", "T-7 <x>"),)}
    return Intent(**(given | members))


def opens(cluster, audience="api"):
    def check(lent):
        ((name, value),) = lent.headers
        assert name == "authorization"
        return cluster.user(value.reveal().decode().removeprefix("Bearer "), [audience]) != ""

    return check


def test_partial_it_does_what_every_source_does(source, cluster):
    Suite(source, intent, opens(cluster)).holds()
    said = source.describe()
    assert (said.rung, said.revocable, said.shown) == (Rung.PER_TASK, True, "partial")


def test_partial_the_suite_fails_on_a_drop_that_does_nothing_and_a_reach_that_is_not_told(source, cluster):
    fails_where_it_must(Suite(source, intent, opens(cluster)))


def test_partial_an_account_has_the_roles_of_its_steps_and_says_whose_it_is(source, cluster):
    minted = source.mint(intent("write_note"))
    name = minted.name.replace("_", "-")
    account = cluster.objects["serviceaccounts", "agents", name]
    assert account["automountServiceAccountToken"] is False
    assert json.loads(account["metadata"]["annotations"]["remit/labels"]) == {"ticket": "T-7 <x>"}
    assert account["metadata"]["annotations"]["remit/task"] == named("tsk")
    bound = [one for (kind, _, _), one in cluster.objects.items() if kind == "rolebindings"]
    assert [one["subjects"] for one in bound] == 2 * [[{"kind": "ServiceAccount", "name": name, "namespace": "agents"}]]
    assert source.reach(minted) == ("ClusterRole notes-writer in agents", "Role notes-reader in agents")
    assert [name for name, _ in source.lend(minted).environ] == ["KUBE_TOKEN"]
    source.drop(minted)
    assert cluster.objects == {}, "a binding outlived its account"
    assert refused(source.mint, intent("other_note")) == "rights_unbounded"


def test_partial_an_audience_is_asked_for_and_reviewed(cluster):
    given = settings(cluster, audience="shop")
    with closing(KubernetesSource(Secret(ADMIN.encode()), "ledger", given)) as source:
        Suite(source, intent, opens(cluster, "shop")).holds()
        minted = source.mint(intent())
        assert not opens(cluster)(source.lend(minted))
        source.drop(minted)


def test_partial_what_was_never_recorded_is_found_by_its_label_even_over_many_pages(source, cluster, monkeypatch):
    monkeypatch.setattr("remit.custody.sources.kubernetes.PAGE", "2")
    minted = [source.mint(intent()) for _ in range(5)]
    with closing(KubernetesSource(Secret(ADMIN.encode()), "another", settings(cluster))) as other:
        assert other.found() == ()
    assert set(source.found()) == {one.name for one in minted}
    for one in minted:
        lost = Minted(one.name, one.until, None)
        assert source.probe(lost) is Gone.LIVE
        source.drop(lost)
        assert source.probe(one) is Gone.GONE


def test_partial_a_server_that_refuses_or_is_away_proves_nothing_and_a_failed_mint_leaves_nothing(source, cluster):
    minted = source.mint(intent())
    with closing(KubernetesSource(Secret(b"somebody-elses"), "ledger", settings(cluster))) as stranger:
        for verb in (stranger.drop, stranger.probe, stranger.reach, lambda _: stranger.found()):
            assert refused(verb, minted) == "target_declined"
    with closing(KubernetesSource(Secret(b"x"), "l", settings(cluster, address="http://127.0.0.1:1"))) as gone:
        for verb in (gone.drop, gone.probe, lambda _: gone.mint(intent())):
            assert refused(verb, minted) == "target_unavailable"
    source.drop(minted)
    left = iter([1, 0])
    assert refused(source.mint, intent(left=lambda: next(left))) == "mint_late"
    assert cluster.objects == {}


@pytest.mark.parametrize(
    "wrong", [{"namespace": "A B"}, {"role.read_note": "Secret/x"}, {"address": "http://kube.example"}]
)
def test_settings_that_cannot_be_are_refused(cluster, wrong):
    given = settings(cluster) | wrong
    assert refused(lambda: KubernetesSource(Secret(b"x"), "ledger", given)) == "setting_invalid"

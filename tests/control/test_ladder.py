"""The ladder: each target stands where its own source says, the best rung first."""

import pytest

from remit.control import resource
from remit.control.ladder import ladder, of_leases, standing
from remit.core.resource import Injection, Resource, Upstream
from remit.custody.sources.opening import KINDS
from remit.store.record import Reader
from tests.kit.leasing import AWS, left_by, lent, minted_at
from tests.kit.world import TOOLS, World

OAUTH = {"client": "remit", "token": "https://idp.example/t", "scope.read": "notes.read"}


@pytest.fixture
def world(tmp_path):
    place = tmp_path / "store"
    place.mkdir(mode=0o700)
    made = World(place).settle()
    yield made
    made.close()


def stands(world):
    return standing(world.authority, Reader(world.authority.reading()).get(Resource, "notes"))


def add(world, name, **members):
    given = {"upstream": Upstream(url="http://127.0.0.1:9/mcp"), "domain": "office", "owner": world.owner.id}
    world.act(lambda c: resource.add(c, name=name, tools=TOOLS, by="operator", **given | members))


def test_each_target_stands_where_its_source_says_the_best_first(world):
    add(world, "code")
    add(world, "mail", injections=(Injection(secret="broker", header="authorization"),))
    minted_at(world.act, "oauth", OAUTH | {"revoke": "https://idp.example/r", "introspect": "https://idp.example/i"})
    minted_at(world.act, "oauth", OAUTH, "code")
    found = [(one.resource, one.rung) for one in ladder(world.authority, Reader(world.authority.reading()))]
    assert found == [("notes", "per-task"), ("code", "short-lived"), ("mail", "brokered static")]


def test_where_nothing_is_lent_there_is_no_rung(world):
    assert stands(world) is None
    minted_at(world.act, settings={"role": AWS["role"]})
    broken = stands(world)
    assert (broken.rung, broken.to_json()["takes_back"]) == ("", False)
    assert broken.does


def test_what_an_end_does_is_what_the_source_of_that_lease_does(world):
    minted_at(world.act)
    one = lent(world.act, world.a_task())

    def of_it():
        return of_leases(world.authority, Reader(world.authority.reading()), [one])[one.id]

    assert of_it().rung == "short-lived"
    left_by(world.act, "oauth", OAUTH)
    assert of_it().said is None


def test_a_kind_of_source_has_its_place_in_the_guide():
    from tests.house.tree import ROOT

    text = (ROOT / "docs" / "guide" / "targets.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"| `{kind}`" not in text] == []

"""`/v1/leases`: which there are, by task, agent and state, and what an end of each truly does at its target."""

import pytest

from remit.control import task
from remit.core.trust import TrustPath
from tests.kit.asking import code
from tests.kit.leasing import irrevocable, left_by, lent, minted_at
from tests.kit.nouns import named


@pytest.fixture
def lending(place):
    """Three leases at a target that cannot take back: one goes on, one is an incident, one is a person's."""
    minted_at(place.act)
    by = place.world.owner.id
    given = {"brief": "notes", "agent": place.bot, "requester": by, "by": by}
    place.errands = [place.act(lambda c: task.open_task(c, **given)) for _ in range(2)]
    theirs = place.pia
    mine = place.act(lambda c: task.open_task(c, **given | {"requester": theirs, "by": theirs, "person": theirs}))
    place.leases = [lent(place.act, one) for one in place.errands]
    place.leases.append(lent(place.act, mine, TrustPath.DELEGATED))
    irrevocable(place.act, place.leases[1])
    return place


def test_the_operator_lists_them_by_task_agent_and_state_in_pages(lending):
    every = lending.get("/v1/leases").json["items"]
    assert [one["id"] for one in every] == sorted(one.id for one in lending.leases)
    assert {(one["rung"], one["takes_back"], one["shown"]) for one in every} == {("short-lived", False, "partial")}
    assert all("minted" not in str(one) and "secret-of" not in str(one) for one in every)
    first = lending.get("/v1/leases?limit=2").json
    rest = lending.get(f"/v1/leases?limit=2&after={first['next']}").json
    assert [one["id"] for one in first["items"] + rest["items"]] == [one["id"] for one in every]
    assert "next" not in rest
    (stuck,) = lending.get("/v1/leases?state=irrevocable").json["items"]
    assert (stuck["id"], stuck["because"], stuck["name"]) == (lending.leases[1].id, "revoked", lending.leases[1].name)
    assert [one["task"] for one in lending.get(f"/v1/leases?task={lending.errands[0].id}").json["items"]] == [
        lending.errands[0].id
    ]
    assert len(lending.get(f"/v1/leases?agent={lending.bot}").json["items"]) == 3
    assert lending.get(f"/v1/leases?agent={named('agt', 'z')}").json["items"] == []
    assert len(lending.get(f"/v1/leases?person={lending.pia}").json["items"]) == 1
    assert code(lending.get("/v1/leases?state=lost"), 400) == "query_invalid"


def test_one_says_what_it_is_and_what_an_end_of_it_does(lending):
    said = lending.get(f"/v1/leases/{lending.leases[0].id}").json
    assert (said["state"], said["rung"]) == ("active", "short-lived")
    assert "AWS" in said["says"]
    assert code(lending.get(f"/v1/leases/{named('lse')}"), 404) == "not_found"
    (rung,) = [one for one in lending.get("/v1/leases/ladder").json["items"] if one["resource"] == "notes"]
    assert (rung["rung"], rung["takes_back"]) == ("short-lived", False)


def test_a_person_sees_those_of_their_own_tasks_and_an_agent_none(lending):
    listed = lending.get("/v1/leases", lending.person).json["items"]
    assert [one["id"] for one in listed] == [lending.leases[2].id]
    assert lending.get(f"/v1/leases/{lending.leases[2].id}", lending.person).status == 200
    assert code(lending.get(f"/v1/leases/{lending.leases[0].id}", lending.person), 404) == "not_found"
    assert code(lending.get(f"/v1/leases?person={lending.world.owner.id}", lending.person), 400) == "query_invalid"
    assert code(lending.get("/v1/leases/ladder", lending.person), 403) == "forbidden"
    for where in ("/v1/leases", f"/v1/leases/{lending.leases[0].id}", "/v1/leases/ladder"):
        assert code(lending.get(where, lending.held), 403) == "forbidden"


def test_what_its_source_no_longer_is_says_so(lending):
    left_by(lending.act, "github", {"app": "a"})
    said = lending.get(f"/v1/leases/{lending.leases[1].id}").json
    assert (said["rung"], said["takes_back"]) == ("", False)
    assert said["says"]

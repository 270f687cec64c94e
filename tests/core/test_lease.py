"""A lease's states, its name, and what no lease can be."""

import pytest

from remit.core.errors import RemitError
from remit.core.lease import ENDING, FROM, INCIDENTS, LIFE, OPEN, identity
from remit.core.record import changed
from remit.core.trust import TrustPath
from tests.kit.nouns import NOON, TASK, code, lease, named

ENDED = {"state": "ending", "because": "task", "ended": NOON + 5}


def test_nothing_leads_out_of_dead_and_nothing_back_to_what_can_be_lent():
    assert LIFE.last == {"dead"}
    assert set(FROM["active"]) == {"intended"}
    assert set(FROM["ending"]) == set(OPEN)
    assert set(FROM["dead"]) == set(ENDING)
    assert set(INCIDENTS) < set(ENDING)
    for state in (*ENDING, "dead"):
        with pytest.raises(RemitError):
            LIFE.after(state, "active")


def test_a_name_leads_back_to_its_task_and_fits_where_names_are_short():
    one = lease()
    assert one.name == f"remit_{TASK}_own_aaaaaaaa"
    assert len(one.name) == 49
    assert lease(path=TrustPath.DELEGATED, person=named("per")).name.split("_")[-2] == "del"


def test_an_id_follows_from_what_the_lease_is_for():
    given = ("ledger", TASK, 1, TrustPath.OWN, "notes", 1)
    assert identity(*given) == identity(*given)
    others = [
        ("other", *given[1:]),
        (*given[:1], named("tsk", "b"), *given[2:]),
        (*given[:2], 2, *given[3:]),
        (*given[:3], TrustPath.DELEGATED, *given[4:]),
        (*given[:4], "crm", 1),
        (*given[:5], 2),
    ]
    assert len({identity(*given), *(identity(*one) for one in others)}) == 7


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ({"id": TASK}, "id_invalid"),
        ({"task": "x"}, "id_invalid"),
        ({"person": "x"}, "id_invalid"),
        ({"resource": "A"}, "name_invalid"),
        ({"at": -1}, "moment_invalid"),
        ({"state": "lost"}, "lease_invalid"),
        ({"mint_by": NOON}, "lease_invalid"),
        ({"until": NOON}, "lease_invalid"),
        ({"round": 0}, "lease_invalid"),
        ({"plan": 0}, "lease_invalid"),
        ({"because": "task"}, "lease_invalid"),
        ({"state": "ending"}, "lease_invalid"),
        (ENDED | {"because": "mood"}, "lease_invalid"),
        (ENDED | {"state": "dead"}, "lease_invalid"),
        (ENDED | {"proof": "gone"}, "lease_invalid"),
        (ENDED | {"state": "dead", "proof": "hope"}, "lease_invalid"),
        ({"trouble": "x" * 201}, "lease_invalid"),
        ({"took": -1}, "lease_invalid"),
    ],
)
def test_what_no_lease_can_be(members, wrong):
    assert code(lease, **members) == wrong


def test_a_whole_life_can_be_written_down():
    one = changed(lease(), state="active", lent=True)
    ended = changed(one, **ENDED)
    assert changed(ended, state="dead", proof="gone", died=NOON + 9, took=4).because == "task"

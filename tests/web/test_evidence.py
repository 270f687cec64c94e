"""`POST /v1/tasks/{id}/evidence`: for the operator, whole, and a file to be kept."""

from remit.cli import evidence_check
from remit.ledger import note
from tests.kit.asking import code


def test_the_operator_takes_it_and_it_holds(place):
    taken = place.send(f"/v1/tasks/{place.task}/evidence", {})
    assert taken.status == 200
    assert taken.headers["content-disposition"] == f'attachment; filename="{place.task}.json"'
    authority = place.world.authority
    keys = [note.parse_vkey(one) for one in place.read(lambda _: authority.verifiers())]
    assert evidence_check.examine(taken.body, keys, authority.name)[0] is None


def test_nobody_else_does(place):
    address = f"/v1/tasks/{place.task}/evidence"
    assert code(place.send(address, {}, place.person), 403) == "forbidden"
    assert code(place.send(address, {}, place.held), 403) == "forbidden"
    assert code(place.send(f"/v1/tasks/tsk_{'a' * 26}/evidence", {}), 404) == "not_found"

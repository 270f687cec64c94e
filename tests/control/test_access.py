"""Decisions for others: who may ask, what an operation is now, and what becomes of calls that nobody tells of."""

from dataclasses import replace

import pytest

from remit.control import access, principal, resource, revocation
from remit.control.access import Door
from remit.core.errors import RemitError
from remit.core.operation import Request
from remit.core.permit import Permit
from remit.core.resource import Upstream
from remit.core.trust import TrustPath
from remit.store import payload
from remit.store.apply import flights
from tests.kit import stores
from tests.kit.door import OPERATIONS
from tests.kit.hours import Hours
from tests.kit.world import World, read_call


@pytest.fixture(params=stores.KINDS)
def place(tmp_path, request):
    one = World(stores.place(request.param, tmp_path / "data"), (hours := Hours()).clock()).settle()
    one.hours, one.door = hours, Door(one.authority, one.batch)
    made = one.act(lambda c: principal.add_service(c, "edge", one.owner.id, (), "operator"))
    one.service, one.token = one.act(lambda c: principal.give_token(c, made.id, "operator"))
    yield one
    one.close()


def code(work):
    with pytest.raises(RemitError) as caught:
        work()
    return caught.value.code


def shop(place, **changes):
    up, owner = Upstream(url="http://127.0.0.1:9/"), place.owner.id
    tools = OPERATIONS | changes
    place.act(
        lambda c: resource.add(c, name="shop", upstream=up, domain="office", owner=owner, tools=tools, by="operator")
    )


def test_a_token_is_kept_as_its_digest_and_is_known_until_it_is_replaced(place):
    assert place.door.service(place.token) == place.service
    assert place.token not in str(place.service)
    assert code(lambda: place.door.service("")) == "unauthenticated"
    assert code(lambda: place.door.service(place.service.token)) == "unauthenticated"
    place.act(lambda c: principal.give_token(c, place.service.id, "operator"))
    assert code(lambda: place.door.service(place.token)) == "unauthenticated"


def test_a_service_that_left_gets_no_token_and_is_not_known(place):
    place.act(lambda c: revocation.revoke(c, "service", place.service.id, "operator", "gone"))
    assert code(lambda: place.door.service(place.token)) == "unauthenticated"
    assert code(lambda: place.act(lambda c: principal.give_token(c, place.service.id, "operator")))


def test_an_operation_is_what_is_pinned_now(place):
    asked = Request("GET", "/orders/o-1")
    assert code(lambda: place.door.operation("shop", asked)) == "operation_unknown"
    shop(place)
    call, pin = place.door.operation("shop", asked)
    assert (call.action, call.arguments) == ("mcp:shop/get_order", {"order": "o-1"})
    shop(place, get_order={"name": "get_order", "http": {"method": "GET", "path": "/old/{order}"}})
    assert code(lambda: place.door.operation("shop", asked)) == "operation_unknown"
    moved, other = place.door.operation("shop", Request("GET", "/old/o-1"))
    assert moved == call
    assert other != pin


def test_on_the_delegated_path_the_subject_is_the_person(place):
    errand = place.a_task(person=place.person.id, requester=place.person.id, by=place.person.id)
    text = place.a_credential(errand.id, TrustPath.DELEGATED, place.person.id).text
    asked = access.Asked(place.service, read_call(), place.enter(text), subject=place.person.id, agent=place.agent.id)
    heard = []
    place.door.ask(asked, heard.append)
    place.door.ask(replace(asked, subject=place.agent.id), heard.append)
    assert isinstance(heard[0], Permit)
    assert heard[1].code == "subject_other"


def test_strangers_are_counted(place):
    counted = {}
    door = Door(place.authority, place.batch, counted)
    assert code(lambda: door.service("x")) == "unauthenticated"
    door.enter("x", "notes")
    assert counted["service_unknown"] == 1
    assert sum(counted.values()) == 2


def test_what_is_overdue_is_closed_once_and_a_permit_is_not_forgotten_before(place):
    text = place.a_credential(place.a_task().id).text
    asked = access.Asked(place.service, read_call(), place.enter(text))
    heard = []
    for _ in range(3):
        place.door.ask(asked, heard.append)
    ours = place.decide(read_call(), place.enter(text))
    place.act(access.note(place.service, heard[0].call, {"result": "ok"}))
    place.hours.pass_by(access.OUTCOME_MS + 1)
    place.act(lambda c: (c.keep(), payload.expire_nonces(c.db, c.now)))
    assert place.act(access.close_overdue) == 2
    assert place.act(access.close_overdue) == 0
    assert [one.call for one in flights(place.authority.view)] == [ours.call]

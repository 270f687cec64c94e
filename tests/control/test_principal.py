from remit.control import principal
from remit.core.principal import Person
from tests.kit.nouns import named
from tests.kit.told import kinds, refused, size, told


def pia(change, **given):
    groups = given.get("groups", ())
    return principal.add_person(change, given.get("issuer", "local"), given.get("subject", "pia"), "Pia", groups, "op")


def test_the_same_one_again_is_the_same_person(world):
    before = size(world)
    assert world.act(pia) == world.person
    assert world.act(lambda c: pia(c, issuer="other")).id != world.person.id
    assert kinds(world, before) == ["person.added"]


def test_new_groups_are_a_change_of_the_same_person(world):
    before = size(world)
    assert world.act(lambda c: pia(c, groups=("sales",))).id == world.person.id
    assert kinds(world, before) == ["person.changed"]


def test_no_receipt_names_a_person_otherwise_than_by_id(world):
    assert "Olga" not in str(told(world))
    assert world.act(lambda c: principal.known_as(c, world.owner.id)) == [
        {"issuer": "local", "subject": "olga", "name": "Olga Owner"}
    ]


def test_who_cannot_be_a_person_is_refused(world):
    assert refused(world, lambda c: pia(c, subject="")) == "person_invalid"
    assert refused(world, lambda c: pia(c, subject="new", groups=("No Group",))) == "name_invalid"
    assert refused(world, lambda c: principal.add_person(c, "local", "x", "two\nlines", (), "op")) == "person_invalid"


def test_who_left_has_left_once(world):
    world.act(lambda c: principal.end_person(c, world.person.id, "op", "moved"))
    assert told(world)[-1]["because"] == "moved"
    assert world.act(lambda c: c.need(Person, world.person.id)).state == "gone"
    assert refused(world, lambda c: principal.end_person(c, world.person.id, "op", "")) == "transition_refused"


def test_a_service_has_a_name_of_its_own_and_an_owner(world):
    before = size(world)
    world.act(lambda c: principal.add_service(c, "nightly", world.owner.id, (), "op"))
    assert kinds(world, before) == ["service.added"]
    assert refused(world, lambda c: principal.add_service(c, "nightly", world.owner.id, (), "op")) == "name_taken"
    assert refused(world, lambda c: principal.add_service(c, "other", named("per", "z"), (), "op")) == "not_found"

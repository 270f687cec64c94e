"""What binds an approval: its card's digest, its shape, and yeses of people who still may say it."""

from hypothesis import given
from hypothesis import strategies as st

from remit.core.approval import (
    Answers,
    Approval,
    Asked,
    Terms,
    Yes,
    answers,
    barred,
    fits,
    lacking,
    shape,
    shown,
    stands,
)
from remit.core.principal import Person
from tests.kit.nouns import CALL, CREDENTIAL, NOON, TASK, code, named

ANN, BEN, CAL = named("per", "a"), named("per", "b"), named("per", "c")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def an(**members):
    given = {"id": named("apr"), "task": TASK, "call": CALL, "credential": CREDENTIAL, "action": "mcp:notes/wipe"}
    given |= {"digest": "d", "shown": "s", "groups": ("ops",), "asked": NOON, "until": NOON + 1000}
    return Approval(**(given | members))


def yes(by=ANN, group="ops"):
    return Yes(by=by, group=group, at=NOON, via="api")


def people(**groups):
    return {by: Person(id=by, groups=tuple(names)) for by, names in groups.items()}


def asked(one, **members):
    given = {"used": 0, "shown": "s", "fits": True, "people": people(**{ANN: ["ops"]}), "barred": frozenset()}
    return Asked(approval=one, **(given | members))


def test_it_stands_only_while_every_part_of_it_does():
    one = an(state="approved", yes=(yes(),))
    assert stands(asked(one), NOON) == "yes"
    assert stands(asked(one), NOON + 1000) == "other"
    assert stands(asked(one, used=1), NOON) == "other"
    assert stands(asked(one, fits=False), NOON) == "other"
    for moved in ({"shown": "t"}, {"shown": ""}, {"people": {}}, {"barred": frozenset({ANN})}):
        assert stands(asked(one, **moved), NOON) == "void", moved
    assert stands(asked(one, people=people(**{ANN: ["other"]})), NOON) == "void"
    gone = {ANN: Person(id=ANN, groups=("ops",), state="gone")}
    assert stands(asked(one, people=gone), NOON) == "void"
    for state in ("pending", "denied"):
        assert stands(asked(an(state=state)), NOON) == state
    assert stands(asked(an(state="void")), NOON) == "other"


def test_each_group_needs_its_own_number_of_different_people():
    one = an(groups=("ops", "law"), need=2)
    known = people(**{ANN: ["ops", "law"], BEN: ["ops"], CAL: ["law"]})

    def left(*said):
        return lacking(an(groups=("ops", "law"), need=2, yes=said), known, frozenset())

    assert lacking(one, known, frozenset()) == ("ops", "law")
    assert left(yes(ANN), yes(BEN)) == ("law",)
    assert left(yes(ANN), yes(ANN)) == ("ops", "law"), "one person is one yes"
    assert left(yes(ANN), yes(BEN), yes(CAL, "law")) == ("law",)
    assert barred(("owner",), ANN, BEN, CAL) == {ANN, BEN}
    assert barred((), ANN, BEN, CAL) == {ANN}
    assert barred(("owner", "person"), ANN, BEN, CAL) == {ANN, BEN, CAL}


@given(VALUES, VALUES)
def test_a_value_is_of_its_own_shape_and_what_is_of_it_is_no_larger(value, other):
    assert fits(value, shape(value))
    if fits(other, shape(value)):
        assert slow_fits(other, value)
    assert fits(other, shape(value)) == slow_fits(other, value)


def slow_fits(value, model):
    """The same, without the shape between: by what kind of thing the model is."""
    if model is None or isinstance(model, bool | list):
        return repr(value) == repr(model) or (isinstance(model, list) and same(value, model))
    if isinstance(model, int | float):
        low, high = sorted((0, model))
        return type(value) in (int, float) and low <= value <= high
    if isinstance(model, str):
        return isinstance(value, str) and len(value) <= len(model)
    return isinstance(value, dict) and set(value) == set(model) and all(slow_fits(value[n], model[n]) for n in model)


def same(value, model):
    if type(value) is not type(model):
        return False
    if isinstance(model, list):
        return len(value) == len(model) and all(map(same, value, model))
    if isinstance(model, dict):
        return set(value) == set(model) and all(same(value[n], model[n]) for n in model)
    return value == model


def test_the_digest_is_over_mark_salt_and_canonical_card():
    salt = bytes(range(16))
    assert shown({"b": 1, "a": "é"}, salt) == shown({"a": "é", "b": 1}, salt)
    assert shown({"a": 1}, salt) == "t0I1U5ovFKEKSLa_vdZbrwROjpsmZ-ZEVr1hG7_2PoE"
    assert shown({"a": 1}, salt) != shown({"a": 1}, bytes(16))


def test_how_people_answer_is_counted():
    said = [
        an(yes=(Yes(by=ANN, group="ops", at=NOON + 2000, via="api"),)),
        an(yes=(Yes(by=ANN, group="ops", at=NOON + 4000, via="api"),), until=NOON + 9000),
        an(no=ANN, answered=NOON + 9000, state="denied", until=NOON + 9999),
        an(no=BEN, answered=NOON + 1, state="denied"),
        an(),
    ]
    assert answers(said) == [Answers(ANN, 3, 2, 4000), Answers(BEN, 1, 0, 1)]


def test_what_cannot_be_is_refused():
    for wrong in ({"state": "moon"}, {"groups": ()}, {"until": NOON}, {"uses": 0}, {"bar": ("all",)}):
        assert code(an, **wrong) == "approval_invalid", wrong
    for wrong in ({"need": 0}, {"life": 1}, {"bar": ("x",)}, {"repeat": {"mcp:a/b": 1}}):
        assert code(Terms, **wrong) == "approval_invalid", wrong

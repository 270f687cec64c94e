"""What a plan is against the one before: each verdict, and which steps it names."""

import pytest

from remit.core.replan import Kind, classify
from remit.core.step import Step


def step(action="read", path="own", **members):
    given = {"action": f"mcp:notes/{action}", "path": path, "arguments": {"path": [{"subpath": "/notes"}]}}
    return Step.from_json(given | members)


A = {"arguments": {"path": [{"subpath": "/notes/a"}]}}
ROOT = {"arguments": {"path": [{"subpath": "/"}]}}
CEILING = (step(**ROOT), step("write", uses=5), step(path="delegated"), step("write", "delegated"))
BEFORE = (step(), step("write", uses=3))


@pytest.mark.parametrize(
    ("after", "kind", "widened", "added", "crossed"),
    [
        (BEFORE, Kind.EQUAL, (), (), ()),
        (BEFORE[::-1], Kind.EQUAL, (), (), ()),
        ((step(),), Kind.NARROWER, (), (), ()),
        ((step(**A), step("write", uses=3)), Kind.NARROWER, (), (), ()),
        ((step("write", uses=1), step("write", uses=2)), Kind.NARROWER, (), (), ()),
        ((step(**ROOT),), Kind.WIDER, (0,), (), ()),
        ((step("write", uses=4),), Kind.WIDER, (0,), (), ()),
        ((step("write", uses=2), step("write", uses=2)), Kind.WIDER, (1,), (), ()),
        ((step(), step(path="delegated")), Kind.OTHER_PATH, (), (1,), (1,)),
        ((step("send"),), Kind.OUTSIDE, (), (), ()),
        ((step("write", uses=6),), Kind.OUTSIDE, (), (), ()),
    ],
)
def test_each_verdict(after, kind, widened, added, crossed):
    moved = classify(CEILING, BEFORE, after)
    assert (moved.kind, moved.widened, moved.added, moved.crossed) == (kind, widened, added, crossed)
    assert moved.narrows is (kind in (Kind.EQUAL, Kind.NARROWER))
    assert (moved.refusal is not None) is (kind is Kind.OUTSIDE)


def test_an_act_on_a_path_that_is_in_use_is_added_and_the_same_act_by_the_other_path_crosses():
    before = (step(), step(path="delegated"))
    moved = classify(CEILING, before, (*before, step("write", "delegated")))
    assert (moved.kind, moved.added, moved.crossed) == (Kind.WIDER, (2,), ())
    moved = classify(CEILING, (step("write", uses=3), step(path="delegated")), (step("write", "delegated"),))
    assert (moved.kind, moved.added, moved.crossed) == (Kind.OTHER_PATH, (0,), (0,))

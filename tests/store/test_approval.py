"""The approvals' table on either store: which could answer a call, and one statement that uses one up."""

import pytest

from remit.core.approval import Approval
from remit.core.errors import RemitError
from remit.store import approval
from remit.store.record import put
from tests.kit.nouns import CALL, CREDENTIAL, NOON, TASK, named


def an(letter, **members):
    given = {"id": named("apr", letter), "task": TASK, "call": CALL, "credential": CREDENTIAL, "action": "mcp:a/b"}
    given |= {"digest": "d", "shown": "s", "groups": ("ops",), "asked": NOON, "until": NOON + 9}
    return Approval(**(given | members))


def taken(db, letter, at):
    """Use one up, and hear of it: across a network a write is only known to have failed at the next read."""
    approval.consume(db, named("apr", letter), at)
    approval.used(db, named("apr", letter))


def test_only_what_could_answer_is_found_and_a_use_is_taken_once(tables):
    db = tables
    for one in (
        an("a", state="pending"), an("b", state="approved"), an("c", digest="", state="denied"),
        an("d", digest="other"), an("e", state="void"), an("f", until=NOON + 1),
    ):  # fmt: skip
        put(db, one)
    found = approval.candidates(db, TASK, "mcp:a/b", "d", NOON + 1)
    assert [(one.id[4], used) for one, used in found] == [("b", 0), ("c", 0), ("a", 0)]
    assert approval.waiting(db, TASK, NOON + 1) == 2
    approval.consume(db, named("apr", "b"), NOON)
    assert approval.used(db, named("apr", "b")) == 1
    for letter, at in (("b", NOON), ("a", NOON), ("f", NOON + 1)):
        with pytest.raises(RemitError) as caught:
            taken(db, letter, at)
        assert caught.value.code == "approval_used", letter

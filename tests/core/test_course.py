from remit.core.course import course
from remit.core.receipt import change, outcome
from tests.kit.nouns import AGENT, CALL, NOON, TASK, agent, approval, credential, lease, plan, revocation, task


def decided(leaf, at=NOON, **more):
    given = {"v": 1, "kind": "call.decided", "at": at, "call": CALL, "action": "mcp:notes/wipe", "args": {}, "prev": -1}
    return leaf, given | {"task": TASK, "subject": AGENT, "path": "own", "plan": 1} | more


def test_an_outcome_stands_in_its_calls_row_and_a_gap_as_a_gap():
    allowed = [decided(7, decision="allow", step=0), decided(8, decision="allow", step=0, call="cal_" + "b" * 26)]
    rows = course([*allowed, (9, outcome(CALL, 7, NOON, {"result": "ok", "ms": 12}))])
    assert [(row.leaf, row.what, row.note) for row in rows] == [
        (7, "done", "done in 12 ms"),
        (8, "open", "outcome unknown"),
    ]


def test_a_refusal_says_why_and_what_waits_names_its_approval():
    rows = course(
        [
            decided(1, decision="deny", code="plan_outside", what="Not planned.", grounds=["own/a"]),
            decided(2, decision="deny", code="approval_pending", what="Wait.", approval="apr_x"),
        ]
    )
    assert [(row.what, row.code, row.approval) for row in rows] == [
        ("refused", "plan_outside", ""),
        ("asked", "approval_pending", "apr_x"),
    ]
    assert rows[0].grounds == ("own/a",)


def test_changes_of_the_task_are_told_and_others_only_when_asked_for():
    tags = {"task.opened": task(), "plan.made": plan(), "approval.denied": approval(no="per_" + "a" * 26)}
    tags |= {"credential.issued": credential(), "revocation.made": revocation(), "agent.added": agent()}
    changes = [(n, change(tag, one, NOON, "operator", "why")) for n, (tag, one) in enumerate(tags.items())]
    told = course(changes)
    assert [row.what for row in told] == ["opened", "planned", "denied", "given", "revoked"]
    assert told[1].note == "version 1, 1 steps · why"
    assert told[4].note == f"task {TASK} · why"
    assert course(changes, every=True)[-1].title == "agent added"


def test_what_was_given_at_a_target_is_told_to_its_proven_end():
    given = (
        lease(),
        lease(state="dead", ended=NOON + 1, ender="gate", died=NOON + 2, proof="expired", because="task"),
    )
    tags = ("lease.intended", "lease.dead")
    rows = course(
        [(n, change(tag, one, NOON + n, "gate")) for n, (tag, one) in enumerate(zip(tags, given, strict=True))]
    )
    assert [row.what for row in rows] == ["intended", "dead"]
    assert "expired" in rows[1].note

import pytest
from msgspec.structs import replace

from remit.core.answer import Allow, Deny
from remit.core.call import Call
from remit.core.decision import decide
from remit.core.facts import Facts
from remit.core.grant import Step, Usage
from remit.core.policy import compile_set
from remit.core.record import changed
from remit.core.schema import ResourceShape, schema
from remit.core.trust import TrustPath
from remit.core.visible import visible
from tests.kit.nouns import (
    NOON,
    STEP,
    TASK,
    agent,
    brief,
    credential,
    gate,
    key,
    named,
    person,
    plan,
    resource,
    task,
    tool,
)  # fmt: skip

NOW = NOON + 1
CALLED = Call("mcp:notes/read_note", {"path": "/notes/a"})
SHAPE = schema([ResourceShape("notes", "mcp", "office", (), {"read_note": {}}, frozenset())])
SET = compile_set(TrustPath.OWN, {}, {"a.cedar": 'permit(principal, action in Action::"mcp:notes", resource);'}, SHAPE)
BRIEF = ("brief:own:mcp:notes/read_note", 0)
FACTS = Facts(
    now=NOW, credential=credential(), key=key(), gate=gate(), task=task(), ancestors=(), active_at=NOON, plan=plan(),
    agent=agent(), owner=person(), requester_live=True, brief=brief(), resource=resource(),
    tools={"read_note": tool()}, policy=SET,
)  # fmt: skip


def code(call=CALLED, **members):
    found = decide(call, replace(FACTS, **members))
    assert isinstance(found, Deny), found
    return found.code


def test_where_all_agree_it_is_allowed_and_charged_to_plan_and_brief():
    found = decide(CALLED, FACTS)
    assert isinstance(found, Allow)
    assert [(one.task, one.scope, one.number) for one in found.charges] == [(TASK, "plan:1", 0), (TASK, *BRIEF)]


ABSENT = {
    "credential": "credential_ended",
    "key": "key_retired",
    "gate": "path_revoked",
    "task": "task_ended",
    "ancestors": "parent_ended",
    "plan": "plan_missing",
    "agent": "agent_not_active",
    "owner": "owner_gone",
    "brief": "brief_withdrawn",
    "resource": "resource_unknown",
    "policy": "policy_missing",
}


@pytest.mark.parametrize(("name", "expected"), ABSENT.items())
def test_what_is_absent_refuses(name, expected):
    assert code(**{name: None}) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"credential": credential(state="ended")}, "credential_ended"),
        ({"credential": credential(expires=NOW)}, "credential_expired"),
        ({"credential": credential(plan=2)}, "plan_moved"),
        ({"credential": credential(audience=("mail",))}, "audience_other"),
        ({"key": key(state="retired")}, "key_retired"),
        ({"gate": gate(state="closed")}, "path_revoked"),
        ({"gate": gate(since=NOON)}, "path_revoked"),
        ({"gate": gate(name=TrustPath.DELEGATED)}, "path_revoked"),
        ({"task": task(state="suspended")}, "task_suspended"),
        ({"task": task(id=named("tsk", "b"))}, "task_ended"),
        ({"task": task(deadline=NOW)}, "task_deadline"),
        ({"now": NOON + 500}, "task_idle"),
        ({"ancestors": (task(state="ended"),)}, "parent_ended"),
        ({"ancestors": (task(deadline=NOW),)}, "parent_ended"),
        ({"agent": agent(state="suspended")}, "agent_not_active"),
        ({"agent": agent(review_due=NOW)}, "review_overdue"),
        ({"owner": person(state="gone")}, "owner_gone"),
        ({"owner": person(id=named("per", "b"))}, "owner_gone"),
        ({"requester_live": False}, "requester_gone"),
        ({"brief": brief(state="withdrawn")}, "brief_withdrawn"),
        ({"brief": brief(agents=(named("agt", "b"),))}, "brief_agent"),
        ({"brief": brief(bearer_life=0)}, "credential_unbound"),
        ({"brief": brief(domains=("people",))}, "domain_outside"),
        ({"brief": brief(steps=(Step.from_json(STEP | {"action": "mcp:notes/other"}),))}, "brief_moved"),
        ({"resource": resource(state="removed")}, "resource_unknown"),
        ({"agent": agent(ceiling=("mcp:mail/*",))}, "ceiling_outside"),
        ({"tools": {}}, "tool_unknown"),
        ({"tools": {"read_note": tool(state="suspended")}}, "tool_suspended"),
        ({"plan": plan(steps=(Step.from_json(STEP | {"path": "delegated"}),))}, "plan_outside"),
        ({"usage": {(TASK, *BRIEF): Usage(uses=3)}}, "uses_spent"),
        ({"usage": {(TASK, "plan:1", 0): Usage(uses=3)}}, "uses_spent"),
    ],
)
def test_what_is_no_longer_live_or_lies_outside_refuses(members, expected):
    assert code(**members) == expected


def test_a_delegated_call_needs_its_own_person():
    delegated = Step.from_json(STEP | {"path": "delegated"})
    held = credential(path=TrustPath.DELEGATED, subject=person().id)
    given = {
        "credential": held,
        "gate": gate(name=TrustPath.DELEGATED),
        "plan": plan(steps=(delegated,)),
        "brief": brief(steps=(delegated,)),
    }
    assert code(**given) == "person_gone"
    assert code(**given, person=person(state="gone")) == "person_gone"
    assert code(**given, person=person()) == "person_other"
    mine = given | {"task": task(person=person().id), "person": person()}
    assert code(**mine) == "policy_path_mismatch"


def test_a_step_further_down_may_hold_what_an_earlier_one_refuses():
    other = Step.from_json(STEP | {"arguments": {"path": [{"subpath": "/mail"}]}})
    call = Call(CALLED.action, {"path": "/mail/a"})
    assert code(call) == "argument_refused"
    wide = {
        "plan": plan(steps=(plan().steps[0], other), sources=(0, 1)),
        "brief": brief(steps=(plan().steps[0], other)),
    }
    assert decide(call, replace(FACTS, **wide)).step == 1


def test_a_list_shows_exactly_what_a_call_could_meet():
    listed = decide(Call("mcp:notes/@list", {}), FACTS)
    assert listed.visible == visible(FACTS) == {"read_note"}
    assert visible(replace(FACTS, tools={"read_note": tool(state="suspended")})) == frozenset()
    assert visible(replace(FACTS, plan=None)) == frozenset()


FORBIDS = {
    'forbid(principal, action == Action::"mcp:notes/wipe", resource);': {"read_note"},
    f'forbid(principal == Agent::"{agent().id}", action, resource == Resource::"notes") when {{ true }};': set(),
    f'forbid(principal == Agent::"{named("agt", "b")}", action, resource);': {"read_note", "wipe"},
    "forbid(principal, action, resource) when { context.plan == 7 };": {"read_note", "wipe"},
}


@pytest.mark.parametrize(("forbid", "left"), FORBIDS.items())
def test_what_a_policy_refuses_in_any_case_is_neither_listed_nor_offered(forbid, left):
    shape = schema([ResourceShape("notes", "mcp", "office", (), {"read_note": {}, "wipe": {}}, frozenset())])
    permit = 'permit(principal, action in Action::"mcp:notes", resource);'
    steps = (plan().steps[0], Step.from_json(STEP | {"action": "mcp:notes/wipe"}))
    seen = replace(
        FACTS, policy=compile_set(TrustPath.OWN, {}, {"a.cedar": permit + forbid}, shape), brief=brief(steps=steps),
        plan=plan(steps=steps, sources=(0, 1)), tools={one: tool(name=one) for one in ("read_note", "wipe")},
    )  # fmt: skip
    assert visible(seen) == left
    assert visible(replace(seen, policy=None)) == set()
    said = decide(Call("mcp:notes/nothing", {}), seen).may
    assert said == (f"You may use: {', '.join(sorted(left))}." if left else "Nothing else is open to you here.")
    for one in {"read_note", "wipe"} - left:
        assert decide(Call(f"mcp:notes/{one}", {"path": "/notes/a"}), seen).code == "policy_forbids"


def test_a_server_asks_only_what_the_brief_lets_it_within_an_open_call():
    ask = Call("mcp:notes/@sampling", {})
    assert code(ask, origin=True) == "reverse_refused"
    allowed = {"brief": brief(reverse=("sampling",))}
    assert code(ask, **allowed) == "reverse_refused"
    assert isinstance(decide(ask, replace(FACTS, **allowed, origin=True)), Allow)


def test_a_fault_in_the_law_refuses():
    assert code(now="noon") == "decision_fault"


def test_what_a_model_is_told_is_short_and_ends_with_its_code():
    told = Deny("plan_outside", "x" * 500, "y").told()
    assert len(told) == 400
    assert told.endswith(" [plan_outside]")
    assert changed(task(), state="ended").state == "ended"


SQL = {"action": "sql:notes/select", "path": "own", "arguments": {"relation": [{"prefix": "public."}]}}
READS = Call("sql:notes/select", {"relation": "public.orders"})
SQL_SHAPE = schema([ResourceShape("notes", "postgres", "office", (), {"select": {}}, frozenset())])
DATABASE = replace(
    FACTS,
    resource=resource(kind="postgres"),
    agent=agent(ceiling=("sql:notes/*",)),
    plan=plan(steps=(Step.from_json(SQL),)),
    brief=brief(steps=(Step.from_json(SQL),)),
    tools={"select": tool(name="select"), "public.orders": tool(name="public.orders")},
    policy=compile_set(
        TrustPath.OWN, {}, {"a.cedar": 'permit(principal, action in Action::"sql:notes", resource);'}, SQL_SHAPE
    ),
)


def test_a_sql_call_rests_on_the_pin_of_its_relation_too():
    verb, orders = tool(name="select"), tool(name="public.orders")
    assert isinstance(decide(READS, DATABASE), Allow)
    for call, tools, expected in (
        (READS, {"select": verb}, "relation_unknown"),
        (READS, {"select": verb, "public.orders": changed(orders, state="suspended")}, "tool_suspended"),
        (READS, {"public.orders": orders}, "tool_unknown"),
        (Call("sql:notes/select", {"relation": "select"}), {"select": verb}, "relation_unknown"),
        (Call("sql:notes/select", {"relation": ["public.orders"]}), DATABASE.tools, "relation_unknown"),
        (Call("sql:notes/select", {}), DATABASE.tools, "relation_unknown"),
    ):
        assert decide(call, replace(DATABASE, tools=tools)).code == expected


@pytest.mark.parametrize(
    ("kind", "action"), [("mcp", "sql"), ("postgres", "mcp"), ("http", "mcp"), ("postgres", "http")]
)
def test_an_action_of_another_scheme_is_not_of_this_resource(kind, action):
    call = Call(f"{action}:notes/@session", {})
    assert decide(call, replace(FACTS, resource=resource(kind=kind))).code == "resource_unknown"

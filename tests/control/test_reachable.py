"""The graph over a real store: what stands, what is held now, what was used, and what a task spares."""

import pytest
from msgspec import structs

from remit.control import agent as agents
from remit.control import brief, reachable, resource, survey
from remit.control import reach as bounds
from remit.control import task as tasks
from remit.control.landscape import Landscape
from remit.core.budget import Budget
from remit.core.connector import Argument, Shape
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.core.reach import UNBOUNDED, facts
from remit.core.reach.answer import answer, labelled
from remit.core.reach.survey import Seen
from remit.core.resource import Injection, Minting, Upstream
from remit.core.step import Step
from remit.core.task import Plan
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.gateway.mcp import method
from remit.store.record import Reader
from tests.kit import nouns
from tests.kit.nouns import code
from tests.kit.world import TOOLS, read_call


def graph(world, view="possible"):
    return reachable.graph(Reader(world.authority.view), world.authority.clock.now(), view)[0]


def numbers(world, key, view="possible", without=()):
    made = graph(world, view)
    gone = [made.find(one) for one in without]
    return answer(made, made.find(key), made.cut(gone)).numbers


def test_an_agent_reaches_what_briefs_let_it_plan_within_its_ceiling(world):
    found = numbers(world, f"agent:{world.agent.id}")
    assert (found["systems"], found["writable"], found["domains"]) == (1, 3, 1)
    narrow = world.an_agent("reader", "mcp:notes/read_note")
    world.act(lambda c: brief.apply(c, world.a_brief(agents=(world.agent.id, narrow.id)), "operator"))
    assert numbers(world, f"agent:{narrow.id}")["writable"] == 1
    owner = numbers(world, f"person:{world.owner.id}")
    assert (owner["systems"], owner["writable"]) == (1, 3)
    assert numbers(world, f"person:{world.owner.id}", without=["scribe", "reader", "brief:notes"])["systems"] == 0


def test_now_is_what_live_credentials_give_and_nothing_else(world):
    key = f"agent:{world.agent.id}"
    assert numbers(world, key, "now")["systems"] == 0
    task = world.a_task()
    assert numbers(world, key, "now")["systems"] == 0
    given = world.a_credential(task.id)
    assert numbers(world, key, "now")["writable"] == 3
    assert numbers(world, f"credential:{given.credential.id}", "now")["systems"] == 1
    assert numbers(world, key, "now", without=[f"credential:{given.credential.id}"])["systems"] == 0
    world.act(lambda c: tasks.end(c, task.id, "complete", "operator"))
    assert numbers(world, key, "now")["systems"] == 0
    assert code(numbers, world, f"task:{task.id}", "now") == "reach_unknown"


def test_a_credential_reaches_what_its_own_path_is_for(world):
    task = world.a_task(requester=world.person.id, person=world.person.id, by=world.person.id)
    world.a_credential(task.id, TrustPath.DELEGATED, world.person.id)
    made = graph(world, "now")
    [key] = [one for one in made.keys if one.startswith("credential:")]
    grants = [made.keys[n] for n in answer(made, made.find(key)).walked.order if made.kind(n) == "grant"]
    assert len(grants) == 3
    assert {int(one.rpartition("/")[2]) for one in grants} == {3, 4, 5}


def test_observed_is_what_receipts_say_was_allowed(world):
    task = world.a_task()
    entry = world.enter(world.a_credential(task.id).text)
    key = f"agent:{world.agent.id}"
    assert numbers(world, key, "observed")["systems"] == 0
    permit = world.decide(read_call(), entry)
    assert isinstance(permit, Permit)
    world.note(permit)
    made = graph(world, "observed")
    found = answer(made, made.find(key))
    assert (found.numbers["systems"], found.numbers["domains"]) == (1, 1)
    assert [made.title(n) for n in found.walked.order if made.kind(n) == "tool"] == ["mcp:notes/read_note"]


def test_what_began_a_session_used_no_tool_and_an_ended_task_is_told_as_ended(world):
    task = world.a_task()
    entry = world.enter(world.a_credential(task.id).text)
    world.note(world.decide(method.session("notes", "initialize"), entry))
    key = f"agent:{world.agent.id}"
    assert numbers(world, key, "observed")["systems"] == 0
    world.note(world.decide(read_call(), entry))
    assert graph(world, "observed").title(graph(world, "observed").find(f"task:{task.id}")) == f"task:{task.id}"
    world.act(lambda c: tasks.end(c, task.id, "complete", "operator"))
    made = graph(world, "observed")
    assert made.called(made.find(f"task:{task.id}")) == f"task:{task.id} (ended)"
    assert numbers(world, key, "observed")["systems"] == 1
    reached = answer(made, made.find(key)).walked.order
    assert [made.title(n) for n in reached if made.kind(n) == "tool"] == ["mcp:notes/read_note"]


def test_a_tasks_numbers_are_the_bound_that_its_budget_was_held_against(world):
    held = world.a_brief(budget=Budget(writes=30, money={"amount": "900"}, over="cap"))
    world.act(lambda c: brief.apply(c, held, "operator"))
    task = world.a_task()
    reader = Reader(world.authority.view)
    plan = reader.get(Plan, f"{task.id}:{task.plan}")
    bound = bounds.of(reader, held, world.agent, plan.steps, task.deadline - task.opened)
    made = graph(world)
    found = answer(made, made.find(task.id)).bound
    for name in ("systems", "writable", "calls", "writes", "objects", "rows", "recipients", "people", "money"):
        assert getattr(found, name) == getattr(bound, name), name


def test_a_secret_reaches_all_that_it_opens_and_code_reaches_what_its_program_was_given(world):
    given = {"name": "shell", "domain": "office", "owner": world.owner.id, "by": "operator", "tools": TOOLS}
    world.authority.vault.put("upstream", "mail-key", Secret(b"x"))
    world.act(
        lambda c: resource.add(
            c, upstream=Upstream(argv=("python", "x.py")), labels=("runs-code", "sensitive"),
            injections=(Injection(secret="mail-key", variable="KEY"),), **given,
        )
    )  # fmt: skip
    made = graph(world)
    way = answer(made, made.find("mcp:shell/wipe"), to=made.find("secret:mail-key")).paths[0]
    assert [made.kind(node) for node in way] == ["tool", "code", "secret"]
    assert answer(made, made.find("secret:mail-key")).numbers["sensitive"] == 1


def way(world, source, target, view="now"):
    """What leads from one to another, edge by edge; nothing when nothing does."""
    made = graph(world, view)
    paths = answer(made, made.find(source), to=made.find(target)).paths
    return [by for _, by in labelled(made, paths[0])][1:] if paths else []


def test_a_task_reaches_what_was_delegated_below_it(world):
    above = world.a_task(requester=world.person.id, person=world.person.id, by=world.person.id)
    child = world.a_task(parent=above.id, person=world.person.id, requester=world.person.id, by=world.person.id)
    assert way(world, above.id, f"task:{child.id}", "possible") == ["delegated to"]
    given = world.a_credential(child.id, TrustPath.DELEGATED, world.person.id)
    assert way(world, above.id, f"credential:{given.credential.id}", "possible") == ["delegated to", "has"]


def test_a_refresh_token_gives_new_credentials_while_its_consent_lives(world):
    now = world.authority.clock.now()
    agreed = nouns.consent(person=world.person.id, agent=world.agent.id, at=now, until=now + 10**6)
    task = world.a_task(requester=world.person.id, person=world.person.id, by=world.person.id)
    token = nouns.refresh(consent=agreed.id, made=now, until=now + 10**6)
    world.act(lambda c: c.record("consent.given", agreed, "operator"))
    world.act(lambda c: c.record("refresh.made", token, "operator"))
    world.act(lambda c: c.record("task.planned", structs.replace(task, consent=agreed.id), "operator"))
    made = graph(world, "now")
    found = answer(made, made.find(f"refresh:{token.id}")).numbers
    assert (found["systems"], found["writable"]) == (1, 3)
    assert way(world, f"agent:{world.agent.id}", f"refresh:{token.id}") == ["holds"]
    assert way(world, f"person:{world.person.id}", f"refresh:{token.id}") == ["consented to"]
    world.act(lambda c: c.record("consent.withdrawn", structs.replace(agreed, state="withdrawn"), "operator"))
    assert code(graph(world, "now").find, f"refresh:{token.id}") == "reach_unknown"


def test_a_lease_is_for_the_steps_that_it_was_minted_for_and_held_where_it_was_handed_out(world):
    task = world.a_task()
    now = world.authority.clock.now()
    for letter, direct in (("a", False), ("b", True)):
        given = {"at": now, "mint_by": now + 1, "until": now + 10**6, "plan": task.plan, "task": task.id}
        one = nouns.lease(id=nouns.named("lse", letter), direct=direct, round=1 + direct, **given)
        world.act(lambda c, one=one: c.record("lease.intended", one, "operator"))
        made = graph(world, "now")
        found = answer(made, made.find(f"lease:{one.id}")).numbers
        assert (found["systems"], found["writable"]) == (1, 3)
        assert bool(way(world, f"agent:{world.agent.id}", f"lease:{one.id}")) is direct


def test_a_connection_opens_an_account_and_what_its_scopes_are_for(world):
    one = nouns.connection(person=world.person.id, scopes=("notes.read",))
    world.act(lambda c: c.record("connection.made", one, "operator"))
    places = (("rights", "notes.read", ""), ("object", "google notes", ""))
    seen = Seen(format="remit-survey-v1", source="scopes", nodes=places, edges=((0, 1, "3 read", False),))
    world.act(lambda c: survey.keep(c, "notes", seen, "operator"))
    ways = [way(world, f"person:{world.person.id}", place) for place in (
        f"object:notes/account-{world.person.id}", "object:notes/google notes")]  # fmt: skip
    assert ways[0][0] == "connected"
    assert ways[1] == ["connected", "has the scope", "3 read"]


def test_what_is_minted_at_aws_is_what_its_kind_was_set_to_and_its_key_makes_the_whole_role(world):
    world.authority.vault.put("upstream", "aws-key", Secret(b"AKIA:x"))
    settings = {"role": "arn:aws:iam::123456789012:role/agents", "region": "eu-west-1",
                "allow.read_note": "s3:GetObject,s3:ListBucket,sqs:SendMessage arn:aws:s3:::notes/*,*"}  # fmt: skip
    world.act(
        lambda c: resource.add(
            c, name="cloud", domain="office", owner=world.owner.id, by="operator", tools=TOOLS,
            upstream=Upstream(argv=("python", "x.py")),
            minting=Minting(kind="aws", secret="aws-key", settings=settings),
        )
    )  # fmt: skip
    agent = world.an_agent("clouded", "mcp:cloud/*")
    step = Step.from_json({"action": "mcp:cloud/read_note", "path": "own", "arguments": {"path": [{"any": True}]}})
    world.act(lambda c: brief.apply(c, world.a_brief(name="cloud", agents=(agent.id,), steps=(step,)), "operator"))
    made = graph(world)
    reached = {made.keys[n] for n in answer(made, made.find(f"agent:{agent.id}")).walked.order}
    there = {"object:cloud/arn:aws:s3:::notes/*", "object:cloud/s3 *", "object:cloud/sqs *"}
    assert there <= reached
    assert "role:cloud/role/agents" not in reached
    way = answer(made, made.find("secret:aws-key"), to=made.find("role:cloud/role/agents")).paths[0]
    assert labelled(made, way)[-1][1] == "makes credentials of"


@pytest.mark.parametrize(
    ("kind", "settings", "seen", "there"),
    [
        ("oauth", {"scope.read_note": "notes.read notes.more"}, [("rights", "notes.read", "")], ["notes.read"]),
        ("kubernetes", {"namespace": "prod", "role.read_note": "Role/r,ClusterRole/c"},
         [("rights", "role/prod/r", ""), ("rights", "clusterrole/c in prod", ""), ("rights", "clusterrole/c", "")],
         ["role/prod/r", "clusterrole/c in prod"]),
        ("github", {"allow.read_note": "contents:write,issues:read site"},
         [("object", "acme/site contents", ""), ("object", "acme/wiki contents", "")], ["acme/site contents"]),
    ],
)  # fmt: skip
def test_what_a_step_has_minted_is_found_in_the_survey_of_its_target(world, kind, settings, seen, there):
    world.authority.vault.put("upstream", "key", Secret(b"x"))
    world.act(
        lambda c: resource.add(
            c, name="far", domain="office", owner=world.owner.id, by="operator", tools=TOOLS,
            upstream=Upstream(argv=("python", "x.py")), minting=Minting(kind=kind, secret="key", settings=settings),
        )
    )  # fmt: skip
    agent = world.an_agent("afar", "mcp:far/*")
    step = Step.from_json({"action": "mcp:far/read_note", "path": "own", "arguments": {"path": [{"any": True}]}})
    world.act(lambda c: brief.apply(c, world.a_brief(name="far", agents=(agent.id,), steps=(step,)), "operator"))
    source = {"oauth": "scopes"}.get(kind, kind)
    told = Seen(format="remit-survey-v1", source=source, nodes=tuple(seen), edges=())
    world.act(lambda c: survey.keep(c, "far", told, "operator"))
    made = graph(world)
    reached = [made.keys[n] for n in answer(made, made.find(f"agent:{agent.id}")).walked.order]
    names = [key.partition(":far/")[2] for key in reached if key.startswith(("rights:", "object:"))]
    assert sorted(names) == sorted(there)


def test_what_an_operator_knows_widens_it_and_says_how_old_it_is(world):
    table = {
        "edges": [
            {"from": "tool:read_note", "to": "secret:crm-key", "by": "stores"},
            {"from": "secret:crm-key", "to": "object:public.customers", "by": "update", "writes": True},
        ]
    }
    before = numbers(world, "scribe")
    kept = world.act(lambda c: survey.keep(c, "notes", facts.read(table), "operator"))
    after = numbers(world, "scribe")
    assert after["writable"] == before["writable"] + 1
    assert after["secrets"] == 1
    later = world.authority.clock.now() + 25 * 3_600_000
    made: Landscape = reachable.graph(Reader(world.authority.view), later)[1]
    assert "25 hours old" in made.notes[-1]
    assert reachable.ages(made.surveys, later)[0]["old"] is True

    def lose(change):
        change.db.run("DELETE FROM blob WHERE digest = ?", (kept.digest,))
        change.keep()

    world.act(lose)
    assert code(numbers, world, "scribe") == "survey_missing"


TARGETS = [
    ("postgres", {}, "sql:far/update", [("object", "public.notes", "")]),
    ("aws", {"role": "arn:aws:iam::123456789012:role/agents", "region": "eu-west-1",
             "allow.write_note": "s3:PutObject arn:aws:s3:::notes/*"},
     "mcp:far/write_note", [("object", "arn:aws:s3:::notes/*", "")]),
    ("kubernetes", {"namespace": "prod", "role.write_note": "Role/r"}, "mcp:far/write_note",
     [("rights", "role/prod/r", "")]),
    ("github", {"allow.write_note": "contents:write site"}, "mcp:far/write_note",
     [("object", "acme/site contents", "")]),
    ("oauth", {"scope.write_note": "notes.write"}, "mcp:far/write_note", [("rights", "notes.write", "")]),
]  # fmt: skip
ANY = {"path": [{"any": True}]}


@pytest.mark.parametrize(("kind", "settings", "action", "seen"), TARGETS)
def test_a_budget_is_held_against_the_same_function_whatever_the_target_is(world, kind, settings, action, seen):
    """What the graph of reach says of a task is what its budget was held against; one call more is refused."""
    world.authority.vault.put("upstream", "key", Secret(b"x"))
    database = kind == "postgres"
    upstream = Upstream(url="postgresql://db.test/shop") if database else Upstream(argv=("python", "x.py"))
    tools = {name: {"type": "object"} for name in ("select", "update", "public.notes")} if database else TOOLS
    world.act(
        lambda c: resource.add(
            c, name="far", domain="office", owner=world.owner.id, by="operator", upstream=upstream, tools=tools,
            kind="postgres" if database else "mcp", minting=Minting(kind=kind, secret="key", settings=settings),
        )
    )  # fmt: skip
    source = {"oauth": "scopes"}.get(kind, kind)
    world.act(
        lambda c: survey.keep(
            c, "far", Seen(format="remit-survey-v1", source=source, nodes=tuple(seen), edges=()), "operator"
        )
    )
    agent = world.an_agent("afar", f"{action.partition('/')[0]}/*")
    limits = {"relation": [{"one_of": ["public.notes"]}], "/columns/*": [{"any": True}]} if database else ANY
    step = Step.from_json({"action": action, "path": "own", "arguments": limits, "uses": 6})
    most = {"agents": (agent.id,), "steps": (step,), "name": "far"}
    world.act(lambda c: brief.apply(c, world.a_brief(**most, budget=Budget(writes=5)), "operator"))
    assert code(world.a_task, brief="far", agent=agent.id) == "reach_over"
    held = world.a_brief(**most, budget=Budget(writes=6), version=2)
    world.act(lambda c: brief.apply(c, held, "operator"))
    task = world.a_task(brief="far", agent=agent.id)
    reader = Reader(world.authority.view)
    plan = reader.get(Plan, f"{task.id}:{task.plan}")
    bound = bounds.of(reader, held, agent, plan.steps, task.deadline - task.opened)
    made = graph(world)
    found = answer(made, made.find(task.id))
    assert bound.writes == 6
    for name in ("systems", "calls", "writes", "objects", "rows", "recipients", "people", "money"):
        assert getattr(found.bound, name) == getattr(bound, name), name
    there = {made.keys[n].partition(":far/")[2] for n in found.walked.order}
    assert {name for _, name, _ in seen} <= there


def test_what_a_connector_declares_counts_for_the_bound_as_it_does_for_reach(world):
    shapes = {"write_note": Shape(arguments={"/path": Argument(role="destination")})}
    world.act(
        lambda c: resource.add(
            c, name="mail", domain="office", owner=world.owner.id, by="operator", tools=TOOLS, shapes=shapes,
            upstream=Upstream(argv=("python", "x.py")),
        )
    )  # fmt: skip
    agent = world.an_agent("sender", "mcp:mail/*")
    step = Step.from_json({"action": "mcp:mail/write_note", "path": "own", "arguments": ANY, "uses": 1})
    held = world.a_brief(name="mail", agents=(agent.id,), steps=(step,))
    world.act(lambda c: brief.apply(c, held, "operator"))
    task = world.a_task(brief="mail", agent=agent.id)
    bound = bounds.of(Reader(world.authority.view), held, agent, (step,), task.deadline - task.opened)
    made = graph(world)
    assert bound.people == answer(made, made.find(task.id)).bound.people == UNBOUNDED


def test_a_suspended_agent_is_shown_with_what_it_could_do_and_nothing_live(world):
    task = world.a_task()
    world.a_credential(task.id)
    before = numbers(world, "scribe")
    assert numbers(world, "scribe", "now")["systems"] == 1
    world.act(lambda c: agents.stop(c, world.agent.id, "suspended", "operator"))
    made = graph(world)
    assert made.title(made.find("scribe")) == "scribe (suspended)"
    assert made.find("agent:scribe (suspended)") == made.find("scribe"), "as it is shown"
    assert numbers(world, "scribe") == before
    assert numbers(world, "scribe", "now")["systems"] == 0
    assert numbers(world, f"agent:{world.agent.id}", "now")["writable"] == 0


def test_what_a_survey_could_not_tell_is_said_where_its_target_is_reached(world):
    told = Seen(format="remit-survey-v1", source="aws", nodes=(("role", "user/ann", ""),), edges=(),
                notes=("Policies on things were not read.",))  # fmt: skip
    world.act(lambda c: survey.keep(c, "cloud", told, "operator"))
    made, land = reachable.graph(Reader(world.authority.view), world.authority.clock.now())
    mine = reachable.unknown(answer(made, made.find("role:cloud/user/ann")), land.surveys)
    assert mine == ["cloud (aws): Policies on things were not read."]
    assert reachable.unknown(answer(made, made.find("scribe")), land.surveys) == []


def test_what_stands_for_a_task_is_what_opens_its_systems(world):
    task = world.a_task()
    made = reachable.landscape(Reader(world.authority.view), world.authority.clock.now())
    with pytest.raises(RemitError) as fault:
        survey.standing(made, task.id)
    assert (fault.value.code, "opens notes" in fault.value.message) == ("standing_unknown", True)
    with pytest.raises(RemitError) as fault:
        survey.standing(made, "scribe")
    assert (fault.value.code, "scribe is none" in fault.value.message) == ("standing_unknown", True)


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
def test_a_view_that_is_none_is_refused(world):
    with pytest.raises(RemitError) as fault:
        graph(world, "never")
    assert fault.value.code == "view_unknown"

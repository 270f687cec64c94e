"""What a scan puts forward, on both stores: shown, approved or refused in one change, and known again."""

from typing import Any

from remit.control import policy, principal, resource, review
from remit.control.review import Acting, Server
from remit.core.agent import Agent
from remit.core.answer import Deny
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.grant import Step
from remit.core.permit import Permit
from remit.core.resource import Resource, Upstream
from remit.core.review import Review
from remit.store import payload
from remit.store.record import Reader
from tests.kit import ledger
from tests.kit.told import kinds, refused, size
from tests.kit.world import DAY, TOOLS, World

READ = Step.from_json({"action": "mcp:mail/read_note", "path": "own", "allow_unknown": True})


def met(world: World, **given: Any) -> dict[str, Any]:
    """One agent with two servers, of which one holds a secret in its command; with some of it otherwise."""
    owner, said = world.owner.id, {"file": "/site/.mcp.json", "line": 3, "credentials": [{"name": "TOKEN"}]}
    servers = [
        Server("mail", Upstream(url="http://127.0.0.1:9/mail"), owner, said),
        Server("desk", Upstream(argv=("desk", "***")), owner, said, "its command holds a secret"),
    ]
    acting = [Acting("site-1", "Met as a client of desk, mail.", owner, ("desk", "mail"), (READ,), said)]
    return {"servers": servers, "acting": acting, "review_due": world.authority.clock.now() + DAY, "by": owner} | given


def put(world: World, **given: Any) -> Any:
    return world.act(lambda c: review.open_review(c, **met(world, **given)))


def say(world: World, one: Review, **given: Any) -> Any:
    due = world.authority.clock.now() + 90 * DAY
    said = {"digest_shown": one.shown, "review_due": due, "by": world.owner.id} | given
    return lambda c: review.answer(c, one.id, **said)


def states(world: World) -> dict[str, str]:
    reader = Reader(world.authority.view)
    found = {f"resource/{one.name}": one.state for one in reader.where(Resource)}
    found |= {f"agent/{one.name}": one.state for one in reader.where(Agent)}
    return found | {f"brief/{one.name}": one.state for one in reader.where(Brief)}


def test_what_was_met_is_put_forward_once_and_then_only_what_is_new(world):
    before = size(world)
    one = put(world)
    assert kinds(world, before) == [
        "resource.proposed", "resource.proposed", "agent.added", "brief.proposed", "review.opened",
    ]  # fmt: skip
    assert [item.key for item in one.items] == ["resource/mail", "resource/desk", "agent/site-1", "brief/site-1"]
    assert {states(world)[item.key] for item in one.items} == {"proposed"}
    body = review.shown(world.authority.view, one)
    assert body is not None
    assert (body["items"][0]["file"], body["items"][1]["lacks"]) == ("/site/.mcp.json", "its command holds a secret")
    assert body["items"][2]["ceiling"] == ["mcp:desk/*", "mcp:mail/*"]
    before = size(world)
    assert put(world) is None
    assert kinds(world, before) == []
    more = met(world)
    more["servers"].append(Server("wiki", Upstream(url="http://127.0.0.1:9/wiki"), world.owner.id, {}))
    more["acting"][0] = Acting(
        "site-1", "Met as a client of three.", world.owner.id, ("desk", "mail", "wiki"), (READ,), {}
    )
    other = put(world, **more)
    assert [item.key for item in other.items] == ["resource/wiki", "agent/site-1", "brief/site-1"]
    assert review.waiting(Reader(world.authority.view), one, body).keys() == {"resource/mail", "resource/desk"}
    reader = Reader(world.authority.view)
    among = review.proposed(reader)
    assert among.keys() == {f"resource/{name}" for name in ("desk", "mail", "wiki")} | {"agent/site-1", "brief/site-1"}
    for each in (one, other):
        body = review.shown(world.authority.view, each)
        assert review.waiting(reader, each, body, among) == review.waiting(reader, each, body)
    assert not ledger.faults(world.authority)


def test_one_answer_to_the_lot_puts_in_force_what_is_whole_and_leaves_the_rest(world):
    one, before = put(world), size(world)
    done, left = world.act(say(world, one, approve=["*"]))
    assert kinds(world, before) == ["resource.approved", "agent.reviewed", "brief.applied", "review.answered"]
    assert {key: states(world)[key] for key in ("resource/mail", "agent/site-1", "brief/site-1", "resource/desk")} == {
        "resource/mail": "active", "agent/site-1": "active", "brief/site-1": "live", "resource/desk": "proposed",
    }  # fmt: skip
    assert set(left) == {"resource/desk"}
    assert left["resource/desk"].endswith("desk cannot be used as it was met: its command holds a secret.")
    assert [item.answer for item in done.items] == ["approved", "", "approved", "approved"]
    [acts] = [a for a in Reader(world.authority.view).where(Agent) if a.name == "site-1"]
    assert acts.ceiling == ("mcp:desk/*", "mcp:mail/*")
    assert refused(world, say(world, one, approve=["resource/desk"])) == "review_lacks"
    assert refused(world, say(world, one, approve=["agent/site-1"])) == "review_moved"
    over, _ = world.act(say(world, one, refuse=["*"]))
    assert (over.state, states(world)["resource/desk"]) == ("closed", "refused")
    assert refused(world, say(world, one, approve=["*"])) == "transition_refused"
    assert put(world) is None, "what was refused stays refused, and what is in force is not touched"


def test_what_is_refused_goes_out_of_ceiling_and_brief_and_stays_refused(world):
    one, before = put(world), size(world)
    _, left = world.act(say(world, one, approve=["*"], refuse=["mail"]))
    assert kinds(world, before) == ["resource.refused", "agent.reviewed", "review.answered"]
    assert set(left) == {"resource/desk", "brief/site-1"}
    [acts] = [a for a in Reader(world.authority.view).where(Agent) if a.name == "site-1"]
    assert acts.ceiling == ("mcp:desk/*",)
    again = put(world)
    assert [item.key for item in again.items] == ["brief/site-1"], "without the step at what was refused"
    assert put(world) is None
    world.act(say(world, again, refuse=["brief/site-1"]))
    assert put(world) is None


def test_an_agent_that_is_refused_is_retired_with_no_brief_to_come(world):
    one = put(world)
    world.act(say(world, one, refuse=["site-1"]))
    assert (states(world)["agent/site-1"], states(world)["brief/site-1"]) == ("retired", "refused")
    assert put(world) is None


def test_an_answer_is_to_exactly_what_was_shown(world):
    one = put(world)
    assert refused(world, say(world, one, approve=["*"], digest_shown="other")) == "review_moved"
    assert refused(world, say(world, one, approve=["none"])) == "not_found"
    assert refused(world, say(world, one)) == "review_moved"
    both = {"approve": ["resource/mail"], "refuse": ["resource/mail"]}
    assert refused(world, say(world, one, **both)) == "review_invalid"
    assert refused(world, say(world, one, approve=["*"], review_due=1)) == "review_past"
    servers = [Server("mail", Upstream(url="http://127.0.0.1:9/other"), world.owner.id, {})]
    other = met(world, servers=servers, acting=[])
    assert refused(world, lambda c: review.open_review(c, **other)) == "review_moved", "another takes no name"
    assert states(world)["resource/mail"] == "proposed"
    world.act(lambda c: (c.keep(), payload.erase(c.db, one.id)))
    assert review.shown(world.authority.view, one) is None
    assert refused(world, say(world, one, approve=["*"])) == "review_moved"


def test_a_brief_without_a_step_stays_proposed_until_somebody_writes_one(world):
    acting = [changed_acting(world, steps=())]
    one = put(world, acting=acting)
    _, left = world.act(say(world, one, approve=["*"]))
    assert left["brief/site-1"].endswith("has no step: no file says which tools.")
    assert refused(world, say(world, one, approve=["brief/site-1"])) == "review_lacks"


def changed_acting(world: World, **given: Any) -> Acting:
    members = {"name": "site-1", "purpose": "Met.", "owner": world.owner.id, "resources": ("mail",)}
    return Acting(**(members | {"steps": (READ,), "said": {}} | given))


def test_the_operators_own_word_goes_before_what_is_proposed(world):
    one = put(world)
    given = {"name": "mail", "domain": "post", "owner": world.owner.id, "tools": TOOLS, "by": "operator"}
    world.act(lambda c: resource.add(c, upstream=Upstream(url="http://127.0.0.1:9/own"), **given))
    assert states(world)["resource/mail"] == "active"
    assert refused(world, say(world, one, approve=["resource/mail"])) == "review_moved"
    world.act(say(world, one, refuse=["resource/desk"]))
    world.act(lambda c: resource.add(c, upstream=Upstream(argv=("desk",)), **(given | {"name": "desk"})))
    assert states(world)["resource/desk"] == "active"


def test_an_owner_who_left_keeps_it_proposed(world):
    one = put(world, servers=met(world)["servers"][:1], acting=[], by=world.person.id)
    assert one is not None
    other = Server("wiki", Upstream(url="http://127.0.0.1:9/wiki"), world.person.id, {})
    two = put(world, servers=[other], acting=[])
    world.act(lambda c: principal.end_person(c, world.person.id, "op", ""))
    assert refused(world, say(world, two, approve=["*"])) == "review_lacks"
    assert refused(world, say(world, two, approve=["resource/wiki"])) == "owner_gone"
    assert states(world)["resource/wiki"] == "proposed"


def test_an_approved_brief_gives_nothing_of_a_tool_that_nobody_has_seen(world):
    one = put(world)
    world.act(say(world, one, approve=["*"]))
    [acts] = [a for a in Reader(world.authority.view).where(Agent) if a.name == "site-1"]
    policy_text = {"base.cedar": '@id("mail") permit(principal, action in Action::"mcp:mail", resource);'}
    world.act(lambda c: policy.apply(c, {"common": policy_text, "delegated": {}, "own": {}}, 1, "op"))
    errand = world.a_task(brief="site-1", agent=acts.id)
    entry = world.enter(world.a_credential(errand.id, agent_id=acts.id).text, "mail")
    call = Call("mcp:mail/read_note", {"path": "/notes/a"})
    answer = world.decide(call, entry)
    assert isinstance(answer, Deny)
    assert answer.code == "tool_unknown"
    world.act(lambda c: resource.pin_tool(c, "mail", "read_note", TOOLS["read_note"], "op", reads=True))
    assert isinstance(world.decide(call, entry), Permit)

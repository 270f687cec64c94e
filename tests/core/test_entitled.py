"""What a narrower brief means elsewhere: texts before and after."""

from remit.core.entitled import entitled, policy
from remit.core.policy import Answer, Ask, Principal, TaskFacts, compile_set
from remit.core.resource import Minting, Upstream
from remit.core.schema import ResourceShape, schema
from remit.core.step import Step
from remit.core.trust import TrustPath
from tests.kit.nouns import AGENT, PERSON, TASK, brief, resource


def steps(*forms: dict[str, object]) -> tuple[Step, ...]:
    return tuple(Step.from_json({"path": "own", **one}) for one in forms)


READ, WIPE = {"action": "mcp:notes/read_note"}, {"action": "mcp:notes/wipe"}


def test_the_policy_forbids_what_is_gone_and_nothing_else():
    old, new = brief(steps=steps(READ, WIPE)), brief(steps=steps(READ))
    assert policy(old, old) == {}
    texts = policy(old, new)
    assert list(texts) == ["own"]
    shapes = schema([ResourceShape("notes", "mcp", "office", (), {"read_note": {}, "wipe": {}}, frozenset())])
    common = {"a.cedar": '@id("all") permit(principal, action in Action::"mcp:notes", resource);'}
    held = compile_set(TrustPath.OWN, common, {"b.cedar": texts["own"]}, shapes)
    for name, where, answer in (
        ("wipe", old.name, Answer.DENY), ("wipe", "other", Answer.ALLOW), ("read_note", old.name, Answer.ALLOW),
    ):  # fmt: skip
        who, task = Principal(AGENT, PERSON, "standard", "test"), TaskFacts(TASK, where, PERSON)
        assert held.evaluate(Ask(TrustPath.OWN, who, f"mcp:notes/{name}", task, 1, 0, {})).answer is answer


def test_database_rights_are_those_of_the_steps_and_what_cannot_be_listed_says_so():
    table = {"relation": [{"one_of": ["public.orders", "shop.items"]}]}
    few = {"relation": [{"equals": "public.orders"}], "/columns/*": [{"one_of": ["id", "total"]}]}
    old = brief(steps=steps({"action": "sql:db/select", "arguments": table}, {"action": "sql:db/delete"}))
    new = brief(steps=steps({"action": "sql:db/select", "arguments": few}))
    db = resource(name="db", kind="postgres", upstream=Upstream(url="postgres://db.example/shop"), injections=())
    before, after = entitled(old, new, [db])["db"]["rights"]
    assert before == ["-- No login can be made for this plan: a step does not list its tables."]
    assert after == ['GRANT SELECT ("id", "total") ON TABLE "public"."orders" TO :role;']


def test_scopes_and_session_policies_follow_the_kinds_that_are_left():
    old, new = brief(steps=steps(READ, WIPE)), brief(steps=steps(READ))
    scopes = Minting(kind="oauth", settings={"scope.read_note": "notes.read", "scope.wipe": "notes.read notes.all"})
    found = entitled(old, new, [resource(injections=(), minting=scopes)])["notes"]
    assert found == {"scopes": [["notes.all", "notes.read"], ["notes.read"]]}
    allow = {"allow.read_note": "s3:GetObject arn:aws:s3:::b/*", "allow.wipe": "s3:DeleteObject,s3:PutObject *"}
    before, after = entitled(old, new, [resource(injections=(), minting=Minting(kind="aws", settings=allow))])["notes"][
        "session"
    ]
    assert [one["Action"] for one in before["Statement"]] == [["s3:GetObject"], ["s3:DeleteObject", "s3:PutObject"]]
    assert after["Statement"] == [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b/*"]}]
    assert "notes" not in entitled(old, new, [resource()])

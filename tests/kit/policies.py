"""Invented resources, policies and questions for the tests of policy, and Cedar asked about a whole set at once."""

import json

import cedarpy
from hypothesis import strategies as st

from remit.core.policy import Ask, PersonFacts, Principal, TaskFacts, compile_set
from remit.core.schema import GROUPS, ResourceShape, schema
from remit.core.trust import TrustPath

ALPHA, BETA, PERSON, TASK = f"agt_{'a' * 26}", f"agt_{'b' * 26}", f"per_{'a' * 26}", f"tsk_{'a' * 26}"
INPUT = {
    "type": "object",
    "required": ["path", "force"],
    "properties": {
        "path": {"type": "string"},
        "force": {"type": "boolean"},
        "n": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "sum": {"type": "number"},
        "note": {"type": ["string", "null"]},
    },
}
SHAPES = (
    ResourceShape("git", "mcp", "code", ("inner",), {"log": INPUT, "push": INPUT}, frozenset({"log"})),
    ResourceShape("mail", "mcp", "people", (), {"send": INPUT}),
)
SCHEMA = schema(SHAPES)
TOOLS = ("mcp:git/log", "mcp:git/push", "mcp:mail/send")


def compiled(own, common="", path=TrustPath.OWN):
    return compile_set(path, {"common.cedar": common}, {"own.cedar": own}, SCHEMA)


def question(action="mcp:git/log", agent=ALPHA, trust=TrustPath.OWN, plan=1, tier="low", groups=(), **args):
    return Ask(
        trust, Principal(agent, PERSON, tier, "tests"), action,
        TaskFacts(TASK, "fix", PERSON, ("ticket=1",), ("code",)),
        plan, 1_700_000_000_000, args, PersonFacts(PERSON, groups) if trust is TrustPath.DELEGATED else None,
    )  # fmt: skip


def said(verdict):
    return f"ask:{','.join(verdict.groups)}" if verdict.groups else str(verdict.answer)


def world(ask):
    """The same question for the reference evaluator: tuples for entities, frozensets for sets."""
    shape = SCHEMA.actions[ask.action]
    resource = SCHEMA.resources[shape.resource]
    who = ask.principal
    held = {
        ("Agent", who.id): ({"owner": who.owner, "tier": who.tier, "purpose": who.purpose}, ()),
        ("Resource", resource.name): (
            {"kind": resource.kind, "domain": resource.domain, "labels": frozenset(resource.labels)}, ()
        ),
        ("Action", ask.action): ({}, tuple(("Action", group) for group in shape.groups)),
    }  # fmt: skip
    context = {name: _sets(value) for name, value in plain_context(ask).items()}
    return {
        "principal": ("Agent", who.id), "action": ("Action", ask.action), "resource": ("Resource", resource.name),
        "context": context, "entities": held,
    }  # fmt: skip


def plain_context(ask):
    task = ask.task
    context = {
        "path": str(ask.path), "plan": ask.plan, "now": ask.now,
        "args": {name: value for name, value in ask.args.items() if name in SCHEMA.actions[ask.action].arguments},
        "task": {
            "id": task.id, "brief": task.brief, "requester": task.requester,
            "labels": list(task.labels), "domains": list(task.domains),
        },
    }  # fmt: skip
    if ask.person:
        context["person"] = {"id": ask.person.id, "groups": list(ask.person.groups)}
    return context


def _sets(value):
    if isinstance(value, dict):
        return {name: _sets(one) for name, one in value.items()}
    return frozenset(value) if isinstance(value, list) else value


def at_once(held, ask):
    """Ask Cedar about every policy of the set at once, through its public door, and read its answer by law 5."""
    seen = world(ask)
    entities = [
        {
            "uid": {"type": kind, "id": name},
            "attrs": {key: sorted(one) if isinstance(one, frozenset) else one for key, one in attrs.items()},
            "parents": [{"type": k, "id": n} for k, n in parents],
        }
        for (kind, name), (attrs, parents) in seen["entities"].items()
    ]
    request = {part: dict(zip(("type", "id"), seen[part], strict=True)) for part in ("principal", "action", "resource")}
    request["context"] = json.dumps(plain_context(ask))
    found = cedarpy.is_authorized(request, "\n".join(one.text for one in held.statements), json.dumps(entities))
    if found.diagnostics.errors or not found.allowed:
        return "deny"
    asks = {held.statements[int(one.removeprefix("policy"))].ask for one in found.diagnostics.reasons} - {""}
    return "ask:" + ",".join(sorted(asks)) if asks else "allow"


def _scopes(name, kind, values):
    entities = [f'{kind}::"{value}"' for value in values]
    return st.sampled_from([name, f"{name} is {kind}", *(f"{name} == {one}" for one in entities)])


ANYWHERE = [
    "context.plan < 2", "context.plan == 2", "context has person", 'context.path == "own"', "true", "false",
    'principal.tier == "high"', "principal.owner == context.task.requester", 'resource.domain == "code"',
    'resource.labels.contains("inner")', 'action in Action::"read"',
    'context.args has path && context.args.path == "/a"',
    "context.args has n && context.args.n < 3", 'context.task.domains.contains("code")', "context.args has note",
    'context.args has tags && context.args.tags.contains("x")', 'context.args has path && context.args.path like "/a*"',
    'context has person && context.person.groups.contains("ops")',
    'if context.plan < 2 then principal.tier != "high" else true',
]  # fmt: skip
ON_TOOLS = [
    *ANYWHERE,
    'context.args.path == "/a"',
    "context.args.force",
    "!context.args.force",
    'context.args.path != "/b"',
]


@st.composite
def policies(draw):
    """One valid policy. Where the scope is tools alone, arguments that the tool requires are read without a guard."""
    tools = draw(st.lists(st.sampled_from(TOOLS), min_size=1, max_size=2, unique=True))
    wide = ["action", *(f'action in Action::"{one}"' for one in (*GROUPS[:2], "mcp:git", "mcp:mail"))]
    named = [f'action == Action::"{tools[0]}"', f"action in [{', '.join(f'Action::{json.dumps(t)}' for t in tools)}]"]
    narrow = draw(st.booleans())
    action = draw(st.sampled_from(named if narrow else wide))
    atoms = st.sampled_from(ON_TOOLS if narrow else ANYWHERE).map(lambda text: f"({text})")
    joined = st.lists(atoms, min_size=1, max_size=3).flatmap(
        lambda parts: st.sampled_from(["&&", "||"]).map(lambda op: f" {op} ".join(parts))
    )
    clauses = draw(st.lists(st.tuples(st.sampled_from(["when", "unless"]), joined), max_size=2))
    effect = draw(
        st.sampled_from(["permit", "permit", "permit", '@ask("ops")\npermit', '@ask("legal")\npermit', "forbid"])
    )
    who, where = (
        draw(_scopes("principal", "Agent", (ALPHA, BETA))),
        draw(_scopes("resource", "Resource", ("git", "mail"))),
    )
    return f"{effect}({who}, {action}, {where}) {' '.join(f'{kind} {{ {text} }}' for kind, text in clauses)};"


SETS = st.lists(policies(), max_size=7)
ARGS = st.fixed_dictionaries(
    {},
    optional={
        "path": st.sampled_from(["/a", "/b", "/ab"]), "force": st.booleans(), "n": st.integers(0, 5),
        "tags": st.lists(st.sampled_from(["x", "y"]), max_size=2), "note": st.just("hi"), "unknown": st.just({"a": 1}),
    },
)  # fmt: skip
QUESTIONS = st.builds(
    lambda args, **rest: question(**rest, **args),
    args=ARGS, action=st.sampled_from(TOOLS), agent=st.sampled_from([ALPHA, BETA]),
    trust=st.sampled_from(list(TrustPath)),
    plan=st.integers(1, 3), tier=st.sampled_from(["low", "high"]), groups=st.sampled_from([(), ("ops",)]),
)  # fmt: skip

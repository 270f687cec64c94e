"""Policy: Cedar text of one trust path, compiled once, evaluated for each call.

Deny beats ask, ask beats allow, silence is deny, and any policy that cannot be evaluated denies (law 5): Cedar by
itself skips a forbid that errors. Policies are indexed by action and agent, so that a decision evaluates only those
whose scope holds, and only what they look at in the context is handed over; the decision is that of the whole set.
Source: Cedar authorization semantics (docs.cedarpolicy.com/auth/authorization), docs/spec/policy.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec
from cedarpy import _internal as cedar

from remit.core import ids
from remit.core.canonical import Json, b64, digest
from remit.core.errors import RemitError
from remit.core.policy_text import STATEMENTS, Statement, invalid, read
from remit.core.policy_tree import agent, always, applies, everywhere, looks, never
from remit.core.schema import ActionShape, Schema, fit
from remit.core.trust import TrustPath

COMMON: Final = "common"
_KEPT: Final = 4096
_encode = msgspec.json.Encoder().encode


class Answer(StrEnum):
    """What policy says of a call."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


class Principal(msgspec.Struct, frozen=True):
    """The agent that acts, as policy sees it."""

    id: str
    owner: str
    tier: str
    purpose: str

    def __post_init__(self) -> None:
        ids.parse("agt", self.id)


class TaskFacts(msgspec.Struct, frozen=True):
    """The task under which the agent acts."""

    id: str
    brief: str
    requester: str
    labels: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    blended: bool = False
    risk: str = "normal"


class PersonFacts(msgspec.Struct, frozen=True):
    """The person for whom the agent acts, on the delegated path."""

    id: str
    groups: tuple[str, ...] = ()


class Ask(msgspec.Struct, frozen=True):
    """One question to policy. `plan` is the plan version, `now` an instant in milliseconds.

    The resource is that of the action. A person stands in it on the delegated path and only there.
    """

    path: TrustPath
    principal: Principal
    action: str
    task: TaskFacts
    plan: int
    now: int
    args: Mapping[str, Json]
    person: PersonFacts | None = None
    lineage: Mapping[str, Json] | None = None


class Verdict(msgspec.Struct, frozen=True):
    """The answer, the ids of the policies it rests on, the groups that must each approve an ask, the code of a deny."""

    answer: Answer
    grounds: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    code: str = ""

    @property
    def group(self) -> str | None:
        """The first group that must approve, when it is an ask."""
        return self.groups[0] if self.groups else None


class _Diagnostics(msgspec.Struct):
    errors: list[str]
    reason: list[str] = []


class _Found(msgspec.Struct):
    decision: str
    diagnostics: _Diagnostics


_decode = msgspec.json.Decoder(_Found).decode


@dataclass(frozen=True, slots=True)
class Bucket:
    """The policies whose scope may hold for one action by one agent, ready to evaluate."""

    handle: cedar.PolicySet
    statements: Mapping[str, Statement]
    members: tuple[tuple[str, frozenset[str] | None], ...]
    arguments: tuple[str, ...]
    action: dict[str, str]
    resource: dict[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class PolicySet:
    """The policies of one trust path: those common to both paths and its own. Built by `compile_set` alone.

    `digest` names the version: it covers the path and each layer's file names and texts, and nothing else.
    """

    path: TrustPath
    statements: tuple[Statement, ...]
    schema: Schema
    digest: str
    _buckets: dict[tuple[str, str], Bucket | None] = field(default_factory=dict, repr=False)
    _places: dict[str, cedar.Entities] = field(default_factory=dict, repr=False)
    _entities: dict[tuple[str, Principal], cedar.Entities] = field(default_factory=dict, repr=False)
    _named: dict[str, frozenset[str]] = field(default_factory=dict, repr=False)
    _verdicts: dict[tuple[str, Principal, bytes], Verdict] = field(default_factory=dict, repr=False)

    def evaluate(self, ask: Ask) -> Verdict:
        """Answer one question. Never raises for what a call can hold: what cannot be evaluated is a deny."""
        shape = self.schema.actions.get(ask.action)
        if shape is None:
            return Verdict(Answer.DENY, code="policy_action_unknown")
        if ask.path is not self.path or (ask.person is None) is (ask.path is TrustPath.DELEGATED):
            return Verdict(Answer.DENY, code="policy_path_mismatch")
        try:
            bucket = self.bucket(shape, ask.principal.id)
            if bucket is None:
                return Verdict(Answer.DENY, code="policy_silent")
            context = _encode(_context(bucket, shape, ask))
            # Pure: the same set, agent, action and context have the same verdict. Any other set is another object.
            known = self._verdicts.get((ask.action, ask.principal, context))
            if known is not None:
                return known
            entities = self._entities.get((ask.action, ask.principal)) or self._known(shape, ask.principal)
            request = {
                "principal": {"type": "Agent", "id": ask.principal.id},
                "action": bucket.action,
                "resource": bucket.resource,
                "context": context.decode(),
            }
            found = _decode(cedar.is_authorized(request, bucket.handle, entities, None, False))
        except (ValueError, TypeError, KeyError, OverflowError, msgspec.MsgspecError):
            return Verdict(Answer.DENY, code="policy_error")
        verdict = _judge(found.decision, found.diagnostics, bucket.statements)
        if len(self._verdicts) >= _KEPT:
            self._verdicts.clear()
        self._verdicts[ask.action, ask.principal, context] = verdict
        return verdict

    def refuses(self, action: str, agent_id: str) -> bool:
        """Say whether this agent gets a no for this action whatever it sends; False when that is not plain to see."""
        shape = self.schema.actions.get(action)
        bucket = self.bucket(shape, agent_id) if shape is not None else None
        if shape is None or bucket is None:
            return True
        held = bucket.statements.values()
        permitted = any(one.permits and not never(one.tree) for one in held)
        return not permitted or any(not one.permits and always(one.tree) for one in held)

    def bucket(self, shape: ActionShape, agent_id: str) -> Bucket | None:
        """Return the policies that may hold for this action by this agent; None when there are none."""
        named = self._named.get(shape.name)
        if named is None:
            own = [agent(one.tree) for one in self.statements if applies(one.tree, shape)]
            named = self._named[shape.name] = frozenset(one for one in own if one is not None)
        key = (shape.name, agent_id if agent_id in named else "")
        if key not in self._buckets:
            self._buckets[key] = self._gather(shape, key[1])
        return self._buckets[key]

    def _gather(self, shape: ActionShape, agent_id: str) -> Bucket | None:
        held = {
            one.id: one
            for one in self.statements
            if applies(one.tree, shape) and (agent(one.tree) is None or agent(one.tree) == agent_id)
        }
        if not held:
            return None
        seen = looks(one.tree for one in held.values())
        members = dict.fromkeys(("args", "now", "path", "person", "plan", "task")) if seen is None else seen
        wanted = members.get("args", set())
        return Bucket(
            _handle(held.values()),
            held,
            tuple((name, None if deeper is None else frozenset(deeper)) for name, deeper in sorted(members.items())),
            tuple(sorted(shape.arguments if wanted is None else wanted & shape.arguments.keys())),
            {"type": "Action", "id": shape.name},
            {"type": "Resource", "id": shape.resource},
        )

    def _known(self, shape: ActionShape, principal: Principal) -> cedar.Entities:
        """Build the entities of a call on those of its action, which hardly change, and keep a bounded number."""
        place = self._places.get(shape.name)
        if place is None:
            place = self._places[shape.name] = cedar.Entities.from_json_str(
                _encode(_place(self.schema, shape)).decode()
            )
        attrs = {"owner": principal.owner, "tier": principal.tier, "purpose": principal.purpose}
        added = [{"uid": {"type": "Agent", "id": principal.id}, "attrs": attrs, "parents": []}]
        made = place.with_added_json_str(_encode(added).decode())
        if len(self._entities) >= _KEPT:
            self._entities.clear()
        self._entities[shape.name, principal] = made
        return made


def evaluate(held: PolicySet | None, ask: Ask) -> Verdict:
    """Answer one question under the set in force; where there is none, deny."""
    return Verdict(Answer.DENY, code="policy_missing") if held is None else held.evaluate(ask)


def stricter(one: Verdict, other: Verdict) -> Verdict:
    """The stricter of two answers: deny beats ask, ask beats allow; two asks need the groups of both."""
    grounds = tuple(sorted({*one.grounds, *other.grounds}))
    for each in (one, other):
        if each.answer is Answer.DENY:
            return each
    groups = tuple(sorted({*one.groups, *other.groups}))
    return Verdict(Answer.ASK if groups else Answer.ALLOW, grounds, groups)


def compile_set(path: TrustPath, common: Mapping[str, str], own: Mapping[str, str], schema: Schema) -> PolicySet:
    """Compile the policies of one path: file name to text, those common to both paths and those of this one.

    Refuses what does not parse, does not validate against the schema, or names two policies alike (`policy_invalid`),
    and a set that could never deny (`policy_cannot_deny`).
    """
    statements = (*read(COMMON, common), *read(path.value, own))
    if len(statements) > STATEMENTS:
        last = statements[STATEMENTS]
        raise invalid(f"a set has {STATEMENTS} policies at most.", f"{last.layer}/{last.file}", last.line)
    names: set[str] = set()
    for one in statements:
        if one.id in names:
            raise invalid(f"a policy with the id {one.id} stands already.", f"{one.layer}/{one.file}", one.line)
        names.add(one.id)
    _validate(statements, schema)
    if _cannot_deny(statements):
        raise RemitError(
            "policy_cannot_deny",
            f"The {path.value} policies permit everything and forbid nothing: no call could be denied.",
            "Name the actions that are permitted, or add a forbid that can hold.",
        )
    version = {"path": path.value, COMMON: dict(common), "own": dict(own)}
    return PolicySet(path, statements, schema, b64(digest(version)))


def _judge(decision: str, told: _Diagnostics, statements: Mapping[str, Statement]) -> Verdict:
    """Turn Cedar's answer into ours: only an Allow without any error, resting on permits we know, lets a call on."""
    grounds = tuple(sorted(told.reason))
    if told.errors or decision not in {"Allow", "Deny"} or not statements.keys() >= set(grounds):
        return Verdict(Answer.DENY, grounds, code="policy_error")
    if decision == "Deny":
        return Verdict(Answer.DENY, grounds, code="policy_forbids" if grounds else "policy_silent")
    if not grounds or [one for one in grounds if not statements[one].permits]:
        return Verdict(Answer.DENY, grounds, code="policy_error")
    groups = tuple(sorted({statements[one].ask for one in grounds if statements[one].ask}))
    return Verdict(Answer.ASK if groups else Answer.ALLOW, grounds, groups)


def _context(bucket: Bucket, shape: ActionShape, ask: Ask) -> dict[str, Json]:
    """Gather what the bucket's policies look at, and nothing else."""
    context: dict[str, Json] = {}
    for name, deeper in bucket.members:
        if name == "args":
            context[name] = _arguments(bucket, shape, ask.args)
        elif name in {"person", "task"}:
            held: PersonFacts | TaskFacts | None = getattr(ask, name)
            if held is not None:
                context[name] = held if deeper is None else {one: getattr(held, one) for one in deeper}
        elif name == "lineage":
            if ask.lineage is not None:
                context[name] = _lineage(shape, ask.lineage)
        elif name in {"now", "path", "plan"}:
            context[name] = getattr(ask, name)
    return context


def _arguments(bucket: Bucket, shape: ActionShape, args: Mapping[str, Json]) -> dict[str, Json]:
    given: dict[str, Json] = {}
    for name in bucket.arguments:
        if name in args:
            value, kind = args[name], shape.arguments[name]
            if value is not None or not kind.nullable:
                given[name] = fit(kind, value)
    return given


def _lineage(shape: ActionShape, found: Mapping[str, Json]) -> dict[str, Json]:
    """What lineage found, of the arguments that policy may look at."""
    kinds = {name: kind for name, kind in found["from"].items() if name in shape.arguments}
    return {**found, "from": kinds}


def _place(schema: Schema, shape: ActionShape) -> list[Json]:
    resource = schema.resources[shape.resource]
    attrs = {"domain": resource.domain, "kind": resource.kind, "labels": resource.labels}
    parents = [{"type": "Action", "id": group} for group in shape.groups]
    return [
        {"uid": {"type": "Resource", "id": shape.resource}, "attrs": attrs, "parents": []},
        {"uid": {"type": "Action", "id": shape.name}, "attrs": {}, "parents": parents},
    ]


def _handle(statements: Iterable[Statement]) -> cedar.PolicySet:
    """Parse these policies once, each under its own id."""
    static = {one.id: one.tree for one in statements}
    tree = {"templates": {}, "staticPolicies": static, "templateLinks": []}
    return cedar.PolicySet.from_json_str(_encode(tree).decode())


def _validate(statements: Sequence[Statement], schema: Schema) -> None:
    found = msgspec.json.decode(cedar.validate_policies("\n".join(one.text for one in statements), schema.handle))
    for fault in found["errors"]:
        # Cedar numbers the policies of a text by place, and so many texts were joined as there are statements.
        place = fault["policy_id"].removeprefix("policy")
        one = statements[int(place)] if place.isdecimal() and int(place) < len(statements) else statements[0]
        why = fault["error"].removeprefix(f"for policy `{fault['policy_id']}`, ")
        raise invalid(f"{why[:300]}.", f"{one.layer}/{one.file}", one.line)


def _cannot_deny(statements: Sequence[Statement]) -> bool:
    live = any(not one.permits and not never(one.tree) for one in statements)
    return not live and everywhere(one.tree for one in statements if one.permits)

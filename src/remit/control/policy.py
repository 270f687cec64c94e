"""Policy sets: checked, tested and applied as a whole; compiled once, and found again in each transaction."""

import json
from collections.abc import Mapping

from remit.control.authority import Authority
from remit.control.change import Change
from remit.core import policy as law
from remit.core.canonical import Json, b64, canon, digest
from remit.core.errors import RemitError
from remit.core.lifecycle import UNUSED
from remit.core.policy import PolicySet, compile_set
from remit.core.receipt import PolicyRecord
from remit.core.resource import Resource, Tool
from remit.core.schema import ResourceShape, Schema, schema
from remit.core.trust import TrustPath
from remit.store import payload
from remit.store.record import Reader

LAYERS = (law.COMMON, TrustPath.DELEGATED.value, TrustPath.OWN.value)


def current(change: Change, path: TrustPath) -> PolicySet | None:
    """The policy set in force for a path, or None: read by digest in this transaction, compiled at most once."""
    if path not in change.sets:
        change.sets[path] = _current(change, path)
    return change.sets[path]


def _current(change: Change, path: TrustPath) -> PolicySet | None:
    common, own = change.reader.get(PolicyRecord, law.COMMON), change.reader.get(PolicyRecord, path.value)
    if common is None or own is None:
        return None
    leaf = change.version("shape")
    key = (path.value, common.digest, own.digest, str(leaf))
    sets = change.authority.sets
    found = sets.get(key)
    if found is None:
        try:
            found = compile_set(path, _texts(change, common), _texts(change, own), shape(change.reader))
        except RemitError:
            # A set that no longer fits what is registered refuses everything until one that fits is applied.
            return None
        if leaf < change.base:
            # Only a leaf that is committed names one shape for ever.
            if len(sets) > 64:
                sets.clear()
            sets[key] = found
    return found


def shape(reader: Reader) -> Schema:
    """The schema of all resources that ever were registered, from the definitions that were pinned.

    What was suspended or removed stays in it: a policy that names it still compiles, and `decide` refuses the call.
    What was only proposed is not in it.
    """
    shapes = []
    for resource in reader.where(Resource):
        if resource.state in UNUSED:
            continue
        tools = list(reader.where(Tool, "resource = ?", (resource.name,)))
        shapes.append(
            ResourceShape(
                resource.name,
                resource.kind,
                resource.domain,
                resource.labels,
                {tool.name: _schema_of(reader, tool) for tool in tools if _acts(resource, tool)},
                frozenset(tool.name for tool in tools if tool.reads and _acts(resource, tool)),
            )
        )
    return schema(shapes)


def check(reader: Reader, layers: Mapping[str, Mapping[str, str]]) -> dict[str, PolicySet]:
    """Compile both paths' sets from three layers of files; refuse what does not parse, validate or can never deny."""
    kinds = shape(reader)
    return {
        path.value: compile_set(path, layers.get(law.COMMON, {}), layers.get(path.value, {}), kinds)
        for path in TrustPath
    }


def apply(change: Change, layers: Mapping[str, Mapping[str, str]], tests: int, by: str) -> list[str]:
    """Put three layers in force at once, after `check` and their own tests. Returns the layers that changed."""
    if not tests:
        raise RemitError(
            "policy_tests_missing", "These policies carry no tests.", "Add at least one *.test.json beside them."
        )
    check(change.reader, layers)
    changed = []
    for name in LAYERS:
        text = canon(dict(layers.get(name, {})))
        found = b64(digest(dict(layers.get(name, {}))))
        before = change.reader.get(PolicyRecord, name)
        if before is None or before.digest != found:
            payload.put_blob(change.db, found, text)
            change.record("policy.applied", PolicyRecord(name=name, digest=found, tests=tests), by)
            changed.append(name)
    return changed


def texts(authority: Authority, name: str) -> dict[str, str]:
    """The files of the layer in force; empty when there is none."""
    record = Reader(authority.view).get(PolicyRecord, name)
    body = payload.get_blob(authority.view, record.digest) if record else None
    found: dict[str, str] = json.loads(body) if body else {}
    return found


def _texts(change: Change, record: PolicyRecord) -> dict[str, str]:
    body = payload.get_blob(change.db, record.digest)
    if body is None or b64(digest(json.loads(body))) != record.digest:
        raise RemitError("policy_text_missing", f"The text of the {record.name} policies is gone.", "Apply them again.")
    found: dict[str, str] = json.loads(body)
    return found


def _acts(resource: Resource, tool: Tool) -> bool:
    """Whether the tool is an action: of a database only the verbs are, and not what they are used on."""
    return resource.kind != "postgres" or ("." not in tool.name and tool.name != "database")


def _schema_of(reader: Reader, tool: Tool) -> Json:
    body = payload.get_blob(reader.db, tool.pin)
    return json.loads(body).get("inputSchema", {}) if body else {}

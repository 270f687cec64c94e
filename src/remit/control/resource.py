"""Resources and the pins on their tools: registered as a person saw them, suspended when they change by themselves."""

from collections.abc import Mapping

from remit.control import connection as connections
from remit.control import lease as leases
from remit.control.change import Change
from remit.core import ids
from remit.core.canonical import Json, canon
from remit.core.connector import Shape
from remit.core.errors import RemitError
from remit.core.lifecycle import UNUSED
from remit.core.principal import Person
from remit.core.record import changed
from remit.core.resource import LIFE, TOOL, TOOL_LIFE, Injection, Minting, Resource, Tool, Upstream, pin
from remit.custody.secret import Secret
from remit.custody.sources.opening import address
from remit.custody.sources.static import SHORTEST
from remit.store import payload

SECRETS = "upstream"
LARGEST = 1_000_000


def add(
    change: Change,
    *,
    name: str,
    upstream: Upstream,
    domain: str,
    owner: str,
    tools: Mapping[str, Json],
    reads: frozenset[str] = frozenset(),
    shapes: Mapping[str, Shape] | None = None,
    labels: tuple[str, ...] = (),
    injections: tuple[Injection, ...] = (),
    transaction: str = "",
    kind: str = "mcp",
    minting: Minting | None = None,
    by: str,
) -> Resource:
    """Register a target and pin every tool definition as it is now. Registering it again replaces and pins anew.

    What was only proposed under this name counts for nothing: it is registered anew.

    `shapes` is what the operator declares of its tools for lineage; a tool that it does not have is refused
    (`tool_unknown`).
    How leases are made there stays as it was, unless it is given: `mint_at` takes it away.
    """
    ids.name("resource", name)
    strange = sorted(set(shapes or {}) - set(tools))
    if strange:
        raise RemitError("tool_unknown", f"{name} offers no tool {strange[0]}.", "Declare only tools that it offers.")
    change.need(Person, owner)
    before = change.reader.get(Resource, name)
    if before is not None and before.state in UNUSED:
        LIFE.after(before.state, "added")
        before = None
    resource = Resource(
        name=name,
        upstream=upstream,
        domain=domain,
        owner=owner,
        kind=kind,
        injections=injections,
        labels=labels,
        minting=before.minting if before is not None and minting is None else _lasting(change, before, minting),
        transaction=transaction,
    )
    if before is not None:
        LIFE.after(before.state, "changed")
        connections.hold(change, name, before.minting, resource.minting)
        if before.kind != kind:
            raise RemitError(
                "resource_invalid",
                f"{name} is registered as {before.kind}: policies and plans name its actions.",
                "Register this one under a name of its own.",
            )
    change.record("resource.changed" if before else "resource.added", resource, by)
    if before is not None and (before.minting, before.upstream) != (resource.minting, resource.upstream):
        leases.end(change, "resource", by, resource=name)
    for tool, definition in tools.items():
        pin_tool(change, name, tool, definition, by, reads=tool in reads, shape=(shapes or {}).get(tool))
    for tool_record in list(change.reader.where(Tool, "resource = ?", (name,))):
        if tool_record.name not in tools and tool_record.state == "pinned":
            change.record("tool.suspended", changed(tool_record, state="suspended"), by, "no longer offered")
    return resource


def mint_at(change: Change, name: str, minting: Minting | None, by: str) -> Resource:
    """Say how credentials are made at a registered target, or with None that none are; what was lent before ends.

    Refuses another kind of source, other settings and another address while what was lent is not proven dead
    (`lease_live`): at another place its end would be looked for where it never was. `life` and a secret are free.
    """
    before = change.need(Resource, name)
    LIFE.after(before.state, "changed")
    connections.hold(change, name, before.minting, minting)
    made = changed(before, minting=_lasting(change, before, minting))
    if made != before:
        change.record("resource.changed", made, by)
        leases.end(change, "resource", by, resource=name)
    return made


def _lasting(change: Change, before: Resource | None, after: Minting | None) -> Minting | None:
    """What is minted with from now on: what is to be ended at a target keeps the source that ends it there."""
    left = leases.left(change, before.name) if before is not None else []
    if before is None or before.minting is None or not left:
        return after
    if after is None:
        return changed(before.minting, over=True)
    elsewhere = after.settings != before.minting.settings or _moved(change, before.minting, after)
    if elsewhere or any(one.kind != after.kind for one in left):
        raise _live(before.name)
    return after


def _moved(change: Change, before: Minting, after: Minting) -> bool:
    """Say whether another stored secret leads a source of this kind elsewhere, or to nowhere yet."""
    vault = change.authority.vault
    if before.secret == after.secret or not vault.holds(SECRETS, before.secret):
        return False
    there = address(before.kind, vault.get(SECRETS, before.secret))
    held = vault.holds(SECRETS, after.secret)
    return there != (address(after.kind, vault.get(SECRETS, after.secret)) if held else ())


def _live(name: str) -> RemitError:
    return RemitError(
        "lease_live",
        f"What was lent at {name} is not proven dead, and only the source that made it, set as it is, can end it.",
        f"Let it end first: remit lease mint {name} none.",
    )


def pin_tool(
    change: Change, resource: str, name: str, definition: Json, by: str, *, reads: bool, shape: Shape | None = None
) -> Tool:
    """Hold a tool to this definition. Its text is kept by digest, its receipt carries the digest."""
    if not TOOL.fullmatch(name):
        raise RemitError(
            "tool_invalid", f"{resource} offers a tool with a name that cannot be.", "Rename the tool upstream."
        )
    body = canon(definition)
    if len(body) > LARGEST:
        raise RemitError("tool_invalid", f"The definition of {name} is over a megabyte.", "Shorten it upstream.")
    tool = Tool(resource=resource, name=name, pin=pin(definition), reads=reads, shape=shape)
    before = change.reader.get(Tool, f"{resource}/{name}")
    if before == tool:
        return before
    payload.put_blob(change.db, tool.pin, body)
    change.record("tool.pinned", tool, by)
    return tool


def differing(change: Change, resource: str, offered: Mapping[str, Json]) -> frozenset[str]:
    """Suspend every pinned tool whose definition is another now; return the names that differ or were never pinned."""
    known = {tool.name: tool for tool in change.reader.where(Tool, "resource = ?", (resource,))}
    other = set()
    for name, definition in offered.items():
        tool = known.get(name)
        if tool is None or tool.pin != _pin(definition):
            other.add(name)
            if tool is not None and tool.state == "pinned":
                suspended = changed(tool, state=TOOL_LIFE.after(tool.state, "suspended"))
                change.record("tool.suspended", suspended, "gate", "its definition changed upstream")
        elif tool.state != "pinned":
            other.add(name)
    return frozenset(other)


def _pin(definition: Json) -> str:
    """The pin of a definition; one without canonical form is like no other."""
    try:
        return pin(definition)
    except RemitError:
        return ""


def put_secret(change: Change, name: str, secret: Secret) -> int:
    """Seal an upstream secret; returns its version. No receipt: sealed secrets are not rebuilt by replay.

    Refuses one that leads a source elsewhere while what was lent there is not proven dead (`lease_live`).
    """
    change.keep()
    if len(secret) < SHORTEST:
        raise RemitError(
            "secret_too_short",
            "This secret is shorter than 8 bytes: it could not be taken out of answers.",
            "Use a longer one.",
        )
    vault = change.authority.vault
    if vault.holds(SECRETS, name):
        before = vault.get(SECRETS, name)
        for one in change.reader.where(Resource, "state = 'active'"):
            made = one.minting
            led = made is not None and made.secret == name and address(made.kind, before) != address(made.kind, secret)
            if led and leases.left(change, one.name):
                raise _live(one.name)
    return vault.put(SECRETS, name, secret)

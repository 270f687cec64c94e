"""Durable decisions without transport, leaves appended with a sync for each batch, and entries verified offline.

Decisions are put to two policies, one of which looks at the arguments; these are other ones in each call, so that no
answer of policy is found again. The figure with a hundred policies is that of `law`.
"""

import time

from bench.places import folder
from remit.control import policy
from remit.control.receipt import files
from remit.core.call import Call
from remit.core.receipt import Auditor, encode
from remit.ledger.note import parse_vkey
from remit.ledger.verify import audit
from tests.kit.world import World

POLICIES = """
@id("notes") permit(principal, action in Action::"mcp:notes", resource);
@id("no-private") forbid(principal, action == Action::"mcp:notes/read_note", resource)
  when { context.args has path && context.args.path like "*/private/*" };
"""
WAITING = 256
LEAVES = 512


def _world(world: World) -> World:
    world.settle()
    text = {"common": {"bench.cedar": POLICIES}, "delegated": {}, "own": {}}
    world.act(lambda change: policy.apply(change, text, 1, "operator"))
    return world


def _decide(world: World, count: int, *, note: bool) -> float:
    """Decide `count` calls with other arguments each, `WAITING` at a time; return seconds. Each answer is an allow."""
    entry = world.enter(world.a_credential(world.a_task().id).text)
    world.batch.wake = lambda: None
    calls = [Call("mcp:notes/read_note", {"path": f"/notes/{n}"}) for n in range(count)]
    start = time.perf_counter()
    for first in range(0, count, WAITING):
        permits: list[object] = []
        noted: list[object] = []
        for call in calls[first : first + WAITING]:
            world.gate.decide(call, entry, "", permits.append)
        while not world.batch.idle:
            world.batch.turn()
        for permit in permits:
            if note:
                world.gate.note(permit, {"result": "ok", "bytes": 1024, "ms": 3}, noted.append)  # type: ignore[arg-type]
            elif type(permit).__name__ != "Permit":
                raise SystemExit(f"a call was not allowed: {permit}")
        while not world.batch.idle:
            world.batch.turn()
        if note and noted != [None] * len(permits):
            raise SystemExit("an outcome was not noted")
    return time.perf_counter() - start


def _append(world: World, count: int) -> float:
    """Append `count` receipts, `LEAVES` in each transaction, head signed and synced each time; return seconds."""
    authority, taken = world.authority, 0.0
    for first in range(0, count, LEAVES):
        bodies = [
            encode(
                {
                    "v": 1, "kind": "call.outcome", "at": authority.clock.now(), "call": f"cal_{n:026d}", "leaf": n,
                    "result": "ok", "bytes": 1024, "ms": 3, "digest": "x" * 43, "padding": "x" * 400,
                }
            )
            for n in range(first, first + LEAVES)
        ]  # fmt: skip
        start = time.perf_counter()
        authority.db.begin()
        authority.log.begin()
        authority.log.append(bodies, authority.clock.now(), authority.sign_head)
        authority.db.commit()
        authority.log.committed()
        taken += time.perf_counter() - start
        authority.db.checkpoint(4000)
    return taken


def _verify(world: World) -> float:
    """Export the ledger, audit every entry, pair and head of it, and return entries per second."""
    laid = dict(files(world.authority.view))
    start = time.perf_counter()
    found = audit(laid.get, world.authority.name, [parse_vkey(world.authority.verifier())], Auditor())
    taken = time.perf_counter() - start
    if not found.ok:
        raise SystemExit(f"the ledger does not verify: {found.what}")
    return found.size / taken


def measure(*, quick: bool) -> dict[str, float]:
    count = 2048 if quick else 8192
    with folder() as place:
        world = _world(World(place))
        _decide(world, WAITING, note=False)
        durable = count / _decide(world, count, note=False)
        world.close()
    with folder() as place:
        world = _world(World(place))
        _decide(world, count, note=True)
        verified = _verify(world)
        appended = 4 * count / _append(world, 4 * count)
        world.close()
    return {"decide.durable_per_s": durable, "ledger.append_per_s": appended, "ledger.verify_per_s": verified}

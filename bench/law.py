"""The pure decision: facts of a real store, a set of 100 or 1,000 policies of which twelve apply to the call.

Every call has other arguments, twelve policies look at them, and the agent's entities are built anew for each decision:
nothing that was kept from an earlier question can answer a later one.
"""

import time
from statistics import median
from typing import Any

from bench.places import folder
from remit.control import policy
from remit.control.decision import seen_facts
from remit.core.answer import Allow
from remit.core.call import Call
from remit.core.decision import decide
from tests.kit.world import World

APPLY = 12


def policies(count: int) -> dict[str, str]:
    """Twelve policies that hold for reading notes and look at its arguments; the others are for two other tools."""
    lines = ['@id("read") permit(principal, action in Action::"mcp:notes", resource);']
    lines += [
        f'@id("no-{n}") forbid(principal, action == Action::"mcp:notes/read_note", resource)'
        f' when {{ context.args has path && context.args.path like "*/secret-{n}/*" }};'
        for n in range(APPLY - 1)
    ]
    for n in range(count - APPLY):
        tool = ("write_note", "wipe")[n % 2]
        lines.append(
            f'@id("other-{n}") forbid(principal, action == Action::"mcp:notes/{tool}", resource)'
            f' when {{ context.task.brief == "brief-{n}" }};'
        )
    return {"bench.cedar": "\n".join(lines)}


def _taken(count: int, calls: int) -> float:
    with folder() as place:
        world = World(place).settle()
        text = {"common": policies(count), "delegated": {}, "own": {}}
        world.act(lambda change: policy.apply(change, text, 1, "operator"))
        credential = world.a_credential(world.a_task().id).credential.id
        asked = [Call("mcp:notes/read_note", {"path": f"/notes/{n}/page"}) for n in range(calls)]
        facts: Any = world.act(lambda change: seen_facts(change, credential, asked[0]))
        taken = []
        for number, call in enumerate(asked):
            facts.policy._entities.clear()  # noqa: SLF001 - what is kept must not flatter the figure
            start = time.perf_counter_ns()
            decision = decide(call, facts)
            if number >= calls // 10:
                taken.append((time.perf_counter_ns() - start) / 1e3)
            if not isinstance(decision, Allow) or len(facts.policy.statements) != count:
                raise SystemExit(f"the call was not decided as it should: {decision}")
        world.close()
    return median(taken)


def measure(*, quick: bool) -> dict[str, float]:
    calls = 1000 if quick else 4000
    return {"decide.pure_p50_us": _taken(100, calls), "decide.pure_1000_p50_us": _taken(1000, calls)}

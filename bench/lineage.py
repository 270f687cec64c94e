"""What lineage adds to a call: the evidence read and the finding, at 10, 100 and 1,000 earlier answers of 10 KB.

Measured on a real store, inside a transaction as the batch does it: the holders of every value of the call are looked
up under the task's key, and the call is judged. `first` is the same with nothing kept in memory, as after a start.
"""

import time
from statistics import median

from bench.places import folder
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.connector import Argument, Field, Shape
from remit.core.lineage.judge import Evidence, judge, wanted
from remit.core.lineage.rules import Rules
from remit.core.lineage.source import Heed, harvest
from remit.store import lineage
from tests.kit.world import World

TEXT = "Send a mail to the people of the plan about the garden, with the summary."
SEND = Shape(
    verbs=("send",), nouns=("mail",),
    arguments={
        "/to/*": Argument("destination", "email"), "/text": Argument("content"), "/note": Argument("object", "id"),
    },
)  # fmt: skip
FIND = Shape(
    effect="read",
    results={
        "/*/id": Field(by="service", kind="id"), "/*/from": Field(by="service", kind="email"),
        "/*/title": Field(names=True),
    },
)  # fmt: skip
RULES = Rules(groups=("ops",))
KEY = bytes(32)


def answer(number: int) -> Json:
    """About 10 KB: forty records, each with an id, an address, a title and a text."""
    return [
        {
            "id": f"n-{number}-{one}", "from": f"user{number}.{one}@example.org", "title": f"Note {one} of {number}",
            "text": f"On 2024-05-{one % 28 + 1:02} at 10:{one:02} we spoke of room {one}. " + "lorem ipsum dolor " * 8,
        }
        for one in range(40)
    ]  # fmt: skip


def _taken(count: int, calls: int) -> tuple[float, float, float]:
    with folder() as place:
        world = World(place).settle()
        db, task = world.authority.db, "tsk_" + "a" * 26
        read = []
        with db.transaction():
            for number in range(count):
                heed = Heed("mcp:t/find", "own", FIND, RULES, TEXT, {}, KEY)
                start = time.perf_counter_ns()
                held = lineage.packed(KEY, harvest(heed, answer(number)))
                read.append((time.perf_counter_ns() - start) / 1e6)
                lineage.put(db, f"cal_{number}", (task, number, "mcp:t/find", "own", 1), *held)
        long = "x" * 500
        given = {"text": long, "note": "n-1-1"}
        asked = [
            Call("mcp:t/send", {"to": [f"user{n % count}.3@example.org", "eve@example.net"], **given})
            for n in range(calls)
        ]

        def one(call: Call) -> float:
            start = time.perf_counter_ns()
            atoms = wanted(SEND, call.arguments)
            seen = lineage.holders(db, task, KEY, atoms)
            complete = lineage.complete(db, task, world.authority.clock.now())
            found = judge(call, SEND, RULES, Evidence(TEXT, seen, complete=complete, version=1, key=KEY))
            taken = (time.perf_counter_ns() - start) / 1e6
            if len(found.unvouched) != 3:
                raise SystemExit(f"the call was not judged as it should: {found}")
            return taken

        with db.transaction():
            lineage._known.rows.clear()  # noqa: SLF001 - as after a start
            lineage._known.size = 0  # noqa: SLF001
            first = one(asked[0])
            each = median(one(call) for call in asked[1:])
        world.close()
    return each, first, median(read)


def measure(*, quick: bool) -> dict[str, float]:
    found = {}
    for count in (10, 100) if quick else (10, 100, 1000):
        each, first, read = _taken(count, 100 if quick else 300)
        found |= {f"lineage.call_{count}_ms": each, f"lineage.first_{count}_ms": first}
        found["lineage.read_10kb_ms"] = read
    return found

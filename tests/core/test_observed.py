"""What was seen: the same whether it was seen in one place or in several, and in any order."""

import copy
import random

from remit.core.observed import VALUES, Used, Values
from remit.core.step import Step

POOLS = (
    [f"/notes/{n % 5}/{n}" for n in range(60)], [f"https://h{n}.example/x" for n in range(VALUES + 1)],
    ["red", "blue", "red\n"], [1, 7, 19.5, -3, 0], [1, "a", None, True], ["", "x" * 200], [[1], {"a": 1}, "a"],
    [f"INV-{n}" for n in range(VALUES)], ["http://a.example", "/a/b/c"],
)  # fmt: skip


def seen(values):
    found = Values()
    for one in values:
        found.see(one)
    return found


def test_values_of_two_places_are_those_of_one_in_any_order():
    for seed in range(600):
        rng = random.Random(seed)
        pool = rng.choice(POOLS)
        values = [rng.choice(pool) for _ in range(rng.choice((2, 5, 40, 200)))]
        cut, whole = rng.randrange(1, len(values)), seen(values)
        first, second = seen(values[:cut]), seen(values[cut:])
        other = copy.deepcopy(second)
        other.add(copy.deepcopy(first))
        first.add(second)
        assert first == whole
        assert other == whole


def test_as_many_hosts_as_are_kept_are_kept_however_often_each_is_seen():
    hosts = [f"https://h{n}.example/" for n in range(VALUES)]
    assert len(seen(hosts * 2).hosts) == VALUES
    assert seen([*hosts, "https://one.more.example"]).hosts is None


def test_uses_of_two_places_are_those_of_one():
    step = Step.from_json({"action": "mcp:notes/act", "path": "own", "arguments": {"x": [{"any": True}]}})
    for seed in range(50):
        rng = random.Random(seed)
        calls = [
            (f"t{rng.randrange(4)}", rng.randrange(9) * 40_000_000, rng.choice([None, {"x": rng.randrange(9)}]))
            for _ in range(30)
        ]
        whole, parts = Used(), [Used(), Used()]
        for number, call in enumerate(calls):
            whole.see(step, *call)
            parts[number % 2].see(step, *call)
        parts[0].add(parts[1])
        assert parts[0] == whole

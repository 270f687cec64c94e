"""Calls whose credential is bound to a key, beside calls with a bearer credential: the same gate, load and minute."""

from bench.governed import cpu, load, started
from bench.house import house
from bench.places import folder

CLIENTS = 32
TURNS = 6


def measure(*, quick: bool) -> dict[str, float]:
    """Both kinds in turn, in short pieces, so that what else the machine does falls on both alike."""
    seconds = 1.0 if quick else 2.0
    spent, calls, rates = {"bearer": 0.0, "dpop": 0.0}, {"bearer": 0.0, "dpop": 0.0}, {"bearer": 0.0, "dpop": 0.0}
    with folder() as place, started("upstream") as (_, bare), house(place, bare["url"]) as one:
        kinds = {
            "bearer": {"url": one.url, "token": one.token},
            "dpop": {"url": one.url, "token": one.bound, "key": one.key},
        }
        for where in kinds.values():
            load(where, 8, 0.5)
        for _turn in range(TURNS):
            for name, where in kinds.items():
                before = cpu(one.pid)
                seen = load(where, CLIENTS, seconds)
                spent[name] += cpu(one.pid) - before
                calls[name] += seen["calls"] * (1 + 0.15 / seconds)
                rates[name] += seen["rps"] / TURNS
    found = {f"{name}.c{CLIENTS}.rps": rate for name, rate in rates.items()}
    each = {name: spent[name] / calls[name] * 1e6 for name in kinds}
    found |= {f"{name}.cpu_us": value for name, value in each.items()}
    return found | {"dpop.cpu_ratio": each["dpop"] / each["bearer"]}

"""What each figure should be: a bound, which may lean on another figure, and which side of it is good."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on one figure. `most` says that smaller is better."""

    says: str
    bound: Callable[[Figures], float]
    most: bool

    def met(self, key: str, figures: Figures) -> bool:
        bound = self.bound(figures)
        return figures[key] <= bound if self.most else figures[key] >= bound


def _most(limit: float, unit: str = "") -> Goal:
    return Goal(f"<= {limit:,g}{unit}", lambda _: limit, most=True)


def _least(limit: float, unit: str = "") -> Goal:
    return Goal(f">= {limit:,g}{unit}", lambda _: limit, most=False)


GOALS: Mapping[str, Goal] = {
    "governed.c32.rps": Goal(
        ">= 1,500 and >= 0.4 x passthrough.c32.rps",
        lambda f: max(1500.0, 0.4 * f.get("passthrough.c32.rps", 0.0)),
        most=False,
    ),
    "governed.cpu_us": _most(450, " us"),
    "governed.c1.added_p50_ms": _most(1.5, " ms"),
    "governed.c32.p99_ms": Goal(
        "<= passthrough.c32.p99_ms + 3 x fsync.p99_ms + 20 ms",
        lambda f: f.get("passthrough.c32.p99_ms", 0.0) + 3 * f.get("fsync.p99_ms", 0.0) + 20,
        most=True,
    ),
    "dpop.cpu_ratio": _most(1.25),
    "issued.credentials.per_s": _least(1000),
    "http.c32.rps": Goal(
        ">= 1,200 and >= 0.4 x http.passthrough.c32.rps",
        lambda f: max(1200.0, 0.4 * f.get("http.passthrough.c32.rps", 0.0)),
        most=False,
    ),
    "sql.c16.per_s": _least(1000),
    "sql.c1.added_p50_ms": _most(2, " ms"),
    "passthrough.ratio_to_best": _least(0.9),
    "decide.durable_per_s": _least(6000),
    "decide.pure_p50_us": _most(100, " us"),
    "decide.pure_1000_p50_us": _most(120, " us"),
    "scan.first_s": _most(10, " s"),
    "scan.second_s": _most(2, " s"),
    "scan.rss_mb": _most(300, " MB"),
    "lineage.call_100_ms": _most(1, " ms"),
    "ledger.append_per_s": _least(40_000),
    "ledger.verify_per_s": _least(50_000),
    "revoke.let_through": _most(0),
    "revoke.trials": _least(10_000),
    "revoke.allows_before_min": _least(100),
    "revoke.p99_ms": _most(25, " ms"),
    "lease.mint_p50_ms": _most(15, " ms"),
    "lease.end_p50_ms": _most(40, " ms"),
    "lease.end_p99_ms": _most(500, " ms"),
    "lease.end_100_s": _most(2, " s"),
    "lease.dead_200_p99_ms": _most(500, " ms"),
    "rightsize.replay_s": _most(60, " s"),
    "reach.first_s": _most(1, " s"),
    "reach.whatif_s": _most(0.3, " s"),
    "cold_start_s": _most(1.5, " s"),
    "rss_idle_mb": _most(120, " MB"),
    "help_ms": _most(200, " ms"),
}


def judged(figures: Figures) -> dict[str, dict[str, object]]:
    """Each figure with its goal and whether it is met; a figure without a goal stands as it is, for comparison."""
    found: dict[str, dict[str, object]] = {}
    for key, value in figures.items():
        one: dict[str, object] = {"value": round(value, 3)}
        goal = GOALS.get(key)
        if goal is not None:
            one |= {"goal": goal.says, "met": goal.met(key, figures)}
        found[key] = one
    return found

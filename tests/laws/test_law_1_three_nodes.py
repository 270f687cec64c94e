"""Law 1 over three nodes on one store: what may be used so often is used so often, and they write one ledger."""

from pathlib import Path

from tests.kit.planted import Planted, each_goes_red
from tests.kit.race import EACH, NODES, USES, run


def what_is_counted_is_counted_once(_folder: Path, rounds: int = 60) -> None:
    found = run(rounds)
    assert max(found.spent) <= 1, f"a value was spent more than once: {max(found.spent)}"
    assert max(found.proved) <= 1, f"a proof counted more than once: {max(found.proved)}"
    assert max(found.allowed) <= USES < NODES * EACH, f"a step was used too often: {max(found.allowed)}"
    assert found.faults == [], f"the nodes did not write one ledger: {found.faults}"
    assert (sum(found.spent), sum(found.allowed)) == (rounds, rounds * USES), "what was there was not used up"
    assert sum(found.proved) == rounds, "a good proof did not count"


def a_few_rounds(folder: Path) -> None:
    what_is_counted_is_counted_once(folder, 12)


FAULTS = (
    Planted(
        "consume without condition", "store/payload.py",
        '(kind, value, until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"',
        '(kind, value, until) VALUES (?, ?, ?) ON CONFLICT (kind, value) DO UPDATE SET until=excluded.until"',
        a_few_rounds, "spent more than once",
    ),
    Planted(
        "a proof is not used up", "control/decision.py",
        "return entry.ticket.spend(change) if isinstance(entry.ticket, Ticket) else None",
        "return None", a_few_rounds, "a proof counted more than once",
    ),
    Planted(
        "usage not read", "store/apply.py", "    if row is None:\n        return None\n    return Usage(",
        "    if row is None or scope:\n        return None\n    return Usage(", a_few_rounds, "was not used up",
    ),
)  # fmt: skip


def test_law(tmp_path):
    what_is_counted_is_counted_once(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)

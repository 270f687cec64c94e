"""Law 1 over two processes on one store: once `revoke` has returned, no call that begins later is allowed anywhere."""

from pathlib import Path

import pytest

from tests.kit.nodes import CALLERS, run
from tests.kit.planted import Planted, each_goes_red


def revoke_holds_in_the_other_process(folder: Path, revokes: int, allows: int = 32, kind: str = "sqlite") -> None:
    tally = run(folder, revokes, allows, kind)
    assert tally.let_through == 0, f"calls let through after revoke had returned: {tally.let_through}"
    assert tally.revoked == revokes, "not every revoke was tried"
    assert tally.allowed >= revokes * allows, "too few calls were allowed before"
    assert tally.refused_after >= revokes * CALLERS, "too few calls were tried after"


def a_few_revokes_hold(folder: Path) -> None:
    revoke_holds_in_the_other_process(folder, 5)


def a_few_revokes_hold_on_the_shared_store(folder: Path) -> None:
    revoke_holds_in_the_other_process(folder, 20, kind="postgresql")


FAULTS = (
    Planted(
        "facts kept between transactions", "control/change.py", "self.reader = Reader(authority.db)",
        "self.reader = globals().setdefault('_kept', {}).setdefault(id(authority), Reader(authority.db))",
        a_few_revokes_hold, "let through",
    ),
    Planted(
        "facts kept between transactions, on the shared store", "control/change.py",
        "self.reader = Reader(authority.db)",
        "self.reader = globals().setdefault('_kept', {}).setdefault(id(authority), Reader(authority.db))",
        a_few_revokes_hold_on_the_shared_store, "let through",
    ),
    Planted(
        "what was read ahead is kept", "store/foresight.py",
        "return Foreseen(head, versions, bodies, active)",
        "return Foreseen(head, versions, globals().setdefault('_kept', {}).setdefault(self.places, bodies), active)",
        a_few_revokes_hold_on_the_shared_store, "let through",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "revokes"), [("sqlite", 120), ("postgresql", 60)])  # tests/slow has thousands
def test_law(tmp_path, kind, revokes):
    revoke_holds_in_the_other_process(tmp_path, revokes, kind=kind)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)

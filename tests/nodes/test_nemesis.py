"""Three real nodes on one database, under load and under a nemesis: what the laws say of one node holds of all."""

from pathlib import Path

import pytest

from tests.kit.checker import Said
from tests.kit.nemesis import AFTER, BEFORE, run
from tests.kit.planted import Planted


def held(_: Path) -> None:
    """What the planted faults break is judged by the checker itself."""


FAULTS = (
    Planted(
        "cache a fact", "control/change.py", "self.reader = Reader(authority.db)",
        "self.reader = globals().setdefault('_kept', {}).setdefault(id(authority), Reader(authority.db))",
        held, "late: ",
    ),
    Planted(
        "skip the lock", "store/postgres.py", "SELECT one FROM {SCHEMA}.writer FOR UPDATE",
        "SELECT one FROM {SCHEMA}.writer", held, "unanswered: ",
    ),
    Planted(
        "answer whether it was committed or not", "control/batch.py",
        "        self._commit()\n        if self._failure is not None:\n            self._renew(self._failure, items)\n"
        "            return\n        self._authority.log.committed()\n        self.commits += 1\n\n    def _wait",
        "        self.commits += 1\n        if self.commits % 5:\n            self._commit()\n"
        "            self._authority.log.committed()\n        else:\n            self._authority.db.rollback()\n"
        "            self._authority.log.dropped()\n\n    def _wait",
        held, "leafless: ",
    ),
    Planted(
        "consume without condition", "store/payload.py",
        '(kind, value, until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"',
        '(kind, value, until) VALUES (?, ?, ?) ON CONFLICT (kind, value) DO UPDATE SET until=excluded.until"',
        held, "twice: ",
    ),
)  # fmt: skip


def test_three_nodes_keep_the_laws(tmp_path):
    story = run(tmp_path, 100, 20, trouble=False)
    assert story.complaints == []
    assert story.count("revoke", Said.DONE) == 100
    assert story.count("token", Said.DONE) == 20, "each assertion counts at one door"
    assert story.count("call", Said.ALLOWED) >= 100 * BEFORE // 2, "too few calls were allowed before"
    assert story.count("call", Said.REFUSED) >= 100 * AFTER // 2, "too few calls were tried after"
    assert len({one.node for one in story.heads}) == 3


def test_three_nodes_keep_the_laws_while_they_are_hurt(tmp_path):
    story = run(tmp_path, 60, 8, trouble=True)
    assert story.complaints == []
    assert len(story.done) >= 5, "too little was done to them"
    assert story.count("revoke", Said.DONE) >= 20
    assert story.count("call", Said.ALLOWED) >= 20
    assert story.count("call", Said.REFUSED) >= 20
    assert all(took <= 30 for took in story.restarts), f"a lost node took too long to serve again: {story.restarts}"


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_checker_finds_a_planted_bug(fault, tmp_path):
    story = run(tmp_path, 24, 8, trouble=False, fault=fault)
    assert any(one.startswith(fault.says) for one in story.complaints), story.complaints[:5]

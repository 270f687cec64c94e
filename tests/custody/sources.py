"""What every source must do, whatever its target: mint, lend, drop, be proven gone by its own probe, at any repetition.

A suite for a source is a `Suite`: how to make an intent, and how to try at the target, without the source, whether what
was lent opens it. `holds` fails with an AssertionError on a source whose drop is a planted no-op.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

from remit.core.errors import RemitError
from remit.custody.source import Gone, Intent, Lent, Minted, Rung, Source

HELD = {
    "aws": "tests/peers/test_sts.py",
    "github": "tests/custody/test_github.py",
    "google": "tests/custody/test_google.py",
    "kubernetes": "tests/custody/test_kubernetes.py",
    "mariadb": "tests/peers/test_mariadb.py",
    "mysql": "tests/peers/test_mariadb.py",
    "oauth": "tests/custody/test_oauth.py",
    "openbao": "tests/custody/test_openbao.py",
    "postgres": "tests/custody/test_postgres.py",
    "static": "tests/custody/test_static.py",
}
"""Each kind of source, and where it is held to the suite."""


@dataclass(frozen=True)
class Suite:
    """One source held to the protocol. `opens` says whether what was lent is let in at the target now."""

    source: Source
    intent: Callable[..., Intent]
    opens: Callable[[Lent], bool]
    gone: tuple[Gone, ...] = (Gone.GONE,)
    never: tuple[Gone, ...] = (Gone.GONE,)

    def holds(self) -> None:
        self.says_what_it_is()
        minted = self.mints_and_lends()
        self.drops_and_is_proven_gone(minted)
        self.drops_what_never_was()
        self.mints_late_never()
        self.mints_the_same_name_again_after_a_lost_answer()
        self.takes_many_at_once()

    def says_what_it_is(self) -> None:
        said = self.source.describe()
        assert said.says, "it does not say what it can take back"
        assert said.rung in Rung

    def mints_and_lends(self) -> Minted:
        intent = self.intent()
        minted = self.source.mint(intent)
        assert minted.name == intent.name, "it minted under another name"
        assert minted.until <= intent.until, "it outlives its intent"
        lent = self.source.lend(minted)
        assert self.opens(lent), "what it lent does not open the target"
        assert self.source.reach(minted), "it cannot say what it reaches"
        assert self.source.probe(minted) is not Gone.GONE, "a probe finds what is alive gone"
        for secret in lent.secrets():
            assert secret.reveal() == lent.user.encode() or secret.reveal().decode() not in repr((minted, lent)), (
                "a secret shows"
            )
        return minted

    def drops_and_is_proven_gone(self, minted: Minted) -> None:
        lent = self.source.lend(minted)
        self.source.drop(minted)
        found = self.source.probe(minted)
        assert found in self.gone, f"a probe after the drop says {found}"
        if Gone.GONE in self.gone:
            assert not self.opens(lent), "what was lent opens the target still"
            assert minted.name not in self.source.found(), "it stands at the target still"
            assert self.source.reach(minted) == (), "what is gone reaches something still"
        self.source.drop(minted)
        assert self.source.probe(minted) in self.gone

    def drops_what_never_was(self) -> None:
        intent = self.intent()
        never = Minted(intent.name, intent.until, None)
        self.source.drop(never)
        assert self.source.probe(never) in self.never
        if Gone.GONE in self.gone:
            assert self.source.reach(never) == (), "what never was reaches something"

    def mints_late_never(self) -> None:
        if not self.source.describe().dynamic:
            return
        intent = self.intent(left=lambda: 0)
        assert refused(self.source.mint, intent) == "mint_late", "it minted past the deadline"
        assert self.source.probe(Minted(intent.name, intent.until, None)) in self.never

    def mints_the_same_name_again_after_a_lost_answer(self) -> None:
        intent = self.intent()
        self.source.mint(intent)
        again = self.source.mint(intent)
        assert self.opens(self.source.lend(again)), "a mint that is tried again lends nothing"
        self.drops_and_is_proven_gone(again)

    def takes_many_at_once(self) -> None:
        intents = [self.intent() for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            minted = list(pool.map(self.source.mint, intents))
            assert all(pool.map(self.opens, map(self.source.lend, minted)))
            list(pool.map(self.source.drop, minted))
            assert set(pool.map(self.source.probe, minted)) <= set(self.gone)


def refused(work: Callable[..., Any], *args: Any, **members: Any) -> str:
    """The code of the fault that this raises; empty when it raises none."""
    try:
        work(*args, **members)
    except RemitError as fault:
        return fault.code
    return ""


class NoDrop:
    """A source whose drop is a planted no-op: the suite must fail on it."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def drop(self, minted: Minted) -> None:
        """Say that it is done, and do nothing."""


class NoReach(NoDrop):
    """A source that says of everything that it reaches nothing."""

    def drop(self, minted: Minted) -> None:
        """Do what the source does."""
        self._source.drop(minted)

    def reach(self, minted: Minted) -> tuple[str, ...]:
        """Say that it touches nothing."""
        del minted
        return ()


class Believing(NoDrop):
    """A source that calls gone what it dropped, and does not look: the suite must fail where nobody can know."""

    def drop(self, minted: Minted) -> None:
        """Do what the source does, and call it done from here on."""
        self._source.drop(minted)
        self._done = True

    def probe(self, minted: Minted) -> Gone:
        """Believe it."""
        return Gone.GONE if getattr(self, "_done", False) else self._source.probe(minted)


def fails_where_it_must(suite: Suite) -> None:
    """Hold the suite itself to what it is for: it fails on a drop that does nothing, and on a reach that is not told.

    Where no probe can prove an end, it fails on one that says so all the same.
    """
    planted = {NoReach: "cannot say what it reaches"}
    planted |= (
        {NoDrop: "after the drop says live"} if Gone.GONE in suite.gone else {Believing: "after the drop says gone"}
    )
    for fault, says in planted.items():
        with pytest.raises(AssertionError, match=says):
            replace(suite, source=fault(suite.source)).holds()

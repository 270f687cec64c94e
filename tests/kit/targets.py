"""A target that is a folder: each credential is a file in it. Real enough to be killed in the middle, and quick.

What is minted is a file named like the lease; whoever has its content is let in while it is there. `Folder` can be told
to misbehave as targets do.
"""

import os
import threading
from pathlib import Path

from remit.control.authority import Clock
from remit.control.gate import Gate
from remit.control.lessor import Lessor
from remit.control.target import Inline
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.resource import Minting, Upstream
from remit.custody.secret import Secret
from remit.custody.source import Description, Gone, Intent, Lent, Minted, Rung
from tests.kit.hours import Hours
from tests.kit.world import TOOLS, World


class Folder:
    """A source that makes files. `away` faults every verb; `immortal` keeps files that are dropped; `held` stops mints.

    `irrevocable` is a target that cannot take back: the file goes only by its own end, which `lapse` brings about.
    """

    def __init__(self, place: Path, *, irrevocable: bool = False) -> None:
        self.place, self.irrevocable = place, irrevocable
        self.away = self.immortal = self.closed = False
        self.held = threading.Event()
        self.held.set()
        self.minted: list[Intent] = []
        self.parted: list[Secret] = []
        self.became: dict[bytes, Secret] = {}
        place.mkdir(exist_ok=True)

    def describe(self) -> Description:
        return Description(
            "folder",
            Rung.PER_TASK,
            dynamic=True,
            revocable=not self.irrevocable,
            says="A file.",
            longest=90_000 if self.irrevocable else 0,
        )

    def mint(self, intent: Intent) -> Minted:
        self._reach()
        self.minted.append(intent)
        assert self.held.wait(60)
        value = os.urandom(16).hex()
        part = self.place / f".{intent.name}"
        part.write_text(value, encoding="utf-8")
        if intent.left() <= 0:
            part.unlink()
            raise RemitError("mint_late", "The mint came too late.", "Try again.")
        part.rename(self.place / intent.name)
        ends = Instant(intent.until + 30_000) if self.irrevocable else None
        return Minted(intent.name, intent.until, Secret(value.encode()), None, ends)

    def lend(self, minted: Minted) -> Lent:
        assert minted.secret is not None
        return Lent(user=minted.name, password=minted.secret)

    def drop(self, minted: Minted) -> None:
        self._reach()
        if not self.immortal and not self.irrevocable:
            (self.place / minted.name).unlink(missing_ok=True)

    def probe(self, minted: Minted) -> Gone:
        self._reach()
        if self.irrevocable:
            return Gone.UNKNOWN
        return Gone.LIVE if (self.place / minted.name).exists() else Gone.GONE

    def reach(self, minted: Minted) -> tuple[str, ...]:
        return ("everything in the folder",) if self.lets_in(minted) else ()

    def part(self, held: Secret) -> Gone:
        self._reach()
        self.parted.append(held)
        return Gone.LIVE if self.immortal else Gone.GONE

    def newest(self, held: Secret) -> Secret:
        return self.became.get(held.reveal(), held)

    def found(self) -> tuple[str, ...]:
        self._reach()
        return tuple(sorted(one.name for one in self.place.iterdir() if one.name.startswith("remit_")))

    def close(self) -> None:
        self.closed = True

    def lets_in(self, minted: Minted) -> bool:
        """Whether this credential opens the target now."""
        held = self.place / minted.name
        value = minted.secret.reveal().decode() if minted.secret else ""
        return held.exists() and held.read_text(encoding="utf-8") == value

    def _reach(self) -> None:
        if self.away:
            raise RemitError("target_unavailable", "The target cannot be reached.", "Look at the target.")


class Lending(World):
    """A world whose resource is minted at, in a folder; `settle_targets` carries out what is due there."""

    def __init__(self, place: Path | str, folder: Path, clock: Clock | None = None, **members: bool) -> None:
        super().__init__(place, clock)
        self.source = Folder(folder, **members)
        self.inline = Inline()
        self.lessor = Lessor(self.authority, self.batch, self.inline.post, lambda *_: self.source)
        self.gate = Gate(self.authority, self.batch, self.lessor)
        self.batch.moved = self.lessor.look

    def settle(self) -> "Lending":
        super().settle()
        self.register()
        return self

    def register(self, **members: object) -> None:
        """Register the resource anew, with a source."""
        from remit.control import resource

        given = {"minting": Minting(kind="folder")} | members
        self.act(
            lambda c: resource.add(
                c, name="notes", upstream=Upstream(url="http://127.0.0.1:9/mcp"), domain="office", owner=self.owner.id,
                tools=TOOLS, by="operator", **given,
            )
        )  # fmt: skip

    def decide(self, call, entry, origin=""):
        found = []
        self.gate.decide(call, entry, origin, found.append)
        self.inline.settle(self.lessor, 100) if not found else None
        return found[0]

    def settle_targets(self, patience: int = 100) -> bool:
        """Carry out what is due at the target; say whether nothing is under way."""
        self.lessor.look()
        return self.inline.settle(self.lessor, patience)

    def come_back_in_a_jump(self, hours: Hours) -> None:
        """What was sent to a target that is away comes back while the clock has jumped; then both are right again."""
        hours.jump(60_000)
        assert self.inline.settle(self.lessor, 100), "what came back is still counted as under way"
        hours.jump(-60_000)
        self.source.away = False
        hours.pass_by(1_000)
        assert self.settle_targets()

    def leases(self):
        """Every lease as its row says."""
        from remit.core.lease import Lease
        from remit.store.record import Reader

        return list(Reader(self.authority.reading()).where(Lease))

    def close(self) -> None:
        self.source.held.set()
        self.lessor.close()
        super().close()


def minted(one, secret: Secret | None = None) -> Minted:
    """A lease as a source sees it."""
    return Minted(one.name, Instant(one.until), secret)

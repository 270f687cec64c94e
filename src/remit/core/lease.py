"""Lease: a credential that is minted at a target for one task, and what becomes of it until it is proven dead there.

The states, their receipts and the deadlines are docs/spec/lease.md.
"""

import hashlib
from typing import Final

from remit.core import ids
from remit.core.canonical import canon
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.record import Record
from remit.core.trust import TrustPath

LIFE: Final = Lifecycle(
    "lease",
    {
        "intended": {"active": "active", "ending": "ending"},
        "active": {"ending": "ending"},
        "ending": {"pending": "pending", "irrevocable": "irrevocable", "dead": "dead"},
        "pending": {"irrevocable": "irrevocable", "dead": "dead"},
        "irrevocable": {"dead": "dead"},
        "dead": {},
    },
)
OPEN: Final = ("intended", "active")
"""What may still be lent, or be about to."""
ENDING: Final = ("ending", "pending", "irrevocable")
"""What is over, and not proven dead at the target yet."""
INCIDENTS: Final = ("pending", "irrevocable")
"""What could not be proven dead: shown as such, never as revoked."""
BECAUSE: Final = ("person", "task", "plan", "held", "expired", "mint", "revoked", "path", "resource", "orphan")
PROOFS: Final = ("gone", "nothing", "expired")
"""How it was proven: the target said so, nothing was ever made there, or its own end has come."""
MINT_MS: Final = 10_000
"""How long after its intent a mint may still happen at the target."""
FROM: Final[dict[str, tuple[str, ...]]] = {
    state: tuple(one for one, edges in LIFE.table.items() if state in edges.values()) for state in LIFE.table
}
"""The states that each state may be reached from."""


class Lease(Record, frozen=True, kw_only=True, tag_field="noun", tag="lease"):
    """One credential at one target. Owned by its task; it never outlives it.

    `round` counts the leases of one task, plan version, path and resource: a name is never used twice. `node` is who
    mints it, until `mint_by` at the latest; `lent` says whether it was recorded as minted, `ends` when its target ends
    it by itself, 0 when that is `until`. `ender` is who ended it; `rights` is the digest of what was asked of the
    target; `mark` is what the target's own log calls it, where that is not its name. `took` are the milliseconds from
    its end to its proof.
    """

    id: str
    task: str
    plan: int
    path: TrustPath
    resource: str
    kind: str
    node: str
    at: Instant
    mint_by: Instant
    until: Instant
    ends: Instant = Instant(0)
    round: int = 1
    rights: str = ""
    mark: str = ""
    person: str = ""
    direct: bool = False
    lent: bool = False
    state: str = "intended"
    because: str = ""
    ended: Instant = Instant(0)
    ender: str = ""
    trouble: str = ""
    proof: str = ""
    died: Instant = Instant(0)
    took: int = 0

    def __post_init__(self) -> None:
        ids.parse("lse", self.id)
        ids.parse("tsk", self.task)
        ids.name("resource", self.resource)
        if self.person:
            ids.parse("per", self.person)
        for one in (self.at, self.mint_by, self.until, self.ends, self.ended, self.died):
            instant(one)
        if self.state not in LIFE.table or not self.at < self.mint_by or self.at >= self.until or self.round < 1:
            raise _invalid("Its state, round or times cannot be.")
        if (self.state in OPEN) != (not self.because) or (self.because and self.because not in BECAUSE):
            raise _invalid("An end has a reason, and what goes on has none.")
        if (self.state == "dead") != bool(self.proof) or (self.proof and self.proof not in PROOFS):
            raise _invalid("What is dead has a proof, and nothing else has one.")
        if len(self.trouble) > 200 or len(self.mark) > 200 or self.took < 0 or self.plan < 1:
            raise _invalid("Its plan, trouble, mark or time cannot be.")

    @property
    def name(self) -> str:
        """Its name at the target, which leads back to the task: `remit_TASK_own_XXXXXXXX`, 49 characters."""
        return f"{MARK}{self.task}_{self.path.value[:3]}_{self.id[4:12]}"


MARK: Final = "remit_"
"""What every name begins with that Remit makes at a target."""


def identity(ledger: str, task: str, plan: int, path: TrustPath, resource: str, number: int) -> str:
    """The id of a lease, which follows from what it is for: a mint that is tried again finds the same thing."""
    said = canon(["remit/lease/1", ledger, task, plan, path.value, resource, number])
    return ids.make("lse", hashlib.sha256(said).digest()[:16])


def _invalid(why: str) -> RemitError:
    return RemitError("lease_invalid", f"This lease was refused. {why}", "See docs/spec/lease.md.")

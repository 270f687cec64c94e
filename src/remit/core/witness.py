"""Witness: whoever cosigns the heads of our ledger; the rule about them; and what they mean for a decision.

A witness that refused says that the ledger was forked or rolled back, or that it was itself: a person finds out which.
"""

from dataclasses import dataclass
from typing import Final

from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.record import Record

LIFE: Final = Lifecycle(
    "witness",
    {
        "in_order": {"refused": "refused", "acknowledged": "acknowledged", "removed": "removed", "added": "in_order"},
        "refused": {"acknowledged": "acknowledged", "cleared": "in_order", "removed": "removed"},
        "acknowledged": {"cleared": "in_order", "removed": "removed"},
        "removed": {"added": "in_order"},
    },
)
RULE: Final = "rule"
MOST: Final = 16


class Witness(Record, frozen=True, kw_only=True, tag_field="noun", tag="witness"):
    """One witness: `id` is its key's name, `size` how many entries the head had that it refused.

    It counts only when it has cosigned something since `since`, when it was added.
    """

    id: str
    url: str
    vkey: str
    since: Instant
    state: str = "in_order"
    size: int = 0
    because: str = ""

    def __post_init__(self) -> None:
        instant(self.since)
        if not self.id or not self.vkey.startswith(f"{self.id}+") or not self.url or self.state not in LIFE.table:
            raise RemitError("witness_invalid", "Its name, key, URL or state cannot be.", "Copy its verifier key.")
        if self.size < 0 or len(self.because) > 500:
            raise RemitError("witness_invalid", "The reason is too long.", "Use up to 500 characters.")


class WitnessRule(Record, frozen=True, kw_only=True, tag_field="noun", tag="witness_rule"):
    """How many witnesses must be in order, and whether decisions stop when fewer are. `max_age` in ms; 0: any age."""

    name: str = RULE
    required: int = 0
    stop: bool = False
    max_age: int = 0

    def __post_init__(self) -> None:
        if self.name != RULE or not 0 <= self.required <= MOST or self.max_age < 0:
            raise RemitError("witness_invalid", "This rule about witnesses cannot be.", f"Require 0 to {MOST} of them.")


@dataclass(frozen=True, slots=True)
class Watch:
    """What a decision knows of the witnesses: the rule, and each with the instant of its last cosignature, or 0."""

    rule: WitnessRule
    seen: tuple[tuple[Witness, Instant], ...]


def in_order(witness: Witness, heard: Instant, max_age: int, now: Instant) -> bool:
    """Say whether a witness has cosigned, since it was added and lately enough, and refused nothing since.

    A cosignature's time is in whole seconds, so `since` is compared in seconds.
    """
    recent = heard // 1000 >= witness.since // 1000 and (not max_age or now - heard < max_age)
    return witness.state == "acknowledged" or (witness.state == "in_order" and recent)


def standing(watch: Watch, now: Instant) -> str:
    """Say what is wrong with the witnesses: `witness_refused`, `witness_late`, or nothing when enough are in order."""
    rule = watch.rule
    if sum(in_order(one, heard, rule.max_age, now) for one, heard in watch.seen) >= rule.required:
        return ""
    return "witness_refused" if any(one.state == "refused" for one, _ in watch.seen) else "witness_late"

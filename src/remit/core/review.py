"""Review: what one scan put forward, each thing to be approved or refused by a person. The format: docs/spec/review.md.

What is put forward is a record of its own in the state `proposed`, on which nothing may rest. Where it was seen lies
beside the ledger, and an answer is bound to the digest of exactly what was shown (law 6).
"""

from collections.abc import Iterable
from typing import Final

from remit.core import ids
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant
from remit.core.record import Record

LIFE: Final = Lifecycle("review", {"open": {"answered": "open", "closed": "closed"}, "closed": {}})
NOUNS: Final = ("resource", "agent", "brief")
"""What can be put forward, in the order in which it is approved: a brief rests on the two before it."""
ANSWERS: Final = ("", "approved", "refused")
MOST: Final = 400
"""So many things fit into one review: its record is one entry of the ledger."""
EVERY: Final = "*"


class Item(Record, frozen=True, kw_only=True):
    """One thing that was put forward: its noun, the name it is told by, and what was said to it so far."""

    noun: str
    name: str
    answer: str = ""

    def __post_init__(self) -> None:
        if self.noun not in NOUNS or self.answer not in ANSWERS:
            raise _invalid("It holds what cannot be reviewed.")
        ids.name(self.noun, self.name)

    @property
    def key(self) -> str:
        """What it is chosen by: an agent and its brief have one name."""
        return f"{self.noun}/{self.name}"


class Review(Record, frozen=True, kw_only=True, tag_field="noun", tag="review"):
    """What one scan put forward. Owned by the operator, who answers it.

    `shown` is the salted digest of its body: the proposed records as they were, each with where it was seen. `turned`
    is when somebody last answered, 0 before.
    """

    id: str
    at: Instant
    by: str
    shown: str
    items: tuple[Item, ...]
    turned: Instant = Instant(0)
    state: str = "open"

    def __post_init__(self) -> None:
        ids.parse("rvw", self.id)
        keys = {one.key for one in self.items}
        if self.state not in LIFE.table or not 0 < len(keys) == len(self.items) <= MOST:
            raise _invalid("Its state is not known, or it holds nothing, too much, or one thing twice.")


def chosen(items: Iterable[Item], words: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The keys of the items that some words name, and which of them are named alone.

    A word is `*` for all, a name, or NOUN/NAME, which names one alone. Refuses a word that names none (`not_found`).
    """
    keys, alone = {one.key: one for one in items}, set()
    found: set[str] = set()
    for word in words:
        mine = {key for key, one in keys.items() if word in (EVERY, key, one.name)}
        if not mine:
            raise RemitError("not_found", f"This review holds no {word}.", "Look at it: remit review show REVIEW.")
        found |= mine
        alone |= {word} & keys.keys()
    return frozenset(found), frozenset(alone)


def _invalid(why: str) -> RemitError:
    return RemitError("review_invalid", f"This review was refused. {why}", "See docs/spec/review.md.")

"""Review: what one scan put forward, each thing to be approved or refused by a person. The format: docs/spec/review.md.

What is put forward is a record of its own in the state `proposed`, on which nothing may rest. Where it was seen lies
beside the ledger, and an answer is bound to the digest of exactly what was shown (law 6).
"""

import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from remit.core import ids
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant
from remit.core.record import Record, load
from remit.core.resource import Resource, Upstream, split

LIFE: Final = Lifecycle("review", {"open": {"answered": "open", "closed": "closed"}, "closed": {}})
NOUNS: Final = ("resource", "agent", "brief")
"""What can be put forward, in the order in which it is approved: a brief rests on the two before it."""
ANSWERS: Final = ("", "approved", "refused")
MOST: Final = 400
"""So many things fit into one review: its record is one entry of the ledger."""
EVERY: Final = "*"
HIDDEN: Final = "***"
"""What stands in a command in the place of what may be a secret."""


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


def told(said: Mapping[str, Json], called: Callable[[str], str]) -> dict[str, list[str]]:
    """What a person must know of one thing before they answer: each member, by what it is called here.

    `said` is the thing as a review's body holds it; `called` says how a person is known here. It is text from
    elsewhere: whoever shows it writes it inert.
    """
    record = said["record"]
    found = {"where": [f"{said['file']}:{said['line']}"] if "file" in said else []}
    found["owner"] = [called(one) for one in record.get("dispatchers", (record.get("owner", ""),)) if one]
    found["said owner"] = [said["owner"]] if said.get("owner") else []
    found |= {"client": [said["client"]] if said.get("client") else [], "sends people to": said.get("redirects", [])}
    if said["noun"] == "resource":
        found["reached by"] = [reached_by(load(Resource, record).upstream)]
        found["its file sets"] = list(said.get("environment", []))
    elif said["noun"] == "agent":
        found |= {"purpose": [record["purpose"]], "ceiling": list(said["ceiling"]) or ["nothing"]}
    else:
        steps = [f"{s['action']} ({s['path']}, any arguments)" for s in record["steps"]]
        found |= {"steps": steps or ["none was seen"], "domains": list(record["domains"])}
    found["rests on"] = rests(said)
    found |= {f"credential {n}": [credential(one)] for n, one in enumerate(said.get("credentials", ()), 1)}
    found["lacks"] = [said["lacks"]] if said.get("lacks") else []
    return {name: values for name, values in found.items() if values}


def rests(said: Mapping[str, Json]) -> list[str]:
    """What one thing rests on, each as NOUN/NAME: it is in force only with that."""
    if said["noun"] == "agent":
        return [f"resource/{split(entry)[0]}" for entry in said["ceiling"]]
    if said["noun"] == "brief":
        places = {split(step["action"])[0] for step in said["record"]["steps"]}
        return [f"agent/{said['name']}", *(f"resource/{name}" for name in sorted(places))]
    return []


def reached_by(one: Upstream) -> str:
    """An address, or a command and the folder that it depends on, in one line: each word as a shell would be given it.

    So no word passes for two, nor for the folder.
    """
    return one.url or " ".join(word if word == HIDDEN else shlex.quote(word) for word in one.argv) + (
        f" (in {one.directory})" if one.directory else ""
    )


def credential(one: Mapping[str, Json]) -> str:
    """A credential that something is given, in one line: its name, how it is kept, where, and who else holds it."""
    others = "also referred to by" if one.get("refers") else "also held by"
    also = f", {others} {', '.join(one['also'])}" if one.get("also") else ""
    kept = f"refers to {one['refers']}" if one.get("refers") else "stands there in full"
    return f"{one['name']}: {kept} at {one['file']}:{one['line']}{also}"


def _invalid(why: str) -> RemitError:
    return RemitError("review_invalid", f"This review was refused. {why}", "See docs/spec/review.md.")

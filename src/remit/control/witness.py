"""Witnesses of our heads: who they are, what they said, and what an operator says about it. Each change is a receipt.

A cosignature itself leaves no receipt: it proves itself, and a receipt for each would make a new head to be cosigned.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from remit.control.change import Change
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.record import changed
from remit.core.witness import LIFE, RULE, Witness, WitnessRule, in_order, standing
from remit.ledger import LedgerFault, cosignature, note
from remit.store import cosignature as kept
from remit.store import log
from remit.store.record import Reader

BY: Final = "witness"


def ensure(change: Change, peers: Mapping[str, str], rule: WitnessRule, by: str) -> None:
    """Make the store's witnesses those of the settings: `peers` is each one's verifier key and URL.

    Does nothing when no witness is named, so that a node whose settings are silent never lifts the rule of the others;
    `remove` does that. Refuses a rule that asks for more witnesses than there are (`witness_invalid`).
    """
    if not peers:
        return
    if rule.required > len(peers):
        raise _invalid("More witnesses are required than there are.", "Name them all, or require fewer.")
    named = {_parsed(vkey).name: (vkey, url) for vkey, url in peers.items()}
    if len(named) < len(peers):
        raise _invalid("Two witnesses have one name.", "Give each its own name and key.")
    for name, (vkey, url) in named.items():
        _add(change, name, vkey, url, by)
    for one in list(change.reader.where(Witness, "state != 'removed'")):
        if one.id not in named:
            _move(change, one, "removed", by, "")
    if change.reader.get(WitnessRule, RULE) != rule:
        change.record("witness.ruled", rule, by)


def _add(change: Change, name: str, vkey: str, url: str, by: str) -> None:
    found = change.reader.get(Witness, name)
    if found and found.state != "removed" and (found.vkey, found.url) == (vkey, url):
        return
    if found and found.state != "removed" and found.vkey == vkey:
        # It has only moved: what it said of us stays said.
        change.record("witness.added", changed(found, url=url), by)
        return
    change.record("witness.added", Witness(id=name, url=url, vkey=vkey, since=change.now), by)


def remove(change: Change, name: str, by: str, because: str) -> Witness:
    """Ask a witness no longer; the rule then requires no more than are left (`not_found`)."""
    gone = _move(change, _need(change, name), "removed", by, because)
    left = sum(1 for _ in change.reader.where(Witness, "state != 'removed'"))
    rule = change.reader.get(WitnessRule, RULE)
    if rule is not None and rule.required > left:
        change.record("witness.ruled", changed(rule, required=left), by, because)
    return gone


def took(change: Change, name: str, size: int, line: str) -> bool:
    """Keep a cosignature of our head of `size` entries, checked here; say whether it holds and is new to us.

    The witness was heard at the earlier of its own time and now, so an old answer never makes it look fresh. One that
    had refused is in order again, with a receipt.
    """
    one = change.reader.get(Witness, name)
    head = log.at_size(change.db, size)
    if one is None or one.state == "removed" or head is None:
        return False
    try:
        found, _ = cosignature.held(note.parse((head.note + line).encode()), [_parsed(one.vkey)])
    except LedgerFault:
        return False
    if not found:
        return False
    kept.put(change.db, name, size, Instant(min(change.now, found[0].at * 1000)), found[0].line)
    change.keep()
    if one.state in ("refused", "acknowledged") and size >= one.size:
        _move(change, changed(one, size=0), "cleared", BY, "")
    return True


def refused(change: Change, name: str, size: int, because: str) -> Witness:
    """Note that a witness refused our head of `size` entries: an incident, with a receipt the first time.

    While it is refused, or an operator has acknowledged it, further refusals of the same kind change nothing.
    """
    one = _need(change, name)
    if one.state != "in_order":
        return one
    return _move(change, changed(one, size=size), "refused", BY, because[:500])


def acknowledge(change: Change, name: str, by: str, because: str) -> Witness:
    """Let calls go on although this witness refuses or is late, until it is in order again (`transition_refused`)."""
    return _move(change, _need(change, name), "acknowledged", by, because)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one witness stands: whether it counts, how many entries it is behind, and how old its last word is.

    `age` is in milliseconds, -1 when it never cosigned.
    """

    name: str
    state: str
    in_order: bool
    lag: int
    age: int
    because: str


def standings(reader: Reader, now: Instant) -> tuple[str, bool, list[Standing]]:
    """What is wrong with the witnesses in a word or nothing, whether that stops calls, and how each stands."""
    watch = kept.watch(reader)
    if watch is None:
        return "", False, []
    size, heard = log.newest(reader.db).size, kept.heard(reader.db)
    found = []
    for one, at in watch.seen:
        last = heard.get(one.id, (0, at))[0]
        good = in_order(one, at, watch.rule.max_age, now)
        found.append(Standing(one.id, one.state, good, max(0, size - last), now - at if at else -1, one.because))
    return standing(watch, now), watch.rule.stop, found


def _move(change: Change, one: Witness, event: str, by: str, because: str) -> Witness:
    moved = changed(one, state=LIFE.after(one.state, event), because=because)
    change.record(f"witness.{event}", moved, by, because)
    return moved


def _need(change: Change, name: str) -> Witness:
    found = change.reader.get(Witness, name)
    if found is None or found.state == "removed":
        raise RemitError("not_found", f"There is no witness {name}.", "List them: remit status.")
    return found


def _parsed(vkey: str) -> cosignature.Witness:
    try:
        return cosignature.parse_vkey(vkey)
    except LedgerFault as fault:
        raise RemitError(fault.code, fault.message, fault.remedy) from fault


def _invalid(message: str, remedy: str) -> RemitError:
    return RemitError("witness_invalid", message, remedy)

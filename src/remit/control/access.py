"""Access: decisions for a data plane of others, which forwards by itself what Remit only decides (law 1, *contained*).

The same batch, the same facts, the same receipts as at a gate of ours. What is different: who asks is a Service, whose
standing is read in the decision's transaction; a permit leaves as its id alone and can borrow nothing; and the outcome
is what that service says, once, within `OUTCOME_MS`, or it reads "unknown" for ever.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from remit.control.authority import Authority
from remit.control.batch import Batch
from remit.control.change import Change
from remit.control.decision import Decided, Denials, permit, spent, work
from remit.control.gate import Gate
from remit.control.principal import token_digest
from remit.core.answer import Allow, Decision, Deny
from remit.core.call import Call
from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.core.facts import Facts
from remit.core.operation import Operation, Request, found, operation
from remit.core.permit import BARE, Entry, Fault, Manner, Permit, Unknown
from remit.core.principal import Service
from remit.core.receipt import decode, outcome
from remit.core.resource import Resource, Tool
from remit.core.same import same
from remit.store import payload
from remit.store.apply import in_flight
from remit.store.facts import principal_live
from remit.store.log import entries
from remit.store.record import Reader

OUTCOME_MS: Final = 5 * 60 * 1000
"""How long after its decision the outcome of a call is taken."""
RESULTS: Final = frozenset({"ok", "error", "cut", "not_sent", "unknown"})
OVERDUE_EACH: Final = 500
KNOWN_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a service: the call, as whom, and what it was read from. `pin` holds an operation still."""

    service: Service
    call: Call
    entry: Entry
    subject: str = ""
    agent: str = ""
    pin: str = ""


class Door:
    """Owned by the web face, called on its thread.

    What it keeps between calls is who was refused how often, and what a definition says, by its digest. `unknown`
    counts presentations that were nobody's, by reason.
    """

    def __init__(self, authority: Authority, batch: Batch, unknown: dict[str, int] | None = None) -> None:
        self._authority = authority
        self._batch = batch
        self._gate = Gate(authority, batch)
        if unknown is not None:
            self._gate.unknown = unknown
        self._denials = Denials()
        self._read: dict[tuple[str, str], Operation | None] = {}

    def service(self, token: str) -> Service:
        """The service of this token (`unauthenticated`). Looked up anew for each question."""
        digest = token_digest(token)
        for one in Reader(self._authority.reading()).where(Service):
            if one.token and hmac.compare_digest(one.token, digest) and one.state == "active":
                return one
        self._gate.unknown["service_unknown"] = self._gate.unknown.get("service_unknown", 0) + 1
        raise _stranger()

    def enter(self, presented: str, resource: str, manner: Manner = BARE) -> Entry | Unknown:
        """Check an agent's credential: signature, type, issuer, audience, life; and that its key is there."""
        return self._gate.enter(presented, resource, manner)

    def operation(self, resource: str, request: Request) -> tuple[Call, str]:
        """The call that an HTTP request is, and the pin of its tool (`operation_unknown`, `request_ambiguous`)."""
        reader = Reader(self._authority.reading())
        place = reader.get(Resource, resource)
        if place is None or place.state != "active":
            raise RemitError("operation_unknown", "There is no such resource.", "Correct the path prefix.")
        pins: dict[str, str] = {}
        known: list[Operation] = []
        for tool in reader.where(Tool, "resource = ?", (resource,)):
            one = self._operation(reader, tool)
            if one is not None:
                known.append(one)
                pins[one.name] = tool.pin
        name, arguments = found(known, request)
        return Call(f"{place.scheme}:{resource}/{name}", arguments), pins[name]

    def _operation(self, reader: Reader, tool: Tool) -> Operation | None:
        place = tool.name, tool.pin
        if place not in self._read:
            text = payload.get_blob(reader.db, tool.pin)
            if text is None:
                return None
            if len(self._read) >= KNOWN_MOST:
                self._read.clear()
            self._read[place] = operation(tool.name, read(text))
        return self._read[place]

    def ask(self, asked: Asked, done: Callable[[Permit | Deny | Fault], None]) -> None:
        """Decide a call in the next transaction; `done` hears of it after the commit, and never of a stale permit."""

        def hold(change: Change, seen: Facts, decision: Decision, call_id: str) -> Decision:
            return _held(change, asked, seen, decision, call_id)

        def answered(said: Decided | RemitError) -> None:
            if not isinstance(said, RemitError):
                self._denials.kept()
                spent(asked.entry)
            given = permit(asked.call, asked.entry, said)
            if isinstance(given, Permit) and not self._gate.fresh(given):
                self._gate.note(given, {"result": "not_sent"}, lambda _: done(_STALE))
                return
            done(given)

        job = work(asked.call, asked.entry, "", self._denials, service=asked.service.id, hold=hold)
        self._batch.submit(asked.entry.agent, job, answered)
        self._batch.wake()

    def left(self, one: Permit) -> int:
        """Milliseconds that a permit still holds."""
        return max(0, one.until - self._authority.clock.steady())


def note(service: Service, call: str, result: Mapping[str, Json]) -> Callable[[Change], int]:
    """The work that records how a permitted call ended, as the service that asked for it says; returns the leaf.

    Once: a call that is not open, or was another's, is refused alike (`outcome_unknown_call`); so is one that is too
    late (`outcome_late`), and a result that is none (`outcome_invalid`).
    """

    def run(change: Change) -> int:
        if result.get("result") not in RESULTS:
            raise RemitError(
                "outcome_invalid", "This is not how a call can end.", f"Use one of {', '.join(sorted(RESULTS))}."
            )
        _stands(change, service)
        flight = in_flight(change.db, call)
        receipt = decode(next(entries(change.db, flight.leaf, flight.leaf + 1))) if flight else {}
        if flight is None or receipt.get("service") != service.id:
            raise RemitError(
                "outcome_unknown_call", "This call is not open.", "Note an outcome once, for a call that was allowed."
            )
        if change.now - flight.at > OUTCOME_MS:
            raise RemitError(
                "outcome_late", "The time for this outcome is over; it is unknown.", "Note outcomes within 5 minutes."
            )
        return change.receipt(outcome(call, flight.leaf, change.now, {**result, "told": "service"}))

    return run


def close_overdue(change: Change) -> int:
    """Record as unknown the calls permitted to others whose outcome never came; returns how many."""
    over = payload.overdue(change.db, change.now, OVERDUE_EACH)
    for call, leaf in over:
        change.receipt(outcome(call, leaf, change.now, {"result": "unknown", "told": "nobody"}))
    return len(over)


def _held(change: Change, asked: Asked, seen: Facts, decision: Decision, call_id: str) -> Decision:
    """Narrow a decision to what this door can answer for. Reads the service and the tool in the transaction."""
    _stands(change, asked.service)
    if asked.pin:
        tool = change.reader.get(Tool, f"{asked.call.resource}/{asked.call.kind}")
        if tool is None or tool.pin != asked.pin:
            raise RemitError("operation_moved", "The operation changed while it was asked about.", "Ask again.")
    if not isinstance(decision, Allow):
        return decision
    credential = seen.credential
    if credential is None or asked.subject not in ("", credential.subject) or asked.agent not in ("", credential.agent):
        return Deny("subject_other", "The credential is of another subject or agent.", "Name those it was issued for.")
    if decision.counted:
        return Deny(
            "rows_uncounted",
            "This step limits rows, and an answer that others forward cannot be counted.",
            "Send the call through a gate of Remit.",
        )
    if not payload.spend(change.db, "permit", call_id, change.now + OUTCOME_MS):
        raise RemitError("internal", "A call has the id of another one.", "Nothing was done; ask again.")
    return decision


def _stands(change: Change, service: Service) -> None:
    """Refuse a service that has left, whose owner has, or whose token was replaced (`unauthenticated`)."""
    now_is = change.reader.get(Service, service.id)
    if now_is is None or not same(now_is.token, service.token) or not principal_live(change.reader, service.id):
        raise _stranger()


def _stranger() -> RemitError:
    return RemitError(
        "unauthenticated", "No service that stands has this token.", "Send the token that the service was given."
    )


_STALE: Final = Fault("permit_expired", "The permit is too old; ask again.")

"""Receipt: the record of one thing that happened, with a permanent tag and canonical bytes.

Three families. A *change* carries the noun's whole new record, so that the ledger replayed rebuilds the tables. A
*decision* says who wanted what, on whose authority, what was answered and on which grounds. An *outcome* says how an
allowed call ended. Argument values never stand in a receipt: a salted digest of each does, and value and salt lie
beside it in the payload table, where they can be erased. The format is docs/spec/receipt.md.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from remit.core.agent import Agent
from remit.core.answer import Allow, Ask, Decision
from remit.core.approval import Approval
from remit.core.attestor import Attestor, Binding
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.canonical import Json, b64, canon
from remit.core.client import Client
from remit.core.connection import Connection
from remit.core.consent import Code, Consent, Refresh
from remit.core.credential import Credential, Key, PathGate
from remit.core.errors import RemitError
from remit.core.evidence import Evidence
from remit.core.facts import Facts
from remit.core.lease import Lease
from remit.core.lineage.judge import Finding
from remit.core.login import Login
from remit.core.moment import Instant
from remit.core.principal import Person, Service
from remit.core.reach.survey import Survey
from remit.core.record import Record, dump, load
from remit.core.resource import Resource, Tool
from remit.core.review import Review
from remit.core.revocation import Revocation
from remit.core.rightsize import Rightsize
from remit.core.session import Session
from remit.core.signal import Signal, Transmitter
from remit.core.stream import Stream
from remit.core.task import Plan, Task
from remit.core.witness import Witness, WitnessRule

VERSION: Final = 1
LARGEST: Final = 60_000
DECIDED: Final = "call.decided"
OUTCOME: Final = "call.outcome"
MERGED: Final = "call.denials"
MADE: Final = "evidence.made"


class PolicyRecord(Record, frozen=True, kw_only=True, tag_field="noun", tag="policy"):
    """Which policy text is applied for `common`, `delegated` or `own`: its digest; the text lies in the blobs."""

    name: str
    digest: str
    tests: int
    state: str = "applied"


NOUNS: Final[dict[str, type[Record]]] = {
    "person": Person,
    "service": Service,
    "agent": Agent,
    "resource": Resource,
    "tool": Tool,
    "brief": Brief,
    "policy": PolicyRecord,
    "task": Task,
    "plan": Plan,
    "credential": Credential,
    "path": PathGate,
    "key": Key,
    "revocation": Revocation,
    "witness": Witness,
    "witness_rule": WitnessRule,
    "login": Login,
    "approval": Approval,
    "attestor": Attestor,
    "binding": Binding,
    "transmitter": Transmitter,
    "signal": Signal,
    "stream": Stream,
    "evidence": Evidence,
    "session": Session,
    "client": Client,
    "consent": Consent,
    "code": Code,
    "refresh": Refresh,
    "lease": Lease,
    "connection": Connection,
    "survey": Survey,
    "rightsize": Rightsize,
    "review": Review,
}
TAGS: Final = frozenset(
    {
        "person.added", "person.changed", "person.left", "service.added", "service.changed",
        "service.left",
        "agent.added", "agent.reviewed", "agent.transferred", "agent.suspended", "agent.retired",
        "transmitter.added", "transmitter.removed", "signal.heard",
        "stream.made", "stream.changed", "stream.verifying", "stream.ended",
        "agent.bound", "agent.unbound", "attestor.added", "attestor.removed",
        "resource.added", "resource.changed", "resource.removed", "resource.proposed", "resource.approved",
        "resource.refused", "tool.pinned", "tool.suspended",
        "brief.applied", "brief.withdrawn", "brief.proposed", "brief.refused", "policy.applied",
        "task.opened", "task.planned", "task.suspended", "task.resumed", "task.ended", "task.admitted", "task.blended",
        "plan.made",
        "credential.issued", "credential.ended", "path.opened", "path.closed",
        "key.added", "key.retiring", "key.retired", "revocation.made",
        "witness.added", "witness.removed", "witness.refused", "witness.acknowledged", "witness.cleared",
        "witness.ruled", "login.issued", "login.used", "login.ended",
        "approval.asked", "approval.heard", "approval.approved", "approval.denied", "approval.voided",
        "session.begun", "session.ended", "client.added", "client.ended", "consent.given", "consent.withdrawn",
        "code.made", "code.used", "code.ended", "refresh.made", "refresh.used", "refresh.ended",
        "lease.intended", "lease.active", "lease.ending", "lease.pending", "lease.irrevocable", "lease.dead",
        "connection.made", "connection.ended", "connection.pending", "connection.gone",
        "survey.made",
        "rightsize.proposed", "rightsize.heard", "rightsize.approved", "rightsize.applied", "rightsize.undone",
        "rightsize.dropped", "review.opened", "review.answered", "review.closed",
        MADE, DECIDED, OUTCOME, MERGED,
    }
)  # fmt: skip

_sorted = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder().decode


def change(tag: str, record: Record, at: Instant, by: str, because: str = "") -> dict[str, Json]:
    """The receipt of one change: the whole new record, who made it, and why."""
    if tag not in TAGS:
        raise RemitError("receipt_invalid", f"There is no receipt {tag}.", "Use a tag of docs/spec/receipt.md.")
    receipt: dict[str, Json] = {"v": VERSION, "kind": tag, "at": at, "by": by, "record": dump(record)}
    if because:
        receipt["because"] = because
    return receipt


def decided(
    call: Call,
    facts: Facts,
    decision: Decision,
    *,
    call_id: str,
    salt: bytes,
    service: str = "",
    traced: Finding | None = None,
    mixed: Mapping[str, Json] | None = None,
) -> dict[str, Json]:
    """The receipt of one decision. Its `prev` is the leaf of the task's decision before it, -1 for the first.

    `service` is who asked for it at a door that does not forward by itself; `traced` what lineage found; `mixed` what
    of this call came from the other path.
    """
    agent = facts.agent
    receipt: dict[str, Json] = {
        "v": VERSION,
        "kind": DECIDED,
        "at": facts.now,
        "call": call_id,
        "action": call.action,
        "digest": b64(call.digest),
        "args": digests(call.arguments, salt),
        "prev": facts.last_leaf,
    }
    receipt.update(_authority(facts))
    if service:
        receipt["service"] = service
    if agent is not None:
        receipt["owner"] = agent.owner
    tool = facts.tools.get(call.kind)
    if tool is not None:
        receipt["pin"] = tool.pin
    if facts.policy is not None:
        receipt["policy"] = facts.policy.digest
    receipt.update(_answer(decision))
    receipt.update({} if traced is None else {"lineage": traced.written()})
    receipt.update(mixed or {})
    if decision.grounds:
        receipt["grounds"] = list(decision.grounds)
    return receipt


def _authority(facts: Facts) -> dict[str, Json]:
    """On whose authority: the credential's members, the task and, nearest first, the tasks above it."""
    said: dict[str, Json] = {}
    credential, task = facts.credential, facts.task
    if credential is not None:
        said["credential"], said["path"] = credential.id, credential.path.value
        said["plan"], said["subject"], said["agent"] = credential.plan, credential.subject, credential.agent
        if credential.thumb:
            said["thumb"] = credential.thumb
        if credential.certificate:
            said["certificate"] = credential.certificate
    if task is not None:
        said["task"], said["brief"], said["requester"] = task.id, task.brief, task.requester
        if facts.ancestors:
            said["above"] = [one.id for one in facts.ancestors]
    return said


def _answer(decision: Decision) -> dict[str, Json]:
    if isinstance(decision, Ask):
        return {"decision": "deny", "code": "approval_unavailable", "groups": list(decision.groups)}
    named = {"approval": decision.approval} if decision.approval else {}
    if not isinstance(decision, Allow):
        return {"decision": "deny", "code": decision.code, "what": decision.what, **named}
    if not decision.charges:
        return {"decision": "allow", "step": decision.step, **named}
    charges = [
        {
            "task": one.task,
            "scope": one.scope,
            "step": one.number,
            "uses": one.used.uses,
            "amounts": [str(amount) for amount in one.used.amounts],
        }
        for one in decision.charges
    ]
    return {"decision": "allow", "step": decision.step, "charges": charges, **named}


def outcome(call_id: str, leaf: int, at: Instant, result: Mapping[str, Json]) -> dict[str, Json]:
    """The receipt of how an allowed call ended; `leaf` is where its decision stands in the ledger."""
    return {"v": VERSION, "kind": OUTCOME, "at": at, "call": call_id, "leaf": leaf, **result}


def digests(arguments: Mapping[str, Json], salt: bytes) -> dict[str, str]:
    """A salted digest of each argument: SHA-256 of salt, name length, name and canonical value."""
    found = {}
    for name, value in arguments.items():
        label = name.encode()
        text = salt + len(label).to_bytes(4, "big") + label + canon(value)
        found[name if len(name) <= 64 and name.isascii() else b64(hashlib.sha256(label).digest())] = b64(
            hashlib.sha256(text).digest()
        )
    return found


def encode(receipt: Mapping[str, Json]) -> bytes:
    """Canonical bytes of a receipt. One that is too large for a leaf is refused (`receipt_too_large`)."""
    data = _sorted(receipt) if receipt["kind"] in (DECIDED, OUTCOME) else canon(receipt)
    if len(data) > LARGEST:
        raise RemitError("receipt_too_large", "This does not fit into one ledger entry.", "Make the record smaller.")
    return data


def decode(data: bytes) -> dict[str, Json]:
    """Read a receipt back, refusing what is not canonical or has no known tag (`receipt_invalid`)."""
    wrong = faulty(data)
    if wrong is not None:
        raise RemitError("receipt_invalid", f"This entry is no receipt: {wrong}.", "Verify the ledger.")
    receipt: dict[str, Json] = _decode(data)
    return receipt


def faulty(data: bytes) -> str | None:
    """Say what is wrong with an entry's form, or None."""
    try:
        receipt = _decode(data)
        if not isinstance(receipt, dict) or receipt.get("v") != VERSION:
            return "it is not a receipt of version 1"
        if receipt.get("kind") not in TAGS:
            return "its kind is not known"
        if _sorted(receipt) != data and canon(receipt) != data:
            return "it is not in canonical form"
    except (msgspec.MsgspecError, RemitError, ValueError):
        return "it is not JSON"
    return None


def record_of(receipt: Mapping[str, Json]) -> Record:
    """Build the record that a change carries."""
    value = receipt["record"]
    kind = NOUNS.get(value.get("noun", "")) if isinstance(value, dict) else None
    if kind is None:
        raise RemitError("receipt_invalid", "This receipt carries no known record.", "Verify the ledger.")
    return load(kind, value)


class Auditor:
    """Reads entries in order and says of each what is wrong: form, time, and the pairing of decisions and outcomes.

    Owned by one verification. `open` holds, at the end, the allowed calls whose outcome is unknown.
    """

    def __init__(self) -> None:
        self.open: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self.unknown_after_end = 0
        self._last = 0
        self._previous: dict[str, int] = {}

    def __call__(self, index: int, data: bytes) -> str | None:
        """Judge entry `index`; None when nothing is wrong."""
        try:
            receipt = _decode(data)
            if _sorted(receipt) != data and canon(receipt) != data:
                return "it is not in canonical form"
            kind, at = receipt["kind"], receipt["at"]
            if receipt["v"] != VERSION or kind not in TAGS:
                return "its kind or version is not known"
            if type(at) is not int or at < self._last:
                return "its time lies before the entry above it"
            self._last = at
            self.counts[kind] = self.counts.get(kind, 0) + 1
            if kind == DECIDED:
                return self._decision(index, receipt)
            if kind == OUTCOME:
                return self._outcome(receipt)
        except (msgspec.MsgspecError, RemitError, ValueError, KeyError, TypeError, AttributeError):
            return "it is not a well-formed receipt"
        return None

    def _decision(self, index: int, receipt: Mapping[str, Json]) -> str | None:
        task = receipt.get("task")
        if receipt["prev"] != (self._previous.get(task, -1) if task is not None else -1):
            return "it does not follow its task's decision before it"
        if task is not None:
            self._previous[task] = index
        if receipt["decision"] == "allow":
            if receipt["call"] in self.open:
                return "its call was decided before"
            self.open[receipt["call"]] = index
        elif receipt["decision"] != "deny" or not receipt["code"]:
            return "it says neither allow nor deny"
        return None

    def _outcome(self, receipt: Mapping[str, Json]) -> str | None:
        if self.open.pop(receipt["call"], None) != receipt["leaf"]:
            return "it is the outcome of no decision that was open"
        return None

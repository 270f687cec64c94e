"""The authority as a gate sees it, in the same process: text checked, calls decided in the batch, secrets lent."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from remit.control import flow, forward, possession
from remit.control.authority import Authority
from remit.control.batch import Batch
from remit.control.change import Change
from remit.control.credential import audience, meant
from remit.control.decision import Decided, Denials, merged, note, permit, spent, work
from remit.control.lessor import Lessor
from remit.control.lineage import taken
from remit.control.resource import SECRETS, differing
from remit.core.answer import Deny
from remit.core.approval import Approval
from remit.core.call import Call
from remit.core.canonical import Json, read
from remit.core.credential import Credential, Key, PathGate
from remit.core.errors import RemitError
from remit.core.lease import Lease
from remit.core.moment import Instant
from remit.core.permit import BARE, Entry, Fault, Leaf, Lent, Manner, Permit, Unknown
from remit.core.resource import Resource, Tool
from remit.core.task import Task
from remit.custody import transaction
from remit.custody.jws import TokenRefusal
from remit.custody.token import verify
from remit.store import payload
from remit.store.facts import ancestors
from remit.store.record import Reader

_NOTHING: Final = Lent()
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
_UNLENT: Final = Fault("lease_unavailable", "Nothing can be lent at this target here.")
HELD_MS: Final = 250


class Gate:
    """Owned by the composition root; called on one thread. Implements gateway.authority.Authority.

    What it keeps between calls is who was refused how often, the secrets that calls borrow, each until its row is
    another or anything changes, and for `HELD_MS` where a resource is: a permit names the target that was read with
    it, and a call goes to no other. Every decision reads its facts in its transaction.
    """

    def __init__(self, authority: Authority, batch: Batch, lessor: Lessor | None = None) -> None:
        self._authority = authority
        self._lessor = lessor
        self._batch = batch
        self._denials = Denials()
        self.unknown: dict[str, int] = {}
        self._lent = -1
        self._held: dict[str, tuple[Resource, int, int]] = {}
        self._apis: tuple[tuple[Resource, ...], int, int] = ((), -1, -1)
        self._definitions: dict[str, tuple[tuple[tuple[str, str], ...], dict[str, Json]]] = {}

    def resource(self, name: str) -> Resource | Fault | None:
        """The registered resource of this name, for its address; says nothing about who may use it."""
        steady = self._authority.clock.steady()
        held = self._held.get(name)
        if held is not None and steady < held[1] and self._batch.moves == held[2]:
            return held[0]
        self._held.pop(name, None)
        moves = self._batch.moves
        try:
            found = Reader(self._authority.reading()).get(Resource, name)
        except RemitError as fault:
            return Fault(fault.code, fault.message)
        if found is None or found.state != "active":
            return None
        self._held[name] = found, steady + HELD_MS, moves
        return found

    def apis(self) -> tuple[Resource, ...] | Fault:
        """The registered APIs, for their addresses; says nothing about who may use them."""
        steady, moves = self._authority.clock.steady(), self._batch.moves
        if steady >= self._apis[1] or moves != self._apis[2]:
            try:
                found = forward.apis(Reader(self._authority.reading()))
            except RemitError as fault:
                return Fault(fault.code, fault.message)
            self._apis = found, steady + HELD_MS, moves
        return self._apis[0]

    def leaf(self, task: str, host: str) -> Leaf | Fault:
        """A certificate for this host under the task's own authority."""
        try:
            return forward.leaf(self._authority, Reader(self._authority.reading()), task, host)
        except RemitError as fault:
            return Fault(fault.code, fault.message)

    def anywhere(self, presented: str, manner: Manner = BARE) -> Entry | Unknown:
        """Check a credential's text as `enter` does, at whichever resource it is for."""
        return self.enter(presented, meant(presented, self._authority.issuer), manner)

    def enter(self, presented: str, resource: str, manner: Manner = BARE) -> Entry | Unknown:
        """Check a credential's text: signature, type, issuer, audience, life; and that its key is there.

        Unauthenticated noise is counted only.
        """
        authority = self._authority
        try:
            now = authority.clock.now()
        except RemitError as fault:
            return Unknown("temporarily_unavailable", fault.message, fault.code)
        claims = verify(
            presented,
            issuer=authority.issuer,
            audience=audience(authority.issuer, resource),
            now=now,
            keys=authority.signer,
        )
        if isinstance(claims, TokenRefusal):
            self.unknown[claims.code] = self.unknown.get(claims.code, 0) + 1
            return Unknown("invalid_token", claims.what, claims.code)
        bound = claims.thumbprint or "", claims.certificate or ""
        ticket = possession.prove(authority, bound, presented, manner, now)
        if isinstance(ticket, TokenRefusal):
            self.unknown[ticket.code] = self.unknown.get(ticket.code, 0) + 1
            error = possession.error(ticket.code)
            offer = possession.offered(authority, now) if error == "use_dpop_nonce" else ""
            return Unknown(error, ticket.what, ticket.code, offer)
        if ticket is None:
            return Entry(claims.id, claims.task, claims.client, claims.path, resource, bound[1])
        offer = possession.offered(authority, now, ticket.proof)
        return Entry(claims.id, claims.task, claims.client, claims.path, resource, bound[0], ticket, offer)

    def between(self, job: Callable[[], None]) -> None:
        """Do a job once no transaction is under way, so that what it lets come is decided in the next one."""
        self._batch.between(job)

    def decide(self, call: Call, entry: Entry, origin: str, done: Callable[[Permit | Deny | Fault], None]) -> None:
        """Decide a call in the next transaction; `done` hears of it after the commit."""

        def answered(found: Decided | RemitError) -> None:
            if not isinstance(found, RemitError):
                self._denials.kept()
                spent(entry)
                held = self._held.get(call.resource)
                if held is not None and found.target is not None and found.target != held[0]:
                    del self._held[call.resource]
            answer = permit(call, entry, found)
            if isinstance(found, RemitError) or found.lease is None or not isinstance(answer, Permit):
                done(answer)
            else:
                self._ready(answer, found.lease, done)

        hint = (entry.credential, call.action)
        self._batch.submit(entry.agent, work(call, entry, origin, self._denials), answered, hint=hint, last=True)
        self._batch.wake()

    def _ready(self, permit: Permit, lease: Lease, done: Callable[[Permit | Deny | Fault], None]) -> None:
        """Give out the permit once what it borrows is there; when it cannot be, nothing was sent."""

        def ready(fault: Fault | None) -> None:
            if fault is None:
                done(permit)
            else:
                self.note(permit, {"result": "not_sent"}, lambda _: None)
                done(fault)

        if self._lessor is None:
            ready(_UNLENT)
        else:
            self._lessor.ready(lease, ready)

    def refuse(self, call: Call, entry: Entry, why: Deny, done: Callable[[Deny | Fault], None]) -> None:
        """Record a call that the gate refused before any decision: a header that disagrees, a method nobody knows.

        `done` hears why it is refused: what its credential rests on comes before `why`.
        """

        def recorded(found: Decided | RemitError) -> None:
            if not isinstance(found, RemitError):
                self._denials.kept()
                spent(entry)
            if isinstance(found, RemitError):
                done(Fault(found.code, found.message))
            else:
                done(found.decision if isinstance(found.decision, Deny) else why)

        self._batch.submit(entry.agent, work(call, entry, "", self._denials, why), recorded, last=True)
        self._batch.wake()

    def settle(self) -> None:
        """Write down the denials that are counted and not yet written: for a clean stop."""

        def settled(found: int | RemitError) -> None:
            if not isinstance(found, RemitError):
                self._denials.kept()

        self._batch.submit("settle", merged(self._denials), settled)
        self._batch.wake()

    def fresh(self, permit: Permit) -> bool:
        """Say, just before the first byte goes upstream, whether the permit still holds."""
        return self._authority.clock.steady() < permit.until

    def borrow(self, permit: Permit) -> Lent | Fault:
        """Lend what this permit's call needs upstream. Refuses a permit that is too old (`permit_expired`)."""
        if not self.fresh(permit):
            return Fault("permit_expired", "This permit is too old; the call must be decided again.")
        if self._lent != self._batch.moves:
            # Something changed or ended: what it lent must not stay open, and the rest is opened again when it is lent.
            self._authority.lending.sleep()
            self._lent = self._batch.moves
        if permit.target is None:
            return Fault("resource_unknown", "This resource is gone.")
        target = permit.target
        if not target.injections and not permit.lease and permit.said is None and target.upstream.admission is None:
            return _NOTHING
        try:
            self._authority.reading()
            standing = self._lend(target)
            return self._joined(joined(standing, self._told(permit)) if permit.said else standing, permit.lease)
        except RemitError as fault:
            return Fault(fault.code, fault.message)

    def _joined(self, standing: Lent, lease: str) -> Lent | Fault:
        """What is injected from standing secrets and what the lease lends, if there is one."""
        if not lease:
            return standing
        minted = self._lessor.lend(lease) if self._lessor else _UNLENT
        return minted if isinstance(minted, Fault) else joined(standing, minted)

    def _lend(self, resource: Resource) -> Lent:
        headers, environment, hidden = [], [], []
        for one in resource.injections:
            secret = self._authority.lending.awake(SECRETS, one.secret)
            value = one.template.encode().replace(b"{secret}", secret.reveal())
            if _CONTROL.search(value):
                raise RemitError(
                    "secret_unfit", "A stored secret holds a control character.", "Store it again without."
                )
            hidden.append(secret.reveal())
            if one.header:
                headers.append((one.header.lower().encode(), value))
            else:
                environment.append((one.variable, value.decode()))
        admission, key = resource.upstream.admission, b""
        if admission is not None:
            key = self._authority.lending.awake(SECRETS, admission.key).reveal()
        return Lent(tuple(headers), tuple(environment), tuple(hidden), key=key)

    def _told(self, permit: Permit) -> Lent:
        """The transaction token of this call, for its target alone."""
        said, target, authority = permit.said, permit.target, self._authority
        if said is None or target is None:
            return _NOTHING
        token = transaction.issue(
            transaction.Transaction(
                issuer=authority.issuer,
                audience=target.transaction,
                call=permit.call,
                subject=said.subject,
                agent=said.agent,
                task=permit.task,
                plan=said.plan,
                path=permit.path,
                action=said.action,
                requester=said.requester,
                brief=said.brief,
            ),
            authority.signer,
            authority.clock.now(),
        )
        return Lent(((b"txn-token", token.encode()),), hidden=(transaction.hidden(token),))

    def note(self, permit: Permit, result: Mapping[str, Json], done: Callable[[Fault | None], None]) -> None:
        """Record how the call ended; the answer may leave only after `done(None)`."""

        def noted(found: bool | RemitError) -> None:  # noqa: FBT001 - the batch hands over what the work returned
            if isinstance(found, RemitError):
                done(Fault(found.code, found.message))
            else:
                done(None if found else Fault("rows_exceeded", "The answer holds more rows than the step has left."))

        known = flow.known(permit, result)
        said, held = taken(permit, result)
        self._batch.submit(f"note:{permit.task}", note(permit, said, held, known), noted, last=True)
        self._batch.wake()

    def live(self, credentials: Sequence[str]) -> frozenset[str]:
        """Which of these credentials still stand, read fresh. A store that cannot be read keeps none."""
        try:
            reader, now = Reader(self._authority.reading()), self._authority.clock.now()
            return frozenset(one for one in credentials if _stands(reader, one, now))
        except RemitError:
            return frozenset()

    def waits(self, entry: Entry, approval: str) -> bool:
        """Whether this approval of the entry's own task still waits for people. A store that cannot be read: no."""
        try:
            reader, now = Reader(self._authority.reading()), self._authority.clock.now()
            one = reader.get(Approval, approval)
        except RemitError:
            return False
        return one is not None and one.task == entry.task and one.waits(now)

    def open(self, tasks: Sequence[str]) -> frozenset[str]:
        """Which of these tasks are still open, read fresh. A store that cannot be read keeps none."""
        try:
            reader, now = Reader(self._authority.reading()), self._authority.clock.now()
            return frozenset(one for one in tasks if _open(reader, one, now))
        except RemitError:
            return frozenset()

    def definitions(self, resource: str) -> Mapping[str, Json] | Fault:
        """The pinned definitions of a resource's tools, by name. What hangs on a pin is read once for it."""
        try:
            reader = Reader(self._authority.reading())
            tools = [one for one in reader.where(Tool, "resource = ?", (resource,)) if one.state == "pinned"]
            names = tuple((one.name, one.pin) for one in tools)
            held = self._definitions.get(resource)
            if held is None or held[0] != names:
                bodies = ((one.name, payload.get_blob(reader.db, one.pin)) for one in tools)
                held = names, {name: read(body) for name, body in bodies if body is not None}
                self._definitions[resource] = held
        except RemitError as fault:
            return Fault(fault.code, fault.message)
        return held[1]

    def seen(self, resource: str, tools: Mapping[str, Json], done: Callable[[frozenset[str]], None]) -> None:
        """Hold the definitions that the upstream gives now against the pins; a fault answers with all of them."""

        def run(change: Change) -> frozenset[str]:
            return differing(change, resource, tools)

        def held(found: frozenset[str] | RemitError) -> None:
            done(frozenset(tools) if isinstance(found, RemitError) else found)

        self._batch.submit(f"seen:{resource}", run, held)
        self._batch.wake()


def joined(one: Lent, other: Lent) -> Lent:
    """What is injected from a standing secret and what a lease lends, together."""
    return Lent(
        one.headers + other.headers,
        one.environment + other.environment,
        one.hidden + other.hidden,
        other.user,
        other.password,
        one.key or other.key,
    )


def _open(reader: Reader, task_id: str, now: int) -> bool:
    task = reader.get(Task, task_id)
    above = ancestors(reader, task) if task else None
    return (
        task is not None
        and above is not None
        and all(one.state == "open" and now < one.deadline for one in (task, *above))
    )


def _stands(reader: Reader, credential_id: str, now: Instant) -> bool:
    credential = reader.get(Credential, credential_id)
    if credential is None or credential.state != "active" or now >= credential.expires:
        return False
    task = reader.get(Task, credential.task)
    above = ancestors(reader, task) if task else None
    return (
        task is not None
        and above is not None
        and task.state == "open"
        and task.plan == credential.plan
        and now < task.deadline
        and all(one.state == "open" and now < one.deadline for one in above)
        and _path_stands(reader, credential, now)
    )


def _path_stands(reader: Reader, credential: Credential, now: Instant) -> bool:
    gate, signed = reader.get(PathGate, credential.path.value), reader.get(Key, credential.key)
    places = (reader.get(Resource, name) for name in credential.audience)
    return (
        gate is not None
        and gate.state == "open"
        and credential.issued > gate.since
        and signed is not None
        and signed.verifies(now)
        and any(one is not None and one.state == "active" for one in places)
    )

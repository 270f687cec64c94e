"""The lessor: carries out at the targets what the leases say. Mints, drops and probes, beside the writer, never on it.

Owned by the composition root of a node. Target I/O runs in a pool for each target; everything else, and every callback,
on the thread that the batch turns on: `post` brings results there. What a lease is stands in the store alone: when this
process dies, any node goes on from there.
"""

import functools
from collections.abc import Callable
from typing import Final

from remit.control import connection as connections
from remit.control import lease as leases
from remit.control.authority import Authority
from remit.control.batch import Batch
from remit.control.change import Change
from remit.control.lookout import Due, Lookout
from remit.control.parting import Partings
from remit.control.resource import SECRETS
from remit.control.target import FOUND_MS, Job, Target
from remit.core.errors import RemitError
from remit.core.ids import TaskId
from remit.core.lease import Lease
from remit.core.moment import Instant
from remit.core.permit import Fault, Lent
from remit.core.resource import Resource
from remit.core.task import Plan, Task
from remit.custody.secret import Secret
from remit.custody.source import OWED, Gone, Intent, Minted, Owes, Parts, Source
from remit.custody.sources.opening import open_source
from remit.store import lease as store
from remit.store.opening import Aside
from remit.store.record import Reader

Ready = Callable[[Fault | None], None]
Opening = Callable[[Resource, Secret | None, str, Callable[[], Instant]], Source]

MOST: Final = 256
"""Mints that may wait at one target."""
OTHERS_MS: Final = 1_000
"""How long an end is left to the node that made it before another one carries it out."""
QUIET_MS: Final = 2_000
"""How long an end may take before it counts as an incident."""
FIRST_MS: Final = 100
SEARCH_MS: Final = 10_000
"""How often the registered targets are gone through for those that are to be asked for names of ours."""
LONGEST_MS: Final = 60_000


class Lessor:
    """One node's hands at the targets. `ready` and `lend` serve calls; `look` ends what is to be ended."""

    def __init__(
        self,
        authority: Authority,
        batch: Batch,
        post: Callable[[Job], object],
        opening: Opening = open_source,
        aside: Aside | None = None,
    ) -> None:
        self._authority, self._batch, self._post, self._opening = authority, batch, post, opening
        self._lookout = Lookout(authority.reading, post, self._seen, aside)
        self._searching = 0
        self._targets: dict[str, Target] = {}
        self._minting: dict[str, list[Ready]] = {}
        self._waiting: dict[str, list[Ready]] = {}
        self._out: set[str] = set()
        self._tries: dict[str, tuple[int, int]] = {}
        self._over = False
        self._partings = Partings(authority, self._target, self._submit, post)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way at any target."""
        return not self._out and not self._minting and self._partings.idle and not self._lookout.busy

    def ready(self, one: Lease, done: Ready) -> None:
        """Say when this lease can be lent: at once when it is, after its mint when it was only intended."""
        if one.state == "active":
            done(None)
        elif one.id in self._minting:
            self._minting[one.id].append(done)
        elif one.node != self._authority.node:
            self._waiting.setdefault(one.id, []).append(done)
        else:
            self._mint(one, done)

    def lend(self, identity: str) -> Lent | Fault:
        """What this lease lends, if it may be lent now. Reads its row anew: no row, no loan."""
        authority = self._authority
        one = Reader(authority.reading()).get(Lease, identity)
        if one is None or one.state != "active" or authority.clock.now() >= one.until:
            return Fault("lease_ended", "What this call was to borrow has ended; the call must be decided again.")
        found = self._target(one.resource).source.lend(self._minted(one))
        headers = tuple((name.lower().encode(), value.reveal()) for name, value in found.headers)
        environment = tuple((name, value.reveal().decode()) for name, value in found.environ)
        password = found.password.reveal() if found.password else b""
        return Lent(headers, environment, tuple(one.reveal() for one in found.secrets()), found.user, password)

    def look(self) -> None:
        """Begin every end that is due. Called after each commit that moved something, and by `tick`."""
        if not self._over:
            self._lookout.look()

    def tick(self) -> None:
        """What time does: ends that are due again, mints of other nodes that are waited for, names nobody explains."""
        steady = self._authority.clock.steady()
        targets = steady >= self._searching
        if targets:
            self._searching = steady + SEARCH_MS
        if not self._over:
            self._lookout.look(self._waiting, targets=targets)

    def wait(self) -> None:
        """Tell those who wait for another node's mint what came of it. Called often while somebody waits."""
        if self._waiting:
            self._lookout.look(self._waiting)

    def close(self) -> None:
        """Begin nothing more and wait for what is under way; what is not done, another node or the next start does."""
        self._over = True
        self._lookout.close()
        for target in self._targets.values():
            target.close()
        self._targets.clear()

    def _seen(self, due: Due) -> None:
        """Begin what the lookout saw."""
        for identity, one in due.waited.items():
            if one is None or one.state != "intended":
                fault = None if one is not None and one.state == "active" else _GONE
                for done in self._waiting.pop(identity, ()):
                    done(fault)
        try:
            now, steady = self._authority.clock.now(), self._authority.clock.steady()
        except RemitError:
            # Its clock jumped: the next tick looks again, and readiness says why.
            return
        if self._over:
            return
        for one in due.ending:
            if one.id not in self._out and self._due(one, now, steady):
                self._out.add(one.id)
                self._end(one)
        self._partings.look(due.leaving, due.ending)
        for resource in due.targets:
            self._search(resource, steady)

    def _mint(self, one: Lease, done: Ready) -> None:
        try:
            target, intent = self._target(one.resource, free=True), self._intent(one)
            connection = self._connection(one)
        except RemitError as fault:
            why = Fault(fault.code, fault.message)
            self._submit(lambda change: leases.failed(change, one.id, why.what), lambda _: self.look())
            done(why)
            return
        self._minting[one.id] = [done]
        target.minting += 1
        target.pool.submit(self._minter, target, one, intent, connection)

    def _minter(self, target: Target, one: Lease, intent: Intent, connection: str) -> None:
        """On a thread of the target: mint, and bring what came of it to the writer."""
        found: Minted | RemitError
        try:
            found = target.source.mint(intent)
        except RemitError as fault:
            found = fault
        except Exception as fault:  # noqa: BLE001 - the thread has nobody to raise to
            found = RemitError("target_failed", f"The target failed ({type(fault).__name__}).", "Look at the target.")
        later = found.renewed if isinstance(found, Minted) else _newest(target.source, intent)
        renewed = (connection, later) if connection and later is not None else None
        owed = target.source.owed(one.name) if isinstance(target.source, Owes) else None
        self._post(lambda: self._came(target, one, found, renewed, owed))

    def _came(
        self,
        target: Target,
        one: Lease,
        found: Minted | RemitError,
        renewed: tuple[str, Secret] | None,
        owed: Secret | None,
    ) -> None:
        target.minting -= 1
        if isinstance(found, RemitError):
            why, text = Fault(found.code, found.message), found.message
            work = functools.partial(leases.failed, identity=one.id, why=text, renewed=renewed, owed=owed)
            self._submit(work, lambda _: self._told(one, why))
            return

        def kept(active: object) -> None:
            if isinstance(active, RemitError):
                self._told(one, Fault(active.code, active.message))
            else:
                self._told(one, None if active is not None else _GONE)

        ends = found.ends or Instant(0)
        self._submit(
            lambda change: leases.activate(change, one.id, found.until, found.secret, renewed, ends, found.mark), kept
        )

    def _told(self, one: Lease, fault: Fault | None) -> None:
        """Tell whoever waits for a mint; one that came too late is ended at once, since its row says so by now."""
        for done in self._minting.pop(one.id, ()):
            done(fault)
        if fault is not None:
            self.look()

    def _due(self, one: Lease, now: int, steady: int) -> bool:
        tries, after = self._tries.get(one.id, (0, 0))
        mine = self._authority.node
        if one.id in self._minting or steady < after:
            return False
        if not one.lent and one.node != mine and now < one.mint_by:
            # Another node may be minting it at this moment: what it makes after a proof nobody would look for.
            return False
        return bool(tries) or one.ender == mine or now - one.ended >= OTHERS_MS

    def _end(self, one: Lease) -> None:
        try:
            target, minted = self._target(one.resource), self._minted(one)
        except RemitError as fault:
            self._ended(one, Gone.UNKNOWN, fault.message, revocable=True)
            return
        target.pool.submit(self._ender, target, one, minted)

    def _ender(self, target: Target, one: Lease, minted: Minted) -> None:
        """On a thread of the target: drop, then look whether it is gone."""
        trouble, found, said = "", Gone.UNKNOWN, target.source.describe()
        # What was minted and never recorded is held by nobody: where it ends by itself, that is its end.
        lost, longest = said.longest > 0 and minted.secret is None, said.longest
        try:
            target.source.drop(minted)
            found = target.source.probe(minted)
            if found is Gone.LIVE:
                trouble = "It was dropped, and the probe still finds it live."
        except RemitError as fault:
            trouble = fault.message
            longest = 0 if fault.code == OWED else longest
        except Exception as fault:  # noqa: BLE001 - the thread has nobody to raise to
            trouble = f"The target failed ({type(fault).__name__})."
        self._post(lambda: self._ended(one, found, trouble, revocable=said.revocable and not lost, longest=longest))

    def _ended(self, one: Lease, found: Gone, trouble: str, *, revocable: bool, longest: int = 0) -> None:
        steady = self._authority.clock.steady()
        try:
            now = self._authority.clock.now()
        except RemitError:
            # Its clock jumped, and nothing is recorded on it: it is carried out once more when the clock is right.
            self._tries[one.id] = self._tries.get(one.id, (0, 0))[0] + 1, steady + FIRST_MS
            self._out.discard(one.id)
            return
        proof = {Gone.GONE: "gone", Gone.NOTHING: "nothing"}.get(found, "")
        if not proof and longest and now >= (max(one.ends, one.until) if one.lent else one.mint_by + longest):
            proof = "expired"
        if proof:
            self._tries.pop(one.id, None)
            self._submit(lambda change: leases.dead(change, one.id, proof), lambda _: self._out.discard(one.id))
            return
        tries = self._tries.get(one.id, (0, 0))[0] + 1
        self._tries[one.id] = tries, steady + min(LONGEST_MS, FIRST_MS * 2 ** min(tries - 1, 12))
        forever = not revocable and not trouble
        if one.state == "ending" and (forever or now - one.ended >= QUIET_MS):
            what = trouble or "The target cannot take it back; it ends there by itself."
            work = lambda change: leases.stuck(change, one.id, what, irrevocable=forever)  # noqa: E731 - one of two ends
            self._submit(work, lambda _: self._out.discard(one.id))
        else:
            self._out.discard(one.id)

    def _search(self, resource: Resource, steady: int) -> None:
        """Ask a target for the names of ours that stand there, now and then."""
        try:
            target = self._target(resource.name)
        except RemitError:
            return
        if steady - target.asked >= FOUND_MS and not self._over:
            target.asked = steady
            target.pool.submit(self._searcher, target)

    def _searcher(self, target: Target) -> None:
        try:
            names = target.source.found()
        except Exception:  # noqa: BLE001 - it is asked again, and a target that does not answer shows at each mint
            return
        self._post(lambda: self._explain(target.resource, names))

    def _explain(self, resource: Resource, names: tuple[str, ...]) -> None:
        """End what stands at a target under our name and is open in no record."""
        if self._over:
            return
        reader = Reader(self._authority.reading())
        for name in names:
            known = [one for one in store.of_task(reader, leases.task_of(name)) if one.name == name]
            if not known:
                self._submit(functools.partial(leases.orphan, resource=resource, name=name), lambda _: self.look())
            elif known[0].state == "dead":
                target = self._targets.get(resource.name)
                if target is not None:
                    target.pool.submit(_quietly, target.source, Minted(name, known[0].until, None))

    def _target(self, name: str, *, free: bool = False) -> Target:
        """The target of this resource, opened anew when its registration or its secret has changed.

        With `free`, refuses one that has too much to mint already (`target_busy`).
        """
        resource = Reader(self._authority.reading()).get(Resource, name)
        if resource is None or resource.minting is None:
            raise RemitError("source_unknown", f"Nothing is minted at {name}.", "Register it with a source.")
        named = resource.minting.secret
        secret = self._authority.lending.get(SECRETS, named) if named else None
        held = self._targets.get(name)
        if held is not None and held.is_for(resource, secret):
            if self._over or (free and held.minting >= MOST):
                raise RemitError("target_busy", f"Too much waits at {name}.", "Try again in a moment.")
            return held
        if held is not None:
            held.retire()
        if self._over:
            raise RemitError("target_busy", "Remit is stopping.", "Try again in a moment.")
        made = self._targets[name] = Target(resource, secret, self._open(resource, secret))
        return made

    def _open(self, resource: Resource, secret: Secret | None) -> Source:
        """Open a source; whatever a secret or setting makes it stumble over is its fault, told like any other."""
        try:
            return self._opening(resource, secret, self._authority.name, self._authority.clock.now)
        except RemitError:
            raise
        except Exception as fault:  # noqa: BLE001 - told as what it is, and the ends of others go on
            what = f"The source of {resource.name} cannot be opened ({type(fault).__name__})."
            raise RemitError("target_failed", what, "Correct its secret or its settings.") from None

    def _minted(self, one: Lease) -> Minted:
        """What was minted, as far as it was recorded."""
        vault = self._authority.lending
        held = vault.get(leases.SECRETS, one.id) if vault.holds(leases.SECRETS, one.id) else None
        secret, owed = (held, None) if one.lent else (None, held)
        return Minted(one.name, one.until, secret, None, one.ends or None, owed=owed)

    def _intent(self, one: Lease) -> Intent:
        authority = self._authority
        reader = Reader(authority.reading())
        task, plan = reader.get(Task, one.task), reader.get(Plan, f"{one.task}:{one.plan}")
        resource = reader.get(Resource, one.resource)
        if task is None or plan is None or resource is None:
            raise RemitError("lease_invalid", "The task or plan of this lease is gone.", "Open a new task.")
        now, clock = authority.clock.now(), authority.clock
        limit = clock.steady() + (one.mint_by - now)
        labels = {"task": task.id, "brief": task.brief, "agent": task.agent, "domain": resource.domain}
        return Intent(
            name=one.name,
            task=TaskId(task.id),
            path=one.path,
            until=one.until,
            life=one.until - now,
            steps=leases.steps_at(plan, one.resource, one.path),
            person=one.person,
            labels=tuple(sorted({**task.labels, **labels}.items())),
            left=lambda: limit - clock.steady(),
            random=authority.random,
            held=self._held(one),
        )

    def _connection(self, one: Lease) -> str:
        """The id of what this lease's own person connected at its resource; empty when they did not."""
        if one.kind != leases.CONNECTED or not one.person:
            return ""
        found = connections.live(Reader(self._authority.reading()), one.person, one.resource)
        return found[0].id if found else ""

    def _held(self, one: Lease) -> Secret | None:
        """What that person gave, opened for this one mint."""
        connection, vault = self._connection(one), self._authority.lending
        held = connection and vault.holds(leases.CONNECTIONS, connection)
        return vault.get(leases.CONNECTIONS, connection) if held else None

    def _submit(self, work: Callable[[Change], object], done: Callable[[object], None]) -> None:
        self._batch.submit("lessor", work, done)
        self._batch.wake()


def _newest(source: Source, intent: Intent) -> Secret | None:
    """What a person's token became in a mint that failed after it was exchanged for another; None when it did not."""
    if intent.held is None or not isinstance(source, Parts):
        return None
    later = source.newest(intent.held)
    return None if later == intent.held else later


def _quietly(source: Source, minted: Minted) -> None:
    """Drop what a late mint left behind after its proof; it is found again if this fails."""
    try:
        source.drop(minted)
    except Exception:  # noqa: BLE001 - the next search finds it again
        return


_GONE: Final = Fault("lease_ended", "What this call was to borrow has ended meanwhile.")

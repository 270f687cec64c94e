"""`remit status`: the state in one look; the exit code says the same."""

from collections.abc import Iterator

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.output import NO, emit, format_option, moment, pairs
from remit.control import connection as connections
from remit.control import credential as credentials
from remit.control import lease as leases
from remit.control import witness
from remit.control.attestor import shared_secrets
from remit.core.agent import Agent
from remit.core.canonical import Json
from remit.core.credential import Credential, PathGate
from remit.core.lease import Lease
from remit.core.moment import Instant
from remit.core.receipt import PolicyRecord
from remit.core.resource import Resource, Tool
from remit.core.task import Task
from remit.core.trust import TrustPath
from remit.store import approval, hook, lease, log, polled
from remit.store.apply import flights
from remit.store.record import Reader


@click.command()
@format_option
@click.pass_context
def status(ctx: click.Context, *, form: str) -> None:
    """Say in which state this installation is. Exit code 1 when something keeps calls from being decided."""
    with at_desk(ctx) as desk:
        data = state(desk)
        flat = {name: value if not isinstance(value, list) else "; ".join(value) or "-" for name, value in data.items()}
        flat["ledger_at"], mend = moment(data["ledger_at"]), data["mend"]
        del flat["mend"]
        lines = pairs({name.replace("_", " "): value for name, value in flat.items()})
        emit(form, data, lambda: [*lines, *(["", "To mend it:", *(f"  {one}" for one in mend)] if mend else [])])
    ctx.exit(0 if data["ready"] else NO)


def state(desk: Desk) -> dict[str, Json]:
    """Counts, and what keeps calls from being decided."""
    reader, now = desk.reader, desk.authority.clock.now()
    head = log.newest(desk.authority.view)
    code, stops, witnesses = witness.standings(reader, now)
    wrong = list(_wrong(reader, code if stops else ""))
    agents = list(reader.where(Agent))
    names = {one.id: one.name for one in agents}
    overdue = [one.name for one in agents if one.state == "active" and now >= one.review_due]
    suspended = [f"{one.resource}/{one.name}" for one in reader.where(Tool) if one.state == "suspended"]
    open_tasks = [one for one in reader.where(Task, "state = 'open'") if now < one.deadline]
    live = [one for one in reader.where(Credential, "state = 'active'") if not credentials.over(reader, one, now)]
    weak = [names.get(one.agent, one.agent) for one in shared_secrets(reader)]
    held = list(reader.where(Task, "state = 'suspended'"))
    incidents = list(leases.incidents(reader))
    mend = [how for _, how in wrong]
    mend += [f"remit agent review {name} --next 90d" for name in overdue]
    mend += [f"remit resource repin {name.partition('/')[0]}" for name in suspended]
    mend += [f"remit task resume {one.id}" for one in held]
    mend += [f"remit lease show {one.id}" for one in incidents]
    mend += ["remit doctor"] if weak else []
    return {
        "ready": not wrong,
        "wrong": [what for what, _ in wrong],
        "mend": list(dict.fromkeys(mend)),
        "issuer": desk.authority.issuer,
        "agents_active": sum(one.state == "active" for one in agents),
        "reviews_overdue": overdue,
        "resources": sum(one.state == "active" for one in reader.where(Resource)),
        "tools_suspended": suspended,
        "tasks_open": len(open_tasks),
        "tasks_blended": [one.id for one in open_tasks if one.blended],
        "tasks_held": [f"{one.id} ({one.held})" for one in held],
        "credentials_live": len(live),
        **({"weak_secrets": weak} if weak else {}),
        "approvals_waiting": approval.all_waiting(desk.authority.view, now),
        "leases": [f"{count} {name}" for name, count in sorted(lease.counts(desk.authority.view).items())],
        "leases_unproven": [_unproven(one, now) for one in incidents],
        "connections_unproven": [
            f"{one.id} at {one.resource}: {one.trouble}"
            for one in connections.leaving(reader)
            if one.state == "pending"
        ],
        "calls_in_flight": len(flights(desk.authority.view)),
        "witnesses": [_stands(one) for one in witnesses],
        "hooks": [_hook(name, one, head.size) for name, one in hook.every(desk.authority.view).items()],
        "polled": [_polled(name, one) for name, one in polled.every(desk.authority.view).items()],
        "ledger_entries": head.size,
        "ledger_at": head.at,
    }


def _wrong(reader: Reader, witnesses: str) -> Iterator[tuple[str, str]]:
    """What keeps calls from being decided, and what to do about each. `witnesses` is the code of their standing."""
    for path in TrustPath:
        gate = reader.get(PathGate, path.value)
        if gate is None or gate.state != "open":
            yield f"the {path.value} path is closed", f"remit revoke --path {path.value} --reopen"
    for name in ("common", *(path.value for path in TrustPath)):
        if reader.get(PolicyRecord, name) is None:
            yield f"no {name} policies are applied", "remit policy apply DIR"
    if witnesses:
        yield (
            f"too few witnesses are in order ({witnesses})",
            "see each below; start the one that is late, or remit witness acknowledge NAME for one that refuses",
        )


def _unproven(one: Lease, now: Instant) -> str:
    """One incident in a line: what could not be proven dead, where, since when, and why."""
    return f"{one.name} at {one.resource}: {one.state} for {(now - one.ended) // 1000} s ({one.trouble})"


def _hook(name: str, one: hook.Told, size: int) -> str:
    """One hook in a line: whether it is told, and what keeps it from it."""
    behind = f"{size - 1 - one.leaf} entries behind"
    return f"{name}: {f'{one.tries} tries in vain, {behind} ({one.trouble})' if one.tries else 'told'}"


def _polled(name: str, one: polled.Polled) -> str:
    """One transmitter that is polled in a line: whether it answers, and what is wrong."""
    return f"{name}: {f'{one.tries} tries in vain ({one.trouble})' if one.tries else 'heard'}"


def _stands(one: witness.Standing) -> str:
    """One witness in a line."""
    heard = f"{one.lag} entries behind, heard {one.age // 1000} s ago" if one.age >= 0 else "never heard"
    state = "in order" if one.in_order and one.state == "in_order" else one.state.replace("in_order", "late")
    return f"{one.name}: {state}, {heard}" + (f" ({one.because})" if one.because else "")

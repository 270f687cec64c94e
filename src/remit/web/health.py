"""What operators watch: alive, ready, and figures in the Prometheus text format. Nothing names a person or a task."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from remit.control import witness
from remit.core.canonical import Json
from remit.core.credential import PathGate
from remit.core.errors import RemitError
from remit.core.receipt import PolicyRecord
from remit.core.trust import TrustPath
from remit.custody.signer import ALWAYS, EVENT_PURPOSES
from remit.store import approval, hook, lease, log, metrics, polled
from remit.web.bearer import caller
from remit.web.site import Site

_QUOTED: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_FIGURES: Final[tuple[tuple[str, str, Callable[[witness.Standing], int]], ...]] = (
    ("in_order", "Whether this witness stands behind the ledger.", lambda one: int(one.in_order)),
    ("refused", "Whether this witness refused a head.", lambda one: int(one.state == "refused")),
    ("lag_entries", "Entries that this witness has not cosigned yet.", lambda one: one.lag),
    ("age_ms", "Milliseconds since its last cosignature, -1 for never.", lambda one: one.age),
)


def routes(site: Site) -> list[Route]:
    """Health, readiness and metrics."""
    seen = metrics.Tally()

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "alive"}, headers={"cache-control": "no-store"})

    async def ready(_: Request) -> Response:
        wrong = flaws(site)
        body: dict[str, Json] = {"status": "not ready" if wrong else "ready", "checks": wrong}
        body |= _witnesses(site)
        return JSONResponse(body, 503 if wrong else 200, headers={"cache-control": "no-store"})

    async def figures(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        seen.read(site.authority.view)
        text = "\n".join(lines(site, seen)) + "\n"
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/healthz", alive, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
        Route("/metrics", figures, methods=["GET"]),
    ]


def flaws(site: Site) -> list[dict[str, str]]:
    """What keeps this node from deciding: each with a code and a remedy. Empty when it is ready."""
    found: list[dict[str, str]] = []
    authority, reader = site.authority, site.reader()

    def held(check: str, passes: bool, remedy: str) -> None:  # noqa: FBT001 - the check's own outcome
        if not passes:
            found.append({"code": check, "remedy": remedy})

    try:
        authority.clock.now()
        held("store", authority.db.usable and authority.view.usable, "Run remit doctor.")
        authority.log.hold(authority.view)
        for purpose in {*ALWAYS, *(EVENT_PURPOSES[one.algorithm] for one in site.settings.receivers)}:
            authority.signer.active(purpose)
        for name in ("common", *TrustPath):
            held("policy", reader.get(PolicyRecord, str(name)) is not None, "Apply the policies: remit policy apply.")
        for path in TrustPath:
            held(f"path_{path.value}", reader.get(PathGate, path.value) is not None, "Run remit up.")
        code, stops, _ = witness.standings(reader, authority.clock.now())
        held(code, not (code and stops), "See remit status; remit witness acknowledge lets calls go on.")
    except RemitError as fault:
        found.append({"code": fault.code, "remedy": fault.remedy})
    return [dict(pairs) for pairs in dict.fromkeys(tuple(one.items()) for one in found)]


def _witnesses(site: Site) -> dict[str, Json]:
    """How the witnesses stand; nothing when there are none, or when it cannot be read."""
    try:
        _, _, found = witness.standings(site.reader(), site.authority.clock.now())
    except RemitError:
        return {}
    return {"witnesses": [asdict(one) for one in found]} if found else {}


def lines(site: Site, seen: metrics.Tally) -> Iterator[str]:
    """The figures, family by family."""
    batch = site.batch
    yield from _family("remit_calls_total", "counter", "Calls decided, by answer and code.", seen.decided)
    yield from _family("remit_receipts_total", "counter", "Ledger entries.", {"": log.newest(site.authority.view).size})
    yield from _family(
        "remit_calls_in_flight",
        "gauge",
        "Calls allowed, outcome unknown yet.",
        {"": metrics.open_calls(site.authority.view)},
    )
    waiting = approval.all_waiting(site.authority.view, site.authority.clock.now())
    yield from _family("remit_approvals_waiting", "gauge", "Asks that wait for people.", {"": waiting})
    yield from _family("remit_batch_commits_total", "counter", "Transactions committed.", {"": batch.commits})
    yield from _family("remit_batch_largest", "gauge", "Receipts in the largest batch.", {"": batch.largest})
    yield from _family("remit_batch_queue", "gauge", "Pieces of work that wait.", {"": batch.waiting})
    yield from _family(
        "remit_batch_commit_ms", "gauge", "Milliseconds that the last commit took.", {"": batch.commit_ms}
    )
    yield from _leases(site, seen)
    yield from _hooks(site)
    _, _, found = witness.standings(site.reader(), site.authority.clock.now())
    for name, said, figure in _FIGURES:
        values = {f'witness="{one.name.translate(_QUOTED)}"': figure(one) for one in found}
        yield from _family(f"remit_witness_{name}", "gauge", said, values)
    away = {f'reason="{why}"': count for why, count in sorted(site.turned_away.items())}
    yield from _family("remit_connections_refused_total", "counter", "Connections turned away at the door.", away)
    noise = {f'reason="{code}"': count for code, count in sorted(site.noise().items())}
    yield from _family("remit_unknown_total", "counter", "Presentations that were no credential.", noise)


def _hooks(site: Site) -> Iterator[str]:
    """How far each hook is, by the digest of its address."""
    found, size = hook.every(site.authority.view), log.newest(site.authority.view).size
    tries = {f'hook="{name}"': one.tries for name, one in found.items()}
    yield from _family("remit_hook_tries", "gauge", "Tries in vain to tell this hook of its next notice.", tries)
    behind = {f'hook="{name}"': size - 1 - one.leaf if one.tries else 0 for name, one in found.items()}
    yield from _family("remit_hook_behind_entries", "gauge", "Entries since the one that it was told of last.", behind)
    asked = {f'transmitter="{name}"': one.tries for name, one in polled.every(site.authority.view).items()}
    yield from _family("remit_poll_tries", "gauge", "Polls of this transmitter in vain since it was heard.", asked)


def _leases(site: Site, seen: metrics.Tally) -> Iterator[str]:
    """What is lent at targets, what is not proven dead there, and how long ends took."""
    states = {f'state="{state}"': count for state, count in sorted(lease.counts(site.authority.view).items())}
    yield from _family("remit_leases", "gauge", "Leases that are not proven dead, by state.", states)
    name = "remit_lease_end_seconds"
    yield f"# HELP {name} From a revocation to the proof at the target that it holds."
    yield f"# TYPE {name} histogram"
    for kind, counts in sorted(seen.ended.items()):
        for most, count in zip((*metrics.BUCKETS_MS, 0), counts, strict=True):
            yield f'{name}_bucket{{source="{kind}",le="{most / 1000 if most else "+Inf"}"}} {count}'
        yield f'{name}_sum{{source="{kind}"}} {seen.ended_ms[kind] / 1000}'
        yield f'{name}_count{{source="{kind}"}} {counts[-1]}'


def _family(name: str, kind: str, said: str, values: dict[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {said}"
    yield f"# TYPE {name} {kind}"
    for labels, value in values.items():
        yield f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"

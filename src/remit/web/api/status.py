"""`/v1/status`: where this node stands, for the operator."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import lease as leases
from remit.core.credential import PathGate
from remit.core.record import dump
from remit.core.trust import TrustPath
from remit.store import lease, log, metrics
from remit.web.bearer import caller
from remit.web.health import flaws
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The address of the state."""

    async def show(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        authority, reader = site.authority, site.reader()
        head = log.newest(authority.view)
        gates = {path.value: reader.get(PathGate, path.value) for path in TrustPath}
        body = {
            "issuer": authority.issuer,
            "ready": not flaws(site),
            "checks": flaws(site),
            "ledger": {"size": head.size, "at": head.at, "verifier": authority.verifier()},
            "paths": {name: gate.state if gate else "closed" for name, gate in gates.items()},
            "leases": lease.counts(authority.view),
            "unproven": [dump(one) for one in leases.incidents(reader)],
            "in_flight": metrics.open_calls(authority.view),
        }
        return JSONResponse(body)

    return [Route("/v1/status", show, methods=["GET"])]

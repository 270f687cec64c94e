"""The ledger for its witnesses: checkpoint, tiles and entries as C2SP tlog-tiles has them.

Heads and hashes are public. Entries are receipts: public only when the settings say so, else for the operator.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.core.errors import RemitError
from remit.core.witness import RULE, WitnessRule
from remit.ledger import LedgerFault
from remit.ledger.log import nodes
from remit.ledger.tile import WIDTH, encode_bundle, parse_path
from remit.store import cosignature, log
from remit.web.bearer import caller
from remit.web.site import Site

FOREVER = "public, max-age=31536000, immutable"


def routes(site: Site) -> list[Route]:
    """The read side of the ledger."""

    async def checkpoint(_: Request) -> Response:
        head = _published(site)
        if not head.size:
            raise _none()
        signed = head.note + cosignature.under(site.authority.view, head.size)
        return Response(signed, media_type="text/plain; charset=utf-8", headers={"cache-control": "no-cache"})

    async def tile(request: Request) -> Response:
        try:
            level, index, width = parse_path(f"tile/{request.path_params['rest']}")
        except LedgerFault as fault:
            raise RemitError("not_found", fault.message, fault.remedy) from fault
        size = log.newest(site.authority.view).size
        cache, start = FOREVER, index * WIDTH
        if (start + width) << 8 * (level or 0) > size:
            raise _none()
        if level is None:
            if not site.settings.public_log:
                (await caller(site, request)).only("operator")
                cache = "private, max-age=31536000, immutable"
            data = encode_bundle(log.entries(site.authority.view, start, start + width))
        else:
            get = nodes(size, lambda at, which, wide: log.read_tile(site.authority.view, at, which, wide))
            data = b"".join(get(8 * level, start + place) for place in range(width))
        return Response(data, media_type="application/octet-stream", headers={"cache-control": cache})

    return [
        Route("/log/checkpoint", checkpoint, methods=["GET"]),
        Route("/log/tile/{rest:path}", tile, methods=["GET"]),
    ]


def _published(site: Site) -> log.Head:
    """The newest head, or where witnesses are required, the newest that so many have cosigned, once there is one."""
    view = site.authority.view
    rule = site.reader().get(WitnessRule, RULE)
    size = cosignature.widest(view, rule.required) if rule is not None and rule.required else 0
    return (log.at_size(view, size) if size else None) or log.newest(view)


def _none() -> RemitError:
    return RemitError(
        "not_found", "The ledger holds no such part.", "Read the checkpoint: its size says what there is."
    )

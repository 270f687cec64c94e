"""Client credentials: an agent's own path, by `private_key_jwt` (RFC 7523); and a receiver's way to its stream."""

from starlette.requests import Request

from remit.core.canonical import Json
from remit.web import receiving
from remit.web.client import authenticate
from remit.web.intake import Form
from remit.web.oauth import giving
from remit.web.site import Site


async def give(site: Site, request: Request, asked: Form) -> dict[str, Json]:
    """Give the authenticated agent a credential on its own path; a receiver of signals, what it asks `/ssf` with."""
    if service := receiving.names(request, asked):
        return receiving.give(site, request, asked, service)
    return await giving.give(site, request, asked, await authenticate(site, request, asked), None)

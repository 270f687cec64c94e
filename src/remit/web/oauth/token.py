"""`/oauth/token`: the grants that are offered, each in a file of its own."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.web.intake import Form, form, one_of
from remit.web.metadata import BEARER, EXCHANGE
from remit.web.oauth import authorization_code, client_credentials, exchange, identity, refresh_token
from remit.web.problem import NO_STORE, faults
from remit.web.site import Site

Grant = Callable[[Site, Request, Form], Awaitable[dict[str, Json]]]
GRANTS: Final[Mapping[str, Grant]] = MappingProxyType(
    {
        "client_credentials": client_credentials.give,
        EXCHANGE: exchange.give,
        "authorization_code": authorization_code.give,
        "refresh_token": refresh_token.give,
        BEARER: identity.give,
    }
)


def routes(site: Site) -> list[Route]:
    """The token endpoint."""

    async def token(request: Request) -> Response:
        asked = await form(request)
        grant = GRANTS.get(one_of(asked, "grant_type"))
        if grant is None:
            raise RemitError(
                "unsupported_grant_type", "This grant type is not offered.", "Use client_credentials or token exchange."
            )
        return JSONResponse(await grant(site, request, asked), headers=NO_STORE)

    return [Route("/oauth/token", faults(token), methods=["POST"])]

"""`/ssf/events`: where others push security events to (RFC 8935). What an event ends has ended when the answer goes."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.core.errors import RemitError
from remit.core.signal import Transmitter
from remit.custody.assertion import claimed
from remit.custody.jws import TokenRefusal
from remit.web.hearing import LARGEST, Hearing
from remit.web.intake import body
from remit.web.problem import NO_STORE
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The address of events."""
    hearing = Hearing(site.authority, site.batch)

    async def events(request: Request) -> Response:
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/secevent+jwt":
            return _error("invalid_request", "The body is no security event token.")
        try:
            text = (await body(request, LARGEST)).decode("ascii").strip()
        except (RemitError, UnicodeDecodeError):
            return _error("invalid_request", "The body cannot be read.")
        source = _source(site, text)
        if source is None:
            return _error("invalid_issuer", "Nobody that is registered tells this.")
        try:
            wrong = await hearing.hear(source, text)
        except RemitError as fault:
            if fault.code != "transmitter_gone":
                raise
            return _error("access_denied", fault.message)
        return Response(status_code=202, headers=NO_STORE) if wrong is None else _error(wrong.err, wrong.description)

    return [Route("/ssf/events", events, methods=["POST"])]


def _source(site: Site, text: str) -> Transmitter | None:
    said = claimed(text)
    issuer = None if isinstance(said, TokenRefusal) else said.get("iss")
    found = site.reader().where(Transmitter, "state = 'active'")
    return next((one for one in found if one.issuer == issuer), None)


def _error(code: str, what: str) -> Response:
    """What went wrong, as RFC 8935 section 2.3 writes it."""
    return JSONResponse({"err": code, "description": what}, 400, NO_STORE)

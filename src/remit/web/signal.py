"""`/ssf/events`: where others push security events to (RFC 8935). What an event ends has ended when the answer goes."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import signal
from remit.core.errors import RemitError
from remit.core.signal import VERIFY, Transmitter
from remit.custody.assertion import claimed
from remit.custody.jwk import PublicKey, usable
from remit.custody.jws import TokenRefusal
from remit.custody.secevent import Event, verify_event
from remit.web.fetch import ask, unreachable
from remit.web.intake import body
from remit.web.keysets import AGAIN_MS, KEPT_MS, KeySets
from remit.web.problem import NO_STORE
from remit.web.site import Site

LARGEST: Final = 16 * 1024
_KEY: Final = frozenset({"token_key_unknown", "token_signature", "token_algorithm"})
_SAID: Final = {"event_issuer": "invalid_issuer", "event_audience": "invalid_audience"}


def routes(site: Site) -> list[Route]:
    """The address of events."""
    keys: KeySets[tuple[PublicKey, ...]] = KeySets(site.authority.clock.steady)

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
        found = await _proved(site, keys, source, text)
        if isinstance(found, TokenRefusal):
            return _error("invalid_key" if found.code in _KEY else _SAID.get(found.code, "invalid_request"), found.what)
        if found.kind != VERIFY:
            try:
                await site.act(f"signal:{source.name}", lambda change: signal.hear(change, source, found))
            except RemitError as fault:
                if fault.code not in ("subject_foreign", "transmitter_gone"):
                    raise
                return _error("access_denied", fault.message)
        return Response(status_code=202, headers=NO_STORE)

    return [Route("/ssf/events", events, methods=["POST"])]


def _source(site: Site, text: str) -> Transmitter | None:
    said = claimed(text)
    issuer = None if isinstance(said, TokenRefusal) else said.get("iss")
    found = site.reader().where(Transmitter, "state = 'active'")
    return next((one for one in found if one.issuer == issuer), None)


async def _proved(
    site: Site, keys: KeySets[tuple[PublicKey, ...]], source: Transmitter, text: str
) -> Event | TokenRefusal:
    async def fetch(_: tuple[PublicKey, ...] | None) -> tuple[PublicKey, ...]:
        found = usable(await ask(source.keys_url))
        if not found:
            raise unreachable()
        return found

    def proved(known: tuple[PublicKey, ...]) -> Event | TokenRefusal:
        return verify_event(text, issuer=source.issuer, audience=source.audience, now=site.now(), keys=known)

    found = proved(await keys.of(source.keys_url, fetch, KEPT_MS))
    if isinstance(found, TokenRefusal) and found.code in _KEY:
        return proved(await keys.of(source.keys_url, fetch, AGAIN_MS))
    return found


def _error(code: str, what: str) -> Response:
    """What went wrong, as RFC 8935 section 2.3 writes it."""
    return JSONResponse({"err": code, "description": what}, 400, NO_STORE)

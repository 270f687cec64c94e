"""`/oauth/register`: clients that register themselves (RFC 7591). Off unless allowed; none of them has a secret.

What a client says of itself goes back to it as its id, sealed: a stranger leaves nothing here until a person who is
signed in brings it along.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control.client import sealed
from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.web.document import METHODS, keys_of
from remit.web.intake import body
from remit.web.problem import NO_STORE, faults
from remit.web.site import Site

LARGEST = 16 * 1024
GRANTS = frozenset({"authorization_code", "refresh_token"})


def routes(site: Site) -> list[Route]:
    """The registration endpoint, where the settings allow it."""

    async def add(request: Request) -> Response:
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise _metadata("The body is not JSON.")
        try:
            said = read(await body(request, LARGEST))
        except RemitError as fault:
            raise _metadata("The body cannot be read.") from fault
        return JSONResponse(registered(site, said), 201, NO_STORE)

    return [Route("/oauth/register", faults(add), methods=["POST"])] if site.settings.client_registration else []


def registered(site: Site, said: Json) -> dict[str, Json]:
    """What a client is registered as (RFC 7591 section 3.2.1), whatever it asked: public, or by keys of its own."""
    if not isinstance(said, dict):
        raise _metadata("It is not an object.")
    if "software_statement" in said:
        raise RemitError("unapproved_software_statement", "No software statement is approved here.", "Leave it out.")
    redirects = said.get("redirect_uris")
    if not _texts(redirects) or not redirects:
        raise RemitError("invalid_redirect_uri", "redirect_uris is a list of addresses.", "Send at least one.")
    grants, answers = said.get("grant_types", ["authorization_code"]), said.get("response_types", ["code"])
    if not _texts(grants) or "authorization_code" not in grants or answers != ["code"]:
        raise _metadata("Only clients of the code flow register themselves.")
    name = said.get("client_name", "A client without a name")
    if not isinstance(name, str):
        raise _metadata("client_name is a text.")
    try:
        keys, keys_url = keys_of(said)
        client_id = sealed(site.authority, name, tuple(redirects), keys, keys_url)
    except RemitError as fault:
        if fault.code == "redirect_invalid":
            raise RemitError("invalid_redirect_uri", fault.message, fault.remedy) from fault
        if fault.code == "jwk_invalid":
            raise _metadata(fault.message) from fault
        raise _metadata("client_name is one printable line of up to 100 characters.") from fault
    shown: dict[str, Json] = {"jwks_uri": keys_url} if keys_url else {"jwks": {"keys": list(keys)}} if keys else {}
    return shown | {
        "client_id": client_id,
        "client_id_issued_at": site.now() // 1000,
        "client_name": name,
        "redirect_uris": redirects,
        "grant_types": [one for one in ("authorization_code", "refresh_token") if one in {*grants, "refresh_token"}],
        "response_types": ["code"],
        "token_endpoint_auth_method": METHODS[bool(shown)],
    }


def _texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _metadata(why: str) -> RemitError:
    return RemitError("invalid_client_metadata", f"This client was not registered. {why}", "See docs/spec/oauth.md.")

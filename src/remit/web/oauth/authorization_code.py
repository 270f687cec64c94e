"""Authorization code: the grant that follows a person's consent; the credential that comes out is the task's own."""

from starlette.requests import Request

from remit.control import renewal
from remit.control.change import Change
from remit.core.canonical import Json
from remit.core.client import Client
from remit.core.consent import Code
from remit.core.errors import RemitError
from remit.web.intake import Form, one_of
from remit.web.oauth import renewing
from remit.web.site import Site


async def give(site: Site, request: Request, asked: Form) -> dict[str, Json]:
    """Turn a code into the task's credential and a refresh token (OAuth 2.1 section 4.1.3)."""
    text, verifier = one_of(asked, "code"), one_of(asked, "code_verifier")
    if not 43 <= len(verifier) <= 128:
        raise RemitError("invalid_request", "code_verifier is 43 to 128 characters.", "Send the one of this code.")
    uri = asked.get("redirect_uri", [""])[0]

    def take(change: Change, client: Client, thumb: str) -> Code | RemitError:
        redirect = uri or (client.redirects[0] if len(client.redirects) == 1 else "")
        return renewal.take(change, client, text, redirect, verifier, thumb)

    return await renewing.give(site, request, asked, take)

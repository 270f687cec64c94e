"""Token exchange (RFC 8693): a person's ID token for a credential on the delegated path, or a task's for a child's.

Who acts is the authenticated client, never a parameter.
"""

from typing import Final

from starlette.requests import Request

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.custody.jws import TokenRefusal
from remit.web.client import authenticate
from remit.web.intake import Form, one_of
from remit.web.oauth import giving, hand_on
from remit.web.site import Site

ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"
SUBJECTS: Final = frozenset({"urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"})
NEVER: Final = frozenset({"actor_token", "actor_token_type", "act", "may_act"})


async def give(site: Site, request: Request, asked: Form) -> dict[str, Json]:
    """Exchange a person's ID token for a credential on the delegated path (RFC 8693 section 2)."""
    if not NEVER.isdisjoint(asked):
        raise RemitError(
            "invalid_request",
            "Who acts is the authenticated client, never a parameter.",
            "Leave actor_token and act out.",
        )
    kind = one_of(asked, "subject_token_type")
    if one_of(asked, "requested_token_type", ACCESS) != ACCESS or kind not in (*SUBJECTS, ACCESS):
        raise RemitError(
            "invalid_request",
            "These token types are not exchanged.",
            "Send an ID token or a credential; ask for an access token.",
        )
    if "audience" in asked:
        raise RemitError(
            "invalid_target", "Targets are named by resource, not by audience.", "Send resource, the gate's URL."
        )
    if kind == ACCESS:
        return {"issued_token_type": ACCESS, **await hand_on.give(site, request, asked)}
    text = one_of(asked, "subject_token")
    client = await authenticate(site, request, asked)
    found = await site.issuers.identify(text, site.now())
    if isinstance(found, TokenRefusal):
        raise RemitError(
            "invalid_request", f"The subject token was refused. {found.what}", "Let the person sign in again."
        )
    may = found.may_act
    if may is not None and (not isinstance(may, dict) or may.get("sub") != client.agent.id):
        raise RemitError(
            "invalid_request", "The subject token lets somebody else act.", "Ask for a token that names this agent."
        )
    given = await giving.give(site, request, asked, client, found, text)
    return {"issued_token_type": ACCESS, **given}

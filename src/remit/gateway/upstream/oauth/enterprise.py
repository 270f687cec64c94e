"""Enterprise-managed authorization: the company's provider says that the gate may come in for a person.

The person's ID token is exchanged there for an assertion for the target's authorization server (ID-JAG, RFC 8693), and
that is the grant (RFC 7523).
"""

from dataclasses import dataclass, field

from remit.core.errors import RemitError
from remit.gateway.upstream.oauth.discovery import Server
from remit.gateway.upstream.oauth.fetch import Fetch
from remit.gateway.upstream.oauth.grant import BEARER, EXCHANGE, ID_JAG, ID_TOKEN, Grant, Want


@dataclass(frozen=True, slots=True)
class Provider:
    """The company's provider: its token endpoint, the gate's client id there, and the person's ID token."""

    token: str
    client: str
    identity: str = field(repr=False)
    secret: str = field(default="", repr=False)


def managed(fetch: Fetch, provider: Provider) -> Grant:
    """The grant of what the provider asserts (`upstream_assertion` when it does not)."""

    async def form(server: Server, client: str, want: Want) -> dict[str, str]:
        asked = {
            "grant_type": EXCHANGE, "requested_token_type": ID_JAG, "subject_token": provider.identity,
            "subject_token_type": ID_TOKEN, "audience": server.issuer, "client_id": provider.client, **want.fields(),
        }  # fmt: skip
        if provider.secret:
            asked["client_secret"] = provider.secret
        answer = await fetch.form(provider.token, asked)
        said = answer.object()
        made = said.get("access_token")
        if answer.status != 200 or said.get("issued_token_type") != ID_JAG or not isinstance(made, str):
            raise RemitError(
                "upstream_assertion",
                "The company's provider did not vouch for this person at the target.",
                "Ask who runs the provider whether the target is allowed there.",
            )
        return {"grant_type": BEARER, "assertion": made, "client_id": client, **want.fields()}

    return form

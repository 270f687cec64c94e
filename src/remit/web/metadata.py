"""What this origin says of itself: server metadata (RFC 8414), resource metadata (RFC 9728), public keys."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import credential
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.resource import Resource
from remit.custody.signer import TRANSACTION_PURPOSES
from remit.web.site import Site

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DETAILS: Final = "remit_task"
METHODS: Final[list[Json]] = ["private_key_jwt", "spiffe_jwt"]


def routes(site: Site) -> list[Route]:
    """The documents that clients discover us by."""

    async def jwks(_: Request) -> Response:
        found = site.authority.signer.jwks(site.now())
        return JSONResponse(
            found, headers={"cache-control": "public, max-age=60"}, media_type="application/jwk-set+json"
        )

    async def transactions(_: Request) -> Response:
        found = site.authority.signer.jwks(site.now(), TRANSACTION_PURPOSES)
        return JSONResponse(
            found, headers={"cache-control": "public, max-age=60"}, media_type="application/jwk-set+json"
        )

    async def server(_: Request) -> Response:
        return JSONResponse(metadata(site), headers={"cache-control": "public, max-age=300"})

    async def protected(request: Request) -> Response:
        name = request.path_params["resource"]
        found = site.reader().get(Resource, name)
        if found is None or found.state != "active":
            raise RemitError("not_found", "There is no such resource.", "Check the address of the gate.")
        issuer = site.authority.issuer
        said = {
            "resource": credential.audience(issuer, name),
            "authorization_servers": [issuer],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "RS256"],
            "resource_name": name,
            "authorization_details_types_supported": [DETAILS],
        }
        return JSONResponse(said, headers={"cache-control": "public, max-age=300"})

    return [
        Route("/oauth/jwks", jwks, methods=["GET"]),
        Route("/oauth/transaction-jwks", transactions, methods=["GET"]),
        Route("/.well-known/oauth-authorization-server", server, methods=["GET"]),
        Route("/.well-known/openid-configuration", server, methods=["GET"]),
        Route("/.well-known/oauth-protected-resource/mcp/{resource}", protected, methods=["GET"]),
    ]


CERTIFIED: Final = ("tls_client_auth", "self_signed_tls_client_auth", "spiffe_x509")


def metadata(site: Site) -> dict[str, Json]:
    """What this authorization server says of itself (RFC 8414), also to who looks for it by OpenID's address.

    Remit signs nobody in for others: it gives no ID tokens, and what OpenID Connect Discovery asks for besides is there
    so that its readers find the rest.
    """
    issuer, settings = site.authority.issuer, site.settings
    said: dict[str, Json] = {
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "authorization_response_iss_parameter_supported": True,
        "code_challenge_methods_supported": ["S256"],
        "response_modes_supported": ["query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", EXCHANGE, BEARER],
        "token_endpoint_auth_methods_supported": ["none", *METHODS],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "RS256"],
        "revocation_endpoint_auth_methods_supported": ["none", *METHODS],
        "introspection_endpoint_auth_methods_supported": METHODS,
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "RS256"],
        "authorization_details_types_supported": [DETAILS],
        "client_id_metadata_document_supported": settings.client_documents,
    }
    if settings.certificates:
        said["tls_client_certificate_bound_access_tokens"] = True
        for place in ("token", "revocation", "introspection"):
            known = said[f"{place}_endpoint_auth_methods_supported"]
            said[f"{place}_endpoint_auth_methods_supported"] = [*known, *CERTIFIED]
    if settings.receivers:
        known = said["token_endpoint_auth_methods_supported"]
        said["token_endpoint_auth_methods_supported"] = [*known, "client_secret_basic", "client_secret_post"]
    if settings.client_registration:
        said["registration_endpoint"] = f"{issuer}/oauth/register"
    return said

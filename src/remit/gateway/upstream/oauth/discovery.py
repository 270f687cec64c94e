"""Finding a target's authorization server: RFC 9728, then RFC 8414 or OpenID Connect, each held to its word."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.gateway.upstream.oauth.fetch import Fetch

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Server:
    """An authorization server, as its own metadata say it; `issuer` is exactly what was asked for."""

    issuer: str
    token: str
    authorize: str
    register: str
    scopes: tuple[str, ...]
    methods: tuple[str, ...]
    proofs: tuple[str, ...]
    pkce: bool
    documents: bool
    says_issuer: bool


@dataclass(frozen=True, slots=True)
class Target:
    """A protected target: the resource that its tokens are for, its authorization servers, its scopes."""

    resource: str
    servers: tuple[str, ...]
    scopes: tuple[str, ...]


async def target(fetch: Fetch, url: str, hint: str) -> Target:
    """What the target at `url` says of itself: where its challenge points, else at the well-known places.

    Refuses metadata of another resource (`upstream_other_resource`), and a target that has none (`upstream_no_issuer`).
    """
    for place in [hint] if hint else _beside(url, "oauth-protected-resource"):
        answer = await fetch.get(place)
        if answer.status != 200:
            continue
        said = answer.object()
        resource, servers = said.get("resource"), _texts(said, "authorization_servers")
        if not isinstance(resource, str) or not _covers(resource, url):
            raise RemitError(
                "upstream_other_resource",
                "The target's metadata are those of another resource.",
                "Register the target by the URL that its own metadata name.",
            )
        if servers:
            return Target(resource, servers, _texts(said, "scopes_supported"))
    raise RemitError(
        "upstream_no_issuer",
        "The target wants a token and names no authorization server.",
        "Ask whoever runs the target for its protected-resource metadata (RFC 9728).",
    )


async def server(fetch: Fetch, issuer: str) -> Server:
    """The metadata of an authorization server; those of another issuer, exactly compared, are refused."""
    for place in _metadata(issuer):
        answer = await fetch.get(place)
        if answer.status != 200:
            continue
        said = answer.object()
        if said.get("issuer") != issuer or not isinstance(said.get("token_endpoint"), str):
            raise RemitError(
                "upstream_issuer",
                "An authorization server's metadata name another issuer, or no token endpoint.",
                "Ask whoever runs the target; nothing was sent there.",
            )
        return _read(issuer, said)
    raise RemitError(
        "upstream_no_issuer", "The target's authorization server says nothing of itself.", "Ask whoever runs it."
    )


def _read(issuer: str, said: dict[str, Json]) -> Server:
    methods = said.get("token_endpoint_auth_methods_supported")
    return Server(
        issuer=issuer,
        token=said["token_endpoint"],
        authorize=_text(said, "authorization_endpoint"),
        register=_text(said, "registration_endpoint"),
        scopes=_texts(said, "scopes_supported"),
        methods=_texts(said, "token_endpoint_auth_methods_supported") if methods else ("client_secret_basic",),
        proofs=_texts(said, "dpop_signing_alg_values_supported"),
        pkce="S256" in _texts(said, "code_challenge_methods_supported"),
        documents=said.get("client_id_metadata_document_supported") is True,
        says_issuer=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _beside(url: str, name: str) -> list[str]:
    """A well-known document's places: before the path of `url` (RFC 8414 section 3.1), then at the root."""
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}/.well-known/{name}"
    path = parts.path.rstrip("/")
    return [f"{root}{path}", root] if path else [root]


def _metadata(issuer: str) -> list[str]:
    places = _beside(issuer, "oauth-authorization-server")[:1] + _beside(issuer, "openid-configuration")[:1]
    if urlsplit(issuer).path.rstrip("/"):
        places.append(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    return places


def _covers(resource: str, url: str) -> bool:
    """Say whether a resource identifier is that of this URL, or of a path above it at the same origin."""
    ours, theirs = urlsplit(url), urlsplit(resource)
    try:
        same = (ours.scheme, ours.hostname, ours.port or _PORTS.get(ours.scheme)) == (
            theirs.scheme,
            theirs.hostname,
            theirs.port or _PORTS.get(theirs.scheme),
        )
    except ValueError:
        return False
    above = f"{theirs.path.rstrip('/')}/"
    return same and not theirs.query and not theirs.fragment and f"{ours.path.rstrip('/')}/".startswith(above)


def _text(said: dict[str, Json], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _texts(said: dict[str, Json], name: str) -> tuple[str, ...]:
    value = said.get(name)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()

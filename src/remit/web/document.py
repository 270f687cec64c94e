"""Client-ID metadata documents: a client whose id is the https address of what it says of itself. Off unless allowed.

An address that a stranger names is dialled with care: https only, a name with public addresses alone, the very address
that was judged, no redirects, a few kilobytes, a few seconds. On a Remit that only this machine reaches, this machine
may be asked too.
"""

import http.client
import re
import socket
from typing import Final
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from remit.control.client import Described, identity
from remit.control.outgoing import dialled
from remit.core.address import loopback, public
from remit.core.canonical import Json, read
from remit.core.client import named, redirect
from remit.core.errors import RemitError
from remit.custody.jwk import read_set
from remit.web.settings import LOOPBACK
from remit.web.site import Site

LARGEST: Final = 16 * 1024
PATIENCE_S: Final = 5
_URL: Final = re.compile(
    r"https://[a-z0-9.-]+(?::[1-9][0-9]{0,4})?/[A-Za-z0-9._~!$&'()*+,;=:@/-]+(?:\?[^#\s]*)?", re.ASCII
)
METHODS: Final = ("none", "private_key_jwt")
_SECRETS: Final = ("client_secret", "client_secret_expires_at")


async def described(site: Site, url: str) -> Described | None:
    """The client that this address describes; None where the settings do not allow it (`document_refused`)."""
    if not site.settings.client_documents:
        return None
    if not address(url):
        raise _refused("Its address is not a plain https URL with a path.")
    steady = site.authority.clock.steady()
    held = site.documents.get(url, steady)
    if held is not None:
        return held
    found = understood(url, await fetched(site, url))
    site.documents.put(url, steady, found)
    return found


async def fetched(site: Site, url: str) -> Json:
    """What an address that a stranger names publishes (`document_refused`)."""
    own = urlsplit(site.authority.issuer).hostname in LOOPBACK
    try:
        with anyio.fail_after(2 * PATIENCE_S):
            return read(await anyio.to_thread.run_sync(_get, url, own, abandon_on_cancel=True, limiter=site.strangers))
    except (OSError, http.client.HTTPException, ValueError, TimeoutError, RemitError) as fault:
        raise _refused("Its address does not answer with a small JSON document.") from fault


def address(url: str) -> bool:
    """Say whether a URL can be a client's id: https, a path, no user, fragment or dot segment."""
    parts = url.partition("://")[2].partition("?")[0].split("/")
    return len(url) <= 2048 and _URL.fullmatch(url) is not None and not {".", ".."} & set(parts)


def understood(url: str, said: Json) -> Described:
    """What a document says of its client (`document_refused`)."""
    if not isinstance(said, dict) or said.get("client_id") != url:
        raise _refused("It does not name its own address as client_id.")
    if any(name in said for name in _SECRETS) or said.get("token_endpoint_auth_method", "none") not in METHODS:
        raise _refused("Its token_endpoint_auth_method must be none or private_key_jwt, without a secret.")
    try:
        keys, keys_url = keys_of(said)
    except RemitError as fault:
        raise _refused(fault.message) from fault
    redirects = said.get("redirect_uris")
    if not isinstance(redirects, list) or not 1 <= len(redirects) <= 16:
        raise _refused("It needs 1 to 16 redirect_uris.")
    if not all(isinstance(one, str) and redirect(one, "document") for one in redirects):
        raise _refused("One of its redirect_uris cannot be one.")
    name = said.get("client_name", urlsplit(url).hostname)
    if not isinstance(name, str) or not named(name):
        raise _refused("Its client_name is not a short printable line.")
    return Described(identity(url), name, tuple(redirects), "document", keys, keys_url)


def keys_of(said: dict[str, Json]) -> tuple[tuple[dict[str, str], ...], str]:
    """The keys that a client says it has, or where it publishes them: one of the two (`jwk_invalid`)."""
    if said.get("token_endpoint_auth_method", "none") != METHODS[1]:
        return (), ""
    where, jwks = said.get("jwks_uri", ""), said.get("jwks")
    if not isinstance(where, str) or bool(where) is (jwks is not None) or (where and not address(where)):
        raise RemitError(
            "jwk_invalid", "A client that proves a key says jwks or jwks_uri, one of the two.", "Send public keys."
        )
    if where:
        return (), where
    read_set(jwks)
    listed = jwks["keys"] if isinstance(jwks, dict) else []
    return tuple({name: value for name, value in one.items() if isinstance(value, str)} for one in listed), ""


def judged(host: str, port: int, *, own: bool) -> str:
    """The address to dial for a host: every address of its name must be public, or this machine's where `own`."""
    found = {str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not found or not all(public(ip) or (own and loopback(ip)) for ip in found):
        raise ValueError(host)
    return min(found)


def _get(url: str, own: bool) -> bytes:  # noqa: FBT001 - handed to a thread
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    connection = http.client.HTTPSConnection(host, port)
    address = judged(host, port, own=own)
    with dialled(address, port, name=host, each_s=PATIENCE_S, whole_s=2 * PATIENCE_S) as connection.sock:
        connection.request(
            "GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers={"Accept": "application/json"}
        )
        with connection.getresponse() as answer:
            kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
            if answer.status != 200 or not (kind == "application/json" or kind.endswith("+json")):
                raise ValueError(answer.status)
            data = answer.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(len(data))
    return data


def _refused(why: str) -> RemitError:
    return RemitError("document_refused", f"This client's document was refused. {why}", "Correct what it publishes.")

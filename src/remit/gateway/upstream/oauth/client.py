"""The client of one protected target: gets tokens, shows them, and answers what the target asks for.

What was registered with one authorization server is never shown to another. A token is asked for once for all that
wait. Faults are `RemitError`; a grant that is refused is neither tried again nor changed for another.
"""

import asyncio
import base64
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, final
from urllib.parse import quote_plus, urlsplit

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.gateway.upstream.oauth import discovery
from remit.gateway.upstream.oauth.challenge import Challenge, wanted
from remit.gateway.upstream.oauth.discovery import Server, Target
from remit.gateway.upstream.oauth.fetch import Answer, Fetch
from remit.gateway.upstream.oauth.grant import Grant, Want
from remit.gateway.upstream.oauth.keys import Key

EARLY_S: Final = 10.0
"""How long before its end a token is renewed."""
STEPS: Final = 3
"""How often scopes are added for one target before it is given up."""
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Registered:
    """Who the gate is at an authorization server. `key` signs its assertions; `secret` is the weaker way."""

    client: str
    secret: str = field(default="", repr=False)
    key: Key | None = None
    method: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A token of one authorization server; bound to the gate's key when `scheme` is DPoP."""

    text: str = field(repr=False)
    scheme: str
    until: float
    scopes: tuple[str, ...]
    issuer: str
    refresh: str = field(default="", repr=False)


@final
class Client:
    """Owned by the target that it is for, on the gate's loop.

    `registered` is who the gate is, by issuer; under "" for whichever the target names. `document` is the URL of the
    gate's client metadata (CIMD), `registration` what it says of itself where it must register. `key` binds tokens.
    """

    def __init__(
        self,
        url: str,
        grant: Grant,
        fetch: Fetch,
        *,
        registered: Mapping[str, Registered],
        key: Key | None = None,
        document: str = "",
        registration: Mapping[str, Json] | None = None,
    ) -> None:
        self._url = url.partition("?")[0]
        self._grant = grant
        self._fetch = fetch
        self._registered = dict(registered)
        self._key = key
        self._document = document
        self._registration = registration
        self._token: Token | None = None
        self._scopes: tuple[str, ...] = ()
        self._steps = 0
        self._nonces: dict[str, str] = {}
        self._lock = asyncio.Lock()

    def headers(self, method: str) -> list[Header]:
        """What a request to the target carries now: nothing before there is a token; a proof is fresh each time."""
        token = self._token
        if token is None:
            return []
        found = [(b"authorization", f"{token.scheme} {token.text}".encode())]
        if token.scheme == "DPoP" and self._key is not None:
            proof = self._key.proof(method, self._url, self._nonces.get(_origin(self._url), ""), token.text)
            found.append((b"dpop", proof.encode()))
        return found

    @property
    def hidden(self) -> tuple[bytes, ...]:
        """What must not come back in an answer."""
        return (self._token.text.encode(),) if self._token else ()

    async def ready(self) -> None:
        """Renew a token that is about to end. Without one nothing is done: the target may want none."""
        token = self._token
        if token is not None and time.monotonic() >= token.until - EARLY_S:
            async with self._lock:
                if self._token is token:
                    await self._obtain(Challenge("bearer"))

    async def challenged(self, status: int, headers: Iterable[Header]) -> bool:
        """Do what an answer of 401 or 403 asks for; say whether the request is worth sending once more."""
        listed = list(headers)
        nonce = _single(listed, b"dpop-nonce")
        challenge = wanted([value for name, value in listed if name == b"www-authenticate"])
        if nonce:
            self._nonces[_origin(self._url)] = nonce
        if challenge.get("error") == "use_dpop_nonce":
            return bool(nonce)
        before = self._token
        async with self._lock:
            if self._token is not before:
                return True
            if status == 403:
                return challenge.get("error") == "insufficient_scope" and await self._stepped(challenge)
            await self._obtain(challenge)
            return True

    async def _stepped(self, challenge: Challenge) -> bool:
        """Ask for the scopes that are missing, with those that were asked for before; not for ever."""
        more = tuple(one for one in challenge.get("scope").split() if one not in self._scopes)
        self._steps += 1
        if not more or self._steps > STEPS:
            return False
        self._scopes += more
        await self._obtain(challenge)
        return True

    async def _obtain(self, challenge: Challenge) -> None:
        place = await discovery.target(self._fetch, self._url, challenge.get("resource_metadata"))
        issuer = next((one for one in place.servers if one in self._registered), place.servers[0])
        server = await discovery.server(self._fetch, issuer)
        client = self._registered.get(issuer) or self._registered.get("") or await self._identify(server)
        want = Want(place.resource, self._wanted(challenge, place, server))
        held, self._token = self._token, None
        if held is not None and held.issuer == issuer and held.refresh and time.monotonic() >= held.until - EARLY_S:
            form = {"grant_type": "refresh_token", "refresh_token": held.refresh, "client_id": client.client}
            form["resource"] = want.resource
        else:
            form = await self._grant(server, client.client, want)
        self._token = await self._exchange(server, client, form, want)

    def _wanted(self, challenge: Challenge, place: Target, server: Server) -> tuple[str, ...]:
        """The scopes to ask for: the challenge's, else the target's; and to stay, where the server offers that."""
        if not self._scopes:
            self._scopes = tuple(challenge.get("scope").split()) or place.scopes
        stay = ("offline_access",) if "offline_access" in server.scopes else ()
        return (*self._scopes, *(one for one in stay if one not in self._scopes))

    async def _identify(self, server: Server) -> Registered:
        """Who the gate is at this server: its metadata document where that is taken, else registered there anew."""
        if self._document and server.documents:
            return Registered(self._document, method="none")
        if not server.register or self._registration is None:
            raise RemitError(
                "upstream_unregistered",
                "The gate is not registered at the target's authorization server.",
                "Register it there, and store its client id with the resource.",
            )
        answer = await self._fetch.json(server.register, dict(self._registration))
        said = answer.object()
        if answer.status not in (200, 201) or not isinstance(said.get("client_id"), str):
            raise _declined("upstream_unregistered", answer)
        secret, method = said.get("client_secret"), said.get("token_endpoint_auth_method")
        made = Registered(
            said["client_id"],
            secret if isinstance(secret, str) else "",
            method=method if isinstance(method, str) else "",
        )
        self._registered[server.issuer] = made
        return made

    async def _exchange(self, server: Server, client: Registered, form: dict[str, str], want: Want) -> Token:
        bind = self._key if self._key is not None and "ES256" in server.proofs else None
        answer = await self._post(server, client, form, bind)
        if bind is not None and answer.object().get("error") == "use_dpop_nonce" and answer.all(b"dpop-nonce"):
            answer = await self._post(server, client, form, bind)
        return _token(server, answer, want, bound=bind is not None)

    async def _post(self, server: Server, client: Registered, form: dict[str, str], bind: Key | None) -> Answer:
        fields, headers = self._authenticated(server, client, form)
        place = _origin(server.token)
        if bind is not None:
            headers.append((b"dpop", bind.proof("POST", server.token, self._nonces.get(place, "")).encode()))
        answer = await self._fetch.form(server.token, fields, headers)
        nonce = _single(list(answer.headers), b"dpop-nonce")
        if nonce:
            self._nonces[place] = nonce
        return answer

    def _authenticated(
        self, server: Server, client: Registered, form: dict[str, str]
    ) -> tuple[dict[str, str], list[Header]]:
        """The form as this client sends it: by its key, else by its secret as the server takes it, else by name."""
        method = client.method or _method(server, client)
        if method == "private_key_jwt" and client.key is not None:
            proved = {
                "client_assertion_type": ASSERTION,
                "client_assertion": client.key.assertion(client.client, server.issuer),
            }
            return {**form, **proved, "client_id": client.client}, []
        if method == "client_secret_basic" and client.secret:
            pair = f"{quote_plus(client.client)}:{quote_plus(client.secret)}".encode()
            rest = {name: value for name, value in form.items() if name != "client_id"}
            return rest, [(b"authorization", b"Basic " + base64.b64encode(pair))]
        if method == "client_secret_post" and client.secret:
            return {**form, "client_id": client.client, "client_secret": client.secret}, []
        return {**form, "client_id": client.client}, []


def _method(server: Server, client: Registered) -> str:
    mine = ["private_key_jwt"] if client.key is not None else []
    mine += ["client_secret_basic", "client_secret_post"] if client.secret else []
    return next((one for one in mine if one in server.methods), "none" if not mine else mine[0])


def _token(server: Server, answer: Answer, want: Want, *, bound: bool) -> Token:
    said = answer.object()
    text, kind, life = said.get("access_token"), said.get("token_type"), said.get("expires_in")
    if answer.status != 200 or not isinstance(text, str) or not isinstance(kind, str) or not text.isascii():
        raise _declined("upstream_grant", answer)
    if kind.lower() not in ("bearer", "dpop") or (kind.lower() == "dpop" and not bound):
        raise _declined("upstream_grant", replace(answer, body=b"{}"))
    seconds = float(life) if isinstance(life, int) and 0 < life < 10**8 else 300.0
    scope, refresh = said.get("scope"), said.get("refresh_token")
    return Token(
        text,
        "DPoP" if kind.lower() == "dpop" else "Bearer",
        time.monotonic() + seconds,
        tuple(scope.split()) if isinstance(scope, str) else want.scopes,
        server.issuer,
        refresh if isinstance(refresh, str) else "",
    )


def _declined(code: str, answer: Answer) -> RemitError:
    """What a server said, by its error's name alone: nothing else of its answer is shown to anybody."""
    error = answer.object().get("error")
    named = error if isinstance(error, str) and error.isascii() and error.replace("_", "").isalnum() else "no token"
    what = f"The target's authorization server refused the gate ({answer.status}, {named[:40]})."
    return RemitError(code, what, "Ask whoever runs the target what the gate's registration there may do.")


def _single(headers: list[Header], name: bytes) -> str:
    found = [value for key, value in headers if key == name]
    return found[0].decode("latin-1") if len(found) == 1 and len(found[0]) <= 512 else ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

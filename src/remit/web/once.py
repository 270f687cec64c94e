"""Once: a request of `/v1` or `/access` that its sender names is done at most once, and answered the same again.

By `Idempotency-Key`, as draft-ietf-httpapi-idempotency-key-header has it. The name is the caller's own: it is claimed,
durably, before anything is done, and given back only when what was asked was refused. The answer is kept sealed for a
day, for it may hold a credential. A node that died between the two leaves a name with no answer: that is said, and
nothing is done again.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive

from remit.control.change import Change
from remit.core.canonical import b64, digest
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.store import reply
from remit.web.bearer import caller
from remit.web.intake import body
from remit.web.problem import Endpoint
from remit.web.site import Site

HEADER: Final = "idempotency-key"
KEPT_MS: Final = 24 * 3_600_000
"""Milliseconds that an answer is kept."""
LONGEST: Final = 256
UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
UNSURE: Final = ("commit_", "internal")
"""Faults after which nobody knows whether it was done."""
SAID: Final = ("content-type", "cache-control", "location")


def once(site: Site, route: Route) -> Route:
    """The same route; what changes something heeds the key."""
    if not UNSAFE & (route.methods or set()):
        return route
    return Route(
        route.path, heeding(site, route.endpoint, lambda one: _caller(site, one)), methods=sorted(route.methods or ())
    )


class Sender(NamedTuple):
    """Whose a name is: nobody else's request is ever answered by it."""

    kind: str
    id: str
    task: str = ""


async def _caller(site: Site, request: Request) -> Sender:
    who = await caller(site, request)
    return Sender(who.kind, who.id, who.task)


def heeding(site: Site, endpoint: Endpoint, sender: Callable[[Request], Awaitable[Sender]]) -> Endpoint:
    """The same endpoint, which heeds the key of who `sender` says."""

    async def answer(request: Request) -> Response:
        named = request.headers.getlist(HEADER)
        if not named or request.method not in UNSAFE:
            return await endpoint(request)
        if len(named) != 1 or not 0 < len(named[0]) <= LONGEST:
            raise RemitError(
                "idempotency_key_invalid", "The Idempotency-Key is doubled, empty or too long.",
                f"Send one, of up to {LONGEST} characters.",
            )  # fmt: skip
        who = await sender(request)
        data = await body(request)
        asked = [request.method, request.url.path, request.url.query, request.headers.get("content-type", "")]
        whole = b64(digest([*asked, hashlib.sha256(data).hexdigest()]))
        identity = b64(digest([*who, named[0]]))
        kept = await site.act(who.id, lambda change: _claim(change, identity, whole))
        if kept is not None:
            return _again(site, identity, kept)
        return await _done(site, who.id, identity, endpoint, Request(request.scope, _replay(data)))

    return answer


def _claim(change: Change, identity: str, whole: str) -> bytes | None:
    """None when the name is now this request's; else what was answered (`idempotency_key_reused`, `…_unfinished`)."""
    if reply.begin(change.db, identity, whole, Instant(change.now + KEPT_MS)):
        change.keep()
        return None
    found = reply.get(change.db, identity)
    if found is None or found[0] != whole:
        raise RemitError(
            "idempotency_key_reused", "This Idempotency-Key was of another request.", "Draw another for each request."
        )
    if found[1] is None:
        raise RemitError(
            "idempotency_unfinished", "This request was begun, and what came of it is not known.",
            "Wait and ask again; when it stays so, look at what there is, and send what is missing under another key.",
        )  # fmt: skip
    return found[1]


async def _done(site: Site, who: str, identity: str, endpoint: Endpoint, request: Request) -> Response:
    def give_back(change: Change) -> None:
        reply.undone(change.db, identity)
        change.keep()

    try:
        said = await endpoint(request)
    except RemitError as fault:
        if not fault.code.startswith(UNSURE):
            with suppress(RemitError):
                await site.act(who, give_back)
        raise
    with suppress(RemitError):  # It is done: what cannot be kept of it is still answered now.
        await _keep(site, who, identity, said)
    return said


async def _keep(site: Site, who: str, identity: str, said: Response) -> None:
    headers = {name: said.headers[name] for name in SAID if name in said.headers}
    told = {"status": said.status_code, "headers": headers, "body": b64encode(said.body).decode()}
    sealed = site.authority.vault.wrap(_purpose(identity), msgspec.json.encode(told))

    def keep(change: Change) -> None:
        reply.answered(change.db, identity, sealed)
        change.keep()

    await site.act(who, keep)


def _again(site: Site, identity: str, sealed: bytes) -> Response:
    data = site.authority.vault.unwrap(_purpose(identity), sealed)
    if data is None:
        raise RemitError("internal", "A kept answer cannot be opened.", "Report this.")
    told = msgspec.json.decode(data)
    headers = {**told["headers"], "idempotent-replayed": "true"}
    return Response(b64decode(told["body"]), told["status"], headers)


def _purpose(identity: str) -> str:
    return f"reply:{identity}"


def _replay(data: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": data, "more_body": False}

    return receive

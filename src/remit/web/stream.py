"""`/ssf`: receivers of Shared Signals look after their stream and poll it (SSF 1.0, RFC 8936). docs/spec/signals.md.

A receiver is a service with a token that the settings name; nobody else is answered, and of another's stream nothing
is said. What reads asks for the scope `ssf.read`, what changes something for `ssf.manage`, which may read too.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import stream as streams
from remit.control.change import Change
from remit.control.stream import Receiver
from remit.core import stream as rules
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.principal import Service
from remit.core.stream import Stream
from remit.core.told import SUPPORTED
from remit.custody.secevent import issue
from remit.custody.signer import EVENT_PURPOSES
from remit.store import log
from remit.web import receiving
from remit.web.intake import json_object, query, text, texts
from remit.web.problem import NO_STORE
from remit.web.receiving import MANAGE, READ, Asked, needing
from remit.web.site import Site

PUSH: Final = "urn:ietf:rfc:8935"
POLL: Final = "urn:ietf:rfc:8936"
MOST: Final = 100
"""Events in one answer, at most."""
WAIT_S: Final = 10
LOOK_S: Final = 0.5
_TOLD: Final = (
    "iss", "aud", "events_supported", "events_delivered", "min_verification_interval", "inactivity_timeout",
)  # fmt: skip
_GIVEN: Final = ("delivery", "events_requested", "description", "stream_id", *_TOLD)


def routes(site: Site) -> list[Route]:
    """The transmitter's addresses."""
    return [
        Route("/.well-known/ssf-configuration", partial(_configuration, site), methods=["GET"]),
        Route("/ssf/jwks", partial(_jwks, site), methods=["GET"]),
        Route("/ssf/streams", needing(site, MANAGE, _made), methods=["POST"]),
        Route("/ssf/streams", needing(site, READ, _listed), methods=["GET"]),
        Route("/ssf/streams", needing(site, MANAGE, _altered), methods=["PATCH", "PUT"]),
        Route("/ssf/streams", needing(site, MANAGE, _ended), methods=["DELETE"]),
        Route("/ssf/status", needing(site, READ, _status), methods=["GET"]),
        Route("/ssf/status", needing(site, MANAGE, _moved), methods=["POST"]),
        Route("/ssf/verify", needing(site, MANAGE, _verified), methods=["POST"]),
        Route("/ssf/subjects/add", needing(site, MANAGE, partial(_chosen, told=True)), methods=["POST"]),
        Route("/ssf/subjects/remove", needing(site, MANAGE, partial(_chosen, told=False)), methods=["POST"]),
        Route("/ssf/poll", needing(site, READ, _polled), methods=["POST"]),
        Route("/.well-known/oauth-protected-resource/ssf", partial(_protected, site), methods=["GET"]),
    ]


async def _configuration(site: Site, _: Request) -> Response:
    if not site.settings.receivers:
        raise RemitError("not_found", "Nobody is told anything here.", "Name a receiver in the settings.")
    return JSONResponse(described(site.authority.issuer), headers={"cache-control": "public, max-age=300"})


async def _protected(site: Site, _: Request) -> Response:
    if not site.settings.receivers:
        raise RemitError("not_found", "Nobody is told anything here.", "Name a receiver in the settings.")
    return JSONResponse(receiving.described(site), headers={"cache-control": "public, max-age=300"})


async def _jwks(site: Site, _: Request) -> Response:
    found = site.authority.signer.jwks(site.now(), EVENT_PURPOSES)
    return JSONResponse(found, headers={"cache-control": "public, max-age=60"}, media_type="application/jwk-set+json")


async def _made(site: Site, who: Asked, request: Request) -> Response:
    service, one = who
    value = await json_object(request, (), _GIVEN)
    push = _push(value, one)
    events, said = _events(value), text(value, "description", "", 512)
    made = await site.act(
        f"stream:{service.id}",
        lambda c: streams.make(c, service, one, push=push, events=events, description=said),
    )
    return _answer(_shown(site, made, one), 201)


async def _listed(site: Site, who: Asked, request: Request) -> Response:
    service, one = who
    asked = query(request, "stream_id")
    if "stream_id" in asked:
        return _answer(_shown(site, streams.need(site.reader(), service.id, asked["stream_id"]), one))
    found = streams.of(site.reader(), service.id)
    return _answer([_shown(site, found, one)] if found else [])


async def _altered(site: Site, who: Asked, request: Request) -> Response:
    service, one = who
    value = await json_object(request, ("stream_id",), _GIVEN)
    before = streams.need(site.reader(), service.id, text(value, "stream_id"))
    shown = _shown(site, before, one)
    if any(value[name] != shown.get(name) for name in _TOLD if name in value):
        # SSF 1.0, 8.1.1.3: what the transmitter says of a stream may be sent back, as it was said.
        raise RemitError("stream_invalid", "This is not what this stream is.", "Send what was read, or leave it out.")
    if "delivery" in value and _push(value, one) != before.push:
        raise RemitError("stream_invalid", "A stream keeps its way of delivery.", "End it, and make another.")
    whole = request.method == "PUT"
    events = _events(value) if whole or "events_requested" in value else before.events
    said = text(value, "description", "" if whole else before.description, 512)
    done = await site.act(
        f"stream:{service.id}",
        lambda c: streams.alter(c, streams.need(c.reader, service.id, before.id), events=events, description=said),
    )
    return _answer(_shown(site, done, one))


async def _ended(site: Site, who: Asked, request: Request) -> Response:
    service, _ = who
    identity = query(request, "stream_id").get("stream_id", "")
    await site.act(f"stream:{service.id}", lambda c: streams.end(c, streams.need(c.reader, service.id, identity)))
    return Response(status_code=204, headers=NO_STORE)


async def _status(site: Site, who: Asked, request: Request) -> Response:
    found = streams.need(site.reader(), who[0].id, query(request, "stream_id").get("stream_id", ""))
    return _answer({"stream_id": found.id, "status": found.state})


async def _moved(site: Site, who: Asked, request: Request) -> Response:
    service, _ = who
    value = await json_object(request, ("stream_id", "status"), ("reason",))
    identity, state = text(value, "stream_id"), text(value, "status")
    why = text(value, "reason", "", 200)
    found = await site.act(
        f"stream:{service.id}",
        lambda c: streams.move(c, streams.need(c.reader, service.id, identity), state, why),
    )
    return _answer({"stream_id": found.id, "status": found.state})


async def _verified(site: Site, who: Asked, request: Request) -> Response:
    service, _ = who
    value = await json_object(request, ("stream_id",), ("state",))
    identity, state = text(value, "stream_id"), text(value, "state", "", 512)
    await site.act(
        f"stream:{service.id}", lambda c: streams.verify(c, streams.need(c.reader, service.id, identity), state)
    )
    return Response(status_code=204, headers=NO_STORE)


async def _chosen(site: Site, who: Asked, request: Request, *, told: bool) -> Response:
    """Tell of a subject, or no more (SSF 1.0 section 8.1.3)."""
    service, one = who
    value = await json_object(request, ("stream_id", "subject"), ("verified",))
    identity = text(value, "stream_id")

    def work(change: Change) -> None:
        found = streams.need(change.reader, service.id, identity)
        streams.choose(change, found, streams.known(change.reader, one, value["subject"]), told=told)

    await site.act(f"stream:{service.id}", work)
    return Response(status_code=200 if told else 204, headers=NO_STORE)


async def _polled(site: Site, who: Asked, request: Request) -> Response:
    service, one = who
    value = await json_object(request, (), ("maxEvents", "returnImmediately", "ack", "setErrs"))
    most, at_once = value.get("maxEvents", MOST), value.get("returnImmediately", False)
    wrong = value.get("setErrs", {})
    if type(most) is not int or most < 0 or not isinstance(at_once, bool) or not isinstance(wrong, dict):
        raise RemitError("member_invalid", "This is no poll of RFC 8936.", "Correct its members.")
    found = streams.of(site.reader(), service.id)
    if found is None or found.push:
        raise RemitError("not_found", "There is no stream that is polled.", "Make one: POST /ssf/streams.")
    names = {*texts(value, "ack"), *wrong}
    if names:
        await _heard(site, found, one, names, "It refused an event." if wrong else "")
    return _answer(await _waited(site, service, one, min(most, MOST), wait=not at_once and most > 0))


def described(issuer: str) -> dict[str, Json]:
    """What this transmitter says of itself (SSF 1.0 section 7.1). Every subject is told of until it is removed."""
    return {
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": f"{issuer}/ssf/jwks",
        "delivery_methods_supported": [PUSH, POLL],
        "configuration_endpoint": f"{issuer}/ssf/streams",
        "status_endpoint": f"{issuer}/ssf/status",
        "verification_endpoint": f"{issuer}/ssf/verify",
        "add_subject_endpoint": f"{issuer}/ssf/subjects/add",
        "remove_subject_endpoint": f"{issuer}/ssf/subjects/remove",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}, {"spec_urn": "urn:ietf:rfc:6750"}],
        "default_subjects": "ALL",
    }


async def _waited(site: Site, service: Service, one: Receiver, most: int, *, wait: bool) -> dict[str, Json]:
    """What is to be told; when it may wait and there is nothing, what there is within ten seconds."""
    size = -1
    for _ in range(int(WAIT_S / LOOK_S)):
        now_is = log.newest(site.authority.view).size
        if now_is != size:
            size, told = now_is, await _next(site, service, one, most)
            if told["sets"] or told.get("moreAvailable") or not wait:
                return told
        await asyncio.sleep(LOOK_S)
    return {"sets": {}}


async def _next(site: Site, service: Service, one: Receiver, most: int) -> dict[str, Json]:
    """What is to be told now. A stretch of the ledger that tells nothing is passed over for good."""
    while True:
        found = streams.of(site.reader(), service.id)
        told: dict[str, Json] = _told(site, found, one, most) if found is not None else {"sets": {}}
        if found is None or most == 0 or told["sets"] or not told.get("moreAvailable"):
            return told
        await _heard(site, found, one, set())


async def _heard(site: Site, stream: Stream, one: Receiver, names: set[str], trouble: str = "") -> None:
    await site.act(
        f"stream:{stream.service}",
        lambda c: streams.heard(c, streams.need(c.reader, stream.service, stream.id), one, names, trouble),
    )


def _told(site: Site, stream: Stream, one: Receiver, most: int) -> dict[str, Json]:
    found, more = streams.waiting(site.authority.view, stream, one, site.authority.issuer, most)
    signer = site.authority.signer
    sets: dict[str, Json] = {each.told.jti: issue(each.told.payload, signer, one.algorithm) for each in found}
    return {"sets": sets, **({"moreAvailable": True} if more else {})}


def _push(value: Mapping[str, Json], one: Receiver) -> bool:
    """Whether it is to be pushed. Where to is the settings' alone: another address is refused (`stream_invalid`)."""
    asked = value.get("delivery", {"method": PUSH if one.push else POLL})
    if not isinstance(asked, dict) or asked.get("method") not in (PUSH, POLL) or "authorization_header" in asked:
        raise RemitError("stream_invalid", "This is no way of delivery here.", "Ask for RFC 8935 or RFC 8936.")
    push = bool(asked["method"] == PUSH)
    if push and (not one.push or asked.get("endpoint_url", one.push) != one.push):
        raise RemitError(
            "stream_invalid", "Nothing is pushed to this address.", "Have the operator name it in [[receivers]]."
        )
    return push


def _events(value: dict[str, Json]) -> tuple[str, ...]:
    return texts(value, "events_requested") if "events_requested" in value else SUPPORTED


def _shown(site: Site, stream: Stream, one: Receiver) -> dict[str, Json]:
    issuer = site.authority.issuer
    delivery = (
        {"method": PUSH, "endpoint_url": one.push}
        if stream.push
        else {"method": POLL, "endpoint_url": f"{issuer}/ssf/poll"}
    )
    return {
        "stream_id": stream.id,
        "iss": issuer,
        "aud": stream.audience,
        "delivery": delivery,
        "events_supported": list(SUPPORTED),
        "events_requested": list(stream.events),
        "events_delivered": list(stream.events),
        "min_verification_interval": rules.VERIFY_MS // 1000,
        **({"description": stream.description} if stream.description else {}),
    }


def _answer(said: Json, status: int = 200) -> Response:
    return JSONResponse(said, status, NO_STORE)

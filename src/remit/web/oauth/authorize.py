"""`/oauth/authorize`: a client sends a person here, the person signs in, reads what it would be, and says yes or no.

Nothing is redirected to an address that was not registered; every other error goes back to the client, with `iss`.
Between page and answer the request travels in the form, sealed, and bound to the session that saw it.
"""

import base64
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from remit.control import client as clients
from remit.control import consent, opening
from remit.control.change import Change
from remit.control.client import Described
from remit.control.consent import Given, Wish
from remit.core.agent import Agent
from remit.core.canonical import Json, b64
from remit.core.client import Client, answers_at, origin, place
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.store import payload
from remit.web.console.enter import shown
from remit.web.console.page import at_address, page
from remit.web.console.person import Signed, person_of, posted
from remit.web.intake import one_of
from remit.web.oauth import words
from remit.web.oauth.asking import client_of
from remit.web.oauth.request import Asked, pushed, understood
from remit.web.problem import NO_STORE, oauth_said
from remit.web.site import Site

HERE: Final = "/oauth/authorize"
READING_MS: Final = 10 * 60_000
"""How long a person may read the page."""
SPENT_MS: Final = 60 * 60_000
"""How long an answer is remembered: longer than any page of the same request counts."""
LONGEST: Final = 16 * 1024
_WRAP: Final = "consent"


class Page(msgspec.Struct, frozen=True):
    """What a consent page was about: the request, the session that saw it, and the digest of each offer on it."""

    query: str
    client_id: str
    redirect: str
    state: str
    challenge: str
    resources: tuple[str, ...]
    brief: str
    purpose: str
    labels: dict[str, str]
    actions: tuple[str, ...]
    parameters: dict[str, Json]
    offers: dict[str, str]
    session: str
    once: str
    until: int
    thumb: str = ""


def routes(site: Site) -> list[Route]:
    """The authorization endpoint, for people."""

    async def ask(request: Request) -> Response:
        return await _asked(site, request)

    async def answer(request: Request) -> Response:
        return await _answered(site, request)

    return [
        Route(HERE, shown(ask), methods=["GET"]),
        Route(HERE, shown(answer), methods=["POST"]),
    ]


async def _asked(site: Site, request: Request) -> Response:
    """Put a client's request to the person, or send them to sign in first."""
    at_address(site, request)
    said, raw = _query(request)
    client_id, once = said.get("client_id", ""), ""
    if "request_uri" in said:
        said, once, goes_on = pushed(site, said)
        raw = urlencode({"client_id": client_id, "request_uri": goes_on})
    client = await client_of(site, client_id)
    if client is None:
        raise _page("This client is not known here.", "Let the operator add it: remit client add.")
    uri = said.get("redirect_uri") or (client.redirects[0] if len(client.redirects) == 1 else "")
    if not answers_at(client.redirects, uri):
        raise _page("The redirect_uri is not one that this client registered.", "Register it, to the letter.")
    try:
        asked = understood(site, said)
        who = person_of(site, request)
        if who is None:
            return _signin(asked, raw)
        return await _consent(site, who, client_id, client, uri, asked, raw, once)
    except RemitError as fault:
        told = oauth_said(fault, authorize=True)
        if client.kind == "registered":
            return _back(site, uri, said.get("state", ""), told)
        # Whoever registered itself chose where this leads: nobody is sent there unasked (RFC 9700 section 4.11.2).
        way = _address(site, uri, said.get("state", ""), told)
        return page("sentback", 400, fault=fault, way=way, place=place(uri))


async def _answered(site: Site, request: Request) -> Response:
    """Take the person's answer, and send them back to the client with it."""
    who, form = await posted(site, request)
    held = _opened(site, one_of(form, "request"), who)
    if one_of(form, "answer") != "yes":
        no = {"error": "access_denied", "error_description": "The person said no."}
        return _back(site, held.redirect, held.state, no)
    brief = one_of(form, "brief")
    client = await client_of(site, held.client_id)
    if client is None or brief not in held.offers:
        raise _page("This cannot be given here now.", "Begin again where you came from.")
    try:
        given = await site.act(who.person.id, lambda change: _yes(site, change, who, client, held, brief))
    except RemitError as fault:
        if fault.code == "consent_moved":
            return RedirectResponse(f"{HERE}?{held.query}", 303, headers=NO_STORE)
        return _back(site, held.redirect, held.state, oauth_said(fault, authorize=True))
    return _back(site, held.redirect, held.state, {"code": given.code})


async def _consent(
    site: Site,
    who: Signed,
    client_id: str,
    client: Client | Described,
    uri: str,
    asked: Asked,
    raw: str,
    pushed_at: str,
) -> Response:
    """The page that asks, or the error that there is nothing to ask about."""
    if asked.silent:
        raise RemitError("consent_required", "The person must be asked.", "Ask without prompt=none.")
    bound = client if isinstance(client, Client) else await _stands_for(site, who, client)
    agent = site.reader().get(Agent, bound.agent) if bound is not None else None
    if bound is None or agent is None or agent.state == "proposed":
        raise RemitError(
            "access_denied",
            "This program stands for no agent here yet; it was put forward to the operator.",
            "Let the operator review it and list it in a brief.",
        )
    offers = consent.offers(site.reader(), who.person, bound, asked.wish, site.now())
    if not offers and asked.wish.parameters:
        _fits_without(site, who, bound, asked.wish)
    if not offers:
        raise RemitError(
            "access_denied",
            "There is no brief here under which this person could give this agent such a task.",
            "Let the operator list the person and the agent in a brief that fits.",
        )
    if bound.runs and any("over" in one.shown for one in offers):
        raise opening.waits()
    held = Page(
        query=raw,
        client_id=client_id,
        redirect=uri,
        state=asked.state,
        challenge=asked.challenge,
        resources=asked.wish.resources,
        brief=asked.wish.brief,
        purpose=asked.wish.purpose,
        labels=dict(asked.wish.labels),
        actions=asked.wish.actions,
        parameters=dict(asked.wish.parameters),
        offers={one.brief.name: one.digest for one in offers},
        session=who.session.id,
        once=pushed_at or b64(site.authority.random(16)),
        until=site.now() + READING_MS,
        thumb=asked.thumb,
    )
    sealed = b64(site.authority.vault.wrap(_WRAP, msgspec.json.encode(held)))
    told = words.told(site, who, bound, uri, offers)
    return page("consent", leads=origin(uri), request=sealed, word=who.word, **told)


def _fits_without(site: Site, who: Signed, bound: Client, wish: Wish) -> None:
    """Say so when nothing but the parameters is wrong."""
    if consent.offers(site.reader(), who.person, bound, replace(wish, parameters={}), site.now()):
        raise RemitError(
            "invalid_authorization_details",
            "No brief takes these parameters: each is an argument that its steps name, within their limits.",
            "Leave parameters out, or ask for what the brief allows.",
        )


async def _stands_for(site: Site, who: Signed, client: Described) -> Client | None:
    """The client as it would be bound: to the operator's agent for such clients; else one of its own is proposed."""
    name = site.settings.client_agent
    if not name:
        await site.act(who.person.id, lambda change: _proposed(change, who, client))
        return None
    found = next(site.reader().where(Agent, "name = ? AND state = 'active'", (name,)), None)
    if found is None:
        return None
    return client.standing_for(found.id)


def _proposed(change: Change, who: Signed, client: Described) -> None:
    who.enter(change)
    if change.reader.get(Client, client.id) is None:
        clients.propose(change, client, who.person.id)


def _yes(site: Site, change: Change, who: Signed, client: Client | Described, held: Page, brief: str) -> Given:
    who.enter(change)
    change.keep()
    if not payload.spend(change.db, "consent", held.once, change.now + SPENT_MS):
        raise RemitError("access_denied", "This page was answered before.", "Begin again where you came from.")
    if isinstance(client, Described):
        name = site.settings.client_agent
        found = next(change.reader.where(Agent, "name = ? AND state = 'active'", (name,)), None)
        if found is None:
            raise RemitError("access_denied", "No agent is there for such clients.", "Ask the operator.")
        client = clients.bind(change, client, found.id, who.person.id)
    wish = Wish(held.resources, held.brief, held.purpose, held.labels, held.actions, held.parameters)
    return consent.give(
        change, session=who.session, client=client, wish=wish, brief=brief, shown=held.offers[brief],
        redirect=held.redirect, challenge=held.challenge, thumb=held.thumb, at=Instant(held.until - READING_MS),
    )  # fmt: skip


def _query(request: Request) -> tuple[dict[str, str], str]:
    """The request's parameters, each once but `resource`, and the text they stand in."""
    raw = request.url.query
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=64)
    except ValueError as fault:
        raise _page("The request cannot be read.", "Send percent-escaped UTF-8.") from fault
    names = [name for name, _ in pairs if name != "resource"]
    if len(raw) > LONGEST:
        raise _page("The request is too long.", "Push it instead (RFC 9126).")
    if len(set(names)) != len(names):
        raise _page("A parameter stands twice.", "Send each parameter once.")
    said = {name: value for name, value in pairs if value}
    resources = [value for name, value in pairs if name == "resource" and value]
    return said | ({"resource": " ".join(resources)} if resources else {}), raw


def _opened(site: Site, text: str, who: Signed) -> Page:
    """The page that was answered, if this very session saw it, lately."""
    try:
        data = site.authority.vault.unwrap(_WRAP, base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        held = msgspec.json.decode(data or b"", type=Page)
    except (ValueError, msgspec.MsgspecError) as fault:
        raise _page("This page was altered.", "Begin again where you came from.") from fault
    if held.session != who.session.id or site.now() >= held.until:
        raise _page("This page is too old, or was shown to another session.", "Begin again where you came from.")
    return held


def _signin(asked: Asked, raw: str) -> Response:
    if asked.silent:
        raise RemitError("login_required", "The person is not signed in.", "Ask without prompt=none.")
    return RedirectResponse(f"/signin?{urlencode({'next': f'{HERE}?{raw}'})}", 303, headers=NO_STORE)


def _back(site: Site, uri: str, state: str, said: dict[str, str]) -> Response:
    """Send the browser back to the client, with `iss` (RFC 9207) and its own `state`."""
    return RedirectResponse(_address(site, uri, state, said), 303, headers=NO_STORE)


def _address(site: Site, uri: str, state: str, said: dict[str, str]) -> str:
    told = said | ({"state": state} if state else {}) | {"iss": site.authority.issuer}
    joint = "&" if "?" in uri else "?"
    return f"{uri}{joint}{urlencode(told)}"


def _page(why: str, remedy: str) -> RemitError:
    """An error that is shown here, since nobody could be trusted to be sent to."""
    return RemitError("authorize_refused", why, remedy)

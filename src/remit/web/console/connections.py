"""`/console/connections`: accounts that a person connects at providers, once, and ends again.

What is under way stands in a sealed cookie of the browser that began it, bound to the person, their session and the
provider: an answer that another person's browser, another session or another provider brings opens nothing.
"""

import base64
import hmac
from typing import Any, Final

import anyio
import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from remit.control import connection as connections
from remit.control import resource as resources
from remit.control.change import Change
from remit.control.ladder import standing
from remit.core import ids
from remit.core.canonical import b64
from remit.core.client import origin
from remit.core.connection import Connection
from remit.core.errors import RemitError
from remit.core.resource import Resource
from remit.core.shown import shown as inert
from remit.custody.secret import Secret
from remit.custody.sources.connecting import Given, Way, asks, lasting, redeem, way
from remit.store import payload
from remit.web.console.enter import shown
from remit.web.console.owed import Owed, Owing
from remit.web.console.page import page
from remit.web.console.person import Signed, person_of, posted, secure, signed
from remit.web.intake import one_of
from remit.web.problem import NO_STORE
from remit.web.site import Site

HERE: Final = "/console/connections"
UNDER_WAY_MS: Final = 10 * 60_000
LONGEST: Final = 8192
_WRAP: Final = "connecting"


class UnderWay(msgspec.Struct, frozen=True):
    """A connection that was begun: by whom, in which session, at which provider, with which values of this one try."""

    person: str
    session: str
    resource: str
    token: str
    state: str
    verifier: str
    until: int


def routes(site: Site) -> list[Route]:
    """The page, its two buttons, and where a provider leads back to."""
    owed = Owed(site)

    async def show(request: Request) -> Response:
        if person_of(site, request) is None and any(one.sign_in for one in site.settings.issuers):
            return RedirectResponse(f"/signin?next={HERE}", 303, headers=NO_STORE)
        who = signed(site, request)
        places = _places(site)
        leads = " ".join(sorted({origin(one.authorize) for _, one in places}))
        return page("connections", leads=leads, word=who.word, places=told(site, who, places))

    async def begin(request: Request) -> Response:
        who, form = await posted(site, request)
        place, one = _place(site, one_of(form, "resource"))
        _free(site.reader().where(Connection, "person = ?", (who.person.id,)), place.name)
        state, verifier = (b64(site.authority.random(32)) for _ in range(2))
        until = site.now() + UNDER_WAY_MS
        kept = UnderWay(who.person.id, who.session.id, place.name, one.token, state, verifier, until)
        where = asks(one, redirect=back_to(site, place.name), state=state, verifier=verifier)
        answer = RedirectResponse(where, 303, headers=NO_STORE)
        sealed = b64(site.authority.vault.wrap(_WRAP, msgspec.json.encode(kept)))
        answer.set_cookie(
            _cookie(site, state), sealed, UNDER_WAY_MS // 1000, path="/", secure=secure(site), httponly=True,
            samesite="lax",
        )  # fmt: skip
        return answer

    async def back(request: Request) -> Response:
        who = signed(site, request)
        said = {name: value for name, value in request.query_params.multi_items() if len(value) <= LONGEST}
        cookie = _cookie(site, said.get("state", ""))
        begun = _begun(site, who, request.cookies.get(cookie, ""), request.path_params["resource"], said)
        await _finish(site, owed, who, begun, said)
        answer = RedirectResponse(HERE, 303, headers=NO_STORE)
        answer.delete_cookie(cookie, path="/", secure=secure(site), httponly=True, samesite="lax")
        return answer

    async def end(request: Request) -> Response:
        who, form = await posted(site, request)
        identity = ids.parse("cnx", one_of(form, "connection"))

        def work(change: Change) -> None:
            who.enter(change)
            one = change.reader.get(Connection, identity)
            if one is None or one.person != who.person.id:
                raise RemitError("not_found", "There is no such connection of yours.", "Read the page again.")
            connections.end(change, one.id, who.person.id, "ended by the person")

        await site.act(who.person.id, work)
        return RedirectResponse(HERE, 303, headers=NO_STORE)

    return [
        Route(HERE, shown(show), methods=["GET"]),
        Route(f"{HERE}/begin", shown(begin), methods=["POST"]),
        Route(f"{HERE}/back/{{resource}}", shown(back), methods=["GET"]),
        Route(f"{HERE}/end", shown(end), methods=["POST"]),
    ]


def back_to(site: Site, resource: str) -> str:
    """Where a provider leads back to: an address of its own for each resource (RFC 9700 section 4.4.2.2)."""
    return f"{site.authority.issuer}{HERE}/back/{resource}"


def told(site: Site, who: Signed, places: list[tuple[Resource, Way]]) -> list[dict[str, Any]]:
    """Each place where this person can connect an account, or has."""
    mine: dict[str, Connection] = {}
    for one in site.reader().where(Connection, "person = ? AND state <> 'gone'", (who.person.id,)):
        if one.resource not in mine or one.state == "live":
            mine[one.resource] = one
    names = {place.name: (how.place, how.scopes) for place, how in places}
    reader = site.reader()
    targets = {name: reader.get(Resource, name) for name in {*names, *mine}}
    stands = {name: standing(site.authority, one) for name, one in targets.items() if one is not None}
    return [
        {
            "name": name,
            "provider": inert(names[name][0]) if name in names else "",
            "asked": [inert(scope) for scope in names[name][1]] if name in names else [],
            "own": mine.get(name),
            "scopes": [inert(scope) for scope in mine[name].scopes] if name in mine else [],
            "rung": place.rung if (place := stands.get(name)) else "",
            "does": inert(place.does) if place else "",
        }
        for name in sorted({*names, *mine})
    ]


def _places(site: Site) -> list[tuple[Resource, Way]]:
    """The resources where people connect by themselves."""
    found = [
        (one, way(one.minting.settings))
        for one in site.reader().where(Resource, "state = 'active'")
        if one.minting is not None and one.minting.kind == "oauth"
    ]
    return [(one, how) for one, how in found if how is not None]


def _place(site: Site, name: str) -> tuple[Resource, Way]:
    """The resource that is meant, and how people connect there (`not_found`)."""
    for one, how in _places(site):
        if one.name == name:
            return one, how
    raise RemitError("not_found", "No account is connected there.", "Read the page again.")


def _cookie(site: Site, state: str) -> str:
    """One cookie for each try, so that two windows do not undo each other."""
    word = "".join(one for one in state[:8] if one.isalnum())
    return f"__Host-remit-connect-{word}" if secure(site) else f"remit-connect-{word}"


def _begun(site: Site, who: Signed, kept: str, resource: str, said: dict[str, str]) -> UnderWay:
    """What this very person began in this very session with this state, for this resource (`connection_refused`)."""
    try:
        data = site.authority.vault.unwrap(_WRAP, base64.urlsafe_b64decode(kept + "=" * (-len(kept) % 4)))
        found = msgspec.json.decode(data or b"", type=UnderWay)
    except (ValueError, msgspec.MsgspecError) as fault:
        raise _refused("This browser did not begin it.") from fault
    if not hmac.compare_digest(found.state.encode(), said.get("state", "").encode()) or site.now() >= found.until:
        raise _refused("It was begun elsewhere, or too long ago.")
    if (found.person, found.session, found.resource) != (who.person.id, who.session.id, resource):
        raise _refused("It was begun by somebody else, or for something else.")
    return found


async def _finish(site: Site, owed: Owed, who: Signed, begun: UnderWay, said: dict[str, str]) -> None:
    """Turn the code into what the person gave, at the provider that was asked and at no other, and record it."""
    place, one = _place(site, begun.resource)
    if one.token != begun.token:
        raise _refused("The operator has set another provider meanwhile.")
    if said.get("iss", None if one.names else one.issuer) != one.issuer:
        raise _refused("The answer is from another provider.")
    if "error" in said or not said.get("code"):
        raise _refused("The provider said no.")
    secret, redirect = _secret(site, place), back_to(site, place.name)

    def ask() -> Given:
        return redeem(one, secret, code=said["code"], redirect=redirect, verifier=begun.verifier)

    with anyio.CancelScope(shield=True):
        # From here on there is a token: it is kept or given back, whatever becomes of the request and of the record.
        given = await anyio.to_thread.run_sync(ask)
        try:
            token = await anyio.to_thread.run_sync(lasting, one, secret, given)
            await site.act(who.person.id, lambda change: _kept(change, who, begun, token, given.scopes))
        except BaseException:
            await owed.back(Owing(place, one, secret, given, who.person.id))
            raise


def _secret(site: Site, place: Resource) -> Secret:
    """What proves us at the provider of this resource."""
    name = place.minting.secret if place.minting else ""
    return site.authority.lending.get(resources.SECRETS, name)


def _kept(change: Change, who: Signed, begun: UnderWay, token: Secret, scopes: tuple[str, ...]) -> None:
    """Record the connection, once for each try, while the person and their session still stand."""
    change.keep()
    if not payload.spend(change.db, "connecting", begun.state, begun.until):
        raise _refused("This answer was used before.")
    who.enter(change)
    _free(change.reader.where(Connection, "person = ?", (who.person.id,)), begun.resource)
    person = who.person.id
    connections.connect(change, person=person, resource=begun.resource, token=token, scopes=scopes, by=person)


def _free(mine: Any, resource: str) -> None:
    """Refuse a second connection beside one that the provider still knows: the end of one may be the end of both."""
    if any(one.resource == resource and one.state != "gone" for one in mine):
        raise RemitError(
            "connection_live",
            "This account is connected already, or its end is not proven yet.",
            "End it first, then connect it anew.",
        )


def _refused(why: str) -> RemitError:
    return RemitError("connection_refused", f"Nothing was connected. {why}", "Begin again from your connections.")

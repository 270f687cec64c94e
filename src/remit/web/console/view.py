"""Who looks at a page of the console: a person who signed in, or the operator."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from remit.core.errors import RemitError
from remit.core.task import Task
from remit.store import approval, payload
from remit.web.console import enter
from remit.web.console.page import at_address
from remit.web.console.person import Signed, person_of
from remit.web.problem import NO_STORE, Endpoint
from remit.web.site import Site


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: a person, or the operator when `signed` is None; and the word that their forms carry."""

    signed: Signed | None
    word: str

    @property
    def person(self) -> str:
        """The person's id; empty for the operator."""
        return self.signed.person.id if self.signed else ""

    def sees(self, task: Task | None) -> bool:
        """Say whether a task is theirs to see: the operator sees all, a person what they asked for or stand behind."""
        return task is not None and (not self.signed or self.person in (task.requester, task.person))


def viewer(site: Site, request: Request) -> Viewer:
    """Who looks at this page (`unauthenticated`). Any page may lead here; nothing is done by looking."""
    at_address(site, request)
    signed = person_of(site, request)
    if signed is not None:
        return Viewer(signed, signed.word)
    _, word = enter.session(site, request)
    return Viewer(None, word)


def operators(who: Viewer, instead: str) -> Viewer:
    """The viewer where they are the operator; anybody else is refused, and told what to do `instead` (`forbidden`)."""
    if who.signed:
        raise RemitError("forbidden", "This is for the operator alone.", instead)
    return who


def seen(site: Site, answer: Endpoint) -> Endpoint:
    """A page for whoever is signed in; others are led to sign in first, where people can, and then back."""

    async def asked(request: Request) -> Response:
        try:
            return await answer(request)
        except RemitError as fault:
            ways = any(one.sign_in for one in site.settings.issuers)
            if fault.code != "unauthenticated" or not ways or request.method != "GET":
                raise
            return RedirectResponse(f"/signin?{urlencode({'next': request.url.path})}", 303, headers=NO_STORE)

    return enter.shown(asked)


def told(site: Site, who: Viewer, here: str) -> dict[str, Any]:
    """What every page says above: who looks, where they are, how much waits."""
    view = site.authority.view
    return {
        "viewer": who,
        "here": here,
        "called": name(site, who.person) if who.signed else "operator",
        "waiting": approval.all_waiting(view, site.now()),
        "word": who.word,
        "now": site.now(),
    }


def name(site: Site, person: str) -> str:
    """How a person is called here; their id once that was erased."""
    known = payload.names(site.authority.view, person)
    return known[0][2] if known else person

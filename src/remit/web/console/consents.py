"""`/console/consents`: what a person let agents do for them, and the button that ends it at once."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from remit.control import revocation
from remit.control.change import Change
from remit.core import ids
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.client import Client
from remit.core.consent import Consent
from remit.core.errors import RemitError
from remit.core.shown import shown as inert
from remit.core.task import Task
from remit.web.console.enter import shown
from remit.web.console.page import page
from remit.web.console.person import Signed, person_of, posted, signed
from remit.web.intake import one_of
from remit.web.problem import NO_STORE
from remit.web.site import Site

HERE: Final = "/console/consents"
MOST: Final = 200


def routes(site: Site) -> list[Route]:
    """The page and its button."""

    async def show(request: Request) -> Response:
        if person_of(site, request) is None and any(one.sign_in for one in site.settings.issuers):
            return RedirectResponse(f"/signin?next={HERE}", 303, headers=NO_STORE)
        who = signed(site, request)
        return page("consents", word=who.word, consents=told(site, who))

    async def end(request: Request) -> Response:
        who, form = await posted(site, request)
        identity = ids.parse("con", one_of(form, "consent"))

        def work(change: Change) -> None:
            who.enter(change)
            one = change.reader.get(Consent, identity)
            if one is None or one.person != who.person.id:
                raise RemitError("not_found", "There is no such consent of yours.", "Read the page again.")
            if one.state == "live":
                revocation.revoke(change, "consent", one.id, who.person.id, "withdrawn by the person")

        await site.act(who.person.id, work)
        return RedirectResponse(HERE, 303, headers=NO_STORE)

    return [
        Route(HERE, shown(show), methods=["GET"]),
        Route(f"{HERE}/end", shown(end), methods=["POST"]),
    ]


def told(site: Site, who: Signed) -> list[dict[str, Any]]:
    """Each consent of this person, what still counts first, the newest before the older."""
    reader, now = site.reader(), site.now()
    found: list[dict[str, Any]] = []
    for one in reader.where(Consent, "person = ?", (who.person.id,)):
        task, agent = reader.get(Task, one.task), reader.get(Agent, one.agent)
        client, brief = reader.get(Client, one.client), reader.get(Brief, one.brief)
        live = one.state == "live" and task is not None and task.state != "ended" and now < one.until
        found.append(
            {
                "id": one.id,
                "agent": agent.name if agent else one.agent,
                "client": inert(client.name, 100) if client else one.client,
                "brief": inert(brief.purpose) if brief else one.brief,
                "at": one.at,
                "until": one.until,
                "live": live,
                "state": "withdrawn" if one.state != "live" else "open" if live else "ended",
            }
        )
    found.sort(key=lambda each: (each["live"], each["at"]), reverse=True)
    return found[:MOST]

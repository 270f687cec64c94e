"""`/console/leases`: the ladder that targets stand on, what could not be proven dead, and what was minted for tasks."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.control import connection as connections
from remit.control import ladder
from remit.control import lease as leases
from remit.control.ladder import Standing
from remit.core.agent import Agent
from remit.core.lease import Lease
from remit.core.shown import shown as inert
from remit.core.task import Task
from remit.custody.source import Rung
from remit.store import lease as store
from remit.store.record import Reader
from remit.web.console.page import page
from remit.web.console.view import Viewer, seen, told, viewer
from remit.web.intake import query
from remit.web.site import Site

HOME: Final = "/console/leases"
MOST: Final = 50
"""How many leases one page shows."""
INCIDENTS: Final = 100
MEANS: Final = {
    Rung.PER_TASK: "one for each task and path, with the rights of its plan, dropped with it",
    Rung.SHORT: "one for each task, which the target ends by itself and cannot take back before",
    Rung.BROKERED: "one standing secret that is put in after the decision; no agent holds it",
    Rung.STATIC: "the agent holds a secret: outside governance; remit scan finds these",
}


def routes(site: Site) -> list[Route]:
    """The page, for the operator; a person sees the leases of the tasks that act for them."""

    async def show(request: Request) -> Response:
        who = viewer(site, request)
        asked = query(request, "after", "task", "all")
        return page("leases", **told(site, who, "leases"), **_about(site, who, asked))

    return [Route(HOME, seen(site, show), methods=["GET"])]


def _about(site: Site, who: Viewer, asked: dict[str, str]) -> dict[str, Any]:
    """All that the page says, read now."""
    reader, every = site.reader(), asked.get("all") == "yes"
    task, after = asked.get("task", ""), asked.get("after", "")
    found = store.page(reader, after, MOST + 1, task=task, person=who.person, over=every)
    wrong = [one for one in leases.incidents(reader) if _sees(reader, who, one)][:INCIDENTS]
    shown = found[:MOST]
    places = ladder.of_leases(site.authority, reader, [*wrong, *shown])
    more = shown[-1].id if len(found) > MOST else ""
    return {
        "ladder": rungs(ladder.ladder(site.authority, reader)) if not who.signed else [],
        "incidents": [_row(reader, one, places[one.id]) for one in wrong],
        "leaving": [] if who.signed else [
            (one, inert(one.trouble)) for one in connections.leaving(reader) if one.state == "pending"
        ],
        "leases": [_row(reader, one, places[one.id]) for one in shown],
        "every": every,
        "task": inert(task),
        "after": after,
        "more": more,
    }  # fmt: skip


def rungs(found: list[Standing]) -> list[tuple[str, str, list[Standing]]]:
    """Each rung, what it means, and the targets on it; last those whose rung is not known."""
    told_ = [(rung.value, MEANS[rung], [one for one in found if one.rung == rung.value]) for rung in Rung]
    lost = [one for one in found if not one.rung]
    return [*told_, ("not known", "the source cannot be opened", lost)] if lost else told_


def _row(reader: Reader, one: Lease, place: Standing) -> dict[str, Any]:
    """One lease as it is shown. What a target said of it is shown inert."""
    task = reader.get(Task, one.task)
    agent = reader.get(Agent, task.agent) if task else None
    return {
        "lease": one,
        "rung": place.rung or "not known",
        "does": inert(place.does),
        "trouble": inert(one.trouble),
        "agent": agent.name if agent else "",
        "what": (task.purpose or task.brief) if task else one.task,
        "known": task is not None,
    }


def _sees(reader: Reader, who: Viewer, one: Lease) -> bool:
    if not who.signed:
        return True
    task = reader.get(Task, one.task)
    return task is not None and task.person == who.person

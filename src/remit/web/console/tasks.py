"""Tasks: which are open, and of one, in order and live, what was planned, done, asked and refused; and its evidence."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.control.flow import flow as rebuilt
from remit.core import ids
from remit.core.agent import Agent
from remit.core.approval import Approval
from remit.core.canonical import Json
from remit.core.course import Row, course
from remit.core.errors import RemitError
from remit.core.flow_svg import svg
from remit.core.receipt import change, decode
from remit.core.task import Plan, Task
from remit.store import log, payload
from remit.store.apply import flights
from remit.store.facts import last_leaf
from remit.store.record import Reader
from remit.web.api.evidence import attached, taken
from remit.web.console import inert
from remit.web.console.enter import posted
from remit.web.console.page import page
from remit.web.console.view import Viewer, name, seen, told, viewer
from remit.web.site import Site

HOME: Final = "/console/tasks"
MOST: Final = 100
"""How many tasks, and how many calls of one, a page shows."""
LIVE_S: Final = 5
SHORT: Final = 400


def routes(site: Site) -> list[Route]:
    """The addresses of tasks."""

    async def show_all(request: Request) -> Response:
        who = viewer(site, request)
        every = request.query_params.get("all") == "yes"
        return page("tasks", **told(site, who, "tasks"), tasks=listed(site, who, every=every), every=every)

    async def show(request: Request) -> Response:
        who = viewer(site, request)
        one = _found(site, who, request.path_params["id"])
        paused = request.query_params.get("live") == "no"
        live = one.state != "ended" and one.deadline > site.now() and not paused
        more: dict[str, Any] = {"refresh": LIVE_S} if live else {}
        return page("task", **told(site, who, "tasks"), **about(site, one), paused=paused, **more)

    async def flow(request: Request) -> Response:
        who = viewer(site, request)
        one = _found(site, who, request.path_params["id"])
        found = rebuilt(site.reader(), one)
        acts, picture = {act.call: act for act in found.acts}, Markup(svg(found))  # noqa: S704 - it escapes all text
        return page("flow", **told(site, who, "tasks"), task=one, flow=found, acts=acts, picture=picture)

    async def evidence(request: Request) -> Response:
        await posted(site, request)
        return attached(await taken(site, request.path_params["id"]), request.path_params["id"])

    return [
        Route(HOME, seen(site, show_all), methods=["GET"]),
        Route(f"{HOME}/{{id}}", seen(site, show), methods=["GET"]),
        Route(f"{HOME}/{{id}}/flow", seen(site, flow), methods=["GET"]),
        Route(f"{HOME}/{{id}}/evidence", seen(site, evidence), methods=["POST"]),
    ]


def listed(site: Site, who: Viewer, *, every: bool) -> list[tuple[Task, str]]:
    """The tasks that are this viewer's to see, those that were opened last above; each with its agent's name."""
    reader = site.reader()
    where = "1 = 1" if every else "state <> 'ended'"
    found = [one for one in reader.where(Task, where) if who.sees(one)]
    found.sort(key=lambda one: (-one.opened, one.id))
    return [(one, _agent(reader, one)) for one in found[:MOST]]


def about(site: Site, one: Task) -> dict[str, Any]:
    """All that the page of a task says, read now."""
    reader = site.reader()
    rows, more = _rows(reader, one)
    plan = reader.get(Plan, f"{one.id}:{one.plan}")
    done = Counter((row.title, row.path) for row in rows if row.what in ("done", "open"))
    counts = Counter(row.what for row in rows if row.call)
    return {
        "task": one,
        "agent": _agent(reader, one),
        "people": {who: name(site, who) for who in (one.requester, one.person) if who},
        "steps": [(step, done[step.action, step.path.value]) for step in plan.steps] if plan else [],
        "rows": rows,
        "more": more,
        "counts": counts,
        "blended": one.blended > 0,
        "below": list(reader.where(Task, "parent = ?", (one.id,), MOST)),
        "values": {row.call: _values(reader, row.call) for row in rows if row.call},
    }


def _rows(reader: Reader, one: Task) -> tuple[list[Row], bool]:
    """The task's newest calls with what became of them, its plans and its asks, oldest first; and if there are more."""
    receipts: list[tuple[int, Mapping[str, Json]]] = []
    leaf = last_leaf(reader, one)
    while leaf >= 0 and len(receipts) < MOST:
        said = decode(next(log.entries(reader.db, leaf, leaf + 1)))
        receipts.append((leaf, said))
        leaf = said["prev"]
    waiting = {each.call for each in flights(reader.db)}
    calls = [_settled(row, waiting) for row in course(reversed(receipts))]
    since = calls[0].at if leaf >= 0 and calls else 0
    own: list[tuple[int, Mapping[str, Json]]] = [
        (-1, change("task.opened", one, one.opened, one.requester)),
        *((-1, change("plan.made", each, each.at, "")) for each in reader.where(Plan, "task = ?", (one.id,))),
    ]
    for each in reader.where(Approval, "task = ?", (one.id,)):
        for number, yes in enumerate(each.yes, 1):
            whole = number == len(each.yes) and each.state == "approved"
            own.append((-1, change(f"approval.{'approved' if whole else 'heard'}", each, yes.at, yes.by)))
        if each.no:
            own.append((-1, change("approval.denied", each, each.answered, each.no)))
    changes = [row for number, said in own for row in course([(number, said)]) if row.at >= since]
    return sorted([*changes, *calls], key=lambda row: (row.at, row.leaf)), leaf >= 0


def _settled(row: Row, waiting: set[str]) -> Row:
    """A call that was allowed is done once it has an outcome; which, its receipt says."""
    return replace(row, what="done", note="") if row.what == "open" and row.call not in waiting else row


def _values(reader: Reader, call: str) -> Any:
    held = payload.get(reader.db, call)
    if held is None:
        return ""
    values = json.loads(held[1])
    text = json.dumps(values, ensure_ascii=False)
    return inert.marked(text if len(text) <= SHORT else f"{text[:SHORT]}…") if values else ""


def _agent(reader: Reader, one: Task) -> str:
    found = reader.get(Agent, one.agent)
    return found.name if found else one.agent


def _found(site: Site, who: Viewer, identity: str) -> Task:
    one = site.reader().get(Task, ids.parse("tsk", identity))
    if one is None or not who.sees(one):
        raise RemitError("not_found", "There is no such task.", f"See the tasks that are yours: {HOME}.")
    return one

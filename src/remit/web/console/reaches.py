"""`/console/reach`: what an agent, a task or a secret could touch if it turned, and what stands between.

Numbers first, in the three views; then the shortest ways, and what all of them go through. For the operator: an answer
names systems, secrets and people of everybody.
"""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.control import reachable
from remit.core.errors import RemitError
from remit.core.reach.amount import number
from remit.core.reach.answer import GAINED, VIEWS, labelled
from remit.core.shown import shown as inert
from remit.web.console.page import page
from remit.web.console.view import operators, seen, told, viewer
from remit.web.intake import query
from remit.web.reaching import Found, one_view
from remit.web.site import Site

HOME: Final = "/console/reach"
MOST: Final = 100
INSTEAD: Final = "Ask the operator what your tasks could reach."
MEANS: Final = {
    "possible": "all that stands, whether it is given now or not",
    "observed": "what decisions allowed so far",
    "now": "what whoever took it over this moment could use at once",
}
TOLD: Final = {
    "sensitive": "sensitive domains", "writable": "can be written", "systems": "systems", "objects": "objects",
    "logins": "logins", "secrets": "secrets", "code": "programs",
}  # fmt: skip
"""What each number is called, the weightiest first."""


def routes(site: Site) -> list[Route]:
    """All agents, and one node."""

    async def show_all(request: Request) -> Response:
        who = operators(viewer(site, request), INSTEAD)
        asked = query(request, "view")
        view = one_view(asked.get("view", ""))
        made, rows = await site.reaching.agents(view)
        listed = [(key, inert(title), _numbers(numbers)) for key, title, numbers in rows]
        return page(
            "reaches", **told(site, who, "reach"), **_views(view), agents=listed[:MOST],
            left=max(0, len(listed) - MOST), notes=[inert(note) for note in made.land.notes],
        )  # fmt: skip

    async def show(request: Request) -> Response:
        who = operators(viewer(site, request), INSTEAD)
        asked = query(request, "of", "view", "without")
        of, view, without = asked.get("of", ""), one_view(asked.get("view", "")), asked.get("without", "")
        found = await site.reaching.of(of, view, without=without)
        views = [(name, MEANS[name], await _in(site, found, name, without)) for name in VIEWS]
        return page("reach", **told(site, who, "reach"), **_views(view), **_about(found, without), views=views)

    return [
        Route(HOME, seen(site, show_all), methods=["GET"]),
        Route(f"{HOME}/of", seen(site, show), methods=["GET"]),
    ]


def _views(view: str) -> dict[str, Any]:
    return {"view": view, "means": MEANS[view], "named": VIEWS}


async def _in(site: Site, found: Found, view: str, without: str) -> list[tuple[str, int]] | None:
    """The numbers of the same node in another view; None when it is not there."""
    if view == found.made.land.view:
        return _numbers(found.answer.numbers)
    try:
        there = await site.reaching.of(found.answer.graph.keys[found.answer.start], view, without=without, brief=True)
    except RemitError as fault:
        if fault.code != "reach_unknown":
            raise
        return None
    return _numbers(there.answer.numbers)


def _about(found: Found, without: str) -> dict[str, Any]:
    """All that the page says of the answer. What targets and operators wrote is shown inert."""
    one, land = found.answer, found.made.land
    graph = one.graph
    start = graph.keys[one.start]
    chokes = [
        (_node(graph, each.node), [(TOLD[name], each.gain[name]) for name in GAINED if each.gain[name]])
        for each in one.chokes or ()
    ]
    return {
        "of": start,
        "kind": graph.kind(one.start),
        "title": inert(graph.title(one.start)),
        "without": inert(without),
        "before": _numbers(found.whole.numbers) if found.whole else None,
        "people": number(one.bound.people),
        "money": [(inert(name), most) for name, most in one.money().items()],
        "systems": [inert(name) for name in one.bound.systems],
        "paths": [[(_node(graph, node), inert(by)) for node, by in labelled(graph, path)] for path in one.paths],
        "chokes": chokes,
        "long": one.chokes is None,
        "surveys": reachable.ages(land.surveys, land.now),
        "notes": [inert(note) for note in land.notes],
        "unknown": [inert(note) for note in reachable.unknown(one, land.surveys)],
    }


def _node(graph: Any, node: int) -> dict[str, str]:
    return {"key": graph.keys[node], "title": inert(graph.title(node)), "kind": graph.kind(node)}


def _numbers(numbers: dict[str, int]) -> list[tuple[str, int]]:
    return [(said, numbers[name]) for name, said in TOLD.items()]

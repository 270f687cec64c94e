"""`/console/reviews`: what was put forward, what each thing gives and rests on; approved or refused by the operator.

Nothing that is shown here can be used before an answer. An answer is bound to the digest of what was shown, and is
decided by the same rules as at the command line and over HTTP.
"""

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from remit.control import review
from remit.control.change import Change
from remit.core import ids
from remit.core.agent import Agent
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.observed import DAY
from remit.core.resource import Resource
from remit.core.review import EVERY, NOUNS, Review
from remit.core.review import MOST as THINGS
from remit.core.review import told as members
from remit.store.record import Reader
from remit.web.bearer import OPERATOR
from remit.web.console import enter, inert
from remit.web.console.page import page
from remit.web.console.view import name, operators, seen, told, viewer
from remit.web.intake import FIELDS, Form, one_of, query
from remit.web.problem import NO_STORE
from remit.web.site import Site

HOME: Final = "/console/reviews"
MOST: Final = 20
"""How many reviews one page shows."""
LONG: Final = 1_000
"""So many characters stand in a box of their own, which scrolls."""
NEXT: Final = {"30": "in 30 days", "90": "in 90 days", "180": "in half a year", "365": "in a year"}
"""When approved agents must be looked at again, in days."""
INSTEAD: Final = "Ask the operator: they answer what was put forward."
MEANS: Final = {
    "resource": "Servers that agents may then be given. Tools are pinned by a person who sees them (remit resource"
    " repin NAME --yes); until then each call is refused.",
    "agent": "Each may then have tasks, within its ceiling less what is refused, until its next review.",
    "brief": "What tasks of an agent may do, at most. Its owner opens them.",
}


def routes(site: Site) -> list[Route]:
    """All reviews, one, and its buttons."""

    async def show_all(request: Request) -> Response:
        who = operators(viewer(site, request), INSTEAD)
        asked = query(request, "after", "all")
        every = asked.get("all") == "yes"
        found, more = _listed(site, asked.get("after", ""), every=every)
        return page("reviews", **told(site, who, "reviews"), found=found, more=more, every=every)

    async def show(request: Request) -> Response:
        who, asked = operators(viewer(site, request), INSTEAD), query(request, "said")
        said = "Your answer is recorded." if asked.get("said") == "yes" else ""
        return page("review", **told(site, who, "reviews"), **_about(site, _found(site, request)), said=said)

    async def say(request: Request) -> Response:
        who = operators(viewer(site, request), INSTEAD)
        _, asked = await enter.posted(site, request, FIELDS + THINGS)
        identity, digest = _found(site, request).id, one_of(asked, "shown")
        (yes, no), days = _words(asked), _days(asked)

        def work(change: Change) -> tuple[Review, dict[str, str]]:
            due = Instant(change.now + days * DAY)
            return review.answer(
                change, identity, OPERATOR, approve=yes, refuse=no, digest_shown=digest, review_due=due
            )

        done, left = await site.act(OPERATOR, work)
        if not left:
            return RedirectResponse(f"{HOME}/{identity}?said=yes", 303, headers=NO_STORE)
        said = "Your answer is recorded. What could not be in force yet stays proposed, with why."
        return page("review", **told(site, who, "reviews"), **_about(site, done, left), said=said)

    return [
        Route(HOME, seen(site, show_all), methods=["GET"]),
        Route(f"{HOME}/{{id}}", seen(site, show), methods=["GET"]),
        Route(f"{HOME}/{{id}}", seen(site, say), methods=["POST"]),
    ]


def open_now(site: Site) -> list[tuple[Review, list[str]]]:
    """The reviews of which something waits, the oldest first, each with what waits; as many as one page shows."""
    return _listed(site, "", every=False)[0]


def _listed(site: Site, after: str, *, every: bool) -> tuple[list[tuple[Review, list[str]]], str]:
    reader, view = site.reader(), site.authority.view
    which = "id > ?" if every else "id > ? AND state = 'open'"
    found = list(reader.where(Review, which, (after,), MOST + 1))
    among = review.proposed(reader) if found else {}
    waits = [(one, list(review.waiting(reader, one, review.shown(view, one), among))) for one in found[:MOST]]
    mine = sorted((pair for pair in waits if every or pair[1]), key=lambda pair: (pair[0].at, pair[0].id))
    return mine, found[MOST - 1].id if len(found) > MOST else ""


def _words(asked: Form) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a pressed button approves and refuses: all that waits, or exactly what is ticked, each by NOUN/NAME."""
    do, ticked = one_of(asked, "do"), tuple(key for key in asked if "/" in key)
    word, whole = do.removesuffix("-all"), do.endswith("-all")
    if word not in ("approve", "refuse"):
        raise RemitError("member_invalid", "This is no answer.", "Press a button of the page.")
    if whole == bool(ticked):
        what = "Some are ticked, and this was the button for all." if whole else "Nothing is ticked."
        raise RemitError("member_invalid", what, "Go back: tick what you answer, or tick nothing to answer all of it.")
    which = (EVERY,) if whole else ticked
    return (which, ()) if word == "approve" else ((), which)


def _days(asked: Form) -> int:
    found = one_of(asked, "next")
    if found not in NEXT:
        raise RemitError("member_invalid", "This is no time of the next review.", "Choose one that the page offers.")
    return int(found)


def _found(site: Site, request: Request) -> Review:
    one = site.reader().get(Review, ids.parse("rvw", request.path_params["id"]))
    if one is None:
        raise RemitError("not_found", "There is no such review.", f"See those that wait: {HOME}.")
    return one


def _about(site: Site, one: Review, left: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All that the page says, read now. A stranger's files wrote most of it: each value is shown inert, and whole."""
    reader, body = site.reader(), review.shown(site.authority.view, one)
    waits = review.waiting(reader, one, body, review.proposed(reader))
    states = _states(reader) if body is not None else {}
    answers = {item.key: item.answer for item in one.items}
    called = functools.cache(functools.partial(name, site))
    things = [_thing(each, called, states) for each in body["items"]] if body is not None else []
    for each in things:
        key = each["key"]
        each["waits"], each["why"] = key in waits, inert.marked((left or {}).get(key, ""))
        each["state"] = answers[key] or ("proposed" if key in waits else "moved meanwhile")
    return {
        "one": one,
        "by": called(one.by),
        "gone": body is None,
        "waits": len(waits),
        "groups": [(noun, MEANS[noun], [each for each in things if each["noun"] == noun]) for noun in NOUNS],
        "odd": any("<mark" in value for each in things for _, values, _ in each["rows"] for value in values),
        "next": NEXT,
    }


def _thing(said: Mapping[str, Json], called: Callable[[str], str], states: Mapping[str, str]) -> dict[str, Any]:
    """One thing as it is shown: what it gives, and what it rests on with how that stands now."""
    found = members(said, called)
    if "rests on" in found:
        found["rests on"] = [f"{key}, {states.get(key, 'not registered')}" for key in found["rests on"]]
    return {
        "key": f"{said['noun']}/{said['name']}",
        "noun": said["noun"],
        "name": said["name"],
        "rows": [(label, [inert.marked(value) for value in values], _long(values)) for label, values in found.items()],
        "lacks": bool(said.get("lacks")),
        "whole": json.dumps(said, indent=2, ensure_ascii=True),
    }


def _long(values: list[str]) -> int:
    """How many characters these are, where they would push what follows out of sight; else 0."""
    count = sum(map(len, values))
    return count if count > LONG else 0


def _states(reader: Reader) -> dict[str, str]:
    """How each agent and resource stands now, by key."""
    agents = {f"agent/{one.name}": one.state for one in reader.where(Agent)}
    return agents | {f"resource/{one.name}": one.state for one in reader.where(Resource)}

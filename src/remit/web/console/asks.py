"""What waits for people: the list, one ask with everything that is bound, and the answer of a signed-in person."""

import functools
import json
from collections.abc import Iterable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from remit.control import approval
from remit.control.change import Change
from remit.core import ids
from remit.core.approval import Answers, Approval, answers
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.resource import split
from remit.core.task import Task
from remit.store import payload
from remit.web.console import inert
from remit.web.console.page import page
from remit.web.console.person import posted
from remit.web.console.view import Viewer, name, seen, told, viewer
from remit.web.intake import one_of
from remit.web.problem import NO_STORE
from remit.web.site import Site

HOME: Final = "/console/approvals"
MOST: Final = 200
"""How many asks are looked at for one list."""
TIRED: Final = (8, 4_000)
"""So many answers in the last hour, all of them yes, in this many ms in the middle: somebody no longer reads."""
HOUR: Final = 3_600_000


def routes(site: Site) -> list[Route]:
    """The addresses of what waits for people."""

    async def show_all(request: Request) -> Response:
        who = viewer(site, request)
        said = request.query_params.get("said", "")
        return page(
            "approvals", **told(site, who, "approvals"), groups=grouped(site, who),
            said=said if said in ("yes", "no") else "", tired=tired(site, who),
        )  # fmt: skip

    async def show(request: Request) -> Response:
        who = viewer(site, request)
        one = _found(site, who, request.path_params["id"])
        alike = [each for each in _like(site, one) if each.id != one.id]
        cards = await site.act(who.person or "operator", lambda c: [_shown(c, each, who) for each in (one, *alike)])
        mine, others = cards[0], [each for each in cards[1:] if each["card"] and not each["why"]]
        return page("approval", **told(site, who, "approvals"), ask=mine, alike=others, call=_names(site, mine["card"]))

    async def say(request: Request) -> Response:
        who, asked = await posted(site, request)
        word, because = one_of(asked, "answer"), asked.get("because", [""])[0].strip()[:500]
        shown = {given: held[0] for given, held in asked.items() if given.startswith("apr_")}
        if word not in ("yes", "no") or not shown:
            raise RemitError("member_invalid", "This is no answer.", "Say yes or no to what is shown.")

        def work(change: Change) -> None:
            who.enter(change)
            answer = functools.partial(approval.answer, change, by=who.person.id, yes=word == "yes", via="console")
            for identity, digest in shown.items():
                answer(ids.parse("apr", identity), shown=digest, because=because)

        await site.act(who.person.id, work)
        return RedirectResponse(f"{HOME}?said={word}", 303, headers=NO_STORE)

    return [
        Route(HOME, seen(site, show_all), methods=["GET"]),
        Route(HOME, seen(site, say), methods=["POST"]),
        Route(f"{HOME}/{{id}}", seen(site, show), methods=["GET"]),
    ]


def grouped(site: Site, who: Viewer) -> list[dict[str, Any]]:
    """What waits, like asks of one task as one, those that end first above."""
    reader, now = site.reader(), site.now()
    found = list(reader.where(Approval, "state = 'pending' AND until > ?", (now,), MOST))
    groups: dict[tuple[object, ...], list[Approval]] = {}
    for one in found:
        task = reader.get(Task, one.task)
        if task is not None and task.state == "open" and sees(site, who, one):
            groups.setdefault(_kind(one), []).append(one)
    for ones in groups.values():
        ones.sort(key=lambda one: (one.asked, one.id))
    return [_group(site, ones, now) for ones in sorted(groups.values(), key=lambda ones: (ones[0].until, ones[0].id))]


def sees(site: Site, who: Viewer, one: Approval) -> bool:
    """The operator sees all; a person what a group of theirs is asked, and what their own tasks ask."""
    groups = set(who.signed.person.groups) if who.signed else set(one.groups)
    return bool(groups & set(one.groups)) or who.sees(site.reader().get(Task, one.task))


def tired(site: Site, who: Viewer) -> Answers | None:
    """How the person answered in the last hour, when it looks as if they no longer read."""
    if not who.signed:
        return None
    since = site.now() - HOUR
    recent = site.reader().where(Approval, "until > ?", (since,), MOST * 5)
    told = [each for each in answers(one for one in recent if one.answered > since) if each.person == who.person]
    most, fast = TIRED
    return next((one for one in told if one.answers >= most and one.yes == one.answers and one.median < fast), None)


def _kind(one: Approval) -> tuple[object, ...]:
    return one.task, one.action, one.groups, one.about


def _like(site: Site, one: Approval) -> list[Approval]:
    """The asks of the same task for the same action that wait as well."""
    where, values = "task = ? AND action = ? AND state = 'pending'", (one.task, one.action)
    found = [each for each in site.reader().where(Approval, where, values, MOST) if _kind(each) == _kind(one)]
    return sorted(found, key=lambda each: (each.asked, each.id))


def _group(site: Site, ones: list[Approval], now: Instant) -> dict[str, Any]:
    held = [payload.get_card(site.authority.view, one.call) for one in ones]
    cards = [json.loads(one) for one in held if one]
    first = cards[0] if cards else {}
    return {
        "one": ones[0],
        "count": len(ones),
        "until": min(one.until for one in ones),
        "left": _left(min(one.until for one in ones) - now),
        "agent": first.get("agent", {}).get("name", ""),
        "brief": first.get("brief", {}).get("purpose", ""),
        "path": first.get("path", ""),
        "tool": _tool(ones[0]),
        "values": [inert.value(one.get("arguments", one.get("shape", one.get("plan")))) for one in cards[:3]],
    }


def _shown(change: Change, one: Approval, who: Viewer) -> dict[str, Any]:
    """An ask as it is shown: its card put together anew, its digest, and why this person cannot answer, if so."""
    now_is = change.need(Approval, one.id)
    card, digest = approval.show(change, now_is)
    why = ""
    if not now_is.waits(change.now):
        why = "This is over."
    elif card is None or digest != now_is.shown:
        why = "What it asked about is not so any more: it is void."
    elif not who.signed:
        why = f"You are here as the operator. A person of {' or '.join(one.groups)} answers, signed in as themselves."
    else:
        why = approval.cannot(change, now_is, who.person)
    held = card or {}
    return {
        "one": now_is,
        "card": card,
        "digest": digest,
        "why": why,
        "left": _left(now_is.until - change.now),
        "tool": _tool(now_is),
        "values": {key: inert.value(value) for key, value in _values(held)},
        "odd": any(inert.odd(value) for _, value in _values(held)),
        "whole": json.dumps(card, indent=2, ensure_ascii=True),
    }


def _values(card: dict[str, Json]) -> Iterable[tuple[str, Json]]:
    """What a card is about, value by value: a call's arguments, their shapes, or a plan's steps."""
    for member in ("arguments", "shape"):
        held = card.get(member)
        if isinstance(held, dict):
            inner = held.get("object", held) if member == "shape" else held
            yield from inner.items()
    for number, step in enumerate(card.get("plan") or [] if isinstance(card.get("plan"), list) else []):
        marks = "widened" if number in card["widened"] else "new" if number in card["added"] else "as before"
        yield f"{number + 1} ({marks})", step


def _names(site: Site, card: dict[str, Json] | None) -> dict[str, str]:
    """How the people on a card are called; names lie beside what is bound, and can be erased."""
    held = card or {}
    people = (held.get("person"), held.get("requester"), held.get("agent", {}).get("owner"))
    return {one: name(site, one) for one in people if one}


def _tool(one: Approval) -> str:
    return split(one.action)[1] if one.about == "call" else f"a new {one.about}"


def _left(ms: int) -> str:
    """How long that is, in one unit."""
    for unit, long in (("day", 86_400_000), ("hour", HOUR), ("minute", 60_000), ("second", 1_000)):
        if ms >= long:
            return f"{ms // long} {unit}{'s' if ms >= 2 * long else ''}"
    return "no time"


def _found(site: Site, who: Viewer, identity: str) -> Approval:
    one = site.reader().get(Approval, ids.parse("apr", identity))
    if one is None or not sees(site, who, one):
        raise RemitError("not_found", "There is no such approval.", f"See what waits for you: {HOME}.")
    return one

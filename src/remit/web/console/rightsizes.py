"""`/console/rightsize`: what briefs give against what was used of them; narrower ones answered, applied, taken back.

People of the groups that are asked answer exactly what they were shown; the operator applies it and takes it back.
"""

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from remit.control import rightsize as sizes
from remit.control.change import Change
from remit.core import ids
from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.entitled import entitled
from remit.core.errors import RemitError
from remit.core.record import load
from remit.core.resource import Resource
from remit.core.rightsize import Rightsize, differences
from remit.core.shown import shown as plain
from remit.web.bearer import OPERATOR
from remit.web.console import enter, inert
from remit.web.console.page import page
from remit.web.console.person import person_of, posted
from remit.web.console.view import Viewer, name, seen, told, viewer
from remit.web.intake import one_of, query
from remit.web.problem import NO_STORE
from remit.web.rereading import fails
from remit.web.site import Site

HOME: Final = "/console/rightsize"
MOST: Final = 50
"""How many proposals one page shows."""
CALLS: Final = 50
"""How many calls that would fail a page names."""
COUNTS: Final = {
    "allowed": "allowed then and under it", "fail": "allowed then, not under it",
    "refused": "refused then and under it", "open": "refused then, allowed under it",
    "erased": "not replayable: erased", "unlike": "not replayable: the ledger lacks what they rested on",
}  # fmt: skip


def routes(site: Site) -> list[Route]:
    """All proposals, one, and its buttons."""

    async def show_all(request: Request) -> Response:
        who, asked = viewer(site, request), query(request, "after")
        found = list(site.reader().where(Rightsize, "id > ?", (asked.get("after", ""),), MOST + 1))
        mine = [one for one in found[:MOST] if sees(who, one)]
        more = found[MOST - 1].id if len(found) > MOST else ""
        return page("rightsizes", **told(site, who, "rightsize"), found=mine, more=more)

    async def show(request: Request) -> Response:
        who = viewer(site, request)
        one = _found(site, who, request)
        return page("rightsize", **told(site, who, "rightsize"), **_about(site, who, one))

    async def say(request: Request) -> Response:
        if person_of(site, request) is None:
            return await _operators(site, request)
        who, asked = await posted(site, request)
        one = _found(site, Viewer(who, who.word), request)
        word, digest = one_of(asked, "do"), one_of(asked, "shown")
        if word not in ("yes", "no"):
            raise RemitError("member_invalid", "This is no answer.", "Say yes or no to what is shown.")

        def work(change: Change) -> None:
            who.enter(change)
            sizes.answer(change, one.id, who.person.id, yes=word == "yes", digest_shown=digest, via="console")

        await site.act(who.person.id, work)
        return RedirectResponse(f"{HOME}/{one.id}", 303, headers=NO_STORE)

    return [
        Route(HOME, seen(site, show_all), methods=["GET"]),
        Route(f"{HOME}/{{id}}", seen(site, show), methods=["GET"]),
        Route(f"{HOME}/{{id}}", seen(site, say), methods=["POST"]),
    ]


async def _operators(site: Site, request: Request) -> Response:
    """What the operator does with a proposal: put it in force, take it back, or drop it."""
    _, asked = await enter.posted(site, request)
    one, word = _found(site, Viewer(None, ""), request), one_of(asked, "do")
    failing = await fails(site, one) if word == "apply" else 0

    def work(change: Change) -> None:
        if word in ("apply", "anyway"):
            sizes.apply(change, one.id, OPERATOR, anyway=word == "anyway", fails=failing)
        elif word == "rollback":
            sizes.undo(change, one.id, OPERATOR)
        elif word == "drop":
            sizes.drop(change, one.id, OPERATOR)
        else:
            raise RemitError("member_invalid", "This is nothing that can be done.", "Press a button of the page.")

    await site.act(OPERATOR, work)
    return RedirectResponse(f"{HOME}/{one.id}", 303, headers=NO_STORE)


def sees(who: Viewer, one: Rightsize) -> bool:
    """The operator sees all; a person what a group of theirs is asked."""
    return not who.signed or bool(set(one.groups) & set(who.signed.person.groups))


def _found(site: Site, who: Viewer, request: Request) -> Rightsize:
    one = site.reader().get(Rightsize, ids.parse("rsz", request.path_params["id"]))
    if one is None or not sees(who, one):
        raise RemitError("not_found", "There is no such proposal.", f"See those that are yours: {HOME}.")
    return one


def _about(site: Site, who: Viewer, one: Rightsize) -> dict[str, Any]:
    """All that the page says. Values were seen in calls of agents: each is shown inert, and whole."""
    view = site.authority.view
    body, old = sizes.shown(view, one), sizes.before(view, one)
    new = load(Brief, body["brief"]) if body is not None else None
    whole = body is not None and old is not None and new is not None
    return {
        "one": one,
        "counts": [(said, one.counts[each]) for each, said in COUNTS.items() if one.counts[each] or each != "unlike"],
        "people": {each.by: name(site, each.by) for each in one.yes},
        "steps": _steps(body, old, new) if body and old and new else [],
        "more": [(key, inert.value(a), inert.value(b)) for key, (a, b) in differences(old, new).items()]
        if old and new
        else [],
        "failing": [_call(each) for each in body["replay"]["failing"][:CALLS]] if body else [],
        "elsewhere": _texts(site, old, new) if old and new else [],
        "gone": not whole,
        "answers": bool(who.signed) and one.state == "proposed" and whole and who.person not in {y.by for y in one.yes},
        "lacks": one.state == "proposed" and bool(one.groups),
    }


def _steps(body: dict[str, Json], old: Brief, new: Brief) -> list[dict[str, Any]]:
    """Each step that the brief gives, what became of it, and why: granted beside used."""
    notes = {note["step"]: note for note in body["notes"]["steps"]}
    moved = body["moved"]
    found = []
    for number, step in enumerate(old.steps):
        at = moved[number] if number < len(moved) else -1
        after = new.steps[at] if 0 <= at < len(new.steps) else None
        note = notes.get(number, {})
        found.append(
            {
                "action": step.action,
                "path": step.path.value,
                "what": "taken away" if after is None else "as it is" if after == step else "narrowed",
                "given": inert.value(step.to_json().get("arguments", {})),
                "then": inert.value(after.to_json().get("arguments", {})) if after is not None else "",
                "why": [plain(each) for each in note.get("why", ())],
            }
        )
    return found


def _call(said: dict[str, Json]) -> Any:
    return inert.marked(json.dumps(said, ensure_ascii=False))


def _texts(site: Site, old: Brief, new: Brief) -> list[tuple[str, str]]:
    """The same narrowing as other engines would be told it."""
    said = entitled(old, new, site.reader().where(Resource))
    return [(key, json.dumps(value, indent=2, ensure_ascii=True)) for key, value in said.items()]

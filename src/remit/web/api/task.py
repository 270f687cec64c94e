"""`/v1/tasks`: opened by a dispatcher, planned and closed by the agent itself; others' tasks do not exist."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import opening, task
from remit.control.change import Change
from remit.control.drift import drift
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.core.step import Step
from remit.core.task import Plan, Task
from remit.web.api.listing import answer, listed, page, shown
from remit.web.bearer import Caller, caller
from remit.web.intake import json_object, query, text, whole
from remit.web.site import Site

OPENING = ("requester", "person", "parent", "labels", "purpose", "life", "steps", "request")


def routes(site: Site) -> list[Route]:
    """The tasks' addresses."""

    async def show_all(request: Request) -> Response:
        who = await caller(site, request)
        if who.kind == "operator":
            return listed(site, request, Task, "agent", "brief", "person", "state")
        asked = query(request, "after", "limit")
        if who.kind == "person":
            items, following = page(site, Task, asked, person=who.id)
        else:
            items, following = page(site, Task, asked, id=who.task)
        return answer([shown(one) for one in items], following)

    async def show(request: Request) -> Response:
        one = seen(site, await caller(site, request), request)
        plan = site.reader().get(Plan, f"{one.id}:{one.plan}")
        return JSONResponse({**shown(one), "steps": [step.to_json() for step in plan.steps] if plan else []})

    return [
        Route("/v1/tasks", show_all, methods=["GET"]),
        Route("/v1/tasks/{id}", show, methods=["GET"]),
        *_changes(site),
        *_course(site),
    ]


def _changes(site: Site) -> list[Route]:
    async def add(request: Request) -> Response:
        who = (await caller(site, request)).only("operator", "person")
        said = await json_object(request, ("brief", "agent"), OPENING if who.kind == "operator" else OPENING[2:])
        labels = said.get("labels", {})
        if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
            raise RemitError("member_invalid", "labels is an object of texts.", "Correct this member.")

        steps = read_steps(said["steps"]) if "steps" in said else None

        def work(change: Change) -> opening.Opened:
            who.enter(change)
            return opening.begin(
                change,
                brief=text(said, "brief"),
                agent=parse("agt", said["agent"]),
                requester=who.id if who.kind == "person" else text(said, "requester"),
                person=text(said, "person", ""),
                parent=text(said, "parent", ""),
                labels=labels,
                purpose=text(said, "purpose", "", 500),
                life=whole(said, "life"),
                steps=steps,
                request=text(said, "request", "", task.REQUEST),
                by=who.id,
            )

        made = await site.act(who.id, work)
        if made.approval is None:
            return JSONResponse(shown(made.task), 201)
        return JSONResponse({**shown(made.task), "approval": made.approval.id, "until": made.approval.until}, 202)

    async def close(request: Request) -> Response:
        who = await caller(site, request)
        one = seen(site, who, request)
        await json_object(request)

        def work(change: Change) -> list[Task]:
            who.enter(change)
            return task.end(change, one.id, "complete", who.id)

        ended: list[Json] = [gone.id for gone in await site.act(who.id, work)]
        return JSONResponse({"ended": ended})

    return [
        Route("/v1/tasks", add, methods=["POST"]),
        Route("/v1/tasks/{id}/close", close, methods=["POST"]),
    ]


def _course(site: Site) -> list[Route]:
    async def resume(request: Request) -> Response:
        who = (await caller(site, request)).only("operator", "person")
        one = seen(site, who, request)
        if who.kind == "person" and who.id != one.requester:
            raise RemitError("forbidden", "Only who opened this task can resume it.", "Let them do it.")
        await json_object(request)

        def work(change: Change) -> Task:
            who.enter(change)
            return task.resume(change, one.id, who.id)

        return JSONResponse(shown(await site.act(who.id, work)))

    async def history(request: Request) -> Response:
        who = await caller(site, request)
        one = seen(site, who, request)
        items: list[dict[str, Json]] = [asdict(each) for each in drift(site.reader(), one)]
        return answer(items, "")

    return [
        Route("/v1/tasks/{id}/drift", history, methods=["GET"]),
        Route("/v1/tasks/{id}/resume", resume, methods=["POST"]),
    ]


def read_steps(said: Json) -> tuple[Step, ...]:
    """Read the steps of a plan (`plan_invalid`)."""
    if not isinstance(said, list) or not 1 <= len(said) <= 200:
        raise RemitError("plan_invalid", "A plan has 1 to 200 steps.", "Send between 1 and 200 steps.")
    return tuple(Step.from_json(step) for step in said)


def seen(site: Site, who: Caller, request: Request) -> Task:
    """The task that is named, if it is the caller's business (`not_found`)."""
    one = site.reader().get(Task, parse("tsk", request.path_params["id"]))
    if one is None or not who.sees(one):
        raise RemitError("not_found", "There is no such task.", "List your tasks.")
    return one

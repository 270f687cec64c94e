"""`/v1/approvals/{id}/poll`: an agent asks whether people have answered, so that it need not send its call blindly.

In the manner of OpenID CIBA's poll mode: `authorization_pending`, `slow_down`, `access_denied`, `expired_token`. An
approved answer is no permit: the very same call, sent again, is decided anew.
"""

from collections import OrderedDict
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.core import ids
from remit.core.approval import Approval
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.store.approval import used
from remit.web.bearer import caller
from remit.web.intake import json_object
from remit.web.problem import NO_STORE
from remit.web.site import Site

INTERVAL_S: Final = 5
SLOWEST_S: Final = 60
MOST: Final = 10_000
"""How many approvals' polls are remembered at once."""


class Pace:
    """How often each approval is asked after. Owned by one node's web face; who is too fast is slowed down for good."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def interval(self, key: str, now: int) -> tuple[int, bool]:
        """The seconds to leave between polls, and whether this one came too early. Times in milliseconds."""
        before, wait = self._seen.pop(key, (now - 1000 * SLOWEST_S, INTERVAL_S))
        early = now - before < 1000 * wait
        wait = min(wait + INTERVAL_S, SLOWEST_S) if early else wait
        self._seen[key] = now, wait
        if len(self._seen) > MOST:
            self._seen.popitem(last=False)
        return wait, early


def routes(site: Site) -> list[Route]:
    """The address that agents poll."""
    pace = Pace()

    async def poll(request: Request) -> Response:
        who = (await caller(site, request)).only("agent")
        await json_object(request)
        one = site.reader().get(Approval, ids.parse("apr", request.path_params["id"]))
        if one is None or one.task != who.task:
            raise RemitError("not_found", "There is no such approval.", "Poll one that a refusal of yours named.")
        wait, early = pace.interval(f"{who.credential} {one.id}", site.authority.clock.steady())
        if early:
            return _not_yet("slow_down", one, wait)
        state = standing(site, one)
        if state == "pending":
            return _not_yet("authorization_pending", one, wait)
        if state == "approved":
            told: dict[str, Json] = {"approval": one.id, "state": state, "until": one.until}
            return JSONResponse(told, headers=NO_STORE)
        return _said("access_denied" if state == "denied" else "expired_token", one)

    return [Route("/v1/approvals/{id}/poll", poll, methods=["POST"])]


def standing(site: Site, one: Approval) -> str:
    """What became of an ask: pending, approved, denied, void, or expired when its time or its uses are over."""
    over = site.now() >= one.until or used(site.authority.view, one.id) >= one.uses
    return "expired" if over and one.state in ("pending", "approved") else one.state


def _not_yet(error: str, one: Approval, wait: int) -> Response:
    headers = {**NO_STORE, "retry-after": str(wait)}
    return JSONResponse({"error": error, "approval": one.id, "interval": wait}, 400, headers)


def _said(error: str, one: Approval) -> Response:
    return JSONResponse({"error": error, "approval": one.id}, 400, NO_STORE)

"""The witness's small application: `POST /add-checkpoint` and the last cosigned head of each log. C2SP tlog-witness.

A program of its own; nothing of a node is mounted here. Whoever reaches it may submit: the log's signature decides.
"""

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from remit.control.cosigner import TEXT, Cosigner, Reply
from remit.core.errors import RemitError
from remit.ledger.witness import LONGEST

NO_STORE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def build(cosigner: Cosigner) -> Starlette:
    """Build the application. All requests run one after the other on the loop that serves it."""

    async def add(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _told(Reply(400, TEXT, f"A request has at most {LONGEST} bytes.\n".encode()))
        try:
            return _told(cosigner.add(body))
        except RemitError as fault:
            return _told(Reply(503, TEXT, f"{fault.message} [{fault.code}]\n".encode()))

    async def newest(request: Request) -> Response:
        try:
            found = cosigner.newest(request.path_params["digest"])
        except RemitError as fault:
            return _told(Reply(503, TEXT, f"{fault.message} [{fault.code}]\n".encode()))
        return _told(Reply(200, TEXT, found) if found else Reply(404, TEXT, b"No head of this log was cosigned.\n"))

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "alive", "key": cosigner.vkey}, headers=NO_STORE)

    async def figures(_: Request) -> Response:
        head = "# HELP remit_witness_answers_total Requests answered, by status.\n"
        head += "# TYPE remit_witness_answers_total counter\n"
        lines = (
            f'remit_witness_answers_total{{status="{status}"}} {count}\n'
            for status, count in sorted(cosigner.counts.items())
        )
        return PlainTextResponse(head + "".join(lines), headers=NO_STORE)

    return Starlette(
        routes=[
            Route("/add-checkpoint", add, methods=["POST"]),
            Route("/{digest:str}/checkpoint", newest, methods=["GET"]),
            Route("/healthz", alive, methods=["GET"]),
            Route("/metrics", figures, methods=["GET"]),
        ]
    )


async def _body(request: Request) -> bytes | None:
    """Read the request's body; None when it is too long."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            return None
    return body


def _told(reply: Reply) -> Response:
    return Response(reply.body, reply.status, headers={"content-type": reply.kind} | NO_STORE)

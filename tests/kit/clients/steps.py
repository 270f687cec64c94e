"""The steps that each client driver takes, and how it tells them: one JSON object a line on standard output.

`DRIVER URL TOKEN SCRIPT`, where SCRIPT is `{"allowed": {"name", "arguments"}, "denied": {"name", "arguments"}}`. The
steps are connect, list, allowed, denied, then a line is read from standard input, then revoked: the allowed call
again. Each line says `step`; `ok`, that it was answered and not as an error; `isError`, that a tool said so itself;
`text`, which for connect is the negotiated protocol version and for list the tools' names as JSON; and `code`, of a
JSON-RPC error or else an HTTP status. A step that breaks the connection is told as such, and the next one connects
again, as an agent would.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

LIMIT = 20.0


class Session(NamedTuple):
    """An open connection, in the words of no SDK."""

    version: str
    names: Callable[[], Awaitable[list[str]]]
    call: Callable[[str, dict[str, Any]], Awaitable[Any]]


Open = Callable[[str, str], AbstractAsyncContextManager[Session]]


def _tell(step: str, *, ok: bool, text: str, is_error: bool = False, code: int | None = None) -> None:
    sys.stdout.write(json.dumps({"step": step, "ok": ok, "isError": is_error, "text": text, "code": code}) + "\n")
    sys.stdout.flush()


def _cause(fault: BaseException) -> BaseException:
    """The first fault that names a code, else the innermost."""
    while isinstance(fault, BaseExceptionGroup):
        fault = next((f for f in fault.exceptions if _code(_cause(f)) is not None), fault.exceptions[0])
    if _code(fault) is None and (inner := fault.__cause__ or fault.__context__) is not None:
        found = _cause(inner)
        return found if _code(found) is not None else fault
    return fault


def _code(fault: BaseException) -> int | None:
    if isinstance(code := getattr(getattr(fault, "error", None), "code", None), int):
        return code
    status = getattr(getattr(fault, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _failed(step: str, fault: BaseException) -> None:
    cause = _cause(fault)
    _tell(step, ok=False, text=f"{type(cause).__name__}: {cause}", code=_code(cause))


def _answer(step: str, result: Any) -> None:
    is_error = bool(getattr(result, "is_error", getattr(result, "isError", False)))
    text = "\n".join(part.text for part in result.content if getattr(part, "type", "") == "text")
    _tell(step, ok=not is_error, is_error=is_error, text=text)


async def _take(step: str, session: Session, script: dict[str, Any]) -> None:
    if step == "connect":
        _tell(step, ok=True, text=session.version)
    elif step == "list":
        _tell(step, ok=True, text=json.dumps(await session.names()))
    else:
        wanted = script["denied" if step == "denied" else "allowed"]
        _answer(step, await session.call(wanted["name"], wanted["arguments"]))


async def _walk(open_session: Open) -> None:
    url, token, script = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    left = ["connect", "list", "allowed", "denied", "revoked"]
    waited = False
    while left:
        try:
            async with open_session(url, token) as session:
                while left:
                    if left[0] == "revoked" and not waited:
                        await asyncio.to_thread(sys.stdin.readline)
                        waited = True
                    try:
                        await asyncio.wait_for(_take(left[0], session, script), LIMIT)
                    except Exception as fault:  # whatever the SDK throws is what the test is to see
                        if isinstance(fault, asyncio.CancelledError):
                            raise
                        _failed(left[0], fault)
                    left.pop(0)
        except BaseException as fault:  # noqa: BLE001 -- a broken transport surfaces as a cancelled group
            if not left:
                return
            if left[0] == "revoked" and not waited:
                await asyncio.to_thread(sys.stdin.readline)
                waited = True
                continue
            _failed(left.pop(0), fault)


def run(open_session: Open) -> None:
    asyncio.run(_walk(open_session))

"""What comes in: bodies up to a limit, strict JSON with known members only, forms without a parameter twice."""

import asyncio
import base64
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, unquote

from starlette.requests import ClientDisconnect, Request

from remit.core.canonical import Json, read
from remit.core.errors import RemitError

LARGEST = 1024 * 1024
REPEATABLE = frozenset({"resource"})
MOST = 200
PATIENCE_S = 20
FIELDS = 64
Form = Mapping[str, list[str]]


async def body(request: Request, largest: int = LARGEST) -> bytes:
    """The whole body, refused past `largest` bytes (`body_too_large`)."""
    data = bytearray()
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for chunk in request.stream():
                data += chunk
                if len(data) > largest:
                    raise RemitError("body_too_large", f"The body is over {largest} bytes.", "Send less at once.")
    except (ClientDisconnect, TimeoutError) as fault:
        raise RemitError("body_unfinished", "The body did not arrive whole.", "Send it again, at once.") from fault
    return bytes(data)


def basic(field: str) -> tuple[str, str] | None:
    """The client and its secret that an Authorization field says by HTTP Basic (RFC 6749 section 2.3.1), if it does."""
    kind, _, text = field.partition(" ")
    try:
        user, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (unquote(user), unquote(secret)) if kind.lower() == "basic" else None


async def json_object(request: Request, needed: Iterable[str] = (), allowed: Iterable[str] = ()) -> dict[str, Json]:
    """A JSON object with all of `needed`, nothing beyond `allowed` (`json_invalid`, `media_type`, `member_invalid`)."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise RemitError("media_type", "The body must be JSON.", "Send it with Content-Type: application/json.")
    value = read(await body(request))
    needed, known = set(needed), {*needed, *allowed}
    if not isinstance(value, dict) or not needed <= value.keys() <= known:
        raise RemitError(
            "member_invalid",
            "The body is not an object with exactly the known members.",
            f"Needed: {', '.join(sorted(needed)) or 'none'}; possible: {', '.join(sorted(known)) or 'none'}.",
        )
    return value


def text(value: dict[str, Json], name: str, default: str | None = None, longest: int = 2048) -> str:
    """A member that is a text (`member_invalid`)."""
    found = value.get(name, default)
    if not isinstance(found, str) or len(found) > longest:
        raise RemitError(
            "member_invalid", f"{name} must be a text of up to {longest} characters.", "Correct this member."
        )
    return found


def texts(value: dict[str, Json], name: str) -> tuple[str, ...]:
    """A member that is a list of texts; empty when it is absent (`member_invalid`)."""
    found = value.get(name, [])
    if not isinstance(found, list) or len(found) > 1000 or not all(isinstance(one, str) for one in found):
        raise RemitError("member_invalid", f"{name} must be a list of texts.", "Correct this member.")
    return tuple(found)


def whole(value: dict[str, Json], name: str, default: int | None = None) -> int | None:
    """A member that is a whole number from 0 (`member_invalid`)."""
    found = value.get(name, default)
    if found is not None and (type(found) is not int or not 0 <= found < 2**53):
        raise RemitError("member_invalid", f"{name} must be a whole number.", "Correct this member.")
    return found


def query(request: Request, *known: str) -> dict[str, str]:
    """The query's parameters, each once and known (`query_invalid`)."""
    pairs = request.query_params.multi_items()
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names) or not set(names) <= set(known) or any(len(value) > 512 for _, value in pairs):
        raise RemitError(
            "query_invalid",
            "A query parameter is unknown, doubled or too long.",
            f"Known: {', '.join(known) or 'none'}.",
        )
    return dict(pairs)


def limit(asked: dict[str, str], most: int = MOST) -> int:
    """The page size that was asked for, 1 to `most` (`query_invalid`)."""
    found = asked.get("limit", "50")
    if not found.isascii() or not found.isdigit() or len(found) > 4 or not 1 <= int(found) <= most:
        raise RemitError("query_invalid", "limit is out of range.", f"Use 1 to {most}.")
    return int(found)


async def form(request: Request, most: int = FIELDS) -> dict[str, list[str]]:
    """A form body: up to `most` parameters, each once, but `resource` (RFC 6749 section 3.2; `invalid_request`)."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded" or request.url.query:
        raise RemitError(
            "invalid_request", "The request is not a form in the body.", "Send application/x-www-form-urlencoded."
        )
    try:
        raw = (await body(request, 64 * 1024)).decode("ascii")
        pairs = parse_qsl(raw, keep_blank_values=True, strict_parsing=bool(raw), errors="strict", max_num_fields=most)
    except ValueError as fault:
        raise RemitError(
            "invalid_request", "The form cannot be read.", "Encode it as UTF-8, percent-escaped."
        ) from fault
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if name in found and name not in REPEATABLE:
            raise RemitError("invalid_request", "A parameter stands twice.", "Send each parameter once.")
        found.setdefault(name, []).append(value)
    return found


def one_of(asked: Form, name: str, default: str = "") -> str:
    """A form's parameter that must be there and not empty (`invalid_request`)."""
    found = asked.get(name, [default])[0]
    if not found:
        raise RemitError("invalid_request", f"The parameter {name} is missing.", "Send it once, not empty.")
    return found

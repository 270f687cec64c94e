"""Asking another server over HTTPS: no redirects, no proxies, within limits of time and size, in a thread.

Plain http is for this very machine. The address is one that the operator set, or one that such a server published.
"""

import http.client
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

import anyio
import anyio.to_thread

from remit.control.outgoing import dialled
from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.web.settings import safe

LARGEST: Final = 256 * 1024
PATIENCE_S: Final = 5


async def ask(url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Json:
    """The JSON at an address, or what it answers to a form (`issuer_unreachable`)."""
    status, said = await answered(url, form, headers)
    if status != 200:
        raise unreachable()
    return said


async def answered(
    url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Json]:
    """The status and the JSON that an address answers (`issuer_unreachable`)."""
    if not safe(url):
        raise unreachable()
    try:
        with anyio.fail_after(2 * PATIENCE_S):
            status, data = await anyio.to_thread.run_sync(_ask, url, form, headers or {}, abandon_on_cancel=True)
        return status, read(data)
    except (OSError, http.client.HTTPException, ValueError, TimeoutError, RemitError) as fault:
        raise unreachable() from fault


def _ask(url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    data = urlencode(form).encode() if form is not None else None
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
    where = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    line = http.client.HTTPSConnection(host, port) if secure else http.client.HTTPConnection(host, port)
    with dialled(host, port, name=host if secure else "", each_s=PATIENCE_S, whole_s=2 * PATIENCE_S) as line.sock:
        line.request(
            "GET" if data is None else "POST",
            where,
            data,
            {"Accept": "application/json", "Connection": "close", **kind, **headers},
        )
        with line.getresponse() as answer:
            if answer.status not in (200, 400, 401, 403):
                raise ValueError(answer.status)
            found = answer.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise ValueError(len(found))
    return answer.status, found


def unreachable() -> RemitError:
    """The provider did not answer as it should."""
    return RemitError(
        "issuer_unreachable",
        "What the identity provider publishes cannot be read, so nobody's sign-in can be checked.",
        "Check that its discovery, key set and token endpoint answer with JSON over https, then try again.",
    )

"""One way to answer with a page: escaped by default, without script, framed by nobody, kept by nobody."""

from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from remit.core.errors import RemitError
from remit.core.shown import several
from remit.web.problem import status
from remit.web.settings import LOOPBACK
from remit.web.site import Site

_OWN: Final = "form-action 'self'"
POLICY: Final = f"default-src 'none'; style-src 'self'; {_OWN}; frame-ancestors 'none'; base-uri 'none'"
HEADERS: Final = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    # Not "no-referrer": under it a browser says "Origin: null" for a page's own form, as for anybody's.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
STYLE: Final = resources.files("remit.web.console").joinpath("pages/style.css").read_bytes()


def _when(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _clock(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%H:%M:%S")


_PAGES: Final = Environment(
    loader=PackageLoader("remit.web.console", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
_PAGES.filters["when"] = _when
_PAGES.filters["several"] = several
_PAGES.filters["clock"] = _clock


def page(name: str, number: int = 200, leads: str = "", **told: Any) -> HTMLResponse:
    """The page of this name, filled. `leads` is where else its form may lead, as a source of its policy."""
    headers = HEADERS if not leads else HEADERS | {"content-security-policy": POLICY.replace(_OWN, f"{_OWN} {leads}")}
    return HTMLResponse(_PAGES.get_template(f"{name}.html").render(**told), number, headers)


def trouble(fault: RemitError) -> HTMLResponse:
    """A fault as a person reads it: what, what to do, its code."""
    return page("trouble", status(fault.code), fault=fault)


def style(_: Request) -> Response:
    """The one stylesheet."""
    return Response(STYLE, media_type="text/css", headers={"cache-control": "max-age=300"})


def at_home(site: Site, request: Request) -> None:
    """Refuse a request under another host name, or sent by another site's page (`forbidden`)."""
    at_address(site, request)
    ours = urlsplit(site.authority.issuer)
    origin = request.headers.get("origin")
    sent = origin is None or origin == f"{ours.scheme}://{request.headers['host']}"
    if not sent or request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise _elsewhere()


def at_address(site: Site, request: Request) -> None:
    """Refuse a request under another host name; any page may lead here (`forbidden`)."""
    ours = urlsplit(site.authority.issuer)
    local = ours.hostname in LOOPBACK
    hosts = request.headers.getlist("host")
    if not (_hostname(hosts) in LOOPBACK if local else hosts == [ours.netloc]):
        raise _elsewhere()


def _hostname(hosts: list[str]) -> str | None:
    try:
        return urlsplit(f"//{hosts[0]}").hostname if len(hosts) == 1 else None
    except ValueError:
        return None


def _elsewhere() -> RemitError:
    return RemitError("forbidden", "This was not asked from the console itself.", "Open the console's own address.")

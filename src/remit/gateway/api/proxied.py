"""A request to a forward gate, without its sockets: which host it is for, and the credential that it shows. Pure.

A program that knows of nothing but a proxy says where it goes in the request target (RFC 9112 section 3.2) and again in
`Host`; its credential stands in `Proxy-Authorization`. What two readers could take for two hosts is refused.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from remit.core.errors import RemitError

Field = tuple[bytes, bytes]
PORTS: Final = {"http": 80, "https": 443}
_AUTHORITY: Final = re.compile(
    r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})))(?::([1-9][0-9]{0,4}))?", re.ASCII
)
_ABSOLUTE: Final = re.compile(r"[Hh][Tt][Tt][Pp]://([^/?#]*)(/[^?#]*)?(?:\?([^#]*))?", re.ASCII)
_ORIGIN: Final = re.compile(r"(/[^?#]*)(?:\?([^#]*))?", re.ASCII)
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]{1,16384}=*", re.ASCII)
_BASIC: Final = re.compile(r"[A-Za-z0-9+/]{1,24000}={0,2}", re.ASCII)


class Place(NamedTuple):
    """Scheme, host and port of where a request goes; the host is lower case and without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as a URL writes them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def place(text: str, scheme: str, *, port: bool = False) -> Place:
    """Read an authority: a host and perhaps a port, with `port` in any case.

    Refuses user information, and everything that is no plain host (`target_invalid`).
    """
    found = _AUTHORITY.fullmatch(text)
    if found is None or (port and not found[3]) or int(found[3] or 1) > 65535:
        raise _target("It does not say plainly which host it is for.")
    return Place(scheme, (found[1] or found[2]).lower(), int(found[3] or PORTS[scheme]))


def absolute(target: str) -> tuple[Place, str, str]:
    """Read a target in absolute form, of http: the place, the raw path and the raw query."""
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        raise _target("A proxy is asked for http://HOST/… here, and by CONNECT for https.")
    return place(found[1], "http"), found[2] or "/", found[3] or ""


def origin(target: str) -> tuple[str, str]:
    """Read a target in origin form, as it comes inside a tunnel: the raw path and the raw query."""
    found = _ORIGIN.fullmatch(target)
    if found is None:
        raise _target("Inside a tunnel a target is a path, and perhaps a query.")
    return found[1], found[2] or ""


def agree(given: Iterable[Field], wanted: Place) -> None:
    """Refuse a request whose Host names another place than its target or tunnel does (`host_other`)."""
    hosts = [value.decode("latin-1") for name, value in given if name == b"host"]
    if len(hosts) > 1 or any(place(host, wanted.scheme) != wanted for host in hosts):
        raise RemitError(
            "host_other", "Host and the request's target name different places.", "Say one host, everywhere the same."
        )


def framed(given: Sequence[Field]) -> None:
    """Refuse a request that says in two ways how long it is (`request_ambiguous`; RFC 9112 section 6.3)."""
    lengths = sum(name == b"content-length" for name, _ in given)
    transfers = [value.strip().lower() for name, value in given if name == b"transfer-encoding"]
    if lengths + len(transfers) > 1 or transfers not in ([], [b"chunked"]):
        raise RemitError(
            "request_ambiguous", "This request says in two ways how long it is.", "Send one Content-Length, or chunked."
        )


def shown(given: Iterable[Field]) -> str:
    """The credential of the one Proxy-Authorization field: a bearer token, or Basic with it as the password.

    Programs that take a proxy only as a URL can say it no other way. Empty when there is none that could be one.
    """
    values = [value.decode("latin-1") for name, value in given if name == b"proxy-authorization"]
    if len(values) != 1:
        return ""
    scheme, _, text = values[0].strip().partition(" ")
    text = text.strip()
    if scheme.lower() == "basic" and _BASIC.fullmatch(text):
        try:
            text = base64.b64decode(text, validate=True).decode("ascii").partition(":")[2]
        except ValueError:
            return ""
    elif scheme.lower() != "bearer":
        return ""
    return text if _TOKEN.fullmatch(text) else ""


def under(path: str, bases: Iterable[str]) -> str | None:
    """The longest of these base paths that the raw path lies below, compared octet for octet; None for none."""
    held = [base for base in bases if not base or path == base or path.startswith(f"{base}/")]
    return max(held, key=len, default=None)


def _target(what: str) -> RemitError:
    return RemitError("target_invalid", what, "Send the request as RFC 9112 section 3.2 writes it.")

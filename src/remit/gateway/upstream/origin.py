"""Where an upstream lives, and which network addresses its name may stand for.

The name is resolved once per connection, every address in the answer is judged, and the connection goes to one of the
judged addresses: a name cannot mean one thing when it is checked and another when it is dialled (DNS rebinding).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from remit.core.address import inside, literal, loopback, public
from remit.core.errors import RemitError

Allow = Callable[[str], bool]
"""Says whether an upstream may be reached at this IP address (canonical text, no zone)."""

_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of one upstream (RFC 6454). The host is lower case, without brackets or trailing dot.

    Refuses (`origin_invalid`) other schemes, ports out of range, non-ASCII names, and every spelling of an IPv4 address
    but the dotted one (`2130706433`, `0x7f.1`, `0177.0.0.1`).
    """

    scheme: Literal["http", "https"]
    host: str
    port: int

    def __post_init__(self) -> None:
        if self.scheme not in _PORTS or type(self.port) is not int or not 0 < self.port < 65536:
            raise _invalid("The scheme must be http or https and the port 1 to 65535.")
        if literal(self.host) is None and not _is_name(self.host):
            raise _invalid("The host must be a lower-case name or a plainly written IP address.")

    @property
    def authority(self) -> str:
        """The value of the Host field (RFC 9112 section 3.2): the port is left out when it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse(url: str) -> tuple[Origin, bytes]:
    """Split an upstream's URL into its origin and request target.

    Refuses (`origin_invalid`) user information, fragments, spaces, non-ASCII text and all that `Origin` refuses.
    """
    if not url.isascii() or any(c <= " " or c in '\\\x7f"<>^`{|}' for c in url) or "#" in url:
        raise _invalid("A URL is plain ASCII without spaces, backslashes or a fragment.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid("This is not a URL.") from None
    scheme = parts.scheme
    if scheme not in ("http", "https") or "@" in parts.netloc or not parts.hostname:
        raise _invalid("A URL names http or https and a host, and holds no user name or password.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    default = _PORTS[scheme]
    return Origin("https" if scheme == "https" else "http", parts.hostname, default if port is None else port), (
        target.encode()
    )


def policy(origin: Origin) -> Allow:
    """Choose the address rule for an origin as it was registered.

    An origin written with an IP address is held to exactly that address, if `inside` allows it; `localhost` to
    loopback; any other name to `public`.
    """
    written = literal(origin.host)
    if written is not None:
        return lambda ip: ip == str(written) and inside(ip)
    if origin.host == "localhost":
        return loopback
    return public


def _is_name(host: str) -> bool:
    labels = host.split(".")
    return len(host) <= 253 and all(map(_LABEL.fullmatch, labels)) and _NUMBER.fullmatch(labels[-1]) is None


def _invalid(message: str) -> RemitError:
    return RemitError(
        "origin_invalid", message, "Register the upstream with an address such as https://host.example/mcp."
    )

"""How often one address may knock at the door (sign-in, authorization, registration, proofs that fail), and one client.

Only the sender's own address is ever held back, and what one client does from there: never a person, a client or an
agent that was named, so nobody can lock out another. Nothing behind the door can be guessed: this bounds work only.
Kept in memory, on each node.
"""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

from starlette.requests import Request

from remit.core.errors import RemitError

ALL: Final = ("/oauth/authorize", "/oauth/par", "/oauth/register", "/signin", "/signin/back")
"""Each request to these counts."""
FAILED: Final = ("/oauth/token", "/oauth/revoke", "/oauth/introspect", "/v1/login", "/console/enter/")
"""Of these, only what was refused."""
MINUTE: Final = 60_000
MOST: Final = 10_000


class Rate:
    """So many knocks a minute for each address. `steady` is a monotonic clock in milliseconds; 0 holds nobody back."""

    def __init__(self, most: int, steady: Callable[[], int]) -> None:
        self._most = most
        self._steady = steady
        self._since = steady()
        self._counts: dict[str, int] = {}

    def held(self, path: str, address: str) -> bool:
        """Say whether this address has knocked too often, and count a knock that counts at once."""
        if not self._most or not path.startswith((*ALL, *FAILED)):
            return False
        self._turn()
        name = network(address)
        if self._counts.get(name, 0) >= self._most:
            return True
        if path.startswith(ALL):
            self._count(name)
        return False

    def heard(self, path: str, address: str, status: int) -> None:
        """Count what was refused."""
        if self._most and 400 <= status < 500 and path.startswith(FAILED):
            self._turn()
            self._count(network(address))

    def _count(self, name: str) -> None:
        if len(self._counts) < MOST or name in self._counts:
            self._counts[name] = self._counts.get(name, 0) + 1

    def _turn(self) -> None:
        now = self._steady()
        if now - self._since >= MINUTE:
            self._since = now
            self._counts.clear()


class Buckets:
    """A bucket for each client at each address: `most` requests at once, and as many again in each minute.

    It holds `MOST` of them; the one that was used longest ago is forgotten first, which lets in more, never less.
    """

    def __init__(self, most: int, steady: Callable[[], int]) -> None:
        self._most, self._steady = most, steady
        self._held: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def wait(self, client: str, address: str) -> int:
        """Take one out, and return 0; or the seconds until there is one again, at least 1. 0 a minute is no bound."""
        if not self._most:
            return 0
        key, now = (client, network(address)), self._steady()
        left, at = self._held.pop(key, (float(self._most), now))
        left = min(float(self._most), left + self._most * (now - at) / MINUTE)
        fits = left >= 1
        self._held[key] = (left - 1 if fits else left), now
        if len(self._held) > MOST:
            self._held.popitem(last=False)
        return 0 if fits else max(1, -int(-(1 - left) * MINUTE / self._most // 1000))


RETRY: Final = "retry_after"
"""Where a request's state says how many seconds its sender is to wait."""


def limit(buckets: Buckets, request: Request, client: str) -> None:
    """Count one request of a client, once it is known who it is (`rate_exceeded`)."""
    seconds = buckets.wait(client, request.client.host if request.client else "")
    if seconds:
        setattr(request.state, RETRY, seconds)
        raise RemitError(
            "rate_exceeded", "This client asks too often.", "Wait as long as Retry-After says, then ask more slowly."
        )


def network(address: str) -> str:
    """Whom an address belongs to: itself, or the /64 that one customer of a provider has."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(int(found) >> 64)
    return str(found)

"""How often one address may knock at the door: sign-in, authorization, registration, and proofs that fail.

Only the sender's own address is ever held back, never a person, a client or an agent that was named: nobody can lock
out another. Nothing behind the door can be guessed, so this bounds work, not luck. Kept in memory, on each node.
"""

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

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


def network(address: str) -> str:
    """Whom an address belongs to: itself, or the /64 that one customer of a provider has."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(int(found) >> 64)
    return str(found)

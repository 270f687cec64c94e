"""Where a registered database is: a `postgresql://` URL without a password."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from remit.core.address import literal
from remit.core.errors import RemitError
from remit.gateway.upstream.origin import Origin

MODES: Final = ("verify-full", "require", "disable")
"""How TLS is used towards the database: certificate and name checked; encrypted only; not at all (loopback only)."""


@dataclass(frozen=True, slots=True)
class Place:
    """One database: the host and port, whom the gate logs in as, and how TLS is used."""

    host: str
    port: int
    user: str
    database: str
    mode: str
    authority: str = ""

    @property
    def loopback(self) -> bool:
        """Whether only this machine is meant."""
        address = literal(self.host)
        return self.host == "localhost" or (address is not None and address.is_loopback)


def parse(url: str) -> Place:
    """Read the URL of a database. Refuses a password, unknown parameters, and no TLS beyond loopback."""
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
        asked = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        raise _invalid("This is not the URL of a database.") from None
    database = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in ("postgresql", "postgres") or parts.password or parts.fragment or not parts.username:
        raise _invalid("The URL of a database is postgresql://ROLE@HOST[:PORT]/DATABASE, without a password.")
    if not database or not parts.hostname or not asked.keys() <= {"sslmode", "sslrootcert"}:
        raise _invalid("The URL of a database names a host and a database; sslmode and sslrootcert may follow.")
    Origin("https", parts.hostname, port)
    found = Place(
        parts.hostname, port, unquote(parts.username), database, asked.get("sslmode", ""), asked.get("sslrootcert", "")
    )
    mode = found.mode or ("disable" if found.loopback else "verify-full")
    if mode not in MODES or (mode == "disable" and not found.loopback):
        raise _invalid("sslmode is verify-full or require; disable is for this very machine only.")
    return Place(found.host, found.port, found.user, found.database, mode, found.authority)


def _invalid(what: str) -> RemitError:
    return RemitError(
        "resource_invalid", what, "Write postgresql://ROLE@HOST:5432/DATABASE, and store the password as a secret."
    )

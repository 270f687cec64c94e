"""Limits on where a call may reach: subpath, host, cidr. Each value is parsed as the target would parse it."""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass, field
from typing import ClassVar, Final, NamedTuple, Self

import idna

from remit.core.canonical import Json
from remit.core.limit.shape import ArgumentLimit, entries, invalid

_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
"""IPv4 in IPv6 clothes (RFC 4291 section 2.5.5.2): such a network is written as IPv4."""
PATH_LENGTH: Final = 4096
URL_LENGTH: Final = 8192

_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+/?")
_TRICK = re.compile("[\x00-\x1f\x7f-\x9f\\\\%\ud800-\udfff]")
_SPACE = re.compile("[\\s\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff]")
_URL = re.compile(r"([Hh][Tt][Tt][Pp][Ss]?)://([^/?#]*)([/?#].*)?", re.DOTALL)
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]*\]|[^:\[\]]*)(?::([1-9][0-9]{0,4}))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PARTS = re.compile("[/?#]")
_PARENT = re.compile(r"[^\[]*\.(?![0-9]+$)[^.\[]+")
_DISPUTED = re.compile("[\xdf\u03c2\u200c\u200d]")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def normal_path(value: Json) -> str | None:
    """Return the normal form of an absolute POSIX path, or None for what two readers could read differently."""
    if type(value) is not str or not 0 < len(value) <= PATH_LENGTH:
        return None
    if _PLAIN_PATH.fullmatch(value):
        return value[:-1] if value[-1] == "/" else value
    if not value.startswith("/") or value.startswith("//") or _TRICK.search(value):
        return None
    segments = _segments(value)
    if segments is None:
        return None
    if not value.isascii():
        if any(unicodedata.category(letter) in {"Cf", "Zl", "Zp"} for letter in value):
            return None
        folded = unicodedata.normalize("NFKC", value)
        if folded.count("/") != value.count("/") or _TRICK.search(folded) or _segments(folded) is None:
            return None
    return "/" + "/".join(segments)


def _segments(value: str) -> list[str] | None:
    segments = [segment for segment in value.split("/") if segment not in {"", "."}]
    return segments if all(segment.strip(". ") for segment in segments) else None


@dataclass(frozen=True, slots=True)
class Subpath:
    """An absolute POSIX path that is this directory or lies under it. Lexical: links are the target's own business."""

    tag: ClassVar[str] = "subpath"
    directory: str
    _under: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_under", self.directory.rstrip("/") + "/")

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read an absolute path that is already normal."""
        if body is None or normal_path(body) != body:
            raise invalid("subpath takes an absolute path in its normal form, such as /srv/data.")
        return cls(body)

    def allows(self, value: Json) -> bool:
        """Allow the directory and what is under it."""
        path = normal_path(value)
        return path is not None and (path == self.directory or path.startswith(self._under))

    def covers(self, other: ArgumentLimit) -> bool:
        """Cover a directory under this one."""
        return isinstance(other, Subpath) and self.allows(other.directory)

    def to_json(self) -> dict[str, Json]:
        """Write `{"subpath": directory}`."""
        return {self.tag: self.directory}

    def says(self) -> str:
        """Show the directory."""
        return f"an absolute path in {self.directory}"


class Place(NamedTuple):
    """A host in ASCII, lower case, without a trailing dot (an address in brackets when it is IPv6), and a port."""

    host: str
    port: int | None


def normal_host(text: str) -> str | None:
    """Return a host as the network would name it, or None when readers may differ about it."""
    if text.startswith("["):
        address = _address(text[1:-1])
        if address is None:
            return None
        return str(address) if address.version == 4 else f"[{address}]"
    if not text.isascii():
        if _DISPUTED.search(text):
            return None
        try:
            # IDNA2003 and IDNA2008 disagree about some names; a name is read only when they agree.
            ascii_form = idna.encode(text).decode()
            if ascii_form.encode() != text.encode("idna"):
                return None
        except (UnicodeError, ValueError):
            return None
        text = ascii_form
    text = text.lower().removesuffix(".")
    labels = text.split(".")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if _NUMERIC.fullmatch(labels[-1]):
        address = _address(text)
        return text if address is not None and address.version == 4 and str(address) == text else None
    return text


def _address(text: str) -> Address | None:
    if "%" in text or not text.isascii():
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def place(value: Json) -> Place | None:
    """Read an http(s) URL or a bare `host` or `host:port`; None for everything that is not plainly one of them."""
    if type(value) is not str or not 0 < len(value) <= URL_LENGTH or _SPACE.search(value):
        return None
    authority, port = value, None
    if "/" in value or "?" in value or "#" in value:
        found = _URL.fullmatch(value)
        if found is None:
            return None
        scheme, authority, rest = found.groups()
        if rest and rest[0] != "/" and "@" in rest:
            return None
        port = 443 if len(scheme) == 5 else 80
    named = _PLACE.fullmatch(authority)
    if named is None:
        return None
    host = normal_host(named[1])
    if named[2] is not None:
        port = int(named[2])
    return None if host is None or (port is not None and port > 65535) else Place(host, port)


@dataclass(frozen=True, slots=True)
class Host:
    """A URL or host whose host is listed: `api.example.com`, `*.example.org` for every name below, `host:port`."""

    tag: ClassVar[str] = "host"
    names: tuple[str, ...]
    exact: frozenset[Place] = field(init=False, repr=False, compare=False)
    below: tuple[tuple[str, int | None], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        exact: set[Place] = set()
        below: list[tuple[str, int | None]] = []
        for name in self.names:
            star = name.startswith("*.")
            where = None if _PARTS.search(name) else place(name[2:] if star else name)
            if where is None or (star and not _PARENT.fullmatch(where.host)):
                raise invalid("host takes names such as api.example.com, *.example.org or 127.0.0.1:8000.")
            if star:
                below.append(("." + where.host, where.port))
            else:
                exact.add(where)
        object.__setattr__(self, "exact", frozenset(exact))
        object.__setattr__(self, "below", tuple(below))

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read a list of host names, each with an optional leading `*.` and an optional port."""
        names = entries(cls.tag, body)
        if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
            raise invalid("host takes a list of distinct names.")
        return cls(names)

    def allows(self, value: Json) -> bool:
        """Allow a URL or host that is listed."""
        where = place(value)
        return where is not None and self._holds(where)

    def _holds(self, where: Place) -> bool:
        host, port = where
        if where in self.exact or Place(host, None) in self.exact:
            return True
        return any(host.endswith(tail) and pinned in {None, port} for tail, pinned in self.below)

    def covers(self, other: ArgumentLimit) -> bool:
        """Cover a list each of whose names is listed here or lies below a wildcard here."""
        if not isinstance(other, Host):
            return False
        return all(self._holds(where) for where in other.exact) and all(
            any(tail.endswith(mine) and pinned in {None, port} for mine, pinned in self.below)
            for tail, port in other.below
        )

    def to_json(self) -> dict[str, Json]:
        """Write `{"host": [...]}`."""
        return {self.tag: list(self.names)}

    def says(self) -> str:
        """List the names."""
        return "a URL or host at " + ", ".join(self.names)


@dataclass(frozen=True, slots=True)
class Cidr:
    """A canonical IP address inside one of the networks; an IPv4-mapped IPv6 address counts as its IPv4 address."""

    tag: ClassVar[str] = "cidr"
    networks: tuple[str, ...]
    parsed: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parsed = []
        for text in self.networks:
            try:
                network = ipaddress.ip_network(text)
            except ValueError as fault:
                raise invalid("cidr takes networks such as 10.0.0.0/8, without host bits.") from fault
            if str(network) != text or (network.version == 6 and _inside(network, _MAPPED)):
                raise invalid("cidr takes networks in their canonical form, such as 10.0.0.0/8.")
            parsed.append(network)
        four = ipaddress.collapse_addresses(net for net in parsed if isinstance(net, ipaddress.IPv4Network))
        six = ipaddress.collapse_addresses(net for net in parsed if isinstance(net, ipaddress.IPv6Network))
        object.__setattr__(self, "parsed", (*four, *six))

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read a list of distinct networks in canonical form."""
        networks = entries(cls.tag, body)
        if not all(isinstance(text, str) for text in networks) or len(set(networks)) != len(networks):
            raise invalid("cidr takes a list of distinct networks.")
        return cls(networks)

    def allows(self, value: Json) -> bool:
        """Allow a canonical address in one of the networks."""
        address = _address(value) if type(value) is str else None
        if address is None or value not in _spellings(address):
            return False
        return any(address.version == network.version and address in network for network in self.parsed)

    def covers(self, other: ArgumentLimit) -> bool:
        """Cover networks that all lie inside these."""
        return isinstance(other, Cidr) and all(
            any(_inside(inner, outer) for outer in self.parsed) for inner in other.parsed
        )

    def to_json(self) -> dict[str, Json]:
        """Write `{"cidr": [...]}`."""
        return {self.tag: list(self.networks)}

    def says(self) -> str:
        """List the networks."""
        return "an IP address in " + ", ".join(self.networks)


def _inside(
    inner: ipaddress.IPv4Network | ipaddress.IPv6Network, outer: ipaddress.IPv4Network | ipaddress.IPv6Network
) -> bool:
    return (
        inner.version == outer.version
        and inner.prefixlen >= outer.prefixlen
        and int(outer.network_address) <= int(inner.network_address) <= int(outer.broadcast_address)
    )


def _spellings(address: Address) -> tuple[str, ...]:
    if isinstance(address, ipaddress.IPv6Address):
        return (str(address),)
    octets = int(address)
    return (str(address), f"::ffff:{address}", f"::ffff:{octets >> 16:x}:{octets & 0xFFFF:x}")

"""Which network addresses Remit may reach by itself: public ones, and others only where it was told so. Pure.

Whoever dials resolves a name once, judges every address of the answer, and goes to one that was judged: a name cannot
mean one thing when it is checked and another when it is dialled (DNS rebinding).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

# Addresses where clouds answer machines with credentials, beside the link-local ranges.
_METADATA: Final = frozenset(
    ip_address(text) for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd20:ce::254")
)
_REFUSED: Final = (
    IPv4Network("0.0.0.0/8"),  # this network: the system takes some of it for this machine
    IPv6Network("fec0::/10"),  # site-local: withdrawn, and somebody's inside where it is still used
    IPv6Network("fd00:ec2::/32"),  # a cloud's own services, metadata and credentials among them
)
_NAT64: Final = ip_network("64:ff9b::/96")
# Tunnels carry an IPv4 address that no rule of ours would see.
_TUNNELS: Final = (IPv6Network("2002::/16"), IPv6Network("2001::/32"), IPv6Network("64:ff9b:1::/48"))


def literal(host: str) -> Address | None:
    """Read a host as an IP address in its canonical spelling; anything else is no address."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return address if str(address) == host and "%" not in host else None


def public(ip: str) -> bool:
    """Allow only addresses that anyone on the internet would reach; the default for names."""
    address = _unwrapped(ip)
    return address is not None and address.is_global and not address.is_multicast and not address.is_reserved


def inside(ip: str) -> bool:
    """Allow public, private and loopback addresses, for a resource that was registered as internal.

    Link-local, metadata, multicast, reserved and unspecified addresses stay refused.
    """
    address = _unwrapped(ip)
    if address is None or address.is_multicast or address.is_unspecified:
        return False
    return address.is_loopback or (not address.is_reserved and (address.is_private or address.is_global))


def loopback(ip: str) -> bool:
    """Allow this very machine only."""
    address = _unwrapped(ip)
    return address is not None and address.is_loopback


def _unwrapped(ip: str) -> Address | None:
    """Read an address and take off IPv6 wrapping; `None` for what no rule allows."""
    try:
        address = ip_address(ip)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None or any(address in net for net in _TUNNELS):
            return None
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in _NAT64:
            address = IPv4Address(int(address) & 0xFFFFFFFF)
    refused = address.is_link_local or address in _METADATA or any(address in net for net in _REFUSED)
    return None if refused else address

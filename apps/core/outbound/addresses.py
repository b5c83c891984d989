"""Which addresses are public: reachable by everybody, and therefore no way into this house."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address

# IANA special-purpose registries (RFC 6890 and later), whole, since Python's own table ages with its release.
_CLOSED_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # a public number, and the key store of every machine in Azure
    )
)  # fmt: skip
_OPEN_6: Final = IPv6Network("2000::/3")  # all that was ever given out
_CLOSED_6: Final = tuple(
    IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")  # NAT64, RFC 6052: what a network without IPv4 answers with
_COMPATIBLE: Final = IPv6Network("::/96")
_PRIVATE_4: Final = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
)
_LOOPBACK_4, _LOOPBACK_6 = IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")
_PRIVATE_6: Final = IPv6Network("fc00::/7")
# what tells a machine in somebody's cloud its keys, where it lies in a private network: Alibaba, Amazon, Google
_METADATA: Final = frozenset(map(ip_address, ("100.100.100.200", "fd00:ec2::254", "fd20:ce::254")))
_LOWEST_32: Final = 0xFFFF_FFFF
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})  # RFC 5214


def parse(text: str) -> Address | None:
    """Return the address a socket or a name server wrote, or None for anything else; a zone is not accepted."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Return whether anybody on the internet may be at this address; also of every address inside it.

    IPv4 in IPv6 counts as what it carries: mapped, compatible, NAT64, ISATAP. 6to4 and Teredo are never public: no
    server lives there, and their inner address is the sender's choice.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_4)
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    inner = IPv4Address(int(address) & _LOWEST_32)
    if address in _TRANSLATED:
        return is_public(inner)
    if address in _COMPATIBLE or address not in _OPEN_6 or any(address in network for network in _CLOSED_6):
        return False
    is_isatap = (int(address) >> 32) & _LOWEST_32 in _ISATAP
    return is_public(inner) if is_isatap else True


def is_loopback(address: Address) -> bool:
    """Return whether this is an address of the machine itself; one IPv4 inside IPv6 is none."""
    return address in (_LOOPBACK_4 if isinstance(address, IPv4Address) else _LOOPBACK_6)


def is_private(address: Address) -> bool:
    """Return whether this is an address of a network of somebody's own: RFC 1918, RFC 6598, RFC 4193.

    The machine itself, its link and what answers there with keys are no such network, nor is IPv4 inside IPv6.
    """
    if address in _METADATA:
        return False
    if isinstance(address, IPv4Address):
        return any(address in network for network in _PRIVATE_4)
    return address.scope_id is None and address in _PRIVATE_6

"""Whom webhooks may reach: the public network and what operators have opened, the same on every Python version."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Python's is_global lets some of these through, and other ones from version to version: so the list is whole, and ours.
REFUSED: Final[tuple[tuple[Network, str], ...]] = (
    (IPv4Network("0.0.0.0/8"), "this network"),
    (IPv4Network("10.0.0.0/8"), "private"),
    (IPv4Network("100.64.0.0/10"), "behind a carrier's NAT; a cloud's metadata at 100.100.100.200"),
    (IPv4Network("127.0.0.0/8"), "loopback"),
    (IPv4Network("168.63.129.16/32"), "a cloud's own services, in the guise of a public address"),
    (IPv4Network("169.254.0.0/16"), "link-local; the metadata of most clouds"),
    (IPv4Network("172.16.0.0/12"), "private"),
    (IPv4Network("192.0.0.0/24"), "protocols of the IETF; a cloud's metadata at 192.0.0.192"),
    (IPv4Network("192.0.2.0/24"), "documentation"),
    (IPv4Network("192.88.99.0/24"), "relays of 6to4, given up"),
    (IPv4Network("192.168.0.0/16"), "private"),
    (IPv4Network("198.18.0.0/15"), "benchmarks"),
    (IPv4Network("198.51.100.0/24"), "documentation"),
    (IPv4Network("203.0.113.0/24"), "documentation"),
    (IPv4Network("224.0.0.0/4"), "multicast"),
    (IPv4Network("240.0.0.0/4"), "reserved; broadcast"),
    (IPv6Network("::/96"), "unspecified, loopback, and IPv4-compatible, given up"),
    (IPv6Network("::ffff:0:0:0/96"), "IPv4-translated: an operator's own translator"),
    (IPv6Network("64:ff9b:1::/48"), "an operator's own translator, to private IPv4 too"),
    (IPv6Network("100::/64"), "thrown away"),
    (IPv6Network("100:0:0:1::/64"), "a dummy prefix"),
    (IPv6Network("2001::/23"), "protocols of the IETF: Teredo, benchmarks, ORCHID"),
    (IPv6Network("2001:db8::/32"), "documentation"),
    (IPv6Network("2002::/16"), "6to4, given up"),
    (IPv6Network("3fff::/20"), "documentation"),
    (IPv6Network("5f00::/16"), "names of segments within an operator's network"),
    (IPv6Network("fc00::/7"), "private; the metadata of some clouds"),
    (IPv6Network("fe80::/10"), "link-local"),
    (IPv6Network("fec0::/10"), "site-local, given up and still routed in places"),
    (IPv6Network("ff00::/8"), "multicast"),
)
"""Networks that nobody outside has, each with its reason (IANA's registries of special addresses; the clouds' own)."""
_UNICAST: Final = IPv6Network("2000::/3")
"""All that is handed out of IPv6 so far: what IANA makes of the rest one day is nobody's to know."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
# In all of these, the last 32 bits are the IPv4 address.
_LAST_32_BITS: Final = (_NAT64, IPv6Network("::ffff:0:0/96"), IPv6Network("::ffff:0:0:0/96"), IPv6Network("::/96"))
_NOT_COMPATIBLE: Final = (IPv6Address("::"), IPv6Address("::1"))


def is_allowed(address: Address, scheme: str, allowed: Iterable[Network]) -> bool:
    """By https to what is public or allowed, by http to allowed loopback; an IPv4 inside counts."""
    inner = embedded_address(address)
    is_listed = any(inner in network for network in allowed)
    if scheme == "http":
        return is_listed and inner.is_loopback
    return is_listed or is_public(address)


def is_public(address: Address) -> bool:
    """Whether neither the address nor the IPv4 one that it leads to is refused."""
    inner = embedded_address(address)
    if any(one in network for network, _ in REFUSED for one in (address, inner)):
        return False
    return isinstance(inner, IPv4Address) or inner in _UNICAST


def embedded_address(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to: mapped, NAT64, translated, compatible, 6to4, Teredo."""
    if not isinstance(address, IPv6Address) or address in _NOT_COMPATIBLE:
        return address
    if any(address in network for network in _LAST_32_BITS):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    # Python gives (server, client) for Teredo; the client is where packets go.
    teredo = address.teredo
    return address.sixtofour or (teredo[1] if teredo else address)

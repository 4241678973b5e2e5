"""Whom webhooks may reach, address by address, whatever Python thinks of it."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis.strategies import ip_addresses

from services.alert.targets import REFUSED, Address, embedded_address, is_allowed, is_public

HIDING = {
    "mapped": "::ffff:0:0",
    "nat64": "64:ff9b::",
    "translated": "::ffff:0:0:0",
    "compatible": "::",
}


@pytest.mark.parametrize(
    "address",
    [
        "192.0.0.8",
        "192.0.0.192",
        "168.63.129.16",
        "192.88.99.1",
        "100.100.100.200",
        "255.255.255.255",
        "64:ff9b:1::a00:1",
        "64:ff9b:1:fffe::1",
        "fec0::1",
        "::7f00:1",
        "::5db8:d70e",
        "::ffff:0:7f00:1",
        "::ffff:0:5db8:d70e",
        "5f00::1",
        "3fff::1",
        "100::1",
        "100:0:0:1::1",
        "2001:1::1",
        "2001:20::1",
        "2001::1",
        "2002:5db8:d70e::1",
        "fd00:ec2::254",
        "4000::1",
        "::1",
        "::",
    ],
)
def test_what_nobody_outside_has_is_refused(address: str) -> None:
    assert not is_allowed(ip_address(address), "https", ())


@pytest.mark.parametrize("network", [network for network, _ in REFUSED], ids=str)
def test_a_refused_network_is_refused_to_its_edges(network: object) -> None:
    whole = ip_network(str(network))

    assert not is_public(whole[0])
    assert not is_public(whole[-1])


@pytest.mark.parametrize("prefix", HIDING.values(), ids=HIDING)
@pytest.mark.parametrize("inner", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "168.63.129.16", "192.0.0.192"])
def test_a_refused_address_is_refused_inside_another(prefix: str, inner: str) -> None:
    hidden = IPv6Address(int(IPv6Address(prefix)) + int(IPv4Address(inner)))

    assert embedded_address(hidden) == IPv4Address(inner)
    assert not is_allowed(hidden, "https", ())


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "192.0.1.1",
        "100.128.0.1",
        "2606:2800:21f:cb07::1",
        "2a00:1450::1",
        "2001:200::1",
        "64:ff9b::5db8:d70e",
        "::ffff:5db8:d70e",
    ],
)
def test_what_is_public_is_reached_through_a_nat64_too(address: str) -> None:
    assert is_allowed(ip_address(address), "https", ())


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("64:ff9b:1::a00:1", "64:ff9b:1::/48"),
        ("fec0::1", "fec0::/10"),
        ("fd00::1", "fd00::/8"),
        ("168.63.129.16", "168.63.129.16/32"),
        ("::ffff:10.0.0.1", "10.0.0.0/8"),
        ("64:ff9b::a00:1", "10.0.0.0/8"),
        ("::1", "::1/128"),
    ],
)
def test_what_an_operator_lists_is_opened_and_nothing_beside_it(address: str, opened: str) -> None:
    assert is_allowed(ip_address(address), "https", (ip_network(opened),))
    assert not is_allowed(ip_address("192.168.0.1"), "https", (ip_network(opened),))


@given(ip_addresses())
def test_nothing_that_this_python_calls_special_is_let_through(address: Address) -> None:
    inner = embedded_address(address)

    if is_public(address):
        assert inner.is_global
        assert not inner.is_multicast

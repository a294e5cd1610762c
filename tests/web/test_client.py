from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.web.client import address_of, network_of

TRUSTED = tuple(map(ip_network, ("127.0.0.0/8", "10.0.0.0/8", "fd00::/8")))


def scope(peer: str, *forwarded: str) -> dict[str, object]:
    return {
        "client": (peer, 1),
        "headers": [(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded],
    }


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", (), "203.0.113.7"),
        ("203.0.113.7", ("198.51.100.1",), "203.0.113.7"),  # a stranger may write what they like
        ("127.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("6.6.6.6, 198.51.100.1",), "198.51.100.1"),  # only what the proxy added counts
        ("127.0.0.1", ("6.6.6.6, 198.51.100.1, 10.1.1.1",), "198.51.100.1"),
        ("127.0.0.1", ("6.6.6.6", "198.51.100.1"), "198.51.100.1"),
        ("127.0.0.1", ("6.6.6.6, nonsense",), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.1:4711",), "198.51.100.1"),
        ("127.0.0.1", ("[2001:db8::1]:4711",), "2001:db8::1"),
        ("fd00::1", ("::ffff:198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("",), "127.0.0.1"),
        ("10.0.0.1", ("10.0.0.2, 10.0.0.3",), "10.0.0.2"),
        ("testclient", ("198.51.100.1",), "0.0.0.0"),  # noqa: S104 - nobody
    ],
)
def test_whose_word_counts(peer: str, forwarded: tuple[str, ...], address: str):
    """X-Forwarded-For is read from its end, as far as trusted proxies wrote it."""
    assert address_of(scope(peer, *forwarded), TRUSTED) == address


def test_networks():
    """IPv4 by 24 bits, IPv6 by 56: what a household or an office has."""
    assert network_of("192.0.2.77") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2ff:3::1") == "2001:db8:1:200::/56"
    assert network_of("nonsense") == "0.0.0.0/24"


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=60), max_size=5))
def test_any_header_gives_an_address(forwarded: list[str]):
    """Whatever stands in the header, the answer is an address, and never raises."""
    from ipaddress import ip_address

    assert ip_address(address_of(scope("127.0.0.1", *forwarded), TRUSTED))

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.teleport.connect.address import Address, parse_addresses


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("localhost:3025", [("localhost", 3025)]),
        ("proxy.example.com", [("proxy.example.com", 3025)]),
        ("https://proxy.example.com", [("proxy.example.com", 443)]),
        ("https://proxy.example.com:3080/", [("proxy.example.com", 3080)]),
        ("[::1]:443", [("::1", 443)]),
        ("[2001:db8::1]", [("2001:db8::1", 3025)]),
        ("2001:db8::1", [("2001:db8::1", 3025)]),
        ("a:1, b:2,,a:1", [("a", 1), ("b", 2)]),
        ("10.0.0.1:3025", [("10.0.0.1", 3025)]),
    ],
)
def test_addresses(text, addresses):
    assert parse_addresses(text) == tuple(Address(*one) for one in addresses)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no address"),
        ("host:0", "no port"),
        ("host:65536", "no port"),
        ("host:port", "no port"),
        ("host:١", "no port"),
        ("a b:1", "no host name"),
        ("a..b:1", "no host name"),
        ("[::1:443", "IPv6"),
        ("[nonsense:x]:1", "IPv6"),
        ("http://host:1", "only host:port"),
        ("x" * 64 + ":1", "no host name"),
    ],
)
def test_faults_say_what_is_expected(text, words):
    with pytest.raises(ValueError, match=words):
        parse_addresses(text)


@given(st.text(max_size=40) | st.text(alphabet="ab:[].,/0123456789", max_size=30))
def test_whatever_is_taken_reads_back_the_same(text):
    try:
        found = parse_addresses(text)
    except ValueError:
        return
    assert parse_addresses(",".join(map(str, found))) == found


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("a.b", False),
    ],
)
def test_loopback(host, loopback):
    assert Address(host, 1).is_loopback == loopback


def test_a_dot_at_the_end_is_for_dns_only():
    address = Address("proxy.example.com.", 443)
    assert (address.host, address.name, address.authority) == (
        "proxy.example.com.",
        "proxy.example.com",
        "proxy.example.com:443",
    )
    assert Address("2001:db8::1", 443).authority == "[2001:db8::1]:443"

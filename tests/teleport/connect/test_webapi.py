"""What a Proxy says about itself is a stranger's text until proven otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.sandbox.front.gateways import Proxy, Silence
from teleport_email.teleport.connect.address import Address
from teleport_email.teleport.connect.public_tls import public_context
from teleport_email.teleport.connect.route import Route
from teleport_email.teleport.connect.webapi import ProxyFacts, _parse, find, find_quietly

RECORDED = Path(__file__).parents[2] / "data" / "vectors" / "webapi-find.json"


def test_recorded_answer():
    assert _parse(RECORDED.read_bytes()) == ProxyFacts("demo.example.com", "17.0.0-dev", tls_routing=True)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{}", b"[" * 100_000, b'{"server_version": 1}', b"\xff"]
)
def test_something_else(body):
    assert _parse(body) is None


@given(st.binary(max_size=100))
def test_arbitrary_bytes(body):
    assert _parse(body) is None


def test_hostile_names_are_made_harmless():
    facts = _parse(
        b'{"server_version": "1\\n2", "cluster_name": "a\\u001b[31m' + b"x" * 500 + b'", "proxy": 7}'
    )
    assert facts == ProxyFacts("a[31m" + "x" * 95, "12", tls_routing=False)


async def test_find(tmp_path):
    async with Proxy(("127.0.0.1", 1), "c.example", tls_routing_enabled=False) as proxy:
        (tmp_path / "ca.pem").write_bytes(proxy.authority.ca_pem)
        public = public_context({"SSL_CERT_FILE": str(tmp_path / "ca.pem")})
        route = Route(Address("127.0.0.1", proxy.port))
        assert await find(route, public) == ProxyFacts("c.example", "17.0.0", tls_routing=False)
    assert await find_quietly(route, public, 5) is None


async def test_find_quietly_does_not_wait_for_ever():
    async with Silence() as silence:
        assert await find_quietly(Route(Address("127.0.0.1", silence.port)), public_context({}), 0.1) is None

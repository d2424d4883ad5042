from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.sandbox.front.client_hello import offered_protocols, record_length


def hello(protocols):
    """What Python's own TLS sends first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if protocols:
        context.set_alpn_protocols(protocols)
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="teleport.cluster.local").do_handshake()
    return outgoing.read()


@pytest.mark.parametrize(
    "protocols", [[], ["h2"], ["teleport-auth@" + "ab" * 60 + ".teleport.cluster.local", "h2"]]
)
def test_protocols_of_a_real_hello(protocols):
    data = hello(protocols)
    assert record_length(data) == len(data)
    assert offered_protocols(data) == tuple(protocols)


@given(st.binary(max_size=200))
def test_anything_else_offers_nothing_or_garbage(data):
    assert isinstance(offered_protocols(data), tuple)
    assert isinstance(offered_protocols(b"\x16\x03\x01\x00\xff\x01" + data), tuple)

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.teleport.connect.address import Address
from teleport_email.teleport.connect.http.proxy_environment import excluded, proxy_for

TARGET = Address("proxy.example.com", 443)


def test_none():
    assert proxy_for(TARGET, {}) is None
    assert proxy_for(TARGET, {"HTTPS_PROXY": " "}) is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HTTPS_PROXY": "http://p:3128", "https_proxy": "http://q"}, "p:3128"),
        ({"https_proxy": "http://q:1", "HTTP_PROXY": "http://r"}, "q:1"),
        ({"HTTP_PROXY": "r:8080"}, "r:8080"),
        ({"HTTPS_PROXY": "http://p"}, "p:80"),
        ({"HTTPS_PROXY": "https://p"}, "p:443"),
        ({"HTTPS_PROXY": "http://[2001:db8::1]:3128"}, "[2001:db8::1]:3128"),
    ],
)
def test_which_one(environ, expected):
    proxy = proxy_for(TARGET, environ)
    assert str(proxy) == expected
    assert proxy is not None
    assert proxy.tls == environ.get("HTTPS_PROXY", "").startswith("https:")


def test_password_is_decoded_and_hidden():
    proxy = proxy_for(TARGET, {"HTTPS_PROXY": "http://me%40corp:s%3Acret%20@p:1"})
    assert proxy is not None
    kind, _, pair = proxy.authorization.reveal().partition(" ")
    assert (kind, base64.b64decode(pair)) == ("Basic", b"me@corp:s:cret ")
    assert "s:cret" not in repr(proxy) + str(proxy)
    assert pair not in repr(proxy) + str(proxy)


def test_loopback_goes_through_a_proxy_on_loopback_only():
    local = Address("127.0.0.1", 3025)
    assert proxy_for(local, {"HTTPS_PROXY": "http://proxy.corp:3128"}) is None
    assert str(proxy_for(local, {"HTTPS_PROXY": "http://localhost:3128"})) == "localhost:3128"


@pytest.mark.parametrize(
    ("entry", "address", "out"),
    [
        ("*", ("anything", 1), True),
        ("example.com", ("example.com", 1), True),
        ("example.com", ("a.b.EXAMPLE.com", 1), True),
        ("example.com", ("badexample.com", 1), False),
        (".example.com", ("example.com", 1), False),
        (".example.com", ("a.example.com", 1), True),
        ("*.example.com", ("a.example.com", 1), True),
        ("*.example.com", ("example.com", 1), False),
        ("example.com:443", ("example.com", 443), True),
        ("example.com:443", ("example.com", 3025), False),
        ("10.1.2.3", ("10.1.2.3", 1), True),
        ("10.1.2.3:5", ("10.1.2.3", 1), False),
        ("10.0.0.0/8", ("10.1.2.3", 1), True),
        ("10.0.0.0/8", ("11.1.2.3", 1), False),
        ("10.0.0.0/8", ("ten.example.com", 1), False),
        ("10.0.0.1/8", ("10.1.2.3", 1), True),
        ("2001:db8::/32", ("2001:db8::5", 1), True),
        ("2001:db8::5", ("2001:db8:0::5", 1), True),
        ("[2001:db8::5]:3025", ("2001:db8::5", 3025), True),
        ("a, ,b.example ,", ("b.example", 1), True),
        ("nonsense/8", ("10.1.2.3", 1), False),
        ("", ("a", 1), False),
    ],
)
def test_no_proxy(entry, address, out):
    assert excluded(Address(*address), entry) == out
    environ = {"HTTPS_PROXY": "http://p:1", "NO_PROXY": entry}
    assert (proxy_for(Address(*address), environ) is None) == out


@given(st.text(max_size=40).map(lambda text: text.replace("\0", "")), st.text(max_size=40))
def test_arbitrary_text_is_a_proxy_or_a_value_error(url, no_proxy):
    try:
        proxy_for(TARGET, {"HTTPS_PROXY": url, "NO_PROXY": no_proxy})
    except ValueError as exc:
        text = str(exc)
        assert "HTTPS_PROXY" in text

"""One form for each address, a reason for each refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.core.addresses import parse_address, parse_domain, why_odd


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        ("alice@example.com", "alice@example.com"),
        ("Alice.B+tag@EXAMPLE.Com", "Alice.B+tag@example.com"),
        ("o'hara/ops=x@example.com", "o'hara/ops=x@example.com"),
        ("root@localhost", "root@localhost"),
        ("a@faß.de", "a@xn--fa-hia.de"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("a@例え。jp", "a@xn--r8jz45g.jp"),
        ("a@ｅｘａｍｐｌｅ.com", "a@example.com"),
        ("a@XN--FA-HIA.de", "a@xn--fa-hia.de"),
        ("a@r3---x.example", "a@r3---x.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("a" * 300 + "@example.com", "a" * 300 + "@example.com"),
        ("a@1e100.net", "a@1e100.net"),
        ("üser@example.com", "üser@example.com"),
        ("u\u0308ser@example.com", "üser@example.com"),
        ('"ab"@Example.com', "ab@example.com"),
        ('"a\\b.c"@example.com', "ab.c@example.com"),
        ('"a b"@example.com', '"a b"@example.com'),
        ('"a\\"@,<b"@example.com', '"a\\"@,<b"@example.com'),
        ("a@ex_ample.com", "a@ex_ample.com"),
        ("a@my_host.bücher.example", "a@my_host.xn--bcher-kva.example"),
        ("a@mail-", "a@mail-"),
        ("a@example.123", "a@example.123"),
        ("a@192.0.2.1", "a@192.0.2.1"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ("a@[ipv6:2001:DB8::0001]", "a@[IPv6:2001:db8::1]"),
    ],
)
def test_each_address_has_one_form(given_text: str, wanted: str) -> None:
    assert parse_address(given_text) == wanted


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("alice", "has no @"),
        ("@example.com", "nothing before the @"),
        ("alice@", "has no domain"),
        ("Alice <alice@example.com>", "display name"),
        ("<alice@example.com>", "angle brackets"),
        ("a@example.com,b@example.com", "comma"),
        ("a@example.com;b@example.com", "semicolon"),
        (" a@example.com", "space"),
        ("a b@example.com", "space"),
        ("a@example.com\r\nBcc: x@y.z", "control"),
        ("a@example.com\x00", "control"),
        ("a\u202e@example.com", "invisible"),
        ("a@exam\u200bple.com", "invisible"),
        ("a..b@example.com", "dot too many before"),
        (".a@example.com", "dot too many before"),
        ("a.@example.com", "dot too many before"),
        ("a@b@example.com", "characters before the @"),
        ("a@example..com", "dot too many in its domain"),
        ("a@example.com.", "dot too many in its domain"),
        ("a@.example.com", "dot too many in its domain"),
        ("a@-example.com", "characters that domain names"),
        ('"ab@example.com', "do not close"),
        ('""@example.com', "nothing before the @"),
        ("a@exa$mple.com", "characters that domain names"),
        ("a@[192.0.2]", "do not hold an IP address"),
        ("a@[example.com]", "do not hold an IP address"),
        ("a@[IPv6:192.0.2.1]", "do not hold an IP address"),
        ("a" * 490 + "@example.com", "longer than 500"),
        ("ü" * 245 + "@example.com", "longer than 500"),
        ("a" * 5000 + "@example.com", "longer than 500"),
        ("a@\u0378.example", "invisible"),
        ("a@♥.example", "IDNA"),
        ("a@" + "b" * 64 + ".com", "too long"),
        ("a@" + ".".join(["b" * 60] * 5), "too long"),
    ],
)
def test_each_refusal_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_address(text)
    assert text == "" or len(text) < 3 or text not in str(caught.value)


@given(st.text())
def test_arbitrary_text_gives_a_safe_address_or_a_value_error(text: str) -> None:
    _check(text)


@given(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=30))
def test_arbitrary_parts_too(local: str, domain: str) -> None:
    _check(f"{local}@{domain}")


@given(st.from_regex(r"[a-zA-Z0-9.+_-]{1,10}@[a-zA-Z0-9äöüß.-]{1,20}", fullmatch=True))
def test_likely_addresses_too(text: str) -> None:
    _check(text)


def _check(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert parse_address(address) == address
    assert address.isprintable()
    local, _, domain = address.rpartition("@")
    assert domain.isascii()
    assert not set(domain) & set(' ,;<>"()\\@')
    if not local.startswith('"'):
        assert not set(local) & set(' ,;<>"()[]:\\@')
    assert len(address.encode()) <= 500
    assert domain.removeprefix("[IPv6:") == domain.removeprefix("[IPv6:").lower()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("alice@example.com", ""),
        ("a" * 65 + "@example.com", "64 characters"),
        ("jörg@example.com", "SMTPUTF8"),
        ('"a b"@example.com', "quotes"),
        ("a@[192.0.2.1]", "IP address"),
        ("a@192.0.2.1", "IP address"),
        ("a@ex_ample.com", "name of a host"),
        ("a@mail-", "name of a host"),
    ],
)
def test_what_is_odd_about_an_address(text: str, why: str) -> None:
    found = why_odd(parse_address(text))
    assert why in found
    assert bool(found) is bool(why)


def test_domains_have_one_form_too() -> None:
    assert parse_domain("BÜCHER.example") == "xn--bcher-kva.example"
    with pytest.raises(ValueError, match="characters that domain names"):
        parse_domain("*.example.com")

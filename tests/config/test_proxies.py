"""Which proxy a URL is fetched through."""

from __future__ import annotations

import pytest

from teleport_email.config import proxies
from teleport_email.config.proxies import excluded, proxy_for
from teleport_email.core import redaction
from teleport_email.teleport.connect.address import Address
from teleport_email.teleport.connect.http import proxy_environment

PROXY = "http://proxy.example.com:3128"


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("https://api.mailgun.net", {}, None),
        ("https://api.mailgun.net", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://api.mailgun.net", {"https_proxy": PROXY}, PROXY),
        ("https://api.mailgun.net", {"HTTPS_PROXY": "", "https_proxy": PROXY}, PROXY),
        ("https://api.mailgun.net", {"HTTPS_PROXY": "proxy.example.com:3128"}, PROXY),
        ("https://api.mailgun.net", {"HTTP_PROXY": PROXY}, None),
        ("http://api.mailgun.net", {"HTTP_PROXY": PROXY}, PROXY),
        ("https://api.mailgun.net", {"HTTPS_PROXY": PROXY, "NO_PROXY": "mailgun.net"}, None),
        ("https://127.0.0.1:8080", {"HTTPS_PROXY": PROXY}, None),
        ("https://localhost", {"HTTPS_PROXY": PROXY}, None),
        ("https://[::1]:443/x", {"HTTPS_PROXY": PROXY}, None),
    ],
)
def test_proxy_for(url, environ, expected) -> None:
    assert proxy_for(url, environ) == expected


@pytest.mark.parametrize(
    ("host", "no_proxy", "expected"),
    [
        ("api.mailgun.net", "", False),
        ("api.mailgun.net", "*", True),
        ("api.mailgun.net", "example.com, mailgun.net", True),
        ("api.mailgun.net", "MAILGUN.net", True),
        ("mailgun.net", "mailgun.net", True),
        ("mailgun.net", ".mailgun.net", False),
        ("api.mailgun.net", ".mailgun.net", True),
        ("api.mailgun.net", "*.mailgun.net", True),
        ("notmailgun.net", "mailgun.net", False),
        ("api.mailgun.net", "api.mailgun.net:443", True),
        ("api.mailgun.net", "api.mailgun.net:8443", False),
        ("api.mailgun.net.", "api.mailgun.net", True),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3:443", True),
        ("10.1.2.3", "10.1.2.3:444", False),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("2001:db8::1", "2001:db8::/32", True),
        ("2001:db8::1", "[2001:db8::1]:443", True),
        ("2001:db8::1", "2001:db8:0::1", True),
        ("fe80::1%eth0", "fe80::/10", True),
        ("api.mailgun.net", "10.0.0.0/8", False),
        ("api.mailgun.net", "not/a/network", False),
        ("10.1.2.3", "not/a/network", False),
        ("10.1.2.3", "2.3", False),
    ],
)
def test_excluded(host, no_proxy, expected) -> None:
    assert excluded(host, 443, no_proxy) is expected


@pytest.mark.parametrize("proxy", ["socks5://u:geheim@h:1", "ftp://h", "http://", "http://[::1"])
def test_what_is_no_http_proxy_is_refused_without_its_password(proxy) -> None:
    with pytest.raises(ValueError, match="HTTPS_PROXY") as caught:
        proxy_for("https://api.mailgun.net", {"HTTPS_PROXY": proxy})
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("mark", ["#", "/", "?"])
@pytest.mark.parametrize("scheme", ["http://", "https://", ""])
def test_a_character_that_ends_a_password_is_said_and_the_password_is_not(mark: str, scheme: str) -> None:
    environ = {"HTTPS_PROXY": f"{scheme}me:gehe{mark}imnis@proxy.example:3128"}
    for ask in (
        lambda: proxies.proxy_for("https://api.example/", environ),
        lambda: proxy_environment.proxy_for(Address("t.example", 443), environ),
    ):
        with pytest.raises(ValueError, match=r"HTTPS_PROXY: .*%23 for #") as caught:
            ask()
        assert "gehe" not in str(caught.value)
        assert "imnis" not in str(caught.value)


def test_what_a_library_says_of_a_proxy_is_without_its_password() -> None:
    environ = {"HTTPS_PROXY": "http://me:ge%23heim%2Fnis@proxy.example:3128"}
    assert proxies.proxy_for("https://api.example/", environ)
    assert redaction.hide("Invalid port: 'ge#heim/nis'") == "Invalid port: '***'"
    assert redaction.hide("http://me:ge%23heim%2Fnis@proxy") == "http://me:***@proxy"

"""``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` -> the HTTP proxy for an address, or none. Pure.

The rules are those of Go's ``httpproxy``, which Teleport's own clients use: the names in capitals win,
``HTTPS_PROXY`` before ``HTTP_PROXY``; ``NO_PROXY`` takes ``*``, hosts (with their subdomains), ``.suffix``,
``*.suffix`` (subdomains only), addresses, networks (CIDR), each but the networks also with a port.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import unquote

from msgspec import Struct, field

from teleport_email.config.proxies import first_set, listed, parsed
from teleport_email.config.settings import Secret
from teleport_email.teleport.connect.address import Address


class HttpProxy(Struct, frozen=True):
    """A proxy that understands CONNECT."""

    address: Address
    tls: bool = False
    """``https://``: TLS to the proxy itself."""
    authorization: Secret = field(default_factory=lambda: Secret(""))
    """Value of the ``Proxy-Authorization`` header; empty: none."""

    def __str__(self) -> str:
        return str(self.address)


def proxy_for(address: Address, environ: Mapping[str, str]) -> HttpProxy | None:
    """The proxy to use for ``address``. Raises ``ValueError``, without any credentials in it."""
    name, url = first_set(environ, "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
    if not url or excluded(address, first_set(environ, "NO_PROXY", "no_proxy")[1]):
        return None
    proxy = _parse(name, url)
    # A proxy elsewhere cannot reach this machine's loopback; Go never asks one. One on this machine can.
    return None if address.is_loopback and not proxy.address.is_loopback else proxy


def excluded(address: Address, no_proxy: str) -> bool:
    """Whether ``NO_PROXY`` says to go there directly."""
    return listed(address.host, address.port, no_proxy)


def _parse(name: str, url: str) -> HttpProxy:
    parts = parsed(name, url)
    host, port = parts.hostname or "", parts.port
    tls = parts.scheme.lower() == "https"
    authorization = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    return HttpProxy(Address(host, port or (443 if tls else 80)), tls, Secret(authorization))

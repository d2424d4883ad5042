"""``teleport.addr`` -> addresses to dial. Pure."""

from __future__ import annotations

import ipaddress
import re

from msgspec import Struct

DEFAULT_PORT = 3025
"""The Auth Service's. A Proxy's (443, 3080) is part of the address that its users know."""

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


class Address(Struct, frozen=True, order=True):
    """A host (name, IPv4 or IPv6 without brackets) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def name(self) -> str:
        """The host as TLS and HTTP know it. A dot at the end (``proxy.example.com.``) is for DNS only and
        says that no search domain is to be tried."""
        return self.host.removesuffix(".")

    @property
    def authority(self) -> str:
        """Host and port as HTTP has them, for ``Host`` and ``CONNECT``."""
        return str(Address(self.name, self.port))

    @property
    def is_loopback(self) -> bool:
        """Whether this can only mean the machine itself."""
        if self.host.rstrip(".").lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.partition("%")[0]).is_loopback
        except ValueError:
            return False


def parse_addresses(text: str) -> tuple[Address, ...]:
    """``host:port[,host:port...]`` -> addresses, doubles removed.

    Raises ``ValueError`` with a reason for people. A missing port means 3025, or 443 with ``https://``.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise ValueError("no address given; it should be host:port")
    return tuple(dict.fromkeys(_one(part) for part in parts))


def _one(text: str) -> Address:
    rest, default = text, DEFAULT_PORT
    if "://" in rest:
        scheme, _, rest = rest.partition("://")
        if scheme.lower() not in ("https", "tcp"):
            raise ValueError(f"{text!r}: only host:port is expected here")
        default = 443 if scheme.lower() == "https" else DEFAULT_PORT
        rest = rest.removesuffix("/")
    host, port = _split(rest)
    if not port:
        number = default
    elif port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536:
        number = int(port[:6])
    else:
        raise ValueError(f"{text!r}: {port!r} is no port; a number from 1 to 65535 is expected")
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"{text!r}: {host!r} is no IPv6 address; write [address]:port") from None
    elif not all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split(".")) or len(host) > 253:
        raise ValueError(f"{text!r}: {host!r} is no host name; it should be host:port")
    return Address(host, number)


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ValueError(f"{text!r}: write an IPv6 address as [address]:port")
        return host, port[1:]
    if text.count(":") > 1:  # an IPv6 address without a port
        return text, ""
    host, _, port = text.partition(":")
    return host, port

"""``host:port`` as people write it. Pure."""

from __future__ import annotations

import ipaddress
import re

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?")


def parse_endpoint(text: str) -> tuple[str, int]:
    """Host and port of ``host:port``; an IPv6 host stands in brackets and comes back without them.

    An empty host (``:8080``) comes back as ``""``. Raises ``ValueError`` with a reason for people.
    """
    if "://" in text:
        raise ValueError("must be host:port without a scheme (no https://)")
    host, colon, port = text.rpartition(":")
    if not colon or host.count("[") != host.count("]") or port.endswith("]"):
        raise ValueError("has no port: write host:port")
    if not (port.isascii() and port.isdigit() and 1 <= len(port) <= 5 and 1 <= int(port) <= 65535):
        raise ValueError("has no usable port: write host:port with a port from 1 to 65535")
    if host.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host[1:-1] if host.endswith("]") else "")), int(port)
        except ValueError:
            raise ValueError("has brackets that do not hold an IPv6 address") from None
    if ":" in host:
        raise ValueError("has an IPv6 address without brackets: write [address]:port")
    if host and not _HOST.fullmatch(host):
        raise ValueError("has characters that host names cannot have: write host:port")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether a host, by its very name or address, is this machine and nothing else."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

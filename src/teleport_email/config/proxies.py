"""Which HTTP proxy a URL is fetched through, from ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY``. Pure.

The rules are those of Go's ``httpproxy``, since people set these variables for Teleport too: the names in
lower case count where those in capitals are not set; ``NO_PROXY`` takes ``*``, hosts (with their subdomains),
``.suffix`` and ``*.suffix`` (subdomains only), IP addresses, and networks (CIDR), all but the networks also
with a port. A loopback address is never asked of a proxy.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from teleport_email.core import redaction

__all__ = ["excluded", "first_set", "listed", "parsed", "proxy_for"]

_PORTS = {"http": 80, "https": 443}


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The URL of the proxy (it may hold a password), or None: go there directly.

    :raises ValueError: when the variable does not name an HTTP proxy; the text does not repeat it.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS.get(parts.scheme, 0)
    name, proxy = first_set(environ, f"{parts.scheme.upper()}_PROXY", f"{parts.scheme}_proxy")
    if not proxy or excluded(host, port, first_set(environ, "NO_PROXY", "no_proxy")[1]):
        return None
    return parsed(name, proxy).geturl()


def parsed(name: str, url: str) -> SplitResult:
    """The parts of a proxy's URL from the variable ``name``; its password is never shown from now on.

    :raises ValueError: when it is none. The text quotes nothing of it.
    """
    url = url if "://" in url else f"http://{url}"
    login, at, _ = url.partition("://")[2].rpartition("@")
    password = login.partition(":")[2]
    for secret in (password, unquote(password)):
        redaction.know(secret)
    if at and any(mark in login for mark in "/?#"):
        raise ValueError(
            f"{name}: a character in its user name or password ends them in a URL; write %2F for /, %3F for ?"
            " and %23 for #"
        )
    try:
        parts = urlsplit(url)
        usable = parts.scheme.lower() in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"{name} is not the URL of an HTTP proxy; write http://[user:password@]host:port")
    return parts


def excluded(host: str, port: int, no_proxy: str) -> bool:
    """Whether a host (name or address without brackets) is reached without a proxy."""
    ip = _address(host.partition("%")[0])
    is_loopback = host.lower().rstrip(".") == "localhost" or (ip is not None and ip.is_loopback)
    return is_loopback or listed(host, port, no_proxy)


def listed(host: str, port: int, no_proxy: str) -> bool:
    """Whether ``NO_PROXY`` names the host."""
    host = host.lower().rstrip(".")
    ip = _address(host.partition("%")[0])
    entries = (entry.strip().lower() for entry in no_proxy.split(","))
    return any(_matches(host, ip, port, entry) for entry in entries if entry)


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _matches(host: str, ip: _Address | None, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        with contextlib.suppress(ValueError):
            return ip is not None and ip in ipaddress.ip_network(entry, strict=False)
        return False
    name, wanted_port = _split(entry)
    if wanted_port and wanted_port != str(port):
        return False
    if ip is not None:
        return ip == _address(name)
    if name.startswith(("*.", ".")):
        return host.endswith("." + name.lstrip("*").lstrip("."))
    return host == name or host.endswith("." + name)


def _split(entry: str) -> tuple[str, str]:
    """Host and port of ``host``, ``host:port``, ``::1``, ``[::1]:port``."""
    if entry.startswith("["):
        name, _, port = entry[1:].partition("]")
        return name, port.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _address(text: str) -> _Address | None:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(text)
    return None


def first_set(environ: Mapping[str, str], *names: str) -> tuple[str, str]:
    """Name and value of the first variable that is set and not blank; two empty strings when none is."""
    return next(((name, environ[name].strip()) for name in names if environ.get(name, "").strip()), ("", ""))

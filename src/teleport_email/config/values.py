"""What single values of the configuration must look like. Pure, but for the time zones of this machine.

Each function takes a text and gives its checked form, or raises ``ValueError`` with a reason for people.
"""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from urllib.parse import SplitResult, urlsplit

from teleport_email.config.addresses import parse_address, parse_domain
from teleport_email.config.endpoints import is_loopback, parse_endpoint


def cluster_addresses(text: str) -> str:
    """One or more ``host:port`` of the cluster, separated by commas."""
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        try:
            host, _ = parse_endpoint(part)
        except ValueError as error:
            raise ValueError(f"{error} (a Proxy mostly has port 443, an Auth Service 3025)") from None
        if not host:
            raise ValueError("has no host: write host:port")
    return ",".join(parts)


def mail_host(text: str) -> str:
    """A host's name or IP address; IPv6 with or without brackets comes back without them."""
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        pass
    if ":" in text or "/" in text:
        raise ValueError("must be a host's name alone: the port goes to smtp.port")
    if re.fullmatch(r"[A-Za-z0-9_.-]+", text):  # names inside a network may have underscores
        return text
    return parse_domain(text)


def helo_name(text: str) -> str:
    """What we call ourselves in EHLO (RFC 5321 §4.1.1.1)."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]+|\[[0-9A-Za-z:.]+\]", text):
        raise ValueError("must be a host's name, or an IP address in brackets")
    return text


def sender(text: str) -> str:
    """A plain address or ``Name <address>``; the name without quotes."""
    name, bracket, rest = text.rpartition("<")
    if not bracket:
        return parse_address(text)
    if not rest.endswith(">"):
        raise ValueError("must be an address, or Name <address>")
    address = parse_address(rest[:-1])
    name = name.strip()
    if len(name) >= 2 and name.startswith('"') and name.endswith('"'):
        name = name[1:-1].replace('\\"', "'").strip()
    if not name.isprintable() or any(character in name for character in '<>"\\'):
        raise ValueError("has a name with characters that it cannot have")
    return f"{name} <{address}>" if name else address


def allowed_domain(text: str) -> str:
    """A domain, also as ``@domain``."""
    if "*" in text:
        raise ValueError("holds a wildcard: write each domain, subdomains too")
    return parse_domain(text.removeprefix("@"))


def timezone(text: str) -> str:
    """An IANA time zone that can be loaded here."""
    if text.upper() == "UTC":
        return "UTC"
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            "is not a time zone that this machine knows: write it such as Europe/Berlin (the system's "
            "tzdata must be installed)"
        ) from None
    return text


def plugin_name(text: str) -> str:
    """A name that fits into plugin data and rules."""
    if any(character in "/," or character.isspace() or not character.isprintable() for character in text):
        raise ValueError("must not hold a slash, a comma or a space")
    return text


def api_base(text: str) -> str:
    """Mailgun's address without a path (``/v3`` behind it is fine)."""
    parts = _web_address(text)
    if parts.path.rstrip("/") not in ("", "/v3") or parts.query:
        raise ValueError("must end after the host (https://api.eu.mailgun.net)")
    return f"{parts.scheme}://{parts.netloc}"


def token_url(text: str) -> str:
    """Where OAuth2 tokens are fetched."""
    _web_address(text)
    return text


def _web_address(text: str) -> SplitResult:
    """An https address, or http to this very machine; no credentials in it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("must be a web address: https://host/...") from None
    if not parts.hostname or parts.scheme not in ("https", "http") or port == 0:
        raise ValueError("must be a web address: https://host/...")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must begin with https:// (http only to this very machine)")
    if "@" in parts.netloc or parts.fragment or not text.isascii() or " " in text:
        raise ValueError("must be a plain web address: no user, no fragment, no spaces, ASCII only")
    return parts


def why_not_listen(addr: str, allow_remote: bool) -> str:
    """Why diagnostics must not listen there, or nothing."""
    try:
        host, _ = parse_endpoint(addr)
    except ValueError as error:
        return str(error)
    if allow_remote or is_loopback(host):
        return ""
    return "is open to the network: use 127.0.0.1, or set allow_remote = true in [diagnostics]"

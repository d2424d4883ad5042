"""What single values of the configuration must look like. Pure, but for the time zones of this machine.

Each function takes a text and gives its checked form, or raises ``ValueError`` with a reason for people.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from teleport_email.config.endpoints import is_loopback, parse_endpoint
from teleport_email.core.addresses import parse_address, parse_domain, why_odd


def cluster_addresses(text: str) -> tuple[str, str]:
    """One or more ``host:port`` of the cluster, separated by commas; and which of them came without a port.

    Those are there twice: with a Proxy's port, then with an Auth Service's.
    """
    found: list[str] = []
    without_port: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        try:
            host, _ = parse_endpoint(part)
            found.append(part)
        except ValueError as error:
            name = _host_alone(part)
            if not name:
                raise ValueError(f"{error} (a Proxy mostly has port 443, an Auth Service 3025)") from None
            host = part
            found += [f"{name}:443", f"{name}:3025"]
            without_port.append(part)
        if not host:
            raise ValueError("has no host: write host:port")
    return ",".join(found), ", ".join(without_port)


def _host_alone(text: str) -> str:
    """A host without a port, as it stands before one; empty where it is none."""
    try:
        if text.startswith("[") and text.endswith("]"):
            return f"[{ipaddress.IPv6Address(text[1:-1])}]"
        host, _ = parse_endpoint(f"{text}:443")
    except ValueError:
        return ""
    return host


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


def mailgun_domain(text: str) -> str:
    """A domain at Mailgun; slashes around it go, as in its web address they change nothing."""
    return parse_domain(text.strip("/"))


def sender(text: str) -> str:
    """A plain address or ``Name <address>``; the name without quotes, from a comment where it is one."""
    text = text.strip()
    name, bracket, rest = text.rpartition("<")
    if not bracket or not rest.endswith(">"):
        comment = _COMMENT.fullmatch(text)
        if comment is None:
            if bracket:
                raise ValueError("must be an address, or Name <address>")
            return parse_address(_without_root(text))
        inside = sender(comment["before"] + comment["after"])
        return inside if inside.endswith(">") else _named(comment["comment"], inside)
    return _named(name, parse_address(_without_root(rest[:-1].strip())))


def odd_sender(text: str, found: str) -> str:
    """Why a sender that was read as ``found`` is not written as it should be, or nothing."""
    moved = _COMMENT.fullmatch(text.strip()) and "(" not in found
    if text.strip() != text or moved or text.rstrip("> ").endswith("."):
        return f"is read as {found}: write it like that"
    return why_odd(found.rpartition("<")[2].removesuffix(">"))


# One comment, before or behind what else there is (RFC 5322 section 3.2.2); quotes and brackets are outside.
_COMMENT = re.compile(
    r'(?P<before>(?:[^()"]|"[^"]*")*?)\s*\((?P<comment>[^()\\]*)\)\s*(?P<after>(?:[^()"]|"[^"]*")*)'
)


def _named(name: str, address: str) -> str:
    name = name.strip()
    if "=?" in name:  # an encoded word (RFC 2047), which the Go plugin sends as it is
        from email.header import decode_header, make_header

        name = str(make_header(decode_header(name)))
    if len(name) >= 2 and name.startswith('"') and name.endswith('"'):
        name = name[1:-1].replace('\\"', "'").strip()
    if not name.isprintable() or any(character in name for character in '<>"\\'):
        raise ValueError("has a name with characters that it cannot have")
    return f"{name} <{address}>" if name else address


def _without_root(address: str) -> str:
    """The dot of the root behind a domain is for the DNS only."""
    return address.removesuffix(".")


def allowed_domain(text: str) -> str:
    """A domain, also as ``@domain``."""
    if "*" in text:
        raise ValueError("holds a wildcard: write each domain, subdomains too")
    return parse_domain(text.removeprefix("@"))


def timezone(text: str) -> str:
    """An IANA time zone that can be loaded here."""
    if text.upper() == "UTC":
        return "UTC"
    import zoneinfo

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

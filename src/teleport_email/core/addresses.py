"""Mail addresses: which ones we take, and the one form of each. Pure.

Taken is what some mail server takes (RFC 5321 section 4.1.2) and the Go plugin does: also names of hosts
that are no proper domain names, IP addresses, and local parts that need SMTPUTF8 (RFC 6531). Domains become
A-labels in lower case, so that equal addresses are equal strings. The local part is its server's business
and keeps its case: ``sec@`` and ``Sec@`` are two.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import unicodedata

# RFC 5321 section 4.5.3.1.1 asks of servers to take this much; many take more.
_USUAL_LOCAL = 64
# RFC 5321 section 4.5.3.1.2: 255 with the dot of the root.
_MAX_DOMAIN = 253
# What a command line of 512 bytes holds beside "RCPT TO:<>" and its end (RFC 5321 section 4.5.3.1.4).
_MAX_ADDRESS = 500
_MAX_LABEL = 63

# Atext (RFC 5322 section 3.2.3) and all that is not ASCII, said by what it is not: a class that names all
# characters up to the last one takes five milliseconds of a start to compile.
_ATEXT = r'[^\x00-\x20"(),.:;<>@\[\\\]\x7f]+'
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
# Names inside a network have underscores, and the odd one ends in a hyphen.
_LABEL = re.compile(r"[a-z0-9_][a-z0-9_-]*")


# A burst names the same reviewers in every request, several times each. What is refused is not kept, and what
# is taken has 2,000 characters at most: a few megabytes in the worst case.
@functools.lru_cache(maxsize=2048)
def parse_address(text: str) -> str:
    """The one form of a plain address: local part as given, domain as A-labels in lower case.

    Quotes around a local part go where they change nothing. Raises ``ValueError`` with a reason for people,
    which does not repeat the text.
    """
    if not text:
        raise ValueError("is empty")
    if len(text) > 4 * _MAX_ADDRESS:  # before any work is done; U-labels are at most 4 times shorter
        raise ValueError(f"is longer than {_MAX_ADDRESS} characters")
    if any(not character.isprintable() for character in text):
        raise ValueError("contains a control or invisible character")
    local, at, domain = text.rpartition("@")
    quoted = _QUOTED.fullmatch(local)
    plain = text if quoted is None else domain
    if "<" in plain or ">" in plain:
        raise ValueError(
            "must be a plain address (user@example.com) without a display name or angle brackets"
        )
    if "," in plain or ";" in plain:
        raise ValueError("holds a comma or semicolon: write one address in each string")
    if any(character.isspace() for character in plain):
        raise ValueError("contains a space")
    if not at:
        raise ValueError("has no @: it must look like user@example.com")
    if not local:
        raise ValueError("has nothing before the @")
    address = f"{_quoted_local(quoted[1]) if quoted else _plain_local(local)}@{parse_domain(domain)}"
    if len(address.encode()) > _MAX_ADDRESS:
        raise ValueError(f"is longer than {_MAX_ADDRESS} characters")
    return address


def one_form(text: str) -> str:
    """The one form of an address, to compare by; what is none as it is, without blanks at its ends."""
    try:
        return parse_address(text.strip())
    except ValueError:
        return text.strip()


def parse_domain(text: str) -> str:
    """The one form of a domain: A-labels in lower case (IDNA 2008 with UTS 46 mapping), or an IP address.

    A single label (``localhost``) is fine. Raises ``ValueError`` with a reason for people.
    """
    if not text:
        raise ValueError("has no domain")
    if text.startswith("["):
        return _literal(text)
    if len(text) > 4 * _MAX_DOMAIN:
        raise ValueError(f"has a domain of more than {_MAX_DOMAIN} characters")
    domain = text.lower() if text.isascii() else _to_a_labels(text)
    labels = domain.split(".")
    if "" in labels:
        raise ValueError("has a dot too many in its domain")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("has a domain with characters that domain names cannot have")
    if any(len(label) > _MAX_LABEL for label in labels) or len(domain) > _MAX_DOMAIN:
        raise ValueError(
            f"has a domain that is too long ({_MAX_DOMAIN} characters, {_MAX_LABEL} between dots)"
        )
    return domain


def why_odd(address: str) -> str:
    """What is unusual about an address that :func:`parse_address` gave, so that servers may refuse it."""
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        return "has non-ASCII characters before the @: only servers with SMTPUTF8 take it"
    if local.startswith('"'):
        return "has quotes before the @, which many mail servers refuse"
    if len(local) > _USUAL_LOCAL:
        return f"has more than {_USUAL_LOCAL} characters before the @, which many mail servers refuse"
    labels = domain.split(".")
    if domain.startswith("[") or labels[-1].isdigit():  # no top-level domain is a number (RFC 3696 section 2)
        return "has an IP address as its domain, which many mail servers refuse"
    if any("_" in label or label.endswith("-") for label in labels):
        return "has a domain that is a name of a host rather than of a domain, which many mail servers refuse"
    return ""


def _plain_local(local: str) -> str:
    if local.startswith('"'):
        raise ValueError("has quotes before the @ that do not close")
    if not _DOT_ATOM.fullmatch(local):
        if local.startswith(".") or local.endswith(".") or ".." in local:
            raise ValueError("has a dot too many before the @")
        raise ValueError("has characters before the @ that mail addresses cannot have")
    return unicodedata.normalize("NFC", local)  # RFC 6532 section 3.1


def _quoted_local(inside: str) -> str:
    """A quoted local part, without the quotes where they change nothing (RFC 5321 section 4.1.2)."""
    local = unicodedata.normalize("NFC", re.sub(r"\\(.)", r"\1", inside))
    if not local:
        raise ValueError("has nothing before the @")
    if _DOT_ATOM.fullmatch(local):
        return local
    return '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'


def _literal(text: str) -> str:
    """``[192.0.2.1]`` or ``[IPv6:2001:db8::1]`` (RFC 5321 section 4.1.3)."""
    inside = text[1:-1] if text.endswith("]") else ""
    try:
        if inside[:5].lower() == "ipv6:":
            return f"[IPv6:{ipaddress.IPv6Address(inside[5:])}]"
        return f"[{ipaddress.IPv4Address(inside)}]"
    except ValueError:
        raise ValueError("has brackets as its domain that do not hold an IP address") from None


def _to_a_labels(text: str) -> str:
    import idna  # its tables take a while to load, and most domains are ASCII

    try:
        # Non-transitional: "faß.de" is its own domain, not "fass.de" (what browsers do since 2016).
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
        labels = mapped.split(".")
        return ".".join(
            label.lower() if label.isascii() else idna.alabel(label).decode("ascii") for label in labels
        )
    except UnicodeError as error:  # IDNAError is one
        raise ValueError("has a domain that IDNA does not allow") from error

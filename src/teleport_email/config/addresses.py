"""Mail addresses: which ones we take, and the one form of each. Pure.

Taken is what every mail server understands: a dot-atom, ``@``, a domain name (RFC 5321 §4.1.2 without
quoted strings and address literals). Domains become A-labels in lower case, so that no server needs
SMTPUTF8 and equal addresses are equal strings. The local part is its server's business and keeps its case.
"""

from __future__ import annotations

import re

# RFC 5321 §4.5.3.1.1, §4.5.3.1.2 (255 with the dot of the root), and the path limit of §4.5.3.1.3
# (256 with its angle brackets).
_MAX_LOCAL = 64
_MAX_DOMAIN = 253
_MAX_ADDRESS = 254
_MAX_LABEL = 63

_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def parse_address(text: str) -> str:
    """The one form of a plain address: local part as given, domain as A-labels in lower case.

    Raises ``ValueError`` with a reason for people, which does not repeat the text.
    """
    if not text:
        raise ValueError("is empty")
    if len(text) > 4 * _MAX_ADDRESS:  # before any work is done; U-labels are at most 4 times shorter
        raise ValueError(f"is longer than {_MAX_ADDRESS} characters")
    if any(not character.isprintable() for character in text):
        raise ValueError("contains a control or invisible character")
    if "<" in text or ">" in text:
        raise ValueError(
            "must be a plain address (user@example.com) without a display name or angle brackets"
        )
    if "," in text or ";" in text:
        raise ValueError("holds a comma or semicolon: write one address in each string")
    if any(character.isspace() for character in text):
        raise ValueError("contains a space")
    local, at, domain = text.rpartition("@")
    if not at:
        raise ValueError("has no @: it must look like user@example.com")
    if not local:
        raise ValueError("has nothing before the @")
    return f"{_check_local(local)}@{_check_length(local, parse_domain(domain))}"


def parse_domain(text: str) -> str:
    """The one form of a domain name: A-labels in lower case (IDNA 2008 with UTS 46 mapping).

    A single label (``localhost``) is fine. Raises ``ValueError`` with a reason for people.
    """
    if not text:
        raise ValueError("has no domain")
    if text.startswith("["):
        raise ValueError("has an IP address as its domain: write a domain name")
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
    if labels[-1].isdigit():  # no top-level domain is a number (RFC 3696 §2): this is an IP address
        raise ValueError("has an IP address as its domain: write a domain name")
    return domain


def domain_of(address: str) -> str:
    """The domain of an address that :func:`parse_address` gave."""
    return address.rpartition("@")[2]


def _check_local(local: str) -> str:
    if not local.isascii():
        raise ValueError("has non-ASCII characters before the @, which many mail servers refuse (SMTPUTF8)")
    if local.startswith('"'):
        raise ValueError("has quotes before the @, which this program does not take")
    if len(local) > _MAX_LOCAL:
        raise ValueError(f"has more than {_MAX_LOCAL} characters before the @")
    if not _DOT_ATOM.fullmatch(local):
        if local.startswith(".") or local.endswith(".") or ".." in local:
            raise ValueError("has a dot too many before the @")
        raise ValueError("has characters before the @ that mail addresses cannot have")
    return local


def _check_length(local: str, domain: str) -> str:
    if len(local) + 1 + len(domain) > _MAX_ADDRESS:
        raise ValueError(f"is longer than {_MAX_ADDRESS} characters")
    return domain


def _to_a_labels(text: str) -> str:
    import idna  # its tables take a while to load, and most domains are ASCII

    try:
        # Non-transitional: "faß.de" is its own domain, not "fass.de" (what browsers do since 2016).
        return idna.encode(text, uts46=True, transitional=False, std3_rules=True).decode("ascii").lower()
    except UnicodeError as error:  # IDNAError is one
        raise ValueError("has a domain that IDNA does not allow") from error

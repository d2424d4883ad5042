"""An X.509 certificate's bytes -> the four facts that we tell people. Pure; decides about no trust.

Whether a certificate is genuine, fits a key or is in time for a peer is for OpenSSL to say (``ssl``), which
shows nobody what is in a certificate of our own. In: DER (RFC 5280 section 4.1). Never: a signature checked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import Struct

_COMMON_NAME, _ORGANIZATION = bytes.fromhex("550403"), bytes.fromhex("55040a")  # 2.5.4.3, 2.5.4.10
_ALTERNATIVE_NAMES = bytes.fromhex("551d11")  # 2.5.29.17

_VERSION, _EXTENSIONS = 0xA0, 0xA3  # [0] and [3]
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_UTC_TIME = 0x17  # else GeneralizedTime
_TEXT_FORMS = {0x14: "latin-1", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}
"""Teletex, Universal and BMPString; all others are ASCII or UTF-8."""

_Element = tuple[int, bytes]
"""Tag and contents."""


class CertificateFault(ValueError):
    """These bytes are no certificate. The message is a fact about them."""


class Certificate(Struct, frozen=True):
    """What a certificate claims. Times are UTC."""

    common_name: str
    organizations: tuple[str, ...]
    """In a cluster: the roles of whom it is for."""
    issuer: str
    """The issuer's organisation, or its common name. In a cluster: the cluster's name."""
    names: tuple[str, ...]
    """The DNS names and addresses that it is for; its common name where it lists none."""
    not_before: datetime
    not_after: datetime


def read(der: bytes) -> Certificate:
    """What stands in it. :raises CertificateFault:"""
    try:
        (_, certificate), *behind = _elements(der)
        if behind:
            raise ValueError("more follows it")
        fields = list(_elements(next(_elements(certificate))[1]))
        at = 1 if fields[0][0] == _VERSION else 0
        # Serial number, signature algorithm, issuer, validity, subject, public key; then what is optional.
        issuer, validity, subject = (contents for _, contents in fields[at + 2 : at + 5])
        not_before, not_after = (_time(*element) for element in _elements(validity))
        common_name = next(_attributes(subject, _COMMON_NAME), "")
        organizations = tuple(_attributes(subject, _ORGANIZATION))
        issuers = [*_attributes(issuer, _ORGANIZATION), *_attributes(issuer, _COMMON_NAME)]
        listed = _alternative_names(fields[at + 6 :])
    except (IndexError, StopIteration, ValueError) as error:
        raise CertificateFault(f"it is no X.509 certificate: {error or 'something is missing'}") from None
    return Certificate(
        common_name=common_name,
        organizations=organizations,
        issuer=next(filter(None, issuers), ""),
        names=((common_name,) if common_name else ()) if listed is None else listed,
        not_before=not_before,
        not_after=not_after,
    )


def _elements(data: bytes) -> Iterator[_Element]:
    """The elements that stand one behind the other (X.690 section 8.1, with definite lengths)."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length >= 0x80:  # the number of bytes that hold the length
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size]), at + size
        if at + length > len(data):
            raise ValueError("it is cut off")
        yield tag, data[at : at + length]
        at += length


def _attributes(name: bytes, wanted: bytes) -> Iterator[str]:
    """The values of this kind in a distinguished name, in order."""
    for _, several in _elements(name):
        for _, attribute in _elements(several):
            (_, kind), (form, value) = _elements(attribute)
            if kind == wanted:
                yield value.decode(_TEXT_FORMS.get(form, "utf-8"), "replace")


def _time(form: int, value: bytes) -> datetime:
    # Two digits of a year: 1950 to 2049 (RFC 5280 section 4.1.2.5.1); strptime splits at 1969.
    text = value.decode("ascii")
    if form == _UTC_TIME:
        text = ("19" if text >= "5" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _alternative_names(optional: list[_Element]) -> tuple[str, ...] | None:
    """The DNS names and addresses in the extension of these; None where there is no such extension."""
    for tag, contents in optional:
        if tag != _EXTENSIONS:
            continue
        for _, extension in _elements(next(_elements(contents))[1]):
            (_, kind), *_, (_, value) = _elements(extension)
            if kind == _ALTERNATIVE_NAMES:
                names = list(_elements(next(_elements(value))[1]))
                return (
                    *(name.decode("ascii") for form, name in names if form == _DNS_NAME),
                    *(str(ipaddress.ip_address(name)) for form, name in names if form == _IP_ADDRESS),
                )
    return None

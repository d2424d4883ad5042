"""What is read from a certificate, against what a whole library for X.509 reads from the same bytes."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from hypothesis import given, settings
from hypothesis import strategies as st

from teleport_email.teleport.connect.certificate import CertificateFault, read

DATA = Path(__file__).parents[2] / "data" / "identity"
KEY = ec.generate_private_key(ec.SECP256R1())
NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
CN, ORG = x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME
FORMS = (_ASN1Type.UTF8String, _ASN1Type.BMPString)
TEXT = st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF), min_size=1, max_size=64)


def made(subject, issuer, *, names=None, begin=NOW, end=NOW + timedelta(hours=1)) -> bytes:
    builder = x509.CertificateBuilder().serial_number(2**150).public_key(KEY.public_key())
    builder = builder.subject_name(x509.Name(subject)).issuer_name(x509.Name(issuer))
    builder = builder.not_valid_before(begin).not_valid_after(end)
    if names is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([CN, ORG, x509.NameOID.SERIAL_NUMBER]), TEXT, st.sampled_from(FORMS)),
        max_size=6,
    ),
    st.lists(st.tuples(st.sampled_from([CN, ORG]), TEXT), max_size=3),
    st.none() | st.lists(st.from_regex(r"[a-z0-9.*-]{1,300}", fullmatch=True), min_size=1, max_size=9),
    st.datetimes(datetime(1950, 1, 1), datetime(9000, 1, 1)),
)
def test_as_a_whole_library_reads_it(subject, issuer, names, begin) -> None:
    begin = begin.replace(tzinfo=UTC, microsecond=0)
    addresses = [ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8::1")]
    listed = [*map(x509.DNSName, names), *map(x509.IPAddress, addresses)] if names else None
    der = made(
        [x509.NameAttribute(oid, text, form) for oid, text, form in subject],
        [x509.NameAttribute(oid, text) for oid, text in issuer],
        names=[x509.RFC822Name("a@example.com"), *listed] if listed else None,
        begin=begin,
        end=begin + timedelta(days=700),
    )
    theirs, ours = x509.load_der_x509_certificate(der), read(der)

    def first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
        return next((str(attribute.value) for attribute in name.get_attributes_for_oid(oid)), "")

    assert ours.common_name == first(theirs.subject, CN)
    roles = theirs.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    assert ours.organizations == tuple(attribute.value for attribute in roles)
    assert ours.issuer == (first(theirs.issuer, ORG) or first(theirs.issuer, CN))
    assert (ours.not_before, ours.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    if names:
        assert ours.names == (*names, *map(str, addresses))
    else:
        assert ours.names == ((ours.common_name,) if ours.common_name else ())


@pytest.mark.parametrize(
    ("name", "common_name", "names"),
    [
        ("tls.crt", "access-plugin", ("access-plugin",)),
        ("tls.cas", "demo.example.com", ("demo.example.com",)),
    ],
)
def test_recorded_ones(name: str, common_name: str, names: tuple[str, ...]) -> None:
    found = read(ssl.PEM_cert_to_DER_cert((DATA / name).read_text().strip()))
    assert (found.common_name, found.issuer, found.names) == (common_name, "demo.example.com", names)


def test_an_extension_without_names_is_no_reason_for_the_common_name() -> None:
    der = made([x509.NameAttribute(CN, "me")], [], names=[x509.RFC822Name("a@example.com")])
    assert read(der).names == ()


WHOLE = made(
    [x509.NameAttribute(CN, "me")], [x509.NameAttribute(ORG, "c")], names=[x509.DNSName("a.example")]
)


def test_a_part_of_one() -> None:
    for size in range(len(WHOLE)):
        with pytest.raises(CertificateFault, match=r"no X\.509 certificate"):
            read(WHOLE[:size])


def test_more_than_one() -> None:
    with pytest.raises(CertificateFault, match="more follows it"):
        read(WHOLE + b"\x05\x00")


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200)
    | st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 9), st.binary(max_size=9)).map(
        lambda t: WHOLE[: t[0]] + t[2] + WHOLE[t[0] + t[1] :]
    )
)
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    try:
        found = read(data)
    except CertificateFault:
        return
    assert found.not_before.tzinfo is found.not_after.tzinfo is UTC

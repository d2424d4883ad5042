"""What the CAs issue is what Teleport issues: read by our own reader, by OpenSSL, and beside the recorded files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from teleport_email.config.settings import TeleportSettings
from teleport_email.core.errors import IdentityError, IdentityExpired
from teleport_email.sandbox.front.ca import SERVER_NAME, Authorities
from teleport_email.teleport.connect import credentials

RECORDED = Path(__file__).parents[2] / "data" / "vectors" / "identity"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def load(directory: Path, text: bytes) -> credentials.Identity:
    path = directory / "identity"
    path.write_bytes(text)
    return credentials.load(TeleportSettings(identity=path))


def issue(cluster: str = "demo.example.com", **options):
    return Authorities(cluster, NOW).credentials(
        "alice", ["dev", "dba"], not_before=NOW, not_after=NOW + timedelta(hours=1), **options
    )


@pytest.mark.parametrize("key_type", ["ecdsa", "rsa", "ed25519"])
def test_identities_of_every_key_type_can_be_loaded(tmp_path, key_type):
    identity = load(tmp_path, issue(key_type=key_type).identity_file)
    assert (identity.user, identity.cluster) == ("alice", "demo.example.com")
    assert (identity.not_before, identity.not_after) == (NOW, NOW + timedelta(hours=1))
    credentials.check_time(identity, NOW, clock_set=True)
    with pytest.raises(IdentityExpired):
        credentials.check_time(identity, NOW + timedelta(hours=2), clock_set=True)
    with pytest.raises(IdentityError):
        credentials.check_time(identity, NOW - timedelta(hours=2), clock_set=True)


def test_the_lines_of_an_identity_file_come_in_teleports_order():
    def shape(text: bytes) -> list[str]:
        lines = text.decode().splitlines()
        marks = [line for line in lines if line.startswith(("-----BEGIN", "ssh-", "ecdsa-", "@"))]
        return [mark.split()[0] if mark.startswith("@") else mark.split("-cert-")[-1][:40] for mark in marks]

    recorded = shape((RECORDED / "tctl-rsa.identity").read_bytes())
    made = shape(issue(key_type="rsa").identity_file)
    assert [one[:12] for one in made] == [one[:12] for one in recorded]


@pytest.mark.parametrize("part", ["client", "ca"])
def test_certificates_have_the_extensions_of_recorded_ones(part):
    recorded = x509.load_pem_x509_certificate(
        (RECORDED / ("tls.crt" if part == "client" else "tls.cas")).read_bytes()
    )
    made = issue()
    certificate = x509.load_pem_x509_certificate(made.certificate if part == "client" else made.authorities)
    assert [one.oid for one in certificate.extensions] == [one.oid for one in recorded.extensions]
    for oid in (x509.KeyUsage.oid, x509.BasicConstraints.oid):
        [one, other] = (each.extensions.get_extension_for_oid(oid) for each in (certificate, recorded))
        assert (one.value, one.critical) == (other.value, other.critical)


def test_subject_and_issuer_say_user_roles_and_cluster():
    certificate = x509.load_pem_x509_certificate(issue().certificate)

    def values(name: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
        return [str(one.value) for one in name.get_attributes_for_oid(oid)]

    assert values(certificate.subject, NameOID.COMMON_NAME) == ["alice"]
    assert values(certificate.subject, NameOID.ORGANIZATION_NAME) == ["dev", "dba"]
    assert values(certificate.issuer, NameOID.ORGANIZATION_NAME) == ["demo.example.com"]
    assert values(certificate.issuer, NameOID.COMMON_NAME) == ["demo.example.com"]


def test_host_and_user_certificates_come_from_different_authorities():
    authorities = Authorities("demo.example.com", NOW)
    made = authorities.credentials("alice", [], not_before=NOW, not_after=NOW + timedelta(hours=1))
    certificate = x509.load_pem_x509_certificate(made.certificate)
    certificate.verify_directly_issued_by(authorities.user.certificate)
    assert made.authorities == authorities.host.pem
    with pytest.raises(Exception):  # noqa: B017 - InvalidSignature, or the issuer's name: both have the same
        certificate.verify_directly_issued_by(authorities.host.certificate)


@pytest.mark.parametrize(("host", "kind"), [("127.0.0.1", x509.IPAddress), ("auth.local", x509.DNSName)])
def test_the_servers_certificate_carries_teleports_names_and_its_host(host, kind):
    _, pem = Authorities("demo.example.com", NOW).server(host, NOW)
    certificate = x509.load_pem_x509_certificate(pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName)[:2] == [SERVER_NAME, f"*.{SERVER_NAME}"]
    assert host in [str(one) for one in names.get_values_for_type(kind)]


def test_a_cluster_with_the_longest_name(tmp_path):
    name = "c" * 63
    assert load(tmp_path, issue(name).identity_file).cluster == name


def test_the_ssh_certificate_is_one_for_the_same_key():
    made = issue()
    certificate = serialization.load_ssh_public_identity(made.ssh_certificate)
    assert isinstance(certificate, serialization.SSHCertificate)
    certificate.verify_cert_signature()
    key = serialization.load_pem_private_key(made.key, None)
    assert certificate.public_key() == key.public_key()
    assert certificate.key_id == b"alice"

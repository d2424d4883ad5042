"""The cluster's certificate authorities: what they issue looks like what Teleport issues.

Two of them, as in Teleport: the host CA signs the Auth Service's certificate, the user CA those of users
and bots. An identity file holds a key, an OpenSSH certificate, a TLS certificate, a known-hosts line and
the host CA's certificate, in this order (``tctl auth sign --format=file``).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from msgspec import Struct

KeyType = Literal["ecdsa", "rsa", "ed25519"]
_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

SERVER_NAME = "teleport.cluster.local"
"""The name that every Auth Service's certificate carries, whatever the address it is reached at."""

_CA_LIFE = timedelta(days=3650)  # as long as Teleport's own
_CLOCK_SKEW = timedelta(minutes=1)  # Teleport starts validity a minute early
_ROUTE_TO_CLUSTER = ObjectIdentifier("1.3.9999.1.7")


def new_key(key_type: KeyType) -> _PrivateKey:
    """A fresh private key; ECDSA is quick to make, RSA (2048 bits) is what Teleport used to make."""
    match key_type:
        case "ecdsa":
            return ec.generate_private_key(ec.SECP256R1())
        case "rsa":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()


def key_pem(key: _PrivateKey) -> bytes:
    """The key as PEM: PKCS#1 for RSA and PKCS#8 for the others, as Teleport writes them."""
    form = (
        serialization.PrivateFormat.TraditionalOpenSSL
        if isinstance(key, rsa.RSAPrivateKey)
        else serialization.PrivateFormat.PKCS8
    )
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


class Authority(Struct, frozen=True):
    """One CA: a key and its self-signed certificate, O and CN both the cluster's name."""

    key: _PrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, cluster: str, now: datetime) -> Authority:
        """A new CA for ``cluster``, valid from a minute before ``now`` for ten years."""
        key = ec.generate_private_key(ec.SECP256R1())
        serial = x509.random_serial_number()
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, cluster),
                x509.NameAttribute(NameOID.COMMON_NAME, cluster),
                x509.NameAttribute(NameOID.SERIAL_NUMBER, str(serial)),
            ]
        )
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(now - _CLOCK_SKEW)
            .not_valid_after(now + _CA_LIFE)
            .add_extension(_key_usage(ca=True), critical=True)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @property
    def pem(self) -> bytes:
        """The CA's certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        subject: x509.Name,
        key: _PrivateKey,
        *,
        not_before: datetime,
        not_after: datetime,
        names: Sequence[x509.GeneralName] = (),
    ) -> x509.Certificate:
        """A certificate for ``key``, for both sides of TLS as Teleport's all are."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(_key_usage(ca=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())


class Credentials(Struct, frozen=True):
    """What a client needs to talk to the cluster, each part as PEM or as one line of text."""

    key: bytes
    certificate: bytes
    authorities: bytes
    ssh_certificate: bytes
    known_hosts: bytes

    @property
    def identity_file(self) -> bytes:
        """All parts as one identity file, in the order in which Teleport writes them."""
        return self.key + self.ssh_certificate + self.certificate + self.known_hosts + self.authorities


class Authorities:
    """The host CA and the user CA of a cluster."""

    def __init__(self, cluster: str, now: datetime) -> None:
        self.cluster = cluster
        self.host = Authority.make(cluster, now)
        self.user = Authority.make(cluster, now)

    def server(self, host: str, now: datetime) -> tuple[bytes, bytes]:
        """Key and certificate (PEM) of an Auth Service that listens on ``host`` (an address or a name)."""
        key = new_key("ecdsa")
        names: list[x509.GeneralName] = [x509.DNSName(SERVER_NAME), x509.DNSName("*." + SERVER_NAME)]
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Auth"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"auth.{self.cluster}"[:64]),
            ]
        )
        certificate = self.host.issue(
            subject, key, not_before=now - _CLOCK_SKEW, not_after=now + _CA_LIFE, names=names
        )
        return key_pem(key), certificate.public_bytes(serialization.Encoding.PEM)

    def credentials(
        self,
        user: str,
        roles: Sequence[str],
        *,
        not_before: datetime,
        not_after: datetime,
        key_type: KeyType = "ecdsa",
    ) -> Credentials:
        """Credentials of ``user``: the roles are the subject's organisations, the user its common name."""
        key = new_key(key_type)
        attributes = [x509.NameAttribute(NameOID.LOCALITY_NAME, "-teleport-internal-join")]
        attributes += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, role) for role in roles]
        attributes += [
            x509.NameAttribute(NameOID.COMMON_NAME, user),
            x509.NameAttribute(_ROUTE_TO_CLUSTER, self.cluster),
        ]
        certificate = self.user.issue(x509.Name(attributes), key, not_before=not_before, not_after=not_after)
        host_key = self.host.key.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        names = f"{self.cluster},*.{self.cluster}".encode()
        return Credentials(
            key=key_pem(key),
            certificate=certificate.public_bytes(serialization.Encoding.PEM),
            authorities=self.host.pem,
            ssh_certificate=self._ssh_certificate(user, key, not_before, not_after) + b"\n",
            known_hosts=b"@cert-authority " + names + b" " + host_key + b" type=host\n",
        )

    def _ssh_certificate(
        self, user: str, key: _PrivateKey, not_before: datetime, not_after: datetime
    ) -> bytes:
        certificate = (
            serialization.SSHCertificateBuilder()
            .public_key(key.public_key())
            .type(serialization.SSHCertificateType.USER)
            .key_id(user.encode())
            .valid_principals([b"-teleport-internal-join"])
            .valid_after(int(not_before.timestamp()))
            .valid_before(int(not_after.timestamp()))
            .add_extension(b"teleport-route-to-cluster", self.cluster.encode())
        )
        assert isinstance(self.user.key, ec.EllipticCurvePrivateKey)
        return certificate.sign(self.user.key).public_bytes()


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )

"""A certificate authority of its own for the sandbox's mail servers and their clients."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import tempfile
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ClientCerts = Literal["none", "wanted", "required"]

_LIFE = dt.timedelta(days=90)
"""Longer than anybody leaves a sandbox running."""

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class MailAuthority:
    """Makes server and client certificates; keys live in memory only."""

    def __init__(self, name: str = "sandbox mail CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._certificate = self._sign(self._name, self._key, authority=True, server=False, names=())

    @property
    def ca_pem(self) -> bytes:
        """The authority's certificate, which clients have to trust."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, *, names: tuple[str, ...] = (), server: bool = False) -> tuple[bytes, bytes]:
        """A certificate for ``name`` (its CN) and host ``names``, and its key, both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(_name(name), key, authority=False, server=server, names=names)
        return (
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def server_context(
        self, names: tuple[str, ...] = LOOPBACK_NAMES, client_certs: ClientCerts = "none"
    ) -> ssl.SSLContext:
        """A TLS server context with a certificate for ``names``; client certificates only from this CA."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = self.issue(names[0], names=names, server=True)
        # ssl loads keys from files only; the directory is private and gone a moment later.
        with tempfile.TemporaryDirectory(prefix="teleport-email-") as directory:
            path = Path(directory) / "server.pem"
            path.write_bytes(certificate + key)
            context.load_cert_chain(path)
        if client_certs != "none":
            context.load_verify_locations(cadata=self.ca_pem.decode("ascii"))
            context.verify_mode = ssl.CERT_REQUIRED if client_certs == "required" else ssl.CERT_OPTIONAL
        return context

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        authority: bool,
        server: bool,
        names: tuple[str, ...],
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + _LIFE)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            # Python 3.13 verifies strictly: without both key identifiers it refuses the chain.
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=authority,
                    crl_sign=authority,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
        )
        if not authority:
            usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
            )
        return builder.sign(self._key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)

"""Identities as Teleport writes them, and everything that can be wrong with them."""

from __future__ import annotations

import base64
import os
import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teleport_email.config.settings import TeleportSettings
from teleport_email.core.errors import IdentityError, IdentityExpired, IdentityNotYetValid
from teleport_email.sandbox.front.ca import Authorities
from teleport_email.teleport.connect import credentials
from teleport_email.teleport.connect.credentials import check_time, load, tls_context

DATA = Path(__file__).parents[2] / "data" / "identity"
REAL = (DATA / "tctl-rsa.identity").read_bytes()
KEY, CRT, CAS = ((DATA / f"tls.{end}").read_bytes() for end in ("key", "crt", "cas"))


def from_text(tmp_path, text):
    path = tmp_path / "identity"
    path.write_bytes(text)
    return load(TeleportSettings(identity=path))


def fault(tmp_path, text):
    with pytest.raises(IdentityError) as caught:
        from_text(tmp_path, text)
    assert str(tmp_path / "identity") in str(caught.value)
    return str(caught.value)


def parts(text):
    """Key, OpenSSH certificate, certificate, known hosts and CA of an identity file."""
    return [part.encode() for part in re.split(r"(?m)^(?=-----BEGIN|ssh-|@cert)", text.decode()) if part]


# what Teleport writes


@pytest.mark.parametrize(("name", "user"), [("tctl-rsa", "access-plugin"), ("tbot-bot", "bot-email-bot")])
def test_recorded_identities(name, user):
    path = DATA / f"{name}.identity"
    identity = load(TeleportSettings(identity=path))
    assert (identity.user, identity.cluster) == (user, "demo.example.com")
    assert identity.roles == ("access-plugin",)
    assert identity.files == (path,)
    assert identity.ca_pem.count(b"BEGIN CERTIFICATE") == 1
    assert identity.not_before.tzinfo == UTC
    assert identity.alpn == ("teleport-auth@64656d6f2e6578616d706c652e636f6d.teleport.cluster.local", "h2")
    assert isinstance(tls_context(identity), ssl.SSLContext)


def test_three_files():
    files = tuple(DATA / f"tls.{end}" for end in ("key", "crt", "cas"))
    identity = load(TeleportSettings(client_key=files[0], client_crt=files[1], root_cas=files[2]))
    assert identity.user == "access-plugin"
    assert identity.files == files
    assert identity.not_after == datetime(2027, 11, 22, 15, 48, 3, tzinfo=UTC)
    tls_context(identity)


def test_secrets_do_not_show(tmp_path):
    text = repr(from_text(tmp_path, REAL))
    assert "PRIVATE" not in text
    assert "MII" not in text


@pytest.mark.parametrize("form", [b"\r\n", b"  \n"])
def test_line_ends_and_blanks_do_not_matter(tmp_path, form):
    same = from_text(tmp_path, b"\xef\xbb\xbf" + REAL.replace(b"\n", form))
    assert same.fingerprint == load(TeleportSettings(identity=DATA / "tctl-rsa.identity")).fingerprint
    tls_context(same)


def test_any_order_of_lines(tmp_path):
    """Even the CA before the client's certificate: the key tells which is which."""
    found = parts(REAL)
    key, ssh, crt, known, ca = found
    assert ca.startswith(b"-----BEGIN CERTIFICATE")
    for order in (
        [known, key, ca, ssh, crt],
        [ca, crt, key],
        [key, crt, b"@cert-authority x ssh-rsa AAAA\n", ca, ssh],
    ):
        identity = from_text(tmp_path, b"# comment\n\n" + b"".join(order))
        assert identity.user == "access-plugin"
        assert identity.ca_pem == ca


def test_two_authorities_during_a_rotation(tmp_path):
    identity = from_text(tmp_path, REAL + Authorities("demo.example.com", datetime.now(UTC)).host.pem)
    assert identity.ca_pem.count(b"BEGIN CERTIFICATE") == 2
    assert len(tls_context(identity).get_ca_certs()) == 2


def make(key, **form):
    """Key in a given form, and certificate and CA for it, all by one name."""
    now = datetime.now(UTC)
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "c.example"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "me"),
        ]
    )
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(7)
    builder = (
        builder.not_valid_before(now).not_valid_after(now + timedelta(hours=1)).public_key(key.public_key())
    )
    certificate = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    kind = form.get("kind", "PKCS8")
    encryption = (
        serialization.BestAvailableEncryption(b"pw") if form.get("locked") else serialization.NoEncryption()
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, getattr(serialization.PrivateFormat, kind), encryption
    )
    return pem + certificate.public_bytes(serialization.Encoding.PEM) + CAS


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    ("key", "kind", "label"),
    [
        (RSA, "TraditionalOpenSSL", b"BEGIN RSA PRIVATE KEY"),
        (RSA, "PKCS8", b"BEGIN PRIVATE KEY"),
        (ec.generate_private_key(ec.SECP256R1()), "TraditionalOpenSSL", b"BEGIN EC PRIVATE KEY"),
        (ec.generate_private_key(ec.SECP256R1()), "PKCS8", b"BEGIN PRIVATE KEY"),
        (ed25519.Ed25519PrivateKey.generate(), "PKCS8", b"BEGIN PRIVATE KEY"),
    ],
)
def test_all_kinds_of_keys(tmp_path, key, kind, label):
    text = make(key, kind=kind)
    assert label in text
    identity = from_text(tmp_path, text)
    assert (identity.user, identity.cluster) == ("me", "c.example")
    tls_context(identity)


# what can be wrong


@pytest.mark.parametrize("kind", ["PKCS8", "TraditionalOpenSSL"])
def test_encrypted_key(tmp_path, kind):
    assert "is encrypted; it must have no pass phrase" in fault(tmp_path, make(RSA, kind=kind, locked=True))


@pytest.mark.parametrize("missing", ["key", "certificate", "CA certificate"])
def test_missing_parts(tmp_path, missing):
    key, _, crt, _, ca = parts(REAL)
    text = {"key": crt + ca, "certificate": key, "CA certificate": key + crt}[missing]
    assert "has no " in (words := fault(tmp_path, text))
    assert missing in words


def test_every_cut_is_noticed(tmp_path):
    """Machine ID rewrites the file in place: whatever part of it is there, it is whole or an IdentityError."""
    whole = from_text(tmp_path, REAL).fingerprint
    for size in range(0, len(REAL), 37):
        try:
            identity = from_text(tmp_path, REAL[:size])
        except IdentityError:
            continue
        assert identity.fingerprint == whole


def test_cut_off_block_says_so(tmp_path):
    words = fault(tmp_path, REAL[:-40])
    assert "the CERTIFICATE that begins in line " in words
    assert "cut off or was just being written" in words


def test_parts_of_two_identities(tmp_path):
    other = from_text(tmp_path, make(RSA)).key_pem
    words = fault(tmp_path, other + b"".join(parts(REAL)[1:]))
    assert "private key and certificate do not belong together" in words


def test_three_files_name_the_one_at_fault(tmp_path):
    (tmp_path / "k").write_bytes(KEY)
    (tmp_path / "c").write_bytes(CRT)
    (tmp_path / "a").write_bytes(b"nothing here\n")
    names = TeleportSettings(client_key=tmp_path / "k", client_crt=tmp_path / "c", root_cas=tmp_path / "a")
    with pytest.raises(IdentityError, match=f"{tmp_path}/a has no CA certificate"):
        load(names)
    (tmp_path / "k").write_bytes(CRT)
    with pytest.raises(IdentityError, match=f"{tmp_path}/k has no private key"):
        load(names)
    (tmp_path / "c").unlink()
    with pytest.raises(IdentityError, match=f"{tmp_path}/c does not exist"):
        load(names)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "is empty"),
        (b"hello\n", "is not an identity file"),
        (REAL + KEY, "has 2 private keys"),
        (
            REAL.replace(b"-----BEGIN CERTIFICATE-----\nMII", b"-----BEGIN CERTIFICATE-----\n!!!", 1),
            "not base64",
        ),
        (b"-----END CERTIFICATE-----\n", "never begun"),
        (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "is empty"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n" + CRT, "cannot be read"),
        (KEY + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"),
        (KEY + CRT + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"),
        (b"x" * (1 << 20) + b"y", "larger than"),
    ],
)
def test_faults_are_named(tmp_path, text, words):
    assert words in fault(tmp_path, text)


def test_certificate_that_is_not_teleports(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    empty = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(empty).issuer_name(empty).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(1)).public_key(key.public_key())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    crt = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    assert "not a certificate of a Teleport cluster" in fault(tmp_path, pem + crt + CAS)


def test_places_that_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path, "not a regular file"),
        (tmp_path / "pipe", "not a regular file"),
        (tmp_path / "none", "does not exist"),
        (Path("/dev/zero"), "not a regular file"),
        (Path("\0"), "cannot be read"),
    ):
        with pytest.raises(IdentityError, match=words):
            load(TeleportSettings(identity=path))


def test_no_credentials_configured():
    with pytest.raises(IdentityError, match="no credentials"):
        load(TeleportSettings(client_key=DATA / "tls.key"))


def test_symlinked_directories_are_followed(tmp_path):
    """A Kubernetes secret: the file is a link into ..data, which is a link that is replaced."""
    for name, text in (("one", REAL), ("two", (DATA / "tbot-bot.identity").read_bytes())):
        (tmp_path / name).mkdir()
        (tmp_path / name / "identity").write_bytes(text)
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "identity").symlink_to("..data/identity")
    path = TeleportSettings(identity=tmp_path / "identity")
    assert load(path).user == "access-plugin"
    (tmp_path / "new").symlink_to("two")
    (tmp_path / "new").rename(tmp_path / "..data")
    assert load(path).user == "bot-email-bot"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=400)
    | st.tuples(st.integers(0, len(REAL)), st.integers(0, 60), st.binary(max_size=20)).map(
        lambda t: REAL[: t[0]] + t[2] + REAL[t[0] + t[1] :]
    )
    | st.lists(st.sampled_from([*parts(REAL), KEY, CRT, CAS, b"-----BEGIN CERTIFICATE-----\n"])).map(b"".join)
    | st.binary(min_size=1, max_size=60).map(
        lambda b: (
            KEY + b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(b) + b"\n-----END CERTIFICATE-----\n"
        )
    )
)
def test_arbitrary_bytes_never_raise_anything_else(tmp_path, data):
    try:
        identity = from_text(tmp_path, data)
        tls_context(identity)
    except IdentityError as exc:
        text = str(exc)
        assert str(tmp_path) in text
        assert len(text) < 1000


# time


def test_time():
    identity = load(TeleportSettings(identity=DATA / "tctl-rsa.identity"))
    check_time(identity, identity.not_before, clock_set=True)
    check_time(identity, identity.not_after - timedelta(seconds=1), clock_set=True)
    with pytest.raises(IdentityExpired, match=r"expired at 2036-11-19 15:48:02 UTC \(3 h ago\)"):
        check_time(identity, identity.not_after + timedelta(hours=3, minutes=20), clock_set=True)
    with pytest.raises(IdentityError, match=r"is not valid before .* \(in 5 min\).* is it right\?") as caught:
        check_time(identity, identity.not_before - timedelta(minutes=5), clock_set=True)
    assert not isinstance(caught.value, IdentityExpired)
    with pytest.raises(IdentityNotYetValid, match="if this machine's clock is right"):
        check_time(identity, identity.not_after + timedelta(hours=3), clock_set=False)
    check_time(identity, identity.not_before, clock_set=False)


# the key on its way into OpenSSL


@pytest.mark.parametrize("memfd", [True, False])
def test_key_is_never_readable_by_others_and_leaves_nothing(tmp_path, monkeypatch, memfd):
    seen = []
    original = ssl.SSLContext.load_cert_chain

    def spy(self, path):
        info = Path(path).stat()
        seen.append((info.st_mode & 0o777, info.st_uid, Path(path)))
        original(self, path)

    monkeypatch.setattr(credentials.ssl.SSLContext, "load_cert_chain", spy)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    if not memfd:
        monkeypatch.setattr(os, "memfd_create", lambda *_: (_ for _ in ()).throw(OSError("forbidden")))
    identity = load(TeleportSettings(identity=DATA / "tctl-rsa.identity"))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        tls_context(identity)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert {(mode, uid) for mode, uid, _ in seen} == {(0o600, os.geteuid())}
    assert (seen[0][2].parent == Path("/proc/self/fd")) == memfd
    assert (seen[0][2].parent == tmp_path) == (not memfd)
    assert list(tmp_path.iterdir()) == []


def test_material_that_openssl_refuses(tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # below OpenSSL's security level
    assert "OpenSSL does not take these credentials" in fault(tmp_path, make(key))

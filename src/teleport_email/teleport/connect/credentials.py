"""Who we are in the cluster: an identity file, or key, certificate and CAs in three files.

``load`` reads and checks everything before anything is used, because Machine ID rewrites its file in
place: a reader may meet a half-written one, and must keep the identity it has. Each call opens the
files anew by path, so symlinked directories (Kubernetes secrets) and replaced files are followed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import ssl
import stat
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from teleport_email.config.beside import beside
from teleport_email.config.settings import TeleportSettings
from teleport_email.core.errors import IdentityError, IdentityExpired, IdentityNotYetValid
from teleport_email.core.model import hiding
from teleport_email.teleport.connect import certificate
from teleport_email.teleport.connect.certificate import Certificate, CertificateFault
from teleport_email.teleport.connect.pem import Block, PemFault, blocks

SERVER_NAME = "teleport.cluster.local"
"""The name in every Auth Service's certificate, whatever its address is."""

MAX_FILE_BYTES = 1 << 20
"""A real identity has 7 KB. The limit stops us from reading /dev/zero or a log file into memory."""

_NO_FIT = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""How OpenSSL says that a key is not that of the certificate; the last where they are of different kinds."""

RENEW = "`tctl auth sign` or Machine ID (tbot) makes a new one"


class Identity(Struct, frozen=True, kw_only=True):
    """A checked identity: the key belongs to the certificate, and there is at least one CA."""

    key_pem: bytes
    cert_pem: bytes
    ca_pem: bytes
    """All CAs, one PEM after the other."""
    user: str
    """The certificate's common name; Machine ID's begin with ``bot-``."""
    roles: tuple[str, ...]
    """The organisations of the certificate's subject (Teleport's ``lib/tlsca``)."""
    cluster: str
    """Name of the cluster: organisation of the certificate's issuer."""
    not_before: datetime
    not_after: datetime
    fingerprint: str
    """SHA-256 of all the material in hex: differs if and only if something was changed."""
    files: tuple[Path, ...]

    __repr__ = hiding("key_pem", "cert_pem", "ca_pem")

    @property
    def where(self) -> str:
        """The files' names, for messages."""
        return " + ".join(str(path) for path in self.files)

    @property
    def alpn(self) -> tuple[str, ...]:
        """What to offer: the first entry makes a Proxy pass us on to its Auth Service, which takes ``h2``.

        Without ``h2`` Auth answers "no application protocol"; with it alone a Proxy serves its own pages.
        """
        return (f"teleport-auth@{self.cluster.encode().hex()}.{SERVER_NAME}", "h2")


def load(settings: TeleportSettings) -> Identity:
    """Read and check the identity. Raises :class:`IdentityError`, which names the file and the fact.

    Expired and not yet valid certificates load: see :func:`check_time`.
    """
    if settings.identity is not None:
        path = settings.identity
        found = _blocks(path)
        keys = [block for block in found if block.is_key]
        certificates = [block for block in found if block.label == "CERTIFICATE"]
        if not keys and not certificates:
            raise IdentityError(
                f"{path} is not an identity file: it has neither a private key nor a certificate; {RENEW}"
            )
        return _assemble(keys, certificates, [], (path, path, path))
    if settings.client_key is None or settings.client_crt is None or settings.root_cas is None:
        raise IdentityError(
            "no credentials: set teleport.identity, or teleport.client_key, client_crt and root_cas together"
        )
    files = (settings.client_key, settings.client_crt, settings.root_cas)
    keys = [block for block in _blocks(files[0]) if block.is_key]
    certificates = [block for block in _blocks(files[1]) if block.label == "CERTIFICATE"]
    authorities = [block for block in _blocks(files[2]) if block.label == "CERTIFICATE"]
    return _assemble(keys, certificates, authorities, files)


def check_time(identity: Identity, now: datetime, *, clock_set: bool) -> None:
    """Raise :class:`IdentityExpired` after the certificate's end, :class:`IdentityNotYetValid` before.

    The latter also after the end while nothing has set the clock: then ``now`` proves nothing.
    """
    if now >= identity.not_after and not clock_set:
        raise IdentityNotYetValid(
            f"{identity.where}: the certificate of {identity.user} expired at {_time(identity.not_after)}, "
            f"if this machine's clock is right: it says {_time(now)}, and nothing has set it since the start"
        )
    if now >= identity.not_after:
        raise IdentityExpired(
            f"{identity.where}: the certificate of {identity.user} expired at {_time(identity.not_after)} "
            f"({_span(now - identity.not_after)} ago); {RENEW}"
        )
    if now < identity.not_before:
        raise IdentityNotYetValid(
            f"{identity.where}: the certificate of {identity.user} is not valid before "
            f"{_time(identity.not_before)} (in {_span(identity.not_before - now)}); "
            f"this machine's clock says {_time(now)}: is it right?"
        )


def tls_context(identity: Identity) -> ssl.SSLContext:
    """A TLS 1.3 client context: our certificate, no other CAs than the identity's, ALPN as above.

    The peer is verified against ``server_hostname``, which must be :data:`SERVER_NAME`.
    """
    # Not create_default_context: from Python 3.13 on it demands key identifiers that cluster CAs may lack.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(list(identity.alpn))
    try:
        context.load_verify_locations(cadata=identity.ca_pem.decode("ascii"))
        with _private_file(identity.key_pem + identity.cert_pem) as path:
            context.load_cert_chain(path)
    except (OSError, ValueError) as exc:
        raise _not_taken(identity.where, exc) from None
    return context


def _not_taken(where: object, exc: Exception) -> IdentityError:
    # ssl.SSLError is an OSError; its text never holds key material.
    return IdentityError(f"{where}: OpenSSL does not take these credentials: {_reason(exc)}")


def _assemble(
    keys: Sequence[Block],
    certificates: Sequence[Block],
    authorities: Sequence[Block],
    files: tuple[Path, Path, Path],
) -> Identity:
    key_file, cert_file, ca_file = files
    if not keys:
        raise IdentityError(f"{key_file} has no private key")
    if len(keys) > 1:
        raise IdentityError(f"{key_file} has {len(keys)} private keys, one is expected")
    if not certificates:
        raise IdentityError(f"{cert_file} has no certificate: it is incomplete or was just being written")
    _check_label(keys[0], key_file)
    parsed = [_read_certificate(block, cert_file) for block in certificates]
    # The client's certificate comes first. Where somebody joined the parts in another order, the key tells.
    ours = next((at for at, block in enumerate(certificates) if _fit(keys[0], block, key_file)), None)
    if ours is None:
        where = str(key_file) if key_file == cert_file else f"{key_file} and {cert_file}"
        raise IdentityError(
            f"{where}: private key and certificate do not belong together "
            "(files of two different identities, or one that was just being written)"
        )
    if key_file == cert_file:
        authorities = [block for at, block in enumerate(certificates) if at != ours]
        chain = [certificates[ours]]
    else:
        chain = [certificates[ours], *(block for at, block in enumerate(certificates) if at != ours)]
    if not authorities:
        raise IdentityError(
            f"{ca_file} has no CA certificate: it is incomplete or was just being written"
            if ca_file == cert_file
            else f"{ca_file} has no CA certificate"
        )
    for block in authorities:
        _read_certificate(block, ca_file)
    cert_pem = b"".join(block.pem for block in chain)
    ca_pem = b"".join(block.pem for block in authorities)
    found = parsed[ours]
    user, cluster = found.common_name, found.issuer
    if not user or not cluster:
        raise IdentityError(
            f"{cert_file}: not a certificate of a Teleport cluster: it names no "
            f"{'user (common name)' if not user else 'cluster (organisation of its issuer)'}"
        )
    if len(f"teleport-auth@{cluster.encode().hex()}.{SERVER_NAME}") > 255:
        # A protocol name has one length byte (RFC 7301, 3.1). Teleport's cluster names are DNS names.
        raise IdentityError(f"{cert_file}: the cluster name {cluster[:80]!r}... is too long")
    return Identity(
        key_pem=keys[0].pem,
        cert_pem=cert_pem,
        ca_pem=ca_pem,
        user=user,
        roles=found.organizations,
        cluster=cluster,
        not_before=found.not_before,
        not_after=found.not_after,
        fingerprint=hashlib.sha256(b"\0".join([keys[0].pem, cert_pem, ca_pem])).hexdigest(),
        files=tuple(dict.fromkeys(files)),
    )


def _blocks(path: Path) -> tuple[Block, ...]:
    try:
        # Not blocking: a path that is a pipe without a writer must not hang the program.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise IdentityError(f"{path} is not a regular file")
            with os.fdopen(fd, "rb", closefd=False) as file:
                data = file.read(MAX_FILE_BYTES + 1)
        finally:
            os.close(fd)
    except FileNotFoundError:
        raise IdentityError(f"{path} does not exist{beside(path)}") from None
    except PermissionError:
        denied = f"{path} cannot be read: permission denied for user id {os.geteuid()}"
        raise IdentityError(f"{denied}{beside(path)}") from None
    except (OSError, ValueError) as exc:  # ValueError: a null byte in the path
        raise IdentityError(f"{path} cannot be read: {_reason(exc)}") from None
    if len(data) > MAX_FILE_BYTES:
        raise IdentityError(f"{path} is larger than {MAX_FILE_BYTES} bytes: that is no identity")
    if not data.strip():
        raise IdentityError(f"{path} is empty")
    try:
        return blocks(data)
    except PemFault as exc:
        raise IdentityError(f"{path}: {exc}") from None


def _check_label(block: Block, path: Path) -> None:
    if block.label == "ENCRYPTED PRIVATE KEY" or b"Proc-Type: 4,ENCRYPTED" in block.pem:
        raise IdentityError(
            f"{path}: the private key in line {block.line} is encrypted; it must have no pass phrase"
        )


def _read_certificate(block: Block, path: Path) -> Certificate:
    """What stands in it; also OpenSSL has to be able to read it."""
    try:
        found = certificate.read(ssl.PEM_cert_to_DER_cert(block.pem.decode("ascii").strip()))
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=block.pem.decode("ascii"))
    except (CertificateFault, OSError, ValueError) as exc:
        raise IdentityError(
            f"{path}: the certificate in line {block.line} cannot be read: {_reason(exc)}"
        ) from None
    return found


def _fit(key: Block, block: Block, path: Path) -> bool:
    """Whether this certificate is for this key, as OpenSSL finds when it takes both."""
    try:
        with _private_file(key.pem + block.pem) as both:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(both)
    except ssl.SSLError as exc:
        if exc.reason in _NO_FIT:
            return False
        if exc.reason is None:  # of two PEM blocks, of which the certificate has been read already
            raise IdentityError(f"{path}: the {key.label} in line {key.line} cannot be read") from None
        raise _not_taken(path, exc) from None
    except (OSError, ValueError) as exc:
        raise _not_taken(path, exc) from None
    return True


@contextlib.contextmanager
def _private_file(data: bytes) -> Iterator[str]:
    """A path under which only this process (or, without memfd, this user) can read ``data``.

    Python's ``ssl`` takes client keys only from files.
    """
    try:
        fd = os.memfd_create("client-key", os.MFD_CLOEXEC)
    except (AttributeError, OSError):  # not Linux, or forbidden by a seccomp filter
        fd, path = tempfile.mkstemp(dir=os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0] or None)
        unlink = True
    else:
        path, unlink = f"/proc/self/fd/{fd}", False
    try:
        os.fchmod(fd, 0o600)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        yield path
    finally:
        os.close(fd)
        if unlink:
            Path(path).unlink(missing_ok=True)


def _reason(exc: Exception) -> str:
    """One line about a foreign exception: its first sentence is enough, and never long."""
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    return (str(exc).split("\n")[0] or type(exc).__name__)[:200]


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (unit != "d" and seconds >= size):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"

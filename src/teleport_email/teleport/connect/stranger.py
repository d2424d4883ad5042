"""Who is that? The certificate of a peer that could not be verified, to explain why. Never trusted."""

from __future__ import annotations

import asyncio
import ssl
from datetime import datetime

from msgspec import Struct

from teleport_email.core.errors import Unreachable
from teleport_email.teleport.connect import certificate
from teleport_email.teleport.connect.credentials import SERVER_NAME, Identity
from teleport_email.teleport.connect.route import Route
from teleport_email.teleport.connect.tls import secure


class Stranger(Struct, frozen=True):
    """What a certificate claims."""

    names: tuple[str, ...]
    issuer: str
    """The issuer's organisation, or its common name. For an Auth Service: the name of its cluster."""
    not_before: datetime
    not_after: datetime

    @property
    def is_auth(self) -> bool:
        """Whether it claims to be an Auth Service, of whatever cluster."""
        return SERVER_NAME in self.names

    def __str__(self) -> str:
        return (
            f"a certificate for {', '.join(self.names[:3]) or 'nobody'}, issued by {self.issuer or 'nobody'}"
        )


async def look_at(route: Route, identity: Identity, limit: float) -> Stranger | None:
    """Shake hands once more without verifying anything, look at the certificate, go. None: no success."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent and nothing believed on this connection
    context.set_alpn_protocols(list(identity.alpn))
    try:
        async with asyncio.timeout(limit):
            transport = await secure(await route.open(), asyncio.Protocol(), context, SERVER_NAME)
    except (OSError, Unreachable):
        return None
    try:
        tls = transport.get_extra_info("ssl_object")
        return _parse(tls.getpeercert(binary_form=True))
    finally:
        transport.abort()


def _parse(der: bytes | None) -> Stranger | None:
    try:
        found = certificate.read(der or b"")
    except certificate.CertificateFault:
        return None
    return Stranger(
        names=tuple(_clean(name) for name in found.names),
        issuer=_clean(found.issuer),
        not_before=found.not_before,
        not_after=found.not_after,
    )


def _clean(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:100]

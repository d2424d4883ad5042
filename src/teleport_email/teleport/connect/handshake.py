"""The mutual TLS with the Auth Service, and what its failures mean.

Over whatever transport: a TCP connection, a tunnel, a WebSocket. Verified with the identity's CAs only.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from datetime import UTC, datetime

from teleport_email.core.errors import IdentityError, TeleportEmailError, Unreachable
from teleport_email.teleport.connect.credentials import SERVER_NAME, Identity
from teleport_email.teleport.connect.stranger import Stranger
from teleport_email.teleport.connect.tls import start_tls

HANDSHAKE_LIMIT = 5.0
"""Seconds for TLS on an open connection: two round trips."""

EXPLAIN_LIMIT = 2.5
"""Seconds for another connection that only explains why the first one did not work."""

_EXPIRED, _NOT_YET_VALID = 10, 9  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID

# How OpenSSL's versions say that the first bytes of the answer were no TLS record.
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "PACKET_LENGTH_TOO_LONG")
_NOT_TLS_EITHER = ("RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "BAD_RECORD_TYPE", "INVALID_RECORD")


class NotAuth(Unreachable):
    """TLS answers there, but it does not lead to the Auth Service: a WebSocket upgrade may."""


class Untrusted(Exception):
    """The certificate that came could not be verified with the identity's CAs."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        super().__init__(reason)


async def shake_hands(
    transport: asyncio.Transport, context: ssl.SSLContext, what: str
) -> tuple[StreamReader, StreamWriter]:
    """Mutual TLS on ``transport``, which is closed on failure. ``what``: the place, for messages.

    Raises :class:`Unreachable`, :class:`NotAuth` among them, or :class:`Untrusted` for the caller to explain.
    """
    try:
        async with asyncio.timeout(HANDSHAKE_LIMIT):
            return await start_tls(transport, context, SERVER_NAME)
    except TimeoutError:
        raise Unreachable(
            f"{what} takes connections but did not answer TLS within {HANDSHAKE_LIMIT:.0f} s (timed out): "
            "is this the port of a Teleport Auth Service or Proxy?"
        ) from None
    except ssl.SSLCertVerificationError as exc:
        raise Untrusted(exc.verify_code, exc.verify_message) from None
    except ssl.SSLError as exc:
        if is_not_tls(exc):
            raise Unreachable(not_tls(what)) from None
        raise NotAuth(f"{what} refuses this TLS session ({_words(exc)})") from None
    except OSError:
        raise NotAuth(f"{what} closes the connection during the TLS handshake") from None


def is_not_tls(exc: ssl.SSLError) -> bool:
    """Whether the peer answered with something else than TLS."""
    return (exc.reason or "") in (*_NOT_TLS, *_NOT_TLS_EITHER)


def not_tls(what: str) -> str:
    """For people, the same fact."""
    return (
        f"{what} does not speak TLS: it is no Teleport Auth Service (port 3025) or Proxy (443, 3080); "
        "check host and port in teleport.addr"
    )


def distrust(
    fault: Untrusted, stranger: Stranger | None, identity: Identity, what: str
) -> TeleportEmailError:
    """Why the certificate could not be verified. :class:`NotAuth` when it is no Auth Service's at all."""
    if stranger is None:
        return NotAuth(f"{what} has a certificate that is not the cluster's ({fault})")
    if not stranger.is_auth:
        return NotAuth(f"{what} has {stranger}, not one of a Teleport Auth Service")
    if stranger.issuer != identity.cluster:
        return Unreachable(other_cluster(what, stranger.issuer, identity))
    if fault.code in (_EXPIRED, _NOT_YET_VALID):
        now = datetime.now(UTC)
        return Unreachable(
            f"the certificate of {what} is valid from {stranger.not_before:%Y-%m-%d %H:%M:%S} to "
            f"{stranger.not_after:%Y-%m-%d %H:%M:%S} UTC, and this machine's clock says "
            f"{now:%Y-%m-%d %H:%M:%S} UTC: is the clock right, here and there?"
        )
    return IdentityError(
        f"{what} is an Auth Service of {identity.cluster}, but no CA in {identity.where} issued its "
        "certificate: the identity was made before the CAs were rotated, or the cluster was made anew; "
        "make a new identity"
    )


def other_cluster(what: str, theirs: str, identity: Identity) -> str:
    """For people: both names."""
    return (
        f"{what} belongs to the Teleport cluster {theirs!r}, but {identity.where} is for the cluster "
        f"{identity.cluster!r}: check teleport.addr, or make an identity for that cluster"
    )


def _words(exc: ssl.SSLError) -> str:
    """``TLSV1_ALERT_UNKNOWN_CA`` -> ``unknown ca``: the alert as RFC 8446 names it."""
    reason = (exc.reason or str(exc)).partition("_ALERT_")[2] or (exc.reason or str(exc))
    return reason.replace("_", " ").lower()

"""Through a load balancer that ends TLS: public TLS, a WebSocket in it, and the session in that.

``GET /webapi/connectionupgrade`` with the sub-protocol ``alpn-ping`` makes a Proxy hand the bytes in binary
frames to the same place to which TLS routing would have handed the connection.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import ssl
from asyncio import StreamReader, StreamWriter

from teleport_email.core.errors import Unreachable
from teleport_email.teleport.connect.credentials import Identity
from teleport_email.teleport.connect.handshake import (
    EXPLAIN_LIMIT,
    HANDSHAKE_LIMIT,
    NotAuth,
    Untrusted,
    is_not_tls,
    not_tls,
    other_cluster,
    shake_hands,
)
from teleport_email.teleport.connect.http.http_exchange import Answer, HttpExchange, NotHttp
from teleport_email.teleport.connect.http.websocket import WebSocketTransport
from teleport_email.teleport.connect.route import Route
from teleport_email.teleport.connect.tls import secure
from teleport_email.teleport.connect.webapi import find_quietly


class NotTrusted(Unreachable):
    """There is no public TLS there either, so nothing is known about who it is."""


async def dial_upgraded(
    route: Route, identity: Identity, context: ssl.SSLContext, public: ssl.SSLContext
) -> tuple[StreamReader, StreamWriter]:
    """The session in a WebSocket. Raises :class:`Unreachable` with the reason, explained."""
    transport, answer = await _upgrade(route, public)
    if not answer.switched:
        transport.abort()
        raise Unreachable(await _why_not(route, identity, public, answer))
    inner = WebSocketTransport(transport, answer.trailing)
    try:
        return await shake_hands(inner, context, f"{route} in a WebSocket")
    except (NotAuth, Untrusted) as exc:
        facts = await find_quietly(route, public, EXPLAIN_LIMIT)
        if facts is not None and facts.cluster and facts.cluster != identity.cluster:
            raise Unreachable(other_cluster(str(route), facts.cluster, identity)) from None
        if isinstance(exc, Untrusted):
            raise Unreachable(
                f"{route} upgrades to a WebSocket, but the certificate in it was not issued by the CAs in "
                f"{identity.where} ({exc}): make a new identity if the CAs were rotated"
            ) from None
        raise Unreachable(
            f"{route} upgrades to a WebSocket, but then: {exc}; look into the Proxy's log"
        ) from None


async def _upgrade(route: Route, public: ssl.SSLContext) -> tuple[asyncio.Transport, Answer]:
    exchange = HttpExchange()
    plain = await route.open()
    transport: asyncio.Transport | None = None
    try:
        async with asyncio.timeout(HANDSHAKE_LIMIT):
            transport = await secure(plain, exchange, public, route.address.name)
            # The answer's Sec-WebSocket-Accept is not checked: it protects from caches on the way, and the
            # session inside proves more than that, by its certificates.
            headers = [
                ("Host", route.address.authority),
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
                ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", base64.b64encode(secrets.token_bytes(16)).decode("ascii")),
                ("Sec-WebSocket-Protocol", "alpn-ping"),
            ]
            answer = await exchange.ask(transport, "GET", "/webapi/connectionupgrade", headers)
            return transport, answer
    except TimeoutError:
        reason = (
            f"{route} did not answer the request for a WebSocket within {HANDSHAKE_LIMIT:.0f} s (timed out)"
        )
        error: Unreachable = Unreachable(reason) if transport else NotTrusted(reason)
    except ssl.SSLCertVerificationError as exc:
        error = NotTrusted(
            f"{route} has neither the cluster's certificate nor one that this system trusts "
            f"({exc.verify_message}): is it Teleport's? A private CA can be named in SSL_CERT_FILE"
        )
    except ssl.SSLError as exc:
        error = NotTrusted(
            not_tls(str(route)) if is_not_tls(exc) else f"{route}: no public TLS ({exc.reason})"
        )
    except NotHttp as exc:
        error = Unreachable(f"{route} speaks TLS but is not Teleport: {exc}; check teleport.addr")
    except OSError as exc:
        error = (
            Unreachable(f"{route} ends the connection when asked for a WebSocket ({exc.strerror or exc})")
            if transport
            else NotTrusted(not_tls(str(route)))
        )
    except BaseException:
        (transport or plain).abort()
        raise
    (transport or plain).abort()
    raise error


async def _why_not(route: Route, identity: Identity, public: ssl.SSLContext, answer: Answer) -> str:
    facts = await find_quietly(route, public, EXPLAIN_LIMIT)
    if facts is None:
        return (
            f"{route} speaks TLS but is not Teleport: it answered {answer.status} to the connection upgrade "
            "and nothing to /webapi/find; check host and port in teleport.addr"
        )
    if facts.cluster and facts.cluster != identity.cluster:
        return other_cluster(str(route), facts.cluster, identity)
    return (
        f"{route} is a Teleport Proxy (version {facts.version}) without the connection upgrade (it answered "
        f"{answer.status}), behind something that ends TLS: use a newer Proxy, let TLS through to it "
        "unbroken, let WebSockets through, or use the Auth Service's address (port 3025)"
    )

"""TLS over any asyncio transport: a TCP connection, a proxy's tunnel, TLS itself, a WebSocket."""

from __future__ import annotations

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter

from teleport_email.teleport.connect.layer import LayerTransport

LIMIT = 512 * 1024
"""Bytes that a reader holds before it stops the sender: a list of requests comes in pieces of up to 16 KB,
and a small limit would stop and start the connection all the time."""

SHUTDOWN = 2.0
"""Seconds for the peer's close_notify. asyncio's 30 would keep dead connections around."""


async def secure(
    transport: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext, server_name: str
) -> asyncio.Transport:
    """The client's handshake on ``transport``; ``protocol`` reads what comes out of it.

    Raises ``ssl.SSLError`` or ``OSError``; the transport is closed then. The limit on time is the caller's.
    """
    if transport.get_extra_info("sslcontext") is not None and not isinstance(transport, LayerTransport):
        transport = LayerTransport(transport)
    try:
        secured = await asyncio.get_running_loop().start_tls(
            transport, protocol, context, server_hostname=server_name, ssl_shutdown_timeout=SHUTDOWN
        )
    except BaseException:
        transport.abort()
        raise
    if secured is None:  # so asyncio says that the peer just went away
        raise ConnectionResetError("the connection was closed during the TLS handshake")
    protocol.connection_made(secured)
    return secured


async def start_tls(
    transport: asyncio.Transport, context: ssl.SSLContext, server_name: str
) -> tuple[StreamReader, StreamWriter]:
    """As :func:`secure`, for streams."""
    loop = asyncio.get_running_loop()
    reader = StreamReader(limit=LIMIT, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    secured = await secure(transport, protocol, context, server_name)
    return reader, StreamWriter(secured, protocol, reader, loop)

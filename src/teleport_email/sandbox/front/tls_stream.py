"""The server's side of TLS over a stream, with alerts.

asyncio's own TLS drops a connection whose handshake fails without telling the client why. A real Auth
Service sends an alert ("certificate required", "certificate expired"), and clients explain it to people,
so here the alert is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

CHUNK = 256 * 1024

_LINGER = 1.0  # seconds; closing while the client still sends would reset the connection and lose the alert


class TlsStream:
    """TLS on top of a pair of asyncio streams. Reading and writing may happen at the same time."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    @property
    def protocol(self) -> str | None:
        """The ALPN protocol agreed on."""
        return self._session.selected_alpn_protocol()

    @property
    def certificate(self) -> dict[str, tuple[tuple[tuple[str, str], ...], ...]]:
        """The client's certificate as ``SSLSocket.getpeercert`` tells it."""
        return self._session.getpeercert() or {}  # type: ignore[return-value]

    @property
    def address(self) -> tuple[str, int]:
        """The client's host and port."""
        host, port = self._writer.get_extra_info("peername")[:2]
        return host, port

    async def handshake(self, timeout: float) -> None:
        """Agree on a session.

        :raises OSError: the client does not speak TLS as wanted (``ssl.SSLError``; it has been sent an
            alert), has gone, or takes longer than ``timeout`` seconds.
        """
        async with asyncio.timeout(timeout):
            while True:
                try:
                    self._session.do_handshake()
                except ssl.SSLWantReadError:
                    await self._flush()
                    if not await self._fill():
                        raise ConnectionResetError("the client left during the handshake") from None
                except ssl.SSLError:
                    await self._farewell()
                    raise
                else:
                    await self._flush()
                    return

    async def read(self) -> bytes:
        """Some bytes, or none at the end.

        :raises OSError: the connection broke.
        """
        while True:
            try:
                data = self._session.read(CHUNK)
            except ssl.SSLWantReadError:
                if not await self._fill():
                    return b""
            except ssl.SSLZeroReturnError:
                return b""
            else:
                return data

    async def write(self, data: bytes) -> None:
        """Send bytes; waits while the client is slow to take them.

        :raises OSError: the connection broke.
        """
        view = memoryview(data)
        while view:
            view = view[self._session.write(view) :]
        await self._flush()

    def close(self) -> None:
        """End the session politely and the connection with it."""
        with contextlib.suppress(ssl.SSLError):
            self._session.unwrap()
        if not self._writer.transport.is_closing():
            self._writer.write(self._outgoing.read())
            self._writer.close()

    def abort(self) -> None:
        """Drop the connection."""
        self._writer.transport.abort()

    async def _fill(self) -> bool:
        data = await self._reader.read(CHUNK)
        self._incoming.write(data)
        return bool(data)

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            self._writer.write(data)
            await self._writer.drain()

    async def _farewell(self) -> None:
        """Send the alert, and wait until the client has gone or had time enough to read it."""
        with contextlib.suppress(OSError):
            await self._flush()
            self._writer.write_eof()
            async with asyncio.timeout(_LINGER):
                while await self._reader.read(CHUNK):
                    pass

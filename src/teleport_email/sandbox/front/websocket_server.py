"""The server's end of a WebSocket connection upgrade, as Teleport's servers have it.

``rfc``: as RFC 6455 says. ``broken``: as Teleport did until early version 17: it masks its own frames, and
takes the client's payload as it comes, masked or not. This is written apart from the client's codec, so
that one mistake cannot hide the other.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from asyncio import StreamReader, StreamWriter
from typing import Literal

Masking = Literal["rfc", "broken"]

_BINARY, _CLOSE, _PING, _PONG, _CONTINUATION = 2, 8, 9, 10, 0


def accept_key(key: str) -> bytes:
    """The answer to ``Sec-WebSocket-Key`` (RFC 6455, 4.2.2)."""
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode(), usedforsecurity=False)
    return base64.b64encode(digest.digest())


class WebSocketPeer:
    """One WebSocket. ``pongs`` holds what came back for our pings."""

    def __init__(
        self, reader: StreamReader, writer: StreamWriter, masking: Masking, *, fragment: int, ping_every: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._masking = masking
        self._fragment = fragment
        self._ping_every = ping_every
        self._frames = 0
        self.pongs: list[bytes] = []
        self.close_code: int | None = None
        """What the client closed it with."""

    async def join(self, far_reader: StreamReader, far_writer: StreamWriter) -> None:
        """Pass bytes between the WebSocket and another connection until either ends."""
        up = asyncio.create_task(self._up(far_writer))
        down = asyncio.create_task(self._down(far_reader))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            far_writer.transport.abort()

    async def ping(self, payload: bytes) -> None:
        """Send a ping."""
        await self._send(_PING, payload)

    async def close(self, code: int = 1001, text: str = "") -> None:
        """Send a close frame, and nothing after it."""
        await self._send(_CLOSE, code.to_bytes(2, "big") + text.encode())

    async def _down(self, far_reader: StreamReader) -> None:
        while data := await far_reader.read(256 * 1024):
            size = self._fragment or len(data)
            pieces = [data[at : at + size] for at in range(0, len(data), size)]
            for number, piece in enumerate(pieces):
                kind = _BINARY if number == 0 else _CONTINUATION
                await self._send(kind, piece, final=number == len(pieces) - 1)
                self._frames += 1
                if self._ping_every and self._frames % self._ping_every == 0:
                    await self.ping(b"ping %d" % self._frames)
        await self.close(1000)

    async def _up(self, far_writer: StreamWriter) -> None:
        while True:
            kind, payload = await self._receive()
            if kind in (_BINARY, _CONTINUATION):
                far_writer.write(payload)
                await far_writer.drain()
            elif kind == _PONG:
                self.pongs.append(payload)
            elif kind == _CLOSE:
                self.close_code = int.from_bytes(payload[:2], "big")
                return

    async def _send(self, kind: int, payload: bytes, *, final: bool = True) -> None:
        head = bytearray([(0x80 if final else 0) | kind])
        mask_bit = 0x80 if self._masking == "broken" else 0
        if len(payload) < 126:
            head.append(mask_bit | len(payload))
        elif len(payload) < 65536:
            head.append(mask_bit | 126)
            head += len(payload).to_bytes(2, "big")
        else:
            head.append(mask_bit | 127)
            head += len(payload).to_bytes(8, "big")
        if mask_bit:
            mask = os.urandom(4)
            head += mask
            payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self._writer.write(bytes(head) + payload)
        await self._writer.drain()

    async def _receive(self) -> tuple[int, bytes]:
        first, second = await self._reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            length = int.from_bytes(await self._reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await self._reader.readexactly(8), "big")
        if not second & 0x80:
            raise ValueError("a client must mask its frames (RFC 6455, 5.1)")
        mask = await self._reader.readexactly(4)
        payload = await self._reader.readexactly(length)
        if self._masking == "rfc" and any(mask):
            payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        return first & 0x0F, payload

"""A WebSocket as a transport of bytes, so that TLS can run inside of it.

Pings are answered here; a close frame, or anything that is no frame, is a lost connection.
"""

from __future__ import annotations

import asyncio
import contextlib

from teleport_email.teleport.connect.http.frames import Decoder, Frame, FrameFault, Opcode, header
from teleport_email.teleport.connect.layer import LayerTransport

_NORMAL, _PROTOCOL_ERROR = 1000, 1002  # RFC 6455, 7.4.1
_NO_CODE = 1005


class WebSocketTransport(LayerTransport):
    """Takes over ``lower`` right behind the server's 101; ``early`` is what was read beyond it."""

    def __init__(self, lower: asyncio.Transport, early: bytes = b"") -> None:
        super().__init__(lower, early)
        self._decoder = Decoder()
        self._pong: bytes | None = None
        self._held = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if data and not self._closing:
            # Two writes in one: the payload is not copied behind its head.
            self._lower.writelines((header(Opcode.BINARY, len(data)), data))

    def close(self) -> None:
        self._close(_NORMAL)

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._decoder.feed(data):
                self._take(frame)
                if self._closing:
                    return
        except FrameFault as exc:
            self._end(ConnectionAbortedError(f"what came is no WebSocket: {exc}"), _PROTOCOL_ERROR)

    def eof_received(self) -> None:
        self._end(ConnectionResetError("the server ended the WebSocket without closing it"), None)

    def _take(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.BINARY:
                self._deliver(frame.payload)
            case Opcode.PING:
                self._pong = frame.payload
                if not self._held:
                    self._answer_ping()
            case Opcode.CLOSE:
                code = int.from_bytes(frame.payload[:2], "big") if len(frame.payload) >= 2 else _NO_CODE
                text = "".join(
                    char for char in frame.payload[2:].decode("utf-8", "replace") if char.isprintable()
                )
                words = f"the server closed the WebSocket (code {code}{f', {text!r}' if text else ''})"
                self._end(ConnectionResetError(words), _NORMAL)
            case _:
                pass  # a pong that nobody asked for (section 5.5.3)

    def _answer_ping(self) -> None:
        """Only the newest ping is answered where the peer does not read, as section 5.5.3 allows: pongs that
        pile up would cost memory without end."""
        if self._pong is not None and not self._closing:
            self._lower.writelines((header(Opcode.PONG, len(self._pong)), self._pong))
        self._pong = None

    def pause_writing(self) -> None:
        self._held = True
        super().pause_writing()

    def resume_writing(self) -> None:
        self._held = False
        self._answer_ping()
        super().resume_writing()

    def _end(self, reason: Exception, code: int | None) -> None:
        """The connection is of no use any more: say so above at once, and go politely below."""
        self._reason = reason
        self._close(code)
        asyncio.get_running_loop().call_soon(self.connection_lost, reason)

    def _close(self, code: int | None) -> None:
        if not self._closing:
            self._closing = True
            if code is not None:
                with contextlib.suppress(RuntimeError):  # the lower transport may be closed already
                    self._lower.write(header(Opcode.CLOSE, 2) + code.to_bytes(2, "big"))
            self._lower.close()

"""A WebSocket as a transport of bytes, so that TLS can run inside of it.

To the transport below (the public TLS) it is the protocol, to the TLS above it is the transport. Pings are
answered here; a close frame, or anything that is no frame, is a lost connection.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

from teleport_email.teleport.frames import Decoder, Frame, FrameFault, Opcode, header


class WebSocketTransport(asyncio.Transport, asyncio.Protocol):
    """Takes over ``lower`` right behind the server's 101; ``trailing`` is what was read beyond it.

    Reading is paused until a protocol is set and ``resume_reading`` called, which ``loop.start_tls`` does.
    """

    _start_tls_compatible = True  # how asyncio asks whether start_tls may be used on a transport

    def __init__(self, lower: asyncio.Transport, trailing: bytes = b"") -> None:
        super().__init__()
        self._lower = lower
        self._early = trailing
        self._decoder = Decoder()
        self._upper: asyncio.BaseProtocol | None = None
        self._closing = False
        self._lost = False
        self._reason: Exception | None = None
        lower.set_protocol(self)

    # the transport, as the protocol above sees it

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._lower.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._upper = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self._upper is not None
        return self._upper

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return self._lower.is_reading()

    def pause_reading(self) -> None:
        self._lower.pause_reading()

    def resume_reading(self) -> None:
        early, self._early = self._early, b""
        if early:
            self.data_received(early)
        if not self._closing:
            self._lower.resume_reading()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if data and not self._closing:
            # Two writes in one: the payload is not copied behind its head.
            self._lower.writelines((header(Opcode.BINARY, len(data)), data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return self._lower.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._lower.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._lower.set_write_buffer_limits(high, low)

    def close(self) -> None:
        self._close(1000)

    def abort(self) -> None:
        self._closing = True
        self._lower.abort()

    def _force_close(self, exc: BaseException | None) -> None:
        """How asyncio's TLS gives up the transport below it, when its own session is broken."""
        if isinstance(exc, Exception):
            self._reason = exc
        self.abort()

    # the protocol, as the transport below sees it

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._decoder.feed(data):
                self._take(frame)
                if self._closing:
                    return
        except FrameFault as exc:
            self._end(ConnectionAbortedError(f"what came is no WebSocket: {exc}"), 1002)

    def eof_received(self) -> None:
        self._end(ConnectionResetError("the server ended the WebSocket without closing it"), 1006)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        if not self._lost:
            self._lost = True
            if self._upper is not None:
                self._upper.connection_lost(self._reason or exc)

    def pause_writing(self) -> None:
        if self._upper is not None:
            self._upper.pause_writing()

    def resume_writing(self) -> None:
        if self._upper is not None:
            self._upper.resume_writing()

    def _take(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.BINARY:
                _feed(self._upper, frame.payload)
            case Opcode.PING:
                self._lower.writelines((header(Opcode.PONG, len(frame.payload)), frame.payload))
            case Opcode.CLOSE:
                code = int.from_bytes(frame.payload[:2], "big") if len(frame.payload) >= 2 else 1005
                text = frame.payload[2:].decode("utf-8", "replace")
                words = f"the server closed the WebSocket (code {code}{f', {text!r}' if text else ''})"
                self._end(ConnectionResetError(words), 1000)
            case _:
                pass  # a pong that nobody asked for (section 5.5.3)

    def _end(self, reason: Exception, code: int) -> None:
        """The connection is of no use any more: say so above at once, and go politely below."""
        self._reason = reason
        self._close(code)
        asyncio.get_running_loop().call_soon(self.connection_lost, reason)

    def _close(self, code: int) -> None:
        if not self._closing:
            self._closing = True
            with contextlib.suppress(RuntimeError):  # the lower transport may be closed already
                if code != 1006:  # which must not be sent (section 7.4.1)
                    self._lower.write(header(Opcode.CLOSE, 2) + code.to_bytes(2, "big"))
            self._lower.close()


def _feed(protocol: asyncio.BaseProtocol | None, data: bytes) -> None:
    if isinstance(protocol, asyncio.BufferedProtocol):  # asyncio's TLS is one
        view = memoryview(data)
        while view:
            buffer = memoryview(protocol.get_buffer(len(view)))
            size = min(len(buffer), len(view))
            buffer[:size] = view[:size]
            protocol.buffer_updated(size)
            view = view[size:]
    elif isinstance(protocol, asyncio.Protocol):
        protocol.data_received(data)

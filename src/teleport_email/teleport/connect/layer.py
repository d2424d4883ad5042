"""A transport upon a transport: what lies between two TLS sessions, one inside of the other.

To the transport below it is the protocol, to the TLS above it is the transport. By itself it passes
everything on as it is. Even so it is needed: asyncio's own transport of a TLS session (3.11, 3.12.0) stumbles
over a failed handshake of a second TLS session upon it, with a ``TypeError`` in place of the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any


class LayerTransport(asyncio.Transport, asyncio.Protocol):
    """Takes over ``lower``, whose reading is paused; ``early`` is what was already read from it.

    Nothing is read until a protocol is set and ``resume_reading`` called, which ``loop.start_tls`` does.
    """

    _start_tls_compatible = True  # how asyncio asks whether start_tls may be used on a transport

    def __init__(self, lower: asyncio.Transport, early: bytes = b"") -> None:
        super().__init__()
        self._lower = lower
        self._early = early
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
        if not self._closing:
            self._lower.write(data)

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
        self._closing = True
        self._lower.close()

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
        self._deliver(data)

    def eof_received(self) -> bool | None:
        if isinstance(self._upper, asyncio.Protocol | asyncio.BufferedProtocol):
            return self._upper.eof_received()
        return None

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

    def _deliver(self, data: bytes) -> None:
        protocol = self._upper
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

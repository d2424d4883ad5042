"""WebSocket frames (RFC 6455, 5.2) as a byte stream needs them: binary, ping, pong, close. Pure.

Teleport's servers up to early version 17 break the RFC: they mask their own frames, and do not unmask
ours. So ours carry a mask of zeros, which reads the same with and without unmasking, and theirs are
taken with and without a mask.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator

from msgspec import Struct


class Opcode(enum.IntEnum):
    """Section 11.8."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


MAX_CONTROL = 125
"""Bytes in a control frame (section 5.5)."""

_FIN, _RESERVED, _MASKED = 0x80, 0x70, 0x80
_ZERO_MASK = bytes(4)


class FrameFault(ValueError):
    """The peer sent what is no WebSocket frame, or none that belongs here."""


class Frame(Struct, frozen=True):
    """A control frame, or a piece of the byte stream (``BINARY``), which need not be a whole frame."""

    opcode: Opcode
    payload: bytes


def header(opcode: Opcode, length: int) -> bytes:
    """What comes before ``length`` bytes of payload, which follow as they are. One whole frame."""
    first = _FIN | opcode
    if length < 126:
        return bytes((first, _MASKED | length)) + _ZERO_MASK
    if length < 1 << 16:
        return struct.pack("!BBH", first, _MASKED | 126, length) + _ZERO_MASK
    return struct.pack("!BBQ", first, _MASKED | 127, length) + _ZERO_MASK


class Decoder:
    """Bytes in, frames out. Binary payload is handed on as it comes, so nothing large is ever held."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._control = bytearray()
        self._opcode: Opcode | None = None
        self._left = 0
        self._mask = b""
        self._offset = 0
        self._in_message = False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """All that ``data`` completes. Raises :class:`FrameFault`; the stream is of no use then."""
        view = memoryview(data)
        while view:
            if self._opcode is None:
                view = self._read_head(view)
                if self._opcode is None:
                    return
            piece, view = view[: self._left], view[self._left :]
            self._left -= len(piece)
            if piece or self._opcode is not Opcode.BINARY:
                payload = self._unmasked(piece)
                if self._opcode is Opcode.BINARY:
                    yield Frame(Opcode.BINARY, payload)
                else:
                    self._control += payload
                    if not self._left:
                        yield Frame(self._opcode, bytes(self._control))
                        self._control.clear()
            if not self._left:
                self._opcode = None

    def _read_head(self, view: memoryview) -> memoryview:
        """Take the bytes of one head from ``view``, as far as there are any; gives back the rest."""
        head = self._head
        while (missing := _head_length(head) - len(head)) > 0:
            if not view:
                return view
            head += view[:missing]
            view = view[missing:]
        first, second = head[0], head[1]
        masked, short = second & _MASKED, second & 0x7F
        at = 2 + {126: 2, 127: 8}.get(short, 0)
        length = int.from_bytes(head[2:at], "big") if short > MAX_CONTROL else short
        self._mask = bytes(head[at : at + 4]) if masked else b""
        head.clear()
        self._offset, self._left = 0, length
        self._opcode = self._checked(first, length)
        return view

    def _checked(self, first: int, length: int) -> Opcode:
        final = bool(first & _FIN)
        if first & _RESERVED:
            raise FrameFault("a reserved bit is set, though no extension was agreed on")
        if length >> 63:
            raise FrameFault("a frame's length has its highest bit set")
        try:
            opcode = Opcode(first & 0x0F)
        except ValueError:
            raise FrameFault(f"unknown kind of frame {first & 0x0F}") from None
        if opcode >= Opcode.CLOSE:
            if not final or length > MAX_CONTROL:
                raise FrameFault("a control frame is fragmented or too long")
            return opcode
        if opcode is Opcode.TEXT:
            raise FrameFault("a text frame in a stream of bytes")
        if (opcode is Opcode.CONTINUATION) != self._in_message:
            raise FrameFault("a fragment without its beginning, or a beginning inside of a message")
        self._in_message = not final
        return Opcode.BINARY

    def _unmasked(self, piece: memoryview) -> bytes:
        if not self._mask or self._mask == _ZERO_MASK:
            return bytes(piece)
        # As one large number: a loop over bytes would be a hundred times slower.
        size, turn = len(piece), self._offset % 4
        key = (self._mask * 2)[turn : turn + 4] * (size // 4 + 1)
        self._offset += size
        return (int.from_bytes(piece, "big") ^ int.from_bytes(key[:size], "big")).to_bytes(size, "big")


def _head_length(head: bytearray) -> int:
    """Bytes of a head, as far as can be told from its beginning."""
    if len(head) < 2:
        return 2
    return 2 + {126: 2, 127: 8}.get(head[1] & 0x7F, 0) + (4 if head[1] & _MASKED else 0)

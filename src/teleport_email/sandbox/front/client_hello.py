"""What a TLS client asks for, read from its first record (RFC 8446, 4.1.2). Pure.

A Teleport Proxy chooses by the protocol names (ALPN) whom a connection is for, without ending its TLS.
"""

from __future__ import annotations

_HANDSHAKE, _CLIENT_HELLO, _ALPN = 0x16, 0x01, 16


def record_length(data: bytes) -> int:
    """Bytes of the first record, its head included, as far as ``data`` tells."""
    return 5 + int.from_bytes(data[3:5], "big") if len(data) >= 5 else 5


def offered_protocols(data: bytes) -> tuple[str, ...]:
    """The protocol names that a ClientHello offers; empty for anything else."""
    if len(data) < 6 or data[0] != _HANDSHAKE or data[5] != _CLIENT_HELLO:
        return ()
    at = 5 + 4 + 2 + 32  # record, handshake head, version, random
    for width in (1, 2, 1):  # session id, cipher suites, compression methods
        at += width + int.from_bytes(data[at : at + width], "big")
    end = at + 2 + int.from_bytes(data[at : at + 2], "big")
    at += 2
    while at + 4 <= min(end, len(data)):
        kind = int.from_bytes(data[at : at + 2], "big")
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 4 + size]
        at += 4 + size
        if kind == _ALPN:
            return _names(body[2:])
    return ()


def _names(body: bytes) -> tuple[str, ...]:
    names: list[str] = []
    while body:
        names.append(body[1 : 1 + body[0]].decode("ascii", "replace"))
        body = body[1 + body[0] :]
    return tuple(names)

"""A name's addresses, and a socket to the first of them that answers (RFC 8305)."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from .race import NoneSucceeded, first

__all__ = ["connect"]

HAPPY_EYEBALLS = 0.25
"""Seconds until the next address is tried beside one that has not answered (RFC 8305 section 5)."""

AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


async def connect(host: str, port: int) -> socket.socket:
    """A connected socket that does not block, for ``create_connection(sock=...)``. Whenever this is cancelled
    none stays open. :raises OSError: that of the address that failed first.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    attempts = [functools.partial(_connect, info) for info in _by_turns(found)]
    try:
        return await first(attempts, HAPPY_EYEBALLS, OSError, socket.socket.close)
    except NoneSucceeded as none:
        raise none.errors[0] from None


async def _connect(info: AddressInfo) -> socket.socket:
    family, kind, protocol, _, address = info
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _by_turns(found: Sequence[AddressInfo]) -> list[AddressInfo]:
    """IPv6 and IPv4 in turns, beginning with what comes first (RFC 8305 section 4)."""
    families: dict[socket.AddressFamily, list[AddressInfo]] = {}
    for info in found:
        families.setdefault(info[0], []).append(info)
    return [info for turn in zip_longest(*families.values()) for info in turn if info is not None]

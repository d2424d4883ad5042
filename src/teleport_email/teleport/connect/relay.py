"""A unix socket that only this process can use, piped into whatever ``dial`` opens.

grpcio can be given neither a dialer nor an ALPN list, so it connects here, in the clear, and the relay
does the rest. A relay serves one connection: once that stands, the socket is gone from the file system,
and a later connection takes a new relay, which dials with the identity as it is then.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from teleport_email.teleport.connect.private_directory import PrivateDirectory

CHUNK = 256 * 1024
"""Bytes per read: as much as asyncio's TLS decrypts in one go."""

LINGER = 10.0
"""Seconds that the far side may still send when our side has ended its half. TLS as asyncio has it cannot
pass on the end of one half, so without a limit such a connection could stay for ever."""

CLOSING = 1.0
"""Seconds for the polite end of TLS (close_notify) before the connection is cut."""

Dial = Callable[[], Awaitable[tuple[StreamReader, StreamWriter]]]


class Relay:
    """``async with Relay(dial) as relay: grpc.aio.insecure_channel(relay.target)``."""

    def __init__(self, dial: Dial, *, directory: Path | None = None) -> None:
        """``directory``: where to put the private directory; None: the first place that can be written to."""
        self.last_error: Exception | None = None
        """Why the last dial failed, or what error ended the connection, as it came; None while all is well.

        With TLS 1.3 a server's refusal of our certificate comes only after the dial, as ``ssl.SSLError``."""
        self._dial = dial
        self._where = directory
        self._place: PrivateDirectory | None = None
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    @property
    def target(self) -> str:
        """What to give to gRPC."""
        assert self._place is not None, "a relay has a target only once entered"
        return f"unix:{self._place.path}/s"

    async def __aenter__(self) -> Self:
        """Raises :class:`Unreachable` when there is no directory that can be written to."""
        self._place = PrivateDirectory.create(self._where)
        try:
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
            self._listener.setblocking(False)
            self._listener.bind(f"{self._place.path}/s")
            self._listener.listen(4)
        except BaseException:
            self._stop_listening()
            raise
        self._accepting = asyncio.create_task(self._accept(self._listener), name="relay")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._accepting is not None:
                self._accepting.cancel()
                await asyncio.gather(self._accepting, return_exceptions=True)
        finally:
            self._stop_listening()

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._place is not None:
            self._place.remove()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(listener)
            if not _is_this_process(sock):
                sock.close()
            elif await self._serve(sock):
                return

    async def _serve(self, sock: socket.socket) -> bool:
        """Dial and pipe until the end. False: nothing could be dialled, the next connection may try again."""
        try:
            near_reader, near_writer = await asyncio.open_unix_connection(sock=sock, limit=CHUNK)
        except BaseException:
            sock.close()
            raise
        far_writer: StreamWriter | None = None
        try:
            far_reader, far_writer = await self._dial()
            self.last_error = None
            self._stop_listening()
            await _pipe(near_reader, near_writer, far_reader, far_writer)
        except Exception as exc:  # noqa: BLE001 - kept for whoever asks; gRPC would only say "connection reset"
            self.last_error = _first(exc)
        finally:
            near_writer.transport.abort()
            if far_writer is not None:
                await _close(far_writer)
        return far_writer is not None


async def _pipe(
    near_reader: StreamReader, near_writer: StreamWriter, far_reader: StreamReader, far_writer: StreamWriter
) -> None:
    """Both directions until both have ended, or one has failed."""
    async with asyncio.TaskGroup() as directions:
        down = directions.create_task(_copy(far_reader, near_writer), name="relay down")
        up = directions.create_task(_copy(near_reader, far_writer), name="relay up")
        await asyncio.wait((down, up), return_when=asyncio.FIRST_COMPLETED)
        if down.done() and not far_writer.can_write_eof():
            up.cancel()  # TLS ends both ways at once
        elif up.done() and not far_writer.can_write_eof() and not down.done():
            if not _hung_up(near_writer):
                await asyncio.wait((down,), timeout=LINGER)
            down.cancel()


def _first(exc: Exception) -> Exception:
    """Of the two directions' errors the first one; each is about the same connection."""
    while isinstance(exc, ExceptionGroup):
        exc = exc.exceptions[0]
    return exc


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()  # the back-pressure: nothing more is read until the other side took this
    if writer.can_write_eof():
        writer.write_eof()


async def _close(writer: StreamWriter) -> None:
    writer.close()
    try:
        async with asyncio.timeout(CLOSING):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        pass
    finally:
        writer.transport.abort()


def _is_this_process(sock: socket.socket) -> bool:
    """The directory keeps other users out; this keeps out other processes of the same user."""
    if not hasattr(socket, "SO_PEERCRED"):  # not Linux: the directory alone has to do
        return True
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", data)
    return (pid, uid) == (os.getpid(), os.geteuid())


def _hung_up(writer: StreamWriter) -> bool:
    """Whether the other end of a unix socket is closed altogether, not just its sending half."""
    sock = writer.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock.fileno(), 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))

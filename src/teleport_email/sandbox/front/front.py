"""The cluster's door: ends mutual TLS 1.3 and hands each connection on to the gRPC server inside.

gRPC's own TLS cannot be told to insist on 1.3, and its connections cannot be cut, stalled or refused at
will; here they can. The gRPC server listens in the clear on a loopback port that only this door uses: it
serves a call only if it came over a connection that the door opened, and learns from the door whose it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import os
import socket
import ssl
import tempfile
from collections.abc import Callable

import structlog
from msgspec import Struct

from teleport_email.sandbox.front.tls_stream import CHUNK, TlsStream

_log = structlog.get_logger()

_HANDSHAKE = 10.0  # seconds; a client that never speaks must not keep its place for ever


class Mood(enum.Enum):
    """How the door behaves."""

    OPEN = "open"
    REFUSING = "refusing"
    """Nobody listens: connections are refused."""
    SILENT = "silent"
    """Connections stay up or are accepted, and not a byte comes out: a dead peer behind a live network."""


class Peer(Struct, frozen=True):
    """Who calls, by the certificate of the connection."""

    user: str
    roles: tuple[str, ...]
    address: str = ""
    """``host:port`` of its end of the connection."""


def server_context(key: bytes, certificate: bytes, client_authorities: bytes) -> ssl.SSLContext:
    """TLS 1.3 only, client certificates of these CAs required, ALPN ``h2``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=client_authorities.decode())
    context.set_alpn_protocols(["h2"])
    # Python loads keys only from files: one that nobody else can read, for as long as it takes.
    with tempfile.NamedTemporaryFile(prefix="teleport-email-sandbox-") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(key + certificate)
        file.flush()
        context.load_cert_chain(file.name)
    return context


class Front:
    """The door. :meth:`open` and :meth:`shut` may be called any number of times; the port stays the same."""

    def __init__(self, context: ssl.SSLContext, host: str, port: int, on_refusal: Callable[[], None]) -> None:
        """``on_refusal`` is called when a handshake has failed."""
        self._context = context
        self._host = host
        self._on_refusal = on_refusal
        self.port = port
        self.inner_port = 0
        """Where the gRPC server listens, on 127.0.0.1."""
        self.mood = Mood.REFUSING
        self.refused: list[str] = []
        """Why handshakes failed, in order."""
        self._socket: socket.socket | None = None
        self._peers: dict[str, Peer] = {}
        self._streams: set[TlsStream] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()

    def peer(self, inner_address: str) -> Peer | None:
        """Whose connection that is, by the address that the gRPC server sees (``ipv4:127.0.0.1:PORT``)."""
        return self._peers.get(inner_address)

    def open(self) -> None:
        """Listen, and let bytes flow. The port is chosen at the first time if it was 0."""
        if self._socket is None:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listening = socket.socket(family, kind, protocol)
            listening.setblocking(False)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind(address)
                listening.listen(512)
            except OSError:
                listening.close()
                raise
            self.port = listening.getsockname()[1]
            self._socket = listening
            asyncio.get_running_loop().add_reader(listening, self._accept)
        self.mood = Mood.OPEN
        self._flowing.set()

    def shut(self) -> None:
        """Stop listening and cut every connection, as when the process dies."""
        self.mood = Mood.REFUSING
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        self.cut()

    def cut(self) -> None:
        """Cut every connection; new ones are welcome."""
        for stream in list(self._streams):
            stream.abort()
        for task in self._connections:
            task.cancel()

    def fall_silent(self) -> None:
        """Keep every connection, accept new ones, and pass on nothing until :meth:`open`."""
        self.open()
        self.mood = Mood.SILENT
        self._flowing.clear()

    async def close(self) -> None:
        """Shut for good, and wait until everything is gone."""
        self.shut()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            connection, _ = self._socket.accept()
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.get_running_loop().create_task(self._serve(connection))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _serve(self, connection: socket.socket) -> None:
        stream: TlsStream | None = None
        try:
            await self._flowing.wait()
            reader, writer = await asyncio.open_connection(sock=connection, limit=CHUNK)
            stream = TlsStream(reader, writer, self._context)
            self._streams.add(stream)
            await stream.handshake(_HANDSHAKE)
            if stream.protocol != "h2":
                raise ValueError("the client did not offer the protocol h2")
            await self._hand_on(stream, _peer(stream))
        except (OSError, ValueError) as error:  # ssl.SSLError and TimeoutError are OSErrors
            self.refused.append(str(error) or type(error).__name__)
            self._on_refusal()
            _log.debug("connection to the embedded cluster failed", error=str(error))
        except asyncio.CancelledError:
            pass  # cut on purpose; nobody waits for this task but close()
        finally:
            if stream is None:
                connection.close()
            else:
                self._streams.discard(stream)
                stream.abort()

    async def _hand_on(self, stream: TlsStream, peer: Peer) -> None:
        """Join the client with the gRPC server until one of them ends."""
        reader, writer = await self._dial()
        address = f"ipv4:127.0.0.1:{writer.get_extra_info('sockname')[1]}"
        self._peers[address] = peer

        async def inwards() -> None:
            with contextlib.suppress(OSError):
                while data := await stream.read():
                    await self._flowing.wait()
                    writer.write(data)
                    await writer.drain()
            writer.close()

        async def outwards() -> None:
            with contextlib.suppress(OSError):
                while data := await reader.read(CHUNK):
                    await self._flowing.wait()
                    await stream.write(data)
            # gRPC never half-closes: once one way has ended, the other is of no use.
            stream.close()

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(inwards())
                group.create_task(outwards())
        finally:
            del self._peers[address]
            writer.close()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        inner = socket.socket()
        try:
            inner.setblocking(False)
            inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(inner, ("127.0.0.1", self.inner_port))
            return await asyncio.open_connection(sock=inner, limit=CHUNK)
        except BaseException:
            inner.close()
            raise


def _peer(stream: TlsStream) -> Peer:
    """User and roles, from the certificate's subject: CN and all O, as Teleport has it."""
    subject = [pair for part in stream.certificate["subject"] for pair in part]
    host, port = stream.address
    return Peer(
        user=next((value for name, value in subject if name == "commonName"), ""),
        roles=tuple(value for name, value in subject if name == "organizationName"),
        address=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
    )

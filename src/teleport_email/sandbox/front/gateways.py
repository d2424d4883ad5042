"""What may stand between a client and the Auth Service, on loopback: to try out every way into a cluster.

A Proxy with TLS routing, a load balancer that ends TLS in front of one, an HTTP proxy; and what somebody may
reach by mistake: a web site, a server without TLS, one that never answers.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Literal, Self

import h11

from teleport_email.sandbox.front.client_hello import offered_protocols, record_length
from teleport_email.sandbox.front.websocket_server import Masking, WebSocketPeer, accept_key
from teleport_email.sandbox.mail.mail_certificates import MailAuthority

_CHUNK = 64 * 1024


class Gateway:
    """Listens from ``async with`` on; each connection has its own task, which ends with the gateway."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._listener: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None
        self.accepted = 0
        """Connections so far."""

    @property
    def port(self) -> int:
        """The port that was asked for, or that was given once listening."""
        return self._port

    @property
    def addr(self) -> str:
        """``host:port``, with brackets around an IPv6 address."""
        return f"[{self._host}]:{self.port}" if ":" in self._host else f"{self._host}:{self.port}"

    async def __aenter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._listener = socket.create_server((self._host, self._port), family=family, backlog=64)
        self._listener.setblocking(False)
        self._port = int(self._listener.getsockname()[1])
        self._task = asyncio.create_task(self._serve(self._listener), name=f"gateway {self.addr}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await asyncio.sleep(0)  # transports close their sockets in the loop's next round
        if self._listener is not None:
            self._listener.close()

    async def _serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as connections:
            while True:
                sock, _ = await loop.sock_accept(listener)
                self.accepted += 1
                connections.create_task(self._guarded(sock))

    async def _guarded(self, sock: socket.socket) -> None:
        try:
            await self._handle(sock)
        except (OSError, EOFError, ValueError, h11.RemoteProtocolError):
            pass  # what one client does wrong is its own affair
        finally:
            sock.close()

    async def _handle(self, _sock: socket.socket, /) -> None:
        raise NotImplementedError


class Silence(Gateway):
    """Takes connections and never says a word."""

    heard = 0
    """Bytes that came."""

    async def _handle(self, sock: socket.socket, /) -> None:
        sock.setblocking(False)
        while data := await asyncio.get_running_loop().sock_recv(sock, _CHUNK):
            self.heard += len(data)


class PlainServer(Gateway):
    """A server without TLS, which finds no sense in what a TLS client says."""

    async def _handle(self, sock: socket.socket, /) -> None:
        async with _streams(sock) as (reader, writer):
            await reader.read(_CHUNK)
            writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


class Website(Gateway):
    """A web server with TLS that has nothing to do with Teleport."""

    def __init__(
        self,
        *,
        authority: MailAuthority | None = None,
        names: tuple[str, ...] = ("localhost", "127.0.0.1", "::1"),
        host: str = "127.0.0.1",
    ) -> None:
        """``authority``: issues the certificate for ``names``; its ``ca_pem`` stands for the public CAs."""
        super().__init__(host=host)
        self.authority = authority or MailAuthority("sandbox public CA")
        self._context = self.authority.server_context(names)
        self.requests: list[str] = []
        """Method and path of each request."""

    async def _handle(self, sock: socket.socket, /) -> None:
        async with _streams(sock, self._context) as (reader, writer):
            http = h11.Connection(h11.SERVER)
            while not isinstance(event := http.next_event(), h11.Request):
                if event is not h11.NEED_DATA:
                    return
                http.receive_data(await reader.read(_CHUNK))
            path = event.target.decode("ascii", "replace")
            self.requests.append(f"{event.method.decode('ascii', 'replace')} {path}")
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
            if not await self._special(path, headers, reader, writer):
                status, body = self._page(path)
                writer.write(
                    f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n"
                    "Content-Type: application/json\r\nConnection: close\r\n\r\n".encode("ascii")
                    + body
                )

    async def _special(
        self, _path: str, _headers: Mapping[str, str], _reader: StreamReader, _writer: StreamWriter, /
    ) -> bool:
        """Whether the request was answered in another way than with a page."""
        return False

    def _page(self, _path: str, /) -> tuple[int, bytes]:
        return 404, b"{}"


class Proxy(Website):
    """A Teleport Proxy's web port.

    With ``routes_tls`` it hands TLS that asks for the cluster's Auth Service on as it is, and serves its own
    pages to everybody else. Without, it is a Proxy behind a load balancer that ends TLS; the way in is then
    the WebSocket ``upgrade``, if there is one.
    """

    def __init__(
        self,
        auth: tuple[str, int],
        cluster: str,
        *,
        routes_tls: bool = True,
        upgrade: Masking | None = "rfc",
        version: str = "17.0.0",
        tls_routing_enabled: bool = True,
        fragment: int = 0,
        ping_every: int = 0,
        authority: MailAuthority | None = None,
        names: tuple[str, ...] = ("localhost", "127.0.0.1", "::1"),
        host: str = "127.0.0.1",
        alpn: tuple[str, ...] = (),
        at_most: Literal["1.2", "1.3"] = "1.3",
    ) -> None:
        """``fragment``: bytes per frame; ``ping_every``: so many frames; 0: neither."""
        super().__init__(authority=authority, names=names, host=host)
        if alpn:
            self._context.set_alpn_protocols(list(alpn))
        if at_most == "1.2":
            self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._auth = auth
        self._cluster = cluster
        self._routes_tls = routes_tls
        self._upgrade: Masking | None = upgrade
        self._version = version
        self._tls_routing_enabled = tls_routing_enabled
        self._fragment = fragment
        self._ping_every = ping_every
        self.routed = 0
        """Connections whose TLS was handed on."""
        self.websockets: list[WebSocketPeer] = []
        """All that were ever opened."""

    async def _handle(self, sock: socket.socket, /) -> None:
        if self._routes_tls:
            wanted = f"teleport-auth@{self._cluster.encode().hex()}.teleport.cluster.local"
            if wanted in offered_protocols(await _peek(sock)):
                self.routed += 1
                async with _streams(sock) as near, _connection(*self._auth) as far:
                    await _pipe(*near, *far)
                return
        await super()._handle(sock)

    async def _special(
        self, path: str, headers: Mapping[str, str], reader: StreamReader, writer: StreamWriter, /
    ) -> bool:
        if path != "/webapi/connectionupgrade" or self._upgrade is None:
            return False
        if headers.get("upgrade", "").lower() != "websocket" or "sec-websocket-key" not in headers:
            return False
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: alpn-ping\r\nSec-WebSocket-Accept: "
            + accept_key(headers["sec-websocket-key"])
            + b"\r\n\r\n"
        )
        peer = WebSocketPeer(
            reader, writer, self._upgrade, fragment=self._fragment, ping_every=self._ping_every
        )
        self.websockets.append(peer)
        async with _connection(*self._auth) as far:
            await peer.join(*far)
        return True

    def _page(self, path: str, /) -> tuple[int, bytes]:
        if path != "/webapi/find":
            return 404, b"{}"
        proxy = {"tls_routing_enabled": self._tls_routing_enabled}
        facts = {"server_version": self._version, "cluster_name": self._cluster, "proxy": proxy}
        return 200, json.dumps(facts).encode()


class ConnectProxy(Gateway):
    """An HTTP proxy: CONNECT only, perhaps with a password, perhaps behind TLS of its own."""

    def __init__(
        self,
        *,
        credentials: tuple[str, str] | None = None,
        tls: MailAuthority | None = None,
        names: tuple[str, ...] = ("localhost", "127.0.0.1", "::1"),
        hosts: Mapping[str, str] | None = None,
        refuse: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        """``tls``: issues a certificate for ``names``. ``hosts``: names only this proxy can resolve.
        ``refuse``: a status to answer everything with.
        """
        super().__init__(host=host)
        self._wanted = ""
        if credentials is not None:
            self._wanted = "Basic " + base64.b64encode(":".join(credentials).encode()).decode("ascii")
        self._context = tls.server_context(names) if tls is not None else None
        self._hosts = dict(hosts or {})
        self._refuse = refuse
        self.tunnels: list[str] = []
        """Targets as they were asked for, and granted."""

    async def _handle(self, sock: socket.socket, /) -> None:
        async with _streams(sock, self._context) as (reader, writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split(" ")
            pairs = (line.partition(":") for line in head[1:])
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            status = self._refuse or self._status(method, headers)
            if status == 200:
                name, _, port = target.rpartition(":")
                name = name.strip("[]")
                try:
                    async with _connection(self._hosts.get(name, name), int(port)) as far:
                        self.tunnels.append(target)
                        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                        await _pipe(reader, writer, *far)
                        return
                except ConnectionRefusedError:
                    status = 502
            writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    def _status(self, method: str, headers: Mapping[str, str]) -> int:
        if method != "CONNECT":
            return 405
        return 200 if not self._wanted or headers.get("proxy-authorization") == self._wanted else 407


async def _peek(sock: socket.socket) -> bytes:
    """The first TLS record on a connection, left where it is."""
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    while True:
        readable = asyncio.Event()
        loop.add_reader(sock, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(sock)
        data = sock.recv(_CHUNK, socket.MSG_PEEK)
        if not data or data[0] != 0x16 or len(data) >= record_length(data):
            return data
        await asyncio.sleep(0.001)  # the rest is on its way; a socket with a part of it counts as readable


@contextlib.asynccontextmanager
async def _streams(
    sock: socket.socket, context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    loop = asyncio.get_running_loop()
    reader = StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    owned = socket.socket(fileno=sock.detach())  # the transport closes it from here on
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, owned, ssl=context)
    writer = StreamWriter(transport, protocol, reader, loop)
    try:
        yield reader, writer
        writer.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()
    finally:
        transport.abort()


@contextlib.asynccontextmanager
async def _connection(host: str, port: int) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _pipe(
    near_reader: StreamReader, near_writer: StreamWriter, far_reader: StreamReader, far_writer: StreamWriter
) -> None:
    async def copy(reader: StreamReader, writer: StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.close()

    with contextlib.suppress(OSError):
        try:
            await asyncio.gather(copy(near_reader, far_writer), copy(far_reader, near_writer))
        finally:
            near_writer.transport.abort()
            far_writer.transport.abort()

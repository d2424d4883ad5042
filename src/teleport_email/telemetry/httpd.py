"""A small, strict HTTP/1.1 server on h11: exact routes, hard limits, no surprises.

It serves the health page and the sandbox, so it must stay up whatever is sent to it: every connection
has one owner task, every read and write a deadline, and everything that a peer can make large a bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import unquote

import structlog

from .http_connection import READ_SIZE, Connection, CutConnection, Handler, Limits, Request, Response

__all__ = ["CutConnection", "Handler", "HttpServer", "Limits", "Request", "Response"]

Routes = Mapping[tuple[str, str], Handler]
"""``("GET", "/healthz")`` or ``("POST", "/v3/{domain}/messages")`` to its handler. GET also serves HEAD."""


class HttpServer:
    """Serves ``routes`` on ``host`` and ``port`` (0: any free one), with TLS when ``tls`` is given.

    ``async with`` starts and stops it; or :meth:`start` and :meth:`close`. ``OSError`` from
    :meth:`start` when the address cannot be had. ``host`` may be an IPv6 address, without brackets.
    ``fallback`` answers what has no route; without it that is 404.
    """

    def __init__(
        self,
        routes: Routes,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
        fallback: Handler | None = None,
    ) -> None:
        self._fallback = fallback
        self._routes = [(method, path.split("/"), handler) for (method, path), handler in routes.items()]
        self._host = host
        self._port = port
        self._tls = tls
        self._limits = limits or Limits()
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._log = structlog.get_logger(__name__)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def port(self) -> int:
        """The port that is listened on; after :meth:`start`."""
        return self._port

    @property
    def url(self) -> str:
        """``http://127.0.0.1:8080``, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self._port}"

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    async def start(self) -> None:
        """Listen. With port 0, :attr:`port` tells afterwards which one it became."""
        self._server = await asyncio.start_server(
            self._accept,
            self._host,
            self._port,
            ssl=self._tls,
            ssl_handshake_timeout=self._limits.request_time if self._tls else None,
            limit=READ_SIZE,
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self, grace: float = 2.0) -> None:
        """Stop listening, let requests under way finish for ``grace`` seconds, end the rest."""
        if self._server is None:
            return
        self._server.close()
        for connection in self._connections.values():
            connection.stop()
        if self._connections:
            await asyncio.wait(set(self._connections), timeout=grace)
        left = set(self._connections)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        if sys.version_info >= (3, 13):
            self._server.abort_clients()  # those still in their TLS handshake
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._server.wait_closed()
        self._server = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        full = len(self._connections) >= self._limits.connections
        connection = Connection(self._route, reader, writer, self._limits, refuse=full, log=self._log)
        task = asyncio.get_running_loop().create_task(connection.run())
        self._connections[task] = connection
        task.add_done_callback(self._connections.pop)
        if full and len(self._connections) >= 2 * self._limits.connections:
            writer.transport.abort()  # not even the refusals may pile up

    def _route(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | Response:
        parts = path.split("/")
        allowed: set[str] = set()
        for wanted, pattern, handler in self._routes:
            parameters = _match(pattern, parts)
            if parameters is None:
                continue
            if method == wanted or (method == "HEAD" and wanted == "GET"):
                return handler, parameters
            allowed.add(wanted)
        if allowed:
            return Response.text("method not allowed\n", 405, (("Allow", ", ".join(sorted(allowed))),))
        return (self._fallback, {}) if self._fallback else Response.text("not found\n", 404)


def _match(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(parts):
        return None
    parameters = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            parameters[wanted[1:-1]] = unquote(part)
        elif wanted != part:
            return None
    return parameters

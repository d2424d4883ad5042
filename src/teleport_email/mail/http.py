"""HTTP for Mailgun and for token endpoints: one way to ask, and one to read what comes back.

On httpcore, which sends and reads HTTP and nothing more: no encoding is asked for and none undone, no
redirect followed, no cookie kept, no environment read. What a server sends is counted as it comes from the
wire, head, chunks and interim answers included, so that no form of it costs more than another.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import httpcore
from msgspec import Struct

from teleport_email.config.proxies import proxy_for
from teleport_email.config.settings import NO_SECRET, Secret
from teleport_email.core import redaction
from teleport_email.core.model import hiding
from teleport_email.network.unresolved import unresolved

from .tls import system_context

__all__ = ["Answer", "HttpClient", "HttpFault"]

LARGEST_BODY = 100_000
"""Bytes of an answer's body that are read; real ones have some hundred, tokens some thousand."""

LARGEST_REST = 64 * 1024
"""Bytes of all that is not body: heads, interim answers (RFC 9110 section 15.2), the sizes of chunks."""

_PORTS = {"http": 80, "https": 443}
_FAULTS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
    OSError,
    ValueError,
)


class HttpFault(Exception):
    """No answer. The text is for people and goes behind the name of the place."""


class Answer(Struct, frozen=True):
    """What came back. Names of ``headers`` are in lower case; ``body`` is raw, and cut where it is long."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    __repr__ = hiding("body")


class HttpClient:
    """Posts to one URL; connections are kept open in between. To be closed."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        environ: Mapping[str, str],
        connect_seconds: float,
        answer_seconds: float,
        connections: int = 1,
        authorization: Secret = NO_SECRET,
    ) -> None:
        """``key``: what names the URL (``mailgun.api_base``). ``answer_seconds``: for each of sending the
        request and waiting for the answer; from the first byte to the last it takes twice that at most.
        ``authorization``: value of that header.
        """
        self._parts = urlsplit(url)
        self._url = url
        self._key = key
        self._environ = environ
        self._timeouts = {"connect": connect_seconds, "read": answer_seconds, "write": answer_seconds}
        self._limit = connect_seconds + 2 * answer_seconds
        self._connections = connections
        self._authorization = authorization
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def post(
        self,
        body: bytes | AsyncIterator[bytes],
        length: int,
        content_type: str,
        accept: str = "application/json",
    ) -> Answer:
        """Send and wait. What ``body`` raises comes out as it is. :raises HttpFault:"""
        headers = [
            ("Host", _host(self._parts)),
            ("User-Agent", "teleport-email"),
            ("Accept", accept),
            ("Accept-Encoding", "identity"),
            ("Content-Type", content_type),
            ("Content-Length", str(length)),
        ]
        if self._authorization:
            headers.append(("Authorization", self._authorization.reveal()))
        try:
            async with asyncio.timeout(self._limit):
                async with self._opened().stream(
                    "POST",
                    _origin(
                        self._parts, self._parts.path + (f"?{self._parts.query}" if self._parts.query else "")
                    ),
                    headers=headers,
                    content=body,
                    extensions={"timeout": self._timeouts},
                ) as answer:
                    return Answer(answer.status, _joined(answer.headers), await _bounded(answer))
        except _FAULTS as error:
            raise HttpFault(self._words(error)) from error

    async def close(self) -> None:
        """Close what is open."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()

    def _words(self, error: BaseException) -> str:
        if isinstance(error, httpcore.TimeoutException | TimeoutError):
            return "no answer in time"
        for cause in (error, error.__cause__, error.__context__):
            if isinstance(cause, socket.gaierror):
                proxy = proxy_for(self._url, self._environ)
                host, where = (
                    (_name(urlsplit(proxy)), "HTTPS_PROXY") if proxy else (_name(self._parts), self._key)
                )
                return unresolved(host, where, cause)
        return redaction.hide(str(error)) or type(error).__name__

    def _opened(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            proxy_url = proxy_for(self._url, self._environ)
            names = {}
            proxy = None
            if proxy_url is not None:
                parts = urlsplit(proxy_url)
                names.update(_absolute(parts))
                proxy = httpcore.Proxy(
                    _origin(parts, ""),
                    auth=(unquote(parts.username), unquote(parts.password or "")) if parts.username else None,
                    ssl_context=system_context() if parts.scheme == "https" else None,
                )
            else:
                names.update(_absolute(self._parts))
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=system_context(),
                proxy=proxy,
                max_connections=self._connections,
                keepalive_expiry=30.0,
                network_backend=_Network(names),
            )
        return self._pool


class _Network(httpcore.AsyncNetworkBackend):
    """Dials, and counts what comes. ``names``: those that DNS is asked for with a dot at their end."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        name = self._names.get(host, host)
        return _Counted(await self._network.connect_tcp(name, port, timeout, local_address, socket_options))

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _Counted(httpcore.AsyncNetworkStream):
    """A stream that gives up on an answer that has no end."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._received = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = await self._stream.read(max_bytes, timeout)
        self._received += len(data)
        if self._received > LARGEST_BODY + LARGEST_REST:
            raise httpcore.ReadError("the answer has no end")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._received = 0  # the answer to what is written now is another one
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return _Counted(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _name(parts: SplitResult) -> str:
    """The host as certificates, SNI and Host know it: without the dot that only DNS understands."""
    return (parts.hostname or "").removesuffix(".")


def _absolute(parts: SplitResult) -> dict[str, str]:
    """The name that DNS is asked for, where it is another."""
    return {_name(parts): f"{_name(parts)}."} if (parts.hostname or "").endswith(".") else {}


def _origin(parts: SplitResult, target: str) -> httpcore.URL:
    return httpcore.URL(
        scheme=parts.scheme.lower().encode(),
        host=_name(parts).encode("idna" if not _name(parts).isascii() else "ascii"),
        port=parts.port,
        target=(target or "/").encode("ascii"),
    )


def _host(parts: SplitResult) -> str:
    name = f"[{_name(parts)}]" if ":" in _name(parts) else _name(parts)
    return name if parts.port in (None, _PORTS.get(parts.scheme.lower())) else f"{name}:{parts.port}"


def _joined(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Each header's last value: those that are read have one."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


async def _bounded(answer: httpcore.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            break
    return bytes(body[:LARGEST_BODY])

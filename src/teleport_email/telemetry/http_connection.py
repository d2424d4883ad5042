"""One HTTP/1.1 connection from its first byte to its end, and the values that handlers see.

A request that breaks RFC 9112 gets its 4xx and the connection is closed; reads and writes have deadlines.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import h11
from msgspec import Struct, field

from teleport_email.core.model import hiding

READ_SIZE = 65536
_LINGER_BYTES = 1 << 20
"""How much of a refused request is still read, so that the refusal is not lost in a TCP reset."""


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds on what one peer may cost. Sizes in bytes, times in seconds."""

    header_bytes: int = 16384
    body_bytes: int = 65536
    request_time: float = 10.0
    """From the first byte of a request to its last."""
    handler_time: float = 30.0
    idle_time: float = 15.0
    """How long a connection is kept for a next request."""
    write_time: float = 10.0
    connections: int = 64


class Request(Struct, frozen=True):
    """One request. ``path`` is percent-decoded; ``parameters`` has the ``{name}`` parts of the route."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    """The last value of each name."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case; repeated headers joined with a comma."""
    body: bytes = b""
    parameters: Mapping[str, str] = field(default_factory=dict)
    peer: str = ""
    tls: bool = False

    __repr__ = hiding("headers", "body")

    def form(self) -> dict[str, str]:
        """The body as ``application/x-www-form-urlencoded``; the last value of each name."""
        try:
            fields = parse_qs(self.body.decode("ascii"), keep_blank_values=True, max_num_fields=100)
        except (UnicodeDecodeError, ValueError):
            return {}
        return {name: values[-1] for name, values in fields.items()}


class Response(Struct, frozen=True):
    """What to answer. Header values must have no line breaks (h11 refuses them)."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def text(cls, text: str, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        """Plain text in UTF-8."""
        return cls(status, text.encode("utf-8", "replace"), headers=headers)

    @classmethod
    def html(cls, text: str, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        """An HTML page in UTF-8."""
        return cls(status, text.encode("utf-8", "replace"), "text/html; charset=utf-8", headers)

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        """A JSON document."""
        return cls(status, json.dumps(value).encode(), "application/json", headers)


class CutConnection(Exception):
    """Raised by a handler: close the connection without an answer."""


Handler = Callable[[Request], Awaitable[Response]]


class _Refused(Exception):
    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status = status


class Connection:
    """One connection, from its first byte to its end, by one task."""

    def __init__(
        self,
        route: Callable[[str, str], tuple[Handler, dict[str, str]] | Response],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits,
        *,
        refuse: bool,
        log: Any,
    ) -> None:
        self._route = route
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._refuse = refuse
        self._log = log
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.header_bytes)
        self._idle = True
        self._stopping = False
        self._eof = False

    def stop(self) -> None:
        """End after the request that is under way; at once when there is none."""
        self._stopping = True
        if self._idle:
            self._writer.transport.abort()

    async def run(self) -> None:
        try:
            if self._refuse:
                await self._send(Response.text("too many connections\n", 503), close=True)
            else:
                await self._serve()
        except (CutConnection, TimeoutError, OSError, ssl.SSLError):
            self._writer.transport.abort()
        except asyncio.CancelledError:
            # Only close() cancels; the task ends here, and asyncio would log the cancellation.
            self._writer.transport.abort()
        finally:
            await self._hang_up()

    async def _serve(self) -> None:
        while await self._one():
            self._h11.start_next_cycle()

    async def _one(self) -> bool:
        """Read and answer one request. False when the connection is over."""
        try:
            head = await self._read_head()
            if head is None:
                return False
            async with asyncio.timeout(self._limits.request_time):
                request = await self._read_request(head)
        except h11.RemoteProtocolError as error:
            return await self._refuse_with(error.error_status_hint, str(error))
        except _Refused as error:
            return await self._refuse_with(error.status, str(error))
        response = await self._answer(request)
        close = self._stopping or self._h11.their_state is not h11.DONE
        await self._send(response, close=close, head_only=request.method == "HEAD")
        return self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE

    async def _read_head(self) -> h11.Request | None:
        self._idle = True
        event = self._h11.next_event()
        if event is h11.NEED_DATA:
            async with asyncio.timeout(self._limits.idle_time):
                await self._feed()
            event = self._h11.next_event()
        self._idle = False
        if self._stopping:
            return None
        async with asyncio.timeout(self._limits.request_time):
            while event is h11.NEED_DATA:
                await self._feed()
                event = self._h11.next_event()
        return event if isinstance(event, h11.Request) else None

    async def _feed(self) -> None:
        data = b"" if self._eof else await self._reader.read(READ_SIZE)
        self._eof = self._eof or not data
        self._h11.receive_data(data)

    async def _read_request(self, head: h11.Request) -> Request:
        headers: dict[str, str] = {}
        for raw_name, raw_value in head.headers:
            name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        length = headers.get("content-length", "0")
        if len(length) > 15 or int(length) > self._limits.body_bytes:
            raise _Refused(413, f"the body may have at most {self._limits.body_bytes} bytes")
        try:
            target = urlsplit(head.target.decode("ascii"))
            query = parse_qs(target.query, keep_blank_values=True, max_num_fields=100)
        except (UnicodeDecodeError, ValueError):
            raise _Refused(400, "the request target cannot be read") from None
        return Request(
            method=head.method.decode("ascii"),
            path=target.path or "/",
            query={name: values[-1] for name, values in query.items()},
            headers=headers,
            body=await self._read_body(),
            peer=_peer(self._writer),
            tls=self._writer.get_extra_info("ssl_object") is not None,
        )

    async def _read_body(self) -> bytes:
        body = bytearray()
        while True:
            if self._h11.they_are_waiting_for_100_continue:
                await self._write(
                    self._h11.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
                )
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                await self._feed()
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._limits.body_bytes:
                    raise _Refused(413, f"the body may have at most {self._limits.body_bytes} bytes")
            else:  # EndOfMessage; anything else h11 reports as an error
                return bytes(body)

    async def _answer(self, request: Request) -> Response:
        found = self._route(request.method, request.path)
        if isinstance(found, Response):
            return found
        handler, parameters = found
        request = Request(
            request.method,
            unquote(request.path),
            request.query,
            request.headers,
            request.body,
            parameters,
            request.peer,
            request.tls,
        )
        try:
            async with asyncio.timeout(self._limits.handler_time):
                return await handler(request)
        except CutConnection:
            raise
        except TimeoutError:
            return Response.text("no answer in time\n", 503)
        except Exception:  # noqa: BLE001 - whatever a handler does wrong, the server stays up
            self._log.exception("http request failed", method=request.method, path=request.path)
            return Response.text("internal error\n", 500)

    async def _refuse_with(self, status: int, what: str) -> bool:
        if self._h11.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            await self._send(Response.text(f"{what}\n", status), close=True)
            await self._linger()
        return False

    async def _send(self, response: Response, *, close: bool, head_only: bool = False) -> None:
        headers = [
            ("Date", formatdate(usegmt=True)),
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(response.body))),
            ("X-Content-Type-Options", "nosniff"),
            *response.headers,
        ]
        if close:
            headers.append(("Connection", "close"))
        reason = _reason(response.status)
        try:
            out = self._h11.send(h11.Response(status_code=response.status, headers=headers, reason=reason))
        except h11.LocalProtocolError:
            # A handler's header that HTTP cannot carry: its fault, and nothing has been written yet.
            self._log.exception("http response cannot be sent", status=response.status)
            raise CutConnection from None
        if response.body and not head_only:
            out += self._h11.send(h11.Data(data=response.body)) or b""
        out += self._h11.send(h11.EndOfMessage()) or b""
        await self._write(out)

    async def _write(self, data: bytes | None) -> None:
        async with asyncio.timeout(self._limits.write_time):
            self._writer.write(data or b"")
            await self._writer.drain()

    async def _linger(self) -> None:
        with contextlib.suppress(TimeoutError, OSError):
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(1.0):
                left = _LINGER_BYTES
                while left > 0 and (data := await self._reader.read(READ_SIZE)):
                    left -= len(data)

    async def _hang_up(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()
        except (TimeoutError, OSError, ssl.SSLError, asyncio.CancelledError):
            self._writer.transport.abort()


def _reason(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode("ascii")
    except ValueError:
        return b""


def _peer(writer: asyncio.StreamWriter) -> str:
    name = writer.get_extra_info("peername")
    return str(name[0]) if name else ""

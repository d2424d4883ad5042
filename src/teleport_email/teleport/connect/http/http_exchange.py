"""One HTTP request on a transport that goes on to be something else: a tunnel or a WebSocket.

Parsing is h11's; here it is fed from an asyncio transport, stopped right behind the answer's head when the
protocol is switched, and bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import h11
from msgspec import Struct

MAX_BODY = 256 * 1024
"""``/webapi/find`` has under 10 KB with many connectors; more is nothing that we asked for."""

MAX_HEAD = 64 * 1024
"""Bytes of all that is not body; what is read at once counts as a whole."""

MAX_INTERIM = 8
"""Interim answers (``100 Continue``) before the answer: nobody asked for one."""


class NotHttp(OSError):
    """The answer is no HTTP, or too large, or was cut off."""


class Answer(Struct, frozen=True):
    """``trailing`` is what came behind the head of a switched protocol: its first bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    switched: bool
    trailing: bytes


class HttpExchange(asyncio.Protocol):
    """The protocol of a transport from its first moment. It reads nothing until a request is sent."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=64 * 1024)
        self._answer: asyncio.Future[Answer] | None = None
        self._head: h11.Response | h11.InformationalResponse | None = None
        self._body = bytearray()
        self._received = 0
        self._interim = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # What the peer says before it is asked (no TLS or HTTP server does) belongs to whoever takes over.
        transport.pause_reading()

    async def ask(
        self, transport: asyncio.Transport, method: str, target: str, headers: Sequence[tuple[str, str]]
    ) -> Answer:
        """Send a request without a body and wait for the answer; reading is paused again afterwards.

        Raises :class:`NotHttp` or ``OSError``. The limit on time is the caller's.
        """
        self._transport = transport
        self._answer = asyncio.get_running_loop().create_future()
        request = h11.Request(method=method, target=target, headers=list(headers))
        transport.write((self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b""))
        transport.resume_reading()
        return await self._answer

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            return
        self._received += len(data)
        if self._received > MAX_BODY + MAX_HEAD:
            self._fail(NotHttp(f"the answer has more than {MAX_BODY + MAX_HEAD} bytes"))
            return
        try:
            self._http.receive_data(data)
            self._read_events()
        except h11.RemoteProtocolError as exc:
            self._fail(NotHttp(f"the answer is no HTTP: {exc}"))

    def eof_received(self) -> None:
        self.data_received(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or NotHttp("the connection was closed without an answer"))

    def _read_events(self) -> None:
        while True:
            match self._http.next_event():
                case h11.Response() | h11.InformationalResponse(status_code=101) as head:
                    self._head = head
                case h11.InformationalResponse():
                    self._interim += 1
                    if self._interim > MAX_INTERIM:
                        self._fail(NotHttp("one interim answer after the other, and none that counts"))
                        return
                case h11.Data(data=data):
                    self._body += data
                    if len(self._body) > MAX_BODY:
                        self._fail(NotHttp(f"the answer has more than {MAX_BODY} bytes"))
                        return
                case h11.EndOfMessage():
                    self._succeed(switched=False)
                    return
                case h11.PAUSED:
                    self._succeed(switched=True)
                    return
                case h11.NEED_DATA | h11.ConnectionClosed():
                    return

    def _succeed(self, *, switched: bool) -> None:
        head, transport, waiting = self._head, self._transport, self._answer
        assert head is not None
        assert transport is not None
        assert waiting is not None
        transport.pause_reading()
        if not waiting.done():
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
            trailing = self._http.trailing_data[0] if switched else b""
            waiting.set_result(Answer(head.status_code, headers, bytes(self._body), switched, trailing))

    def _fail(self, exc: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc)

"""A mail server that costs as little as Python allows, so that the clients are what is measured.

It takes everything, says yes with the delay of one round trip, and keeps when each message came. TLS from
the first byte, AUTH PLAIN (any password); with TLS the greeting comes after three round trips: TCP, TLS and
itself. It runs in a process of its own (see ``parts.Remote``).
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from teleport_email.sandbox.mail.mail_certificates import MailAuthority


class Sink:
    """The server and what it has seen."""

    def __init__(self, *, tls: bool, pipelining: bool = True) -> None:
        """``pipelining``: offer it (RFC 2920), as every mail server in use does."""
        self.authority = MailAuthority()
        self.context = self.authority.server_context() if tls else None
        self.pipelining = pipelining
        self.delay = 0.0
        self.limit = 0
        """Connections at once; one more gets 421. 0: as many as come."""
        self.arrivals: list[tuple[float, str]] = []
        """When each dot came in (``time.monotonic``), and the recipient."""
        self.answered = 0
        self.last_answer = 0.0
        self.raw = b""
        self.current = self.highest = self.refused = self.total = 0
        self._wanted: tuple[int, asyncio.Future[float]] | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> dict[str, Any]:
        """Listen; how to reach it."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Session(self), "127.0.0.1", 0, ssl=self.context, backlog=1000
        )
        port = self._server.sockets[0].getsockname()[1]
        return {"host": "127.0.0.1", "port": port, "ca_pem": self.authority.ca_pem if self.context else b""}

    async def reset(self, delay: float = 0.0, limit: int = 0) -> None:
        """Forget what came, and behave like this from now on."""
        self.delay, self.limit = delay, limit
        self.arrivals.clear()
        self.answered = self.highest = self.refused = self.total = 0

    async def until(self, count: int, seconds: float = 300.0) -> float:
        """When the answer to the ``count``-th message went out."""
        if self.answered < count:
            self._wanted = (count, asyncio.get_running_loop().create_future())
            async with asyncio.timeout(seconds):
                return await self._wanted[1]
        return self.last_answer

    async def seen(self) -> list[tuple[float, str]]:
        """All arrivals."""
        return list(self.arrivals)

    async def sample(self) -> bytes:
        """The message that came last."""
        return self.raw

    async def connections(self) -> dict[str, int]:
        """How it was used."""
        return {"highest": self.highest, "refused": self.refused, "total": self.total}

    def took(self, recipient: str, raw: bytes) -> None:
        self.arrivals.append((time.monotonic(), recipient))
        self.raw = raw

    def accepted(self) -> None:
        self.answered += 1
        self.last_answer = time.monotonic()
        if self._wanted is not None and self.answered >= self._wanted[0]:
            wanted, self._wanted = self._wanted, None
            if not wanted[1].done():
                wanted[1].set_result(self.last_answer)


class _Session(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.buffer = bytearray()
        self.in_data = self.counted = False
        self.recipient = ""
        self.transport: Any = None
        self.answers: list[tuple[bytes, Any]] = []
        """To what came in one packet, the answers go out in one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        sink = self.sink
        if sink.limit and sink.current >= sink.limit:
            sink.refused += 1
            self.say(b"421 4.7.0 too many connections from you")
            self.flush(after=3 if sink.context else 1)
            asyncio.get_running_loop().call_later(4 * sink.delay, transport.close)
            return
        self.counted = True
        sink.current += 1
        sink.total += 1
        sink.highest = max(sink.highest, sink.current)
        self.say(b"220 sink ESMTP")
        self.flush(after=3 if sink.context else 1)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.counted:
            self.sink.current -= 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.take_in()
        self.flush()

    def take_in(self) -> None:
        while True:
            if self.in_data:
                end = self.buffer.find(b"\r\n.\r\n")
                if end < 0:
                    return
                self.sink.took(self.recipient, bytes(self.buffer[: end + 2]))
                del self.buffer[: end + 5]
                self.in_data = False
                self.say(b"250 2.0.0 taken", then=self.sink.accepted)
                continue
            end = self.buffer.find(b"\r\n")
            if end < 0:
                return
            line = bytes(self.buffer[:end])
            del self.buffer[: end + 2]
            self.command(line)

    def command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            lines = [b"250-sink", b"250-SIZE 10240000", b"250-8BITMIME"]
            if self.sink.pipelining:
                lines.append(b"250-PIPELINING")
            if self.sink.context is not None:
                lines.append(b"250-AUTH PLAIN")
            self.say(b"\r\n".join([*lines, b"250 ENHANCEDSTATUSCODES"]))
        elif verb == b"AUTH":
            self.say(b"235 2.7.0 welcome")
        elif verb == b"RCPT":
            self.recipient = line[line.find(b"<") + 1 : line.find(b">")].decode()
            self.say(b"250 2.1.5 ok")
        elif verb == b"DATA":
            self.in_data = True
            self.say(b"354 go on")
        elif verb == b"QUIT":
            self.say(b"221 2.0.0 bye", then=self.transport.close)
        else:
            self.say(b"250 2.0.0 ok")

    def say(self, text: bytes, *, then: Any = None) -> None:
        self.answers.append((text, then))

    def flush(self, after: float = 1) -> None:
        answers, self.answers = self.answers, []
        if not answers:
            return
        if self.sink.delay:
            asyncio.get_running_loop().call_later(after * self.sink.delay, self._write, answers)
        else:
            self._write(answers)

    def _write(self, answers: list[tuple[bytes, Any]]) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"".join(text + b"\r\n" for text, _ in answers))
        for _, then in answers:
            if then is not None:
                then()

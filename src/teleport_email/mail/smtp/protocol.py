"""Bytes to a mail server, replies from it, in order: of one command, or of several in one go (RFC 2920).

Whatever comes when nothing was asked is dropped. What breaks it is a :class:`Broken` that says how.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

__all__ = ["LONGEST_GROUP", "Broken", "Closed", "NotSmtp", "Protocol", "Silent"]

LONGEST_GROUP = 32 * 1024
"""Bytes received, of all replies that are waited for at once, whatever is in them: 64 lines as long as RFC
5321 section 4.5.3.1.5 allows, and none is known to need ten."""

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux
_SURPLUS = "the mail server said more than it was asked"
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
_ONE_LINE = re.compile(rb"(\d\d\d)(?:(.)(.*))?", re.DOTALL)
"""Of a single reply, which nothing else can be taken for, no more is asked than that there is a code."""


class Broken(Exception):
    """The dialogue cannot go on."""


class Closed(Broken):
    """The other side is gone."""


class Silent(Broken, TimeoutError):
    """Nothing came in time."""


class NotSmtp(Broken):
    """What came is no reply, or has no end."""


class Protocol(asyncio.Protocol):
    """One connection. Not to be used by two at once."""

    def __init__(self, lost: Callable[[], None]) -> None:
        """``lost`` is called when the connection is closed, whoever did it."""
        self.transport: asyncio.Transport | None = None
        self._lost = lost
        self._replies = Replies(0, _nothing)

    @property
    def is_connected(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def ask(self, *commands: bytes) -> Replies:
        """Write these commands in one go; the replies to them, which takes the place of any before.

        :raises Closed: there is no connection any more. :raises ValueError: control characters.
        """
        if any(_CONTROL.search(command) for command in commands):
            raise ValueError("a command contains a control character")  # else a part becomes a command
        return self.send(b"".join(command + b"\r\n" for command in commands), len(commands))

    def send(self, data: bytes, expected: int = 1) -> Replies:
        """Write bytes that ask for so many replies. :raises Closed:"""
        if self.transport is None or self.transport.is_closing():
            raise Closed
        self._replies = Replies(expected, self._acknowledge)
        self.transport.write(data)
        return self._replies

    def greeting(self) -> Replies:
        """What the server says first: to be called before anything is asked."""
        return self._replies

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str, limit: float) -> None:
        """The handshake, within ``limit`` seconds. What came in the clear behind the reply is thrown
        away (RFC 3207 section 6). :raises Broken: :raises OSError: also ``ssl.SSLError``
        """
        if not self.is_connected:
            raise Closed
        assert self.transport is not None
        self._replies = Replies(0, _nothing)
        try:
            secured = await asyncio.get_running_loop().start_tls(
                self.transport, self, context, server_hostname=server_hostname, ssl_handshake_timeout=limit
            )
        except (TimeoutError, ConnectionAbortedError) as error:  # the latter is asyncio's for the limit
            raise Silent from error
        except ConnectionError as error:
            raise Closed from error
        if secured is None:  # so asyncio says that the peer just went away
            raise Closed
        self.transport = secured

    def _acknowledge(self) -> None:
        """Have TCP acknowledge now, not after 40 ms: a server that writes each reply by itself, under Nagle's
        algorithm (RFC 896), waits for that before it sends the next one."""
        sock = self.transport.get_extra_info("socket") if self.transport is not None else None
        if sock is not None and _QUICKACK is not None:
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._replies = Replies(1, _nothing)  # the greeting, which nobody asks for

    def data_received(self, data: bytes) -> None:
        self._replies.feed(data)

    def eof_received(self) -> None:
        self._replies.fail(Closed())

    def connection_lost(self, exc: Exception | None) -> None:
        error = Closed()
        error.__cause__ = exc
        self._replies.fail(error)
        self.transport = None
        self._lost()


class Replies:
    """The replies to some commands, as they come."""

    def __init__(self, expected: int, acknowledge: Callable[[], None]) -> None:
        """``acknowledge`` is called where only some of the replies have come."""
        self._expected = expected
        self._acknowledge = acknowledge
        self._form = _ONE_LINE if expected == 1 else _LINE
        self._received = 0
        self._stream = _Lines()
        self._lines: list[bytes] = []
        self._replies: deque[tuple[int, str]] = deque()
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def reply(self, limit: float) -> tuple[int, str]:
        """Code and text of the next reply, its lines joined by ``\\n``, within ``limit`` seconds.

        :raises Broken:
        """
        while not self._replies:
            if self._error is not None:
                raise self._error
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(limit):
                    await self._waiter
            except TimeoutError as error:
                raise Silent from error
            finally:
                self._waiter = None
        return self._replies.popleft()

    def feed(self, data: bytes) -> None:
        """Take in what the server sent."""
        if self._error is not None:
            return
        # Before anything is kept: a line without a text costs as much as one with.
        self._received += len(data)
        if self._received > LONGEST_GROUP:
            self.fail(NotSmtp("too long"))
            return
        for line in self._stream.feed(data):
            match = self._form.fullmatch(line.rstrip(b" \t\r"))
            if match is None:
                self.fail(NotSmtp("malformed"))
                break
            self._lines.append((match[3] or b"").strip(b" \t"))
            if match[2] == b"-":
                continue
            if self._expected == 0:
                self.fail(Broken(_SURPLUS))
                break
            self._expected -= 1
            text = b"\n".join(self._lines).decode("utf-8", "surrogateescape")
            self._replies.append((int(match[1]), text))
            self._lines = []
        if self._expected:
            self._acknowledge()
        self._wake()

    def fail(self, error: Exception) -> None:
        """Nothing more will come; what came before still counts."""
        self._error = self._error or error
        self._wake()

    def end(self) -> None:
        """What comes beyond the last reply is nobody's answer, and would be taken for that of the next.

        :raises Broken: where something has come
        """
        if self._error is not None:
            raise self._error
        if self._stream.waiting or self._lines:
            raise Broken(_SURPLUS)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done() and (self._replies or self._error):
            self._waiter.set_result(None)


class _Lines:
    """Bytes in, whole lines out, without their LF. Looks at each byte once, however the packets are cut."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.waiting = 0
        """Bytes of the line that is not whole yet."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """All lines that ``data`` completes. To be read to the end, or never used again."""
        *whole, rest = data.split(b"\n")
        for line in whole:
            self._parts.append(line)
            yield b"".join(self._parts)
            self._parts = []
            self.waiting = 0
        if rest:
            self._parts.append(rest)
            self.waiting += len(rest)


def _nothing() -> None:
    return None

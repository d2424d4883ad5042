"""Commands and replies on one connection: one after the other, or several in one go (PIPELINING, RFC 2920).

In: command lines. Out: replies, in order. What breaks a dialogue (lost, timed out, 421, not SMTP) is one
exception, and then the connection is closed: a late reply must not answer the next command.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from aiosmtplib.errors import (
    SMTPException,
    SMTPReadTimeoutError,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from aiosmtplib.protocol import SMTPProtocol
from msgspec import Struct

from teleport_email.core import redaction

from .explain import what_happened
from .replies import Reply

__all__ = ["GO_ON", "ConnectionGone", "Dialogue", "Timeouts"]

GO_ON = 354
"""The reply to DATA that asks for the message."""

LONGEST_GROUP = 32 * 1024
"""Bytes received, of all replies that are waited for at once, whatever is in them; aiosmtplib takes as much
of a single one."""

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux
_SURPLUS = "the mail server said more than it was asked"
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)


class Timeouts(Struct, frozen=True):
    """Seconds. Those of RFC 5321 section 4.5.3.2: shorter ones cause duplicates (RFC 1047)."""

    connect: float = 30.0
    """TCP and TLS each; the RFC says nothing of them."""
    step: float = 300.0
    """Greeting, EHLO, AUTH, MAIL, RCPT; with several commands in one go also DATA, which is due 120."""
    data: float = 120.0
    final: float = 600.0
    """The message on its way and the server's answer to the dot."""
    quit: float = 5.0
    """Nothing depends on that answer."""


class ConnectionGone(Exception):
    """The connection was lost, timed out or said 421 before the dot: nothing was accepted."""

    def __init__(self, reason: str, *, crowded: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.crowded = crowded
        """The server said 421, which can mean too many connections."""
        self.silence = False
        """Nothing came in time."""
        self.replies: list[Reply] = []
        """Of several commands, the replies that came before."""
        self.before_recipient = False
        """The server has said nothing yet to what differs from message to message."""


class Dialogue:
    """Not to be used by two at once; whoever is cancelled inside must :meth:`abort` it."""

    def __init__(self, timeouts: Timeouts, lost: Callable[[], None]) -> None:
        """``lost`` is called when the other side has closed the connection."""
        self._timeouts = timeouts
        self.dropped_commands = False
        """Of commands in one go the server answered some, and then fell silent."""
        self.protocol = _Protocol(loop=asyncio.get_running_loop(), connection_lost_callback=lambda _: lost())
        """For ``create_connection`` and for what aiosmtplib itself can do: STARTTLS."""

    @property
    def alive(self) -> bool:
        return self.protocol.is_connected

    def transport_info(self, name: str) -> object:
        """Extra information of the transport (``peername`` ...); None without one."""
        transport = self.protocol.transport
        return transport.get_extra_info(name) if transport is not None else None

    def abort(self) -> None:
        """Close at once. What was written may not arrive."""
        transport = self.protocol.transport
        if transport is not None:
            assert isinstance(transport, asyncio.WriteTransport)
            transport.abort()

    async def greeting(self) -> Reply:
        """What the server says first. :raises ConnectionGone:"""
        try:
            response = await self.protocol.read_response(timeout=self._timeouts.step)
        except (SMTPException, OSError) as error:
            raise self._gone("greeting", error) from error
        return self._checked(Reply(response.code, response.message), "greeting")

    async def command(self, *words: str, limit: float | None = None, called: str = "") -> Reply:
        """One command and its reply. ``limit``: seconds. ``called``: what a reason calls it where the first
        word is no verb but may be a secret. :raises ConnectionGone:
        """
        limit = self._timeouts.step if limit is None else limit
        name = called or _name(words)
        _never_show(words[2:] if words[:1] == ("AUTH",) else words if called else ())
        try:
            # Refuses control characters, so that no argument becomes a command of its own.
            response = await self.protocol.execute_command(
                *(word.encode("utf-8") for word in words), timeout=limit
            )
        except (SMTPException, OSError) as error:
            raise self._gone(name, error) from error
        return self._checked(Reply(response.code, response.message), name)

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str) -> Reply | None:
        """Secure the connection; the reply where that is refused. :raises SMTPException: :raises OSError:"""
        try:
            # It throws away what came in the clear behind the 220 (RFC 3207 section 6).
            await self.protocol.start_tls(
                context, server_hostname=server_hostname, timeout=self._timeouts.connect
            )
        except SMTPResponseException as error:
            return Reply(error.code, error.message)
        return None

    async def one_by_one(self, commands: Sequence[str]) -> list[Reply]:
        """Each command once the one before is accepted; the last of the replies may be a refusal.

        :raises ConnectionGone:
        """
        replies: list[Reply] = []
        for command in commands:
            try:
                reply = await self.command(command, limit=self._timeouts.data if command == "DATA" else None)
            except ConnectionGone as gone:
                gone.replies = replies
                raise
            replies.append(reply)
            if not reply.positive:
                break
        return replies

    async def at_once(self, commands: Sequence[str]) -> list[Reply]:
        """All commands in one packet, and the replies to them; fewer where the connection broke behind a
        refusal, which then decides.

        :raises ConnectionGone:
        """
        replies: list[Reply] = []
        try:
            try:
                with self.protocol.together([command.encode("utf-8") for command in commands]) as group:
                    for command in commands:
                        reply = await group.reply(self._timeouts.step)
                        replies.append(self._checked(Reply(*reply), _name((command,))))
            except (SMTPException, OSError) as error:
                self.dropped_commands = bool(replies) and isinstance(error, SMTPReadTimeoutError)
                last = commands[min(len(replies), len(commands) - 1)]
                raise self._gone(_name((last,)), error) from error
        except ConnectionGone as gone:
            if all(reply.positive or reply.code == GO_ON for reply in replies):
                gone.replies = replies
                raise
        return replies

    def _gone(self, what: str, error: Exception) -> ConnectionGone:
        self.abort()
        gone = ConnectionGone(f"{what}: {what_happened(error)}")
        gone.silence = isinstance(error, TimeoutError)
        return gone

    def _checked(self, reply: Reply, what: str) -> Reply:
        if reply.code == 421 or reply.crowded:
            self.abort()
            raise ConnectionGone(f"{what}: the mail server answered {reply}", crowded=True)
        if what == "MAIL FROM" and reply.code == 452 and reply.enhanced == "4.5.3":
            # OpenSMTPD: this connection has had its number of messages. It stands, and would say so again.
            self.abort()
            raise ConnectionGone(f"{what}: the mail server answered {reply}")
        return reply


class _Protocol(SMTPProtocol):
    """aiosmtplib's protocol, which keeps one reply at a time, taught to wait for several."""

    _group: _Group | None = None

    def __init__(
        self, loop: asyncio.AbstractEventLoop, connection_lost_callback: Callable[[SMTPProtocol], None]
    ) -> None:
        super().__init__(loop=loop, connection_lost_callback=connection_lost_callback)
        self._lines = _Lines()
        self._reply = bytearray()

    @contextmanager
    def together(self, commands: Sequence[bytes]) -> Iterator[_Group]:
        """Write these commands in one go. :raises SMTPException: at the end, where more came than replies."""
        if any(_CONTROL.search(command) for command in commands):
            raise ValueError("a command contains a control character")
        self.write(b"".join(command + b"\r\n" for command in commands))
        group = self._group = _Group(len(commands), self._acknowledge)
        try:
            yield group
        finally:
            self._group = None
        group.end()

    def _acknowledge(self) -> None:
        """Have TCP acknowledge now, not after 40 ms: a server that writes each reply by itself, under Nagle's
        algorithm (RFC 896), waits for that before it sends the next one."""
        sock = self.transport.get_extra_info("socket") if self.transport is not None else None
        if sock is not None and _QUICKACK is not None:
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def data_received(self, data: bytes) -> None:
        if self._group is not None:
            self._group.feed(data)
        elif self._response_pending:
            self._single(data)

    def _single(self, data: bytes) -> None:
        """Hand on a reply once it is whole: aiosmtplib reads all that it has again with each packet, which is
        seconds of work for a reply of many packets. What comes behind it answers nothing."""
        for line in self._lines.feed(data):
            self._reply += line + b"\n"
            if line[3:4] != b"-":
                self._hand_on()
                self._lines = _Lines()
                return
        if len(self._reply) + self._lines.waiting > LONGEST_GROUP:
            self._reply += b" " * LONGEST_GROUP  # more than it takes of one: its own error
            self._hand_on()

    def _hand_on(self) -> None:
        reply, self._reply = bytes(self._reply), bytearray()
        super().data_received(reply)

    def eof_received(self) -> bool:
        if self._group is not None:
            self._group.fail(SMTPServerDisconnected("Unexpected EOF received"))
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._group is not None:
            error = SMTPServerDisconnected("Connection lost")
            error.__cause__ = exc
            self._group.fail(error)
        super().connection_lost(exc)


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


class _Group:
    """The replies to several commands, as they come."""

    def __init__(self, expected: int, acknowledge: Callable[[], None]) -> None:
        """``acknowledge`` is called where only some of the replies have come."""
        self._expected = expected
        self._acknowledge = acknowledge
        self._received = 0
        self._stream = _Lines()
        self._lines: list[bytes] = []
        self._replies: deque[tuple[int, str]] = deque()
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def reply(self, limit: float) -> tuple[int, str]:
        """Code and text of the next reply, within ``limit`` seconds. :raises SMTPException:"""
        while not self._replies:
            if self._error is not None:
                raise self._error
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(limit):
                    await self._waiter
            except TimeoutError as error:
                raise SMTPReadTimeoutError("Timed out waiting for server response") from error
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
            self.fail(SMTPResponseException(-1, "too long"))
            return
        for line in self._stream.feed(data):
            match = _LINE.fullmatch(line.rstrip(b" \t\r"))
            if match is None:
                self.fail(SMTPResponseException(-1, "malformed"))
                break
            self._lines.append((match[3] or b"").strip(b" \t"))
            if match[2] == b"-":
                continue
            if self._expected == 0:
                self.fail(SMTPException(_SURPLUS))
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
        """What comes beyond the last reply is nobody's answer, and would be taken for that of the next."""
        if self._error is not None:
            raise self._error
        if self._stream.waiting or self._lines:
            raise SMTPException(_SURPLUS)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done() and (self._replies or self._error):
            self._waiter.set_result(None)


def _never_show(responses: Sequence[str]) -> None:
    """What a login says is a secret, in base64 as it is sent, and the digest in an answer to a challenge."""
    for response in responses:
        redaction.know(response, passing=True)
        with suppress(ValueError):
            said = b64decode(response).decode("utf-8", "replace")
            if digest := re.search(r" ([0-9a-f]{32})\Z", said):
                redaction.know(digest[1], passing=True)


def _name(words: Sequence[str]) -> str:
    """The verb alone: arguments may be secrets."""
    return words[0].partition(":")[0]

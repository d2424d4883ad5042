"""Commands and replies on one connection: one after the other, or several in one go (PIPELINING, RFC 2920).

In: command lines. Out: replies, in order. What breaks a dialogue (lost, timed out, 421, not SMTP) is one
exception, and then the connection is closed: a late reply must not answer the next command.
"""

from __future__ import annotations

import re
import ssl
from base64 import b64decode
from collections.abc import Callable, Sequence
from contextlib import suppress

from msgspec import Struct

from teleport_email.core import redaction

from .explain import what_happened
from .protocol import Broken, Protocol, Silent
from .replies import Reply

__all__ = ["GO_ON", "ConnectionGone", "Dialogue", "Timeouts"]

GO_ON = 354
"""The reply to DATA that asks for the message."""


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
        self.protocol = Protocol(lost)
        """For ``create_connection``."""

    @property
    def alive(self) -> bool:
        return self.protocol.is_connected

    def transport_info(self, name: str) -> object:
        """Extra information of the transport (``peername`` ...); None without one."""
        transport = self.protocol.transport
        return transport.get_extra_info(name) if transport is not None else None

    def abort(self) -> None:
        """Close at once. What was written may not arrive."""
        if self.protocol.transport is not None:
            self.protocol.transport.abort()

    async def greeting(self) -> Reply:
        """What the server says first. :raises ConnectionGone:"""
        try:
            reply = Reply(*await self.protocol.greeting().reply(self._timeouts.step))
        except Broken as error:
            raise self._gone("greeting", error) from error
        return self._checked(reply, "greeting")

    async def command(self, *words: str, limit: float | None = None, called: str = "") -> Reply:
        """One command and its reply. ``limit``: seconds. ``called``: what a reason calls it where the first
        word is no verb but may be a secret. :raises ConnectionGone:
        """
        limit = self._timeouts.step if limit is None else limit
        name = called or _name(words)
        _never_show(words[2:] if words[:1] == ("AUTH",) else words if called else ())
        try:
            reply = Reply(*await self.protocol.ask(" ".join(words).encode("utf-8")).reply(limit))
        except Broken as error:
            raise self._gone(name, error) from error
        return self._checked(reply, name)

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str) -> Reply:
        """Secure the connection, unless the reply says no. :raises Broken: :raises OSError:"""
        limit = self._timeouts.connect
        reply = Reply(*await self.protocol.ask(b"STARTTLS").reply(limit))
        if reply.code == 220:
            await self.protocol.start_tls(context, server_hostname, limit)
        return reply

    async def message(self, payload: bytes) -> Reply:
        """The message with its dot, and the reply. Written before anything is awaited. :raises Broken:"""
        return Reply(*await self.protocol.send(payload).reply(self._timeouts.final))

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
                group = self.protocol.ask(*(command.encode("utf-8") for command in commands))
                for command in commands:
                    reply = Reply(*await group.reply(self._timeouts.step))
                    replies.append(self._checked(reply, _name((command,))))
                group.end()
            except Broken as error:
                self.dropped_commands = bool(replies) and isinstance(error, Silent)
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

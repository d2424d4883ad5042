"""One SMTP connection: open it as the settings say, then one transaction after the other.

On aiosmtplib's protocol (bytes out, replies in) rather than on its client: that one cannot tell a fault
before the final dot from one after it, tries one login mechanism after the other, and knows one time limit.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

import structlog
from aiosmtplib.errors import SMTPException
from aiosmtplib.esmtp import parse_esmtp_extensions

from teleport_email.config.settings import SmtpSettings
from teleport_email.core.model import AccountFault, Declined, Delivered, Refused, Temporary
from teleport_email.mail.mailer import Attempt
from teleport_email.mail.message import Written
from teleport_email.mail.tls import ClientTls, TlsFileError, seconds
from teleport_email.network.connect import connect

from .dialogue import GO_ON, ConnectionGone, Dialogue, Timeouts
from .explain import (
    NAME_US,
    bare,
    cannot_name,
    explain,
    in_certificate,
    is_loopback,
    own_name,
    silent,
    what_happened,
)
from .facts import Facts
from .login import CANNOT_LEAK, Exchange, begin, in_base64, usable, wanted
from .pool import OpenFailed
from .replies import Reply, Stage, judge

__all__ = ["LoginRefused", "SmtpConnection"]

log = structlog.get_logger()

GO_ON_LOGIN = 334
"""The reply to AUTH, or to an answer, that asks for (another) answer."""


CROWDED = frozenset({421, 432})
"""Replies by which servers say that there are too many connections: 421 (RFC 5321 section 4.2.3), and 432 as
Exchange Online says it (``432 4.3.2 Concurrent connections limit exceeded``)."""


@functools.lru_cache(maxsize=8)  # the recipients of one content follow each other
def _dotted(body: bytes) -> bytes:
    """Dot-stuffing (RFC 5321 section 4.5.2). No line of a head begins with a dot, nor does a body."""
    return body.replace(b"\r\n.", b"\r\n..")


class LoginRefused(OpenFailed):
    """535: wrong credentials. With OAuth2 perhaps only a token that is over."""


class SmtpConnection:
    """Made by :meth:`open`. Not to be used by two at once; whoever is cancelled inside must abort it."""

    def __init__(self, settings: SmtpSettings, timeouts: Timeouts) -> None:
        self.settings = settings
        self.facts = Facts()
        self.messages = 0
        """Messages accepted on it."""
        self.used = False
        """A message was begun on it."""
        self.rested = False
        self.crowded = False
        """The last message was answered as by a server that bears fewer connections."""
        self.on_lost: Callable[[], None] = lambda: None
        self._timeouts = timeouts
        self._extensions: dict[str, str] = {}
        self._mechanisms: list[str] = []
        self._reset_first = False
        self._dialogue = Dialogue(timeouts, self._lost)

    # Opening

    async def open(self, tls: ClientTls, token: str = "") -> None:
        """Connect, secure, log in. ``token``: the bearer token for XOAUTH2.

        :raises OpenFailed: saying for whom it matters; the connection is closed then.
        """
        where = f"{self.settings.host}:{self.settings.port}"
        self.facts.stage = "connection"
        try:
            await self._connect(tls)
            await self._hello()
            await self._starttls(tls)
            await self._login(token)
        except OpenFailed:
            self.abort()
            raise
        except ConnectionGone as gone:
            self.abort()
            raise OpenFailed(Temporary(f"{where}: {gone.reason}")) from gone
        except TlsFileError as error:
            self.facts.stage = "TLS"
            self.abort()
            raise OpenFailed(AccountFault(str(error))) from error
        except (OSError, SMTPException, ValueError) as error:
            if isinstance(error, ssl.SSLError):
                self.facts.stage = "TLS"
            self.abort()
            raise OpenFailed(explain(error, self.settings)) from error
        except BaseException:
            self.abort()
            raise
        log.debug(
            "mail connection opened",
            server=where,
            tls=self.facts.tls_version or "none",
            login=self.facts.login or "none",
        )

    async def _connect(self, tls: ClientTls) -> None:
        settings, limit = self.settings, self._timeouts.connect
        implicit = settings.tls == "implicit"
        host = bare(settings.host)
        try:
            async with asyncio.timeout(limit * (2 if implicit else 1)):
                await asyncio.get_running_loop().create_connection(
                    lambda: self._dialogue.protocol,
                    sock=await connect(host, settings.port),
                    ssl=tls.context() if implicit else None,
                    server_hostname=in_certificate(host) if implicit else None,
                    ssl_handshake_timeout=limit if implicit else None,
                )
        except TimeoutError as error:
            raise OpenFailed(
                Temporary(f"{host}:{settings.port} did not answer within {limit:.0f} s")
            ) from error
        if implicit:
            self._note_tls()
        peer = self._dialogue.transport_info("peername")
        self.facts.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        try:
            greeting = await self._dialogue.greeting()
        except ConnectionGone as gone:
            raise OpenFailed(silent(gone.reason, settings, silence=gone.silence)) from gone
        self.facts.greeting = str(greeting)
        if greeting.code != 220:
            # Also 554 "no SMTP service here" (RFC 5321 section 3.1): it may be back later.
            raise OpenFailed(Temporary(f"{settings.host}:{settings.port} greeted with {greeting}"))

    async def _hello(self) -> None:
        self.facts.stage = "session"
        name = self.settings.helo_hostname or own_name(self._dialogue.transport_info("sockname"))
        try:
            reply = await self._dialogue.command("EHLO", name)
        except ConnectionGone as gone:
            if gone.crowded:  # Gmail's relay says so of a name that it does not like
                where = f"{self.settings.host}:{self.settings.port}"
                raise OpenFailed(Temporary(f"{where}: {gone.reason}; {NAME_US}")) from gone
            raise
        if reply.code in {500, 502, 504}:
            reply = await self._dialogue.command("HELO", name)
            self._extensions, self._mechanisms = {}, []
        elif reply.positive:
            self._extensions, self._mechanisms = parse_esmtp_extensions(reply.text)
        if not reply.positive:
            reason = f"the mail server refused our greeting as {name!r} with {reply}; {NAME_US}"
            raise OpenFailed(Temporary(reason) if reply.code < 500 else AccountFault(reason))
        size = self._extensions.get("size", "")
        self.facts.size = (
            int(size) if size.isascii() and size.isdigit() and len(size) <= 20 else 0
        )  # RFC 1870

    async def _starttls(self, tls: ClientTls) -> None:
        mode = self.settings.tls
        if mode not in {"starttls", "opportunistic"}:
            return
        self.facts.stage = "TLS"
        if "starttls" not in self._extensions:
            if mode == "opportunistic":
                return
            raise OpenFailed(
                AccountFault(
                    f"{self.settings.host}:{self.settings.port} does not offer STARTTLS, and nothing is"
                    ' sent without it; if this server really has no TLS, set smtp.tls = "none"'
                )
            )
        host = bare(self.settings.host)
        if (reply := await self._dialogue.start_tls(tls.context(), in_certificate(host))) is not None:
            reason = f"the mail server answered {reply} to STARTTLS"
            raise OpenFailed(Temporary(reason) if reply.code < 500 else AccountFault(reason))
        self._note_tls()
        # What was said before TLS counts for nothing (RFC 3207 section 4.2).
        await self._hello()

    async def _login(self, token: str) -> None:
        settings = self.settings
        self.facts.stage = "session"
        if settings.auth == "none":
            return
        self.facts.stage = "login"
        self.facts.login_offered = bool(self._mechanisms)
        if settings.auth == "password" and not self._mechanisms:
            return  # whether that will do is for the mailer to say: no secret was sent
        clear = not (self.facts.tls_version or is_loopback(self.facts.peer))
        may_show = settings.allow_plaintext_auth or not clear
        mechanisms = usable(settings.auth, self._mechanisms, in_clear=not may_show)
        if not mechanisms:
            raise OpenFailed(AccountFault(self._why_no_login(settings.auth)))
        secret = token if settings.auth == "xoauth2" else settings.password.reveal()
        for mechanism in mechanisms:
            self.facts.secret_in_clear = clear and mechanism not in CANNOT_LEAK
            reply = await self._authenticate(mechanism, begin(mechanism, settings.username, secret))
            if reply.positive:
                self.facts.login = mechanism
                return
            # 504: it does not know the mechanism after all, and has looked at no password. After a refusal
            # proper no other mechanism is tried: that locks accounts.
            if reply.code != 504:
                break
        outcome = judge(Stage.LOGIN, reply)
        assert isinstance(outcome, Temporary | AccountFault)
        raise (LoginRefused if reply.code == 535 else OpenFailed)(outcome)

    async def _authenticate(self, mechanism: str, exchange: Exchange) -> Reply:
        """The reply that ends the exchange."""
        initial = [] if exchange.initial is None else [in_base64(exchange.initial)]
        reply = await self._dialogue.command("AUTH", mechanism, *initial)
        while reply.code == GO_ON_LOGIN:
            answer = exchange.answer(reply.text)
            if answer is None:
                refusal = await self._dialogue.command("*", called="AUTH")  # RFC 4954 section 4
                asked = (
                    f"asked {str(reply)!r} in a login by {mechanism}, which we cannot answer; then {refusal}"
                )
                raise OpenFailed(AccountFault(f"the mail server {asked}"))
            reply = await self._dialogue.command(in_base64(answer), called="AUTH")
        return reply

    def _why_no_login(self, auth: Literal["password", "xoauth2"]) -> str:
        if usable(auth, self._mechanisms):
            return (
                f"not sending the password to {self.settings.host} in clear text: the connection has no TLS;"
                ' set smtp.tls = "starttls" or "implicit", or smtp.allow_plaintext_auth = true if the network'
                " is to be trusted"
            )
        offered = ", ".join(name.upper() for name in self._mechanisms) or "no login at all"
        hint = "" if self.facts.tls_version else "; perhaps it offers that only over TLS (smtp.tls)"
        return f"the mail server offers {offered}, but {wanted(auth)} is needed to log in{hint}"

    def _note_tls(self) -> None:
        tls = self._dialogue.transport_info("ssl_object")
        if not isinstance(tls, ssl.SSLObject):
            raise OpenFailed(Temporary("the connection was lost during the TLS handshake"))
        self.facts.tls_version = tls.version() or ""
        ends = (tls.getpeercert() or {}).get("notAfter")
        if isinstance(ends, str):
            self.facts.certificate_ends = datetime.fromtimestamp(seconds(ends), UTC)

    # One message

    async def transact(
        self,
        sender: str,
        recipient: str,
        written: Written,
        attempt: Attempt,
        sender_accepted: Callable[[], None],
        *,
        pipelining: bool = True,
    ) -> Delivered | Temporary | Refused | Declined | AccountFault:
        """Send one message. ``sender_accepted`` is called after MAIL; ``pipelining``: use it where offered.

        After any outcome the connection can be given back (it knows whether it is :attr:`alive`).

        :raises ConnectionGone: before the dot.
        :raises WithdrawnError: the gate closed before the dot; the connection is closed.
        """
        self.crowded = False
        international = not (sender + recipient).isascii()
        if international and "smtputf8" not in self._extensions:
            return cannot_name(sender, recipient)
        size = sum(map(len, written))
        commands = [self._mail_from(sender, size, international), f"RCPT TO:<{recipient}>", "DATA"]
        together = pipelining and "pipelining" in self._extensions
        self.used = True

        def judged(stage: Stage, reply: Reply) -> Temporary | Refused | Declined | AccountFault:
            return judge(stage, reply, sender=sender, recipient=recipient)

        ask = self._dialogue.at_once if together else self._dialogue.one_by_one
        try:
            await self._clear()
            replies = await ask(commands)
        except ConnectionGone as gone:
            gone.before_recipient = not gone.replies
            self._note(gone.replies, sender_accepted)
            raise
        self._note(replies, sender_accepted)
        self.crowded = any(reply.code in CROWDED for reply in replies)
        for stage, reply in zip((Stage.MAIL, Stage.RCPT), replies, strict=False):
            if not reply.positive:
                if replies[-1].code == GO_ON:
                    self.abort()  # it wants a message for nobody (RFC 2920 section 3.1)
                return judged(stage, reply)
        if replies[-1].code != GO_ON:
            return judged(Stage.DATA, replies[-1])
        payload = b"".join((written.head, _dotted(written.body), b".\r\n"))
        if not self.alive:
            raise ConnectionGone("the connection was lost before the message")
        try:
            attempt.commit()
        except BaseException:
            self.abort()  # the only way out of DATA without sending a message
            raise
        # The point of no return. Written in one go, and nothing is awaited before the wait for the reply.
        self._dialogue.protocol.write(payload)
        try:
            response = await self._dialogue.protocol.read_response(timeout=self._timeouts.final)
        except (SMTPException, OSError) as error:
            self.abort()
            return Temporary(f"no answer to the message: {what_happened(error)}", maybe_accepted=True)
        reply = Reply(response.code, response.message)
        self.crowded = reply.code in CROWDED
        if reply.code == 421:
            # Servers say it when they shut down, at any time: not necessarily the answer to the dot.
            self.abort()
            return Temporary(f"the mail server answered {reply} to the message", maybe_accepted=True)
        self._reset_first = False
        if not reply.positive:
            return judged(Stage.DOT, reply)
        self.messages += 1
        return Delivered(str(reply))

    async def _clear(self) -> None:
        """Forget a message that was begun on this connection and came to nothing."""
        if self._reset_first:
            await self._dialogue.command("RSET")
            self._reset_first = False

    def _mail_from(self, sender: str, length: int, international: bool) -> str:
        size = f" SIZE={length}" if length and "size" in self._extensions else ""
        return f"MAIL FROM:<{sender}>{size}{' BODY=8BITMIME SMTPUTF8' if international else ''}"

    def _note(self, replies: Sequence[Reply], sender_accepted: Callable[[], None]) -> None:
        """What the replies to MAIL and so on tell beyond this message."""
        if replies and replies[0].positive:
            self._reset_first = True
            sender_accepted()

    async def rehearse(self, sender: str, recipient: str) -> list[Reply | Refused | AccountFault]:
        """The replies to MAIL and, once that is accepted, to RCPT if there is a recipient; or why an address
        cannot even be named. Nothing is sent.

        :raises ConnectionGone:
        """
        utf8, international = "smtputf8" in self._extensions, not (sender + recipient).isascii()
        if not (sender.isascii() or utf8):
            return [cannot_name(sender, "")]
        nameable = recipient.isascii() or utf8
        to = [f"RCPT TO:<{recipient}>"] if recipient and nameable else []
        await self._clear()
        replies = await self._dialogue.one_by_one([self._mail_from(sender, 0, international and utf8), *to])
        self._reset_first = True
        await self._clear()
        return [*replies, *([] if nameable else [cannot_name(sender, recipient)])]

    # Ending

    @property
    def alive(self) -> bool:
        return self._dialogue.alive

    async def quit(self) -> None:
        """Close politely, within a few seconds."""
        try:
            await self._dialogue.command("QUIT", limit=self._timeouts.quit)
        except ConnectionGone:
            pass
        finally:
            self.abort()

    @property
    def dropped_commands(self) -> bool:
        """The server offered PIPELINING, but took only some of the commands of a group."""
        return self._dialogue.dropped_commands

    def _lost(self) -> None:
        self.on_lost()

    def abort(self) -> None:
        """Close at once. What was written may not arrive."""
        self.on_lost = lambda: None
        self._dialogue.abort()

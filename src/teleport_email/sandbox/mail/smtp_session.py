"""One SMTP connection of the inbox: aiosmtpd's protocol with the script of faults in front of each verb."""

from __future__ import annotations

import asyncio
import base64
import binascii
import collections
import functools
import hmac
import json
import logging
import secrets
import ssl
from collections.abc import Sequence
from typing import Any, AnyStr, Protocol

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session
from msgspec import Struct, field

from teleport_email.core.model import hiding

from .smtp_faults import Action, Cut, Reply, Silence, SmtpFaults, Wait

# aiosmtpd warns about its own deprecated attribute at each login; without a handler that goes to stderr.
logging.getLogger("mail.log").addHandler(logging.NullHandler())

MAX_AUTH_LINE = 12288
"""RFC 4954 §4: an AUTH line may have 12288 octets; tokens of Microsoft and Google need a few thousand."""


MAX_TEXT_LINE = 998
"""RFC 5321 §4.5.3.1.6: 1000 octets with the CRLF."""


class Access(Struct, frozen=True, kw_only=True):
    """Who may send: names with passwords, names with bearer tokens; empty: everybody, without AUTH.

    Both may be changed while the server runs.
    """

    passwords: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN", "XOAUTH2")  # and CRAM-MD5
    in_clear: bool = False
    """Offer AUTH without TLS."""

    __repr__ = hiding("passwords", "tokens")

    @property
    def required(self) -> bool:
        return bool(self.passwords or self.tokens)

    @property
    def offered(self) -> tuple[str, ...]:
        """The mechanisms that anybody could log in with."""
        usable = set()
        if self.passwords:
            usable |= {"PLAIN", "LOGIN", "CRAM-MD5"}
        if self.tokens:
            usable.add("XOAUTH2")
        return tuple(name for name in self.mechanisms if name in usable)


class Owner(Protocol):
    """What a connection needs of the inbox that it belongs to."""

    faults: SmtpFaults
    access: Access

    def opened(self, session: SmtpSession) -> bool: ...  # False: over the limit
    def closed(self, session: SmtpSession) -> None: ...
    def heard(self, session: SmtpSession, verb: str, argument: str) -> None: ...
    def said(self, session: SmtpSession, line: str) -> None: ...
    def keep(self, session: SmtpSession, envelope: Envelope, *, acknowledged: bool) -> int: ...


class _Hooks:
    """aiosmtpd's handler: what it has a hook for."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    async def handle_EHLO(  # noqa: N802
        self, _server: SmtpSession, session: Session, _envelope: Envelope, name: str, lines: list[str]
    ) -> list[str]:
        session.host_name = name
        offered = self._owner.access.offered
        out = []
        for line in lines[:-1]:
            if line == "250-STARTTLS" and self._owner.faults.hide_starttls:
                continue
            if line.startswith("250-AUTH"):
                if offered:
                    out.append(f"250-AUTH {' '.join(offered)}")
                continue
            out.append(line)
        if self._owner.faults.pipelining:
            out.append("250-PIPELINING")  # aiosmtpd reads line by line, so it bears what it does not offer
        return [*out, "250 ENHANCEDSTATUSCODES"]

    async def handle_DATA(self, server: SmtpSession, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        return await server.end_of_data(envelope)

    async def auth_XOAUTH2(self, server: SmtpSession, args: list[str]) -> AuthResult:  # noqa: N802
        return await server.xoauth2(args)

    async def auth_CRAM__MD5(self, server: SmtpSession, _args: list[str]) -> AuthResult:  # noqa: N802
        return await server.cram_md5()


class SmtpSession(SMTP):
    """One connection. ``number`` counts from 1 in the order of arrival."""

    # Also the limit of the stream reader, which has to take an AUTH line; mail is checked at the dot.
    line_length_limit = MAX_AUTH_LINE

    def __init__(
        self,
        owner: Owner,
        number: int,
        *,
        hostname: str,
        starttls: ssl.SSLContext | None,
        require_starttls: bool,
        max_size: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        access = owner.access
        super().__init__(
            _Hooks(owner),
            data_size_limit=max_size or None,
            hostname=hostname,
            ident="ESMTP sandbox",
            enable_SMTPUTF8=owner.faults.smtputf8,
            tls_context=starttls,
            require_starttls=require_starttls,
            auth_require_tls=starttls is not None and not access.in_clear,
            authenticator=self._check_password,
            timeout=3600,
            loop=loop,
        )
        # Given to aiosmtpd's constructor, this would be a Python warning where TLS is not demanded.
        self._auth_required = access.required
        # The class's own table is shared between connections and emptied by each new one.
        self.command_size_limits = collections.defaultdict(
            lambda: SMTP.command_size_limit, {"AUTH": MAX_AUTH_LINE}
        )
        self._smtp_methods = {
            verb: functools.partial(self._command, verb, method)
            for verb, method in self._smtp_methods.items()
        }
        self._owner = owner
        self.number = number
        self.mails = 0
        """Messages taken on this connection."""
        self.over_limit = False
        self.auth_user = ""
        self._done = loop.create_future()

    @property
    def peer(self) -> str:
        """``127.0.0.1:40000``."""
        name: object = self.session.peer if self.session else None
        if not isinstance(name, tuple):
            return ""
        return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"

    @property
    def tls_version(self) -> str:
        """``TLSv1.3``; empty in the clear."""
        tls = self._tls()
        return str(tls.version()) if tls else ""

    @property
    def client_name(self) -> str:
        """Common name of the client's certificate, if it showed one."""
        tls = self._tls()
        certificate = tls.getpeercert() if tls else None
        subject: Any = certificate.get("subject", ()) if certificate else ()
        return next((value for ((name, value),) in subject if name == "commonName"), "")

    def _tls(self) -> ssl.SSLObject | None:
        return self.transport.get_extra_info("ssl_object") if self.transport is not None else None

    def abort(self) -> None:
        """Drop the connection now."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    async def ended(self) -> None:
        """Return when the connection is over and its task has ended."""
        await self._done

    # The life of the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        first = self._handler_coroutine is None
        if first:
            self.over_limit = not self._owner.opened(self)
        super().connection_made(transport)
        if first and self._handler_coroutine is not None:
            self._handler_coroutine.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # a reset connection is how sessions end here, not something to log
        if not self._done.done():
            self._done.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._owner.faults.drops_commands and data[:5].upper() == b"MAIL ":
            data = data[: data.find(b"\n") + 1]
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._owner.closed(self)

    async def _handle_client(self) -> None:
        try:
            if not await self._greet():
                self._writer.close()  # the other side's end alone would not: it would count for ever
                return
        except (asyncio.CancelledError, ConnectionError):
            self._writer.close()
            raise
        await super()._handle_client()

    async def _greet(self) -> bool:
        if self.over_limit:
            if self._owner.faults.over_limit == "cut":
                self.abort()
            else:
                await self._reply(Reply(421, "4.7.0 too many connections from you"))
            return False
        return not await self._intervene("CONNECT", ())

    async def push(self, status: AnyStr) -> None:
        self._owner.said(self, status.decode("utf-8", "replace") if isinstance(status, bytes) else status)
        await super().push(status)

    # Commands

    async def _command(self, verb: str, method: Any, argument: str | None) -> None:
        shown = argument or ""
        if verb == "AUTH":
            shown = shown.partition(" ")[0]
        self._owner.heard(self, verb, shown)
        recipients = (_address(argument),) if verb == "RCPT" and argument else ()
        if await self._intervene(verb, recipients):
            return
        faults = self._owner.faults
        if verb in {"EHLO", "HELO"} and faults.hide_starttls:
            self.require_starttls = False
        if verb == "STARTTLS" and faults.hide_starttls:
            await self.push("502 5.5.1 command not implemented")
        elif verb == "MAIL" and _reached(faults.messages_per_connection, self.mails):
            await self._reply(Reply(421, "4.7.0 too many messages on this connection"))
        else:
            await method(argument)

    async def _intervene(self, verb: str, recipients: Sequence[str]) -> bool:
        """Do what the script says here. False: nothing, or only a wait; go on as usual."""
        return await self._act(await self._scripted(verb, recipients))

    async def _scripted(self, verb: str, recipients: Sequence[str]) -> Action | None:
        faults = self._owner.faults
        if faults.delay:
            await asyncio.sleep(faults.delay)
        return faults.at(verb, recipients, now=asyncio.get_running_loop().time())

    async def _act(self, action: Action | None) -> bool:
        match action:
            case None:
                return False
            case Wait(seconds):
                await asyncio.sleep(seconds)
                return False
            case Reply():
                await self._reply(action)
            case Cut():
                self.abort()
                await _for_ever()
            case Silence():
                await _for_ever()
        return True

    async def _reply(self, reply: Reply) -> None:
        await self.push(f"{reply.code} {reply.text}")
        if reply.close or reply.code == 421:
            self._writer.close()

    async def end_of_data(self, envelope: Envelope) -> str:
        """Keep the mail, unless the script says otherwise. Returns the reply to the dot."""
        self._owner.heard(self, "DOT", "")
        if any(len(line) > MAX_TEXT_LINE for line in (envelope.original_content or b"").split(b"\r\n")):
            return "500 5.6.0 line too long"
        action = await self._scripted("DOT", envelope.rcpt_tos)
        if isinstance(action, Wait) or action is None:
            await self._act(action)
            self.mails += 1
            return f"250 2.0.0 Ok: queued as {self._owner.keep(self, envelope, acknowledged=True)}"
        if action.keep:
            self.mails += 1
            self._owner.keep(self, envelope, acknowledged=False)
        if isinstance(action, Reply):
            if action.close or action.code == 421:
                asyncio.get_running_loop().call_soon(self._writer.close)
            return f"{action.code} {action.text}"
        await self._act(action)
        raise ConnectionResetError

    # Logging in

    def _check_password(
        self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, login: LoginPassword
    ) -> AuthResult:
        name, password = login.login.decode("utf-8", "replace"), login.password.decode("utf-8", "replace")
        good = mechanism in self._owner.access.offered and self._owner.access.passwords.get(name) == password
        if good:
            self.auth_user = name
        return AuthResult(success=good, handled=False, auth_data=login)

    async def cram_md5(self) -> AuthResult:
        """RFC 2195: the challenge is never the same twice."""
        challenge = f"<{self.number}.{secrets.token_hex(8)}@sandbox.test>"
        answer = await self.challenge_auth(challenge)
        if answer is MISSING:
            return AuthResult(success=False)
        name, _, digest = answer.decode("utf-8", "replace").rpartition(" ")
        password = self._owner.access.passwords.get(name, "")
        right = hmac.new(password.encode(), challenge.encode(), "md5").hexdigest()
        if password and hmac.compare_digest(digest.encode(), right.encode()):
            self.auth_user = name
            return AuthResult(success=True, auth_data=LoginPassword(name.encode(), b""))
        return AuthResult(success=False, handled=False)

    async def xoauth2(self, args: list[str]) -> AuthResult:
        """The exchange as Google and Microsoft document it: a refusal is a 334 with JSON first."""
        if len(args) == 1:
            blob = await self.challenge_auth("")
            if blob is MISSING:
                return AuthResult(success=False)
        else:
            try:
                blob = base64.b64decode(args[1], validate=True)
            except binascii.Error:
                return AuthResult(success=False, handled=False, message="501 5.5.2 cannot decode base64")
        fields = dict(
            part.partition("=")[::2] for part in blob.decode("utf-8", "replace").split("\x01") if part
        )
        name, token = fields.get("user", ""), fields.get("auth", "").removeprefix("Bearer ")
        if token and self._owner.access.tokens.get(name) == token:
            self.auth_user = name
            return AuthResult(success=True, auth_data=LoginPassword(name.encode(), b""))
        refusal = {"status": "400", "schemes": "Bearer", "scope": "https://mail.google.com/"}
        if await self.challenge_auth(json.dumps(refusal)) is MISSING:
            return AuthResult(success=False)
        return AuthResult(
            success=False,
            handled=False,
            message="535 5.7.3 authentication unsuccessful: the token is not valid",
        )


def _address(argument: str) -> str:
    """The address in ``TO:<someone@example.com> ...``, roughly: aiosmtpd checks it properly later."""
    start, end = argument.find("<"), argument.find(">")
    return argument[start + 1 : end] if 0 <= start < end else argument.partition(":")[2].strip()


def _reached(limit: int | None, count: int) -> bool:
    return limit is not None and count >= limit


async def _for_ever() -> None:
    """Until the connection is lost, which cancels."""
    await asyncio.get_running_loop().create_future()

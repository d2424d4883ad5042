"""Sending by SMTP: MAIL, RCPT, DATA over a small pool of connections, one recipient a transaction."""

from __future__ import annotations

import asyncio
import os
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import structlog

from teleport_email.config.settings import SmtpSettings
from teleport_email.core.model import AccountFault, Declined, Delivered, Mail, Refused, SendOutcome, Temporary
from teleport_email.mail.mailer import Attempt, DoubtedError, Finding, Mailer, WithdrawnError
from teleport_email.mail.message import Written, envelope_sender
from teleport_email.mail.pause import Step
from teleport_email.mail.tls import ClientTls

from .connection import LoginRefused, SmtpConnection
from .dialogue import ConnectionGone, Timeouts
from .facts import Facts
from .findings import findings
from .pool import OpenFailed, Pool
from .replies import Reply, Stage

if TYPE_CHECKING:
    from .oauth2 import TokenSource

__all__ = ["SmtpMailer"]

log = structlog.get_logger()

REQUESTS_PER_CONNECTION = 4
"""Requests let in per connection: while some claim and record, others keep the connections busy."""

MINUTE = 60.0


class SmtpMailer(Mailer):
    """The mailer for ``[smtp]``."""

    def __init__(
        self,
        settings: SmtpSettings,
        *,
        clock: Callable[[], float],
        random: random.Random,
        timeouts: Timeouts | None = None,
        environ: Mapping[str, str] = os.environ,
        logins: set[str] | None = None,
    ) -> None:
        """``logins``: servers (``host:port``) that have offered a login to this process; added to."""
        super().__init__(
            clock=clock, random=random, slots=max(8, REQUESTS_PER_CONNECTION * settings.max_connections)
        )
        self._settings = settings
        self._timeouts = timeouts or Timeouts()
        self._tls = ClientTls(settings, environ)
        self._tokens = _token_source(settings, clock, environ)
        self._asking_again = False
        self._where = f"{settings.host}:{settings.port}"
        self._logins = set() if logins is None else logins
        self._warned: set[str] = set()
        self._pipelining = settings.pipelining
        self._sent_at: deque[float] = deque(maxlen=settings.max_per_minute or None)
        self._pool = Pool(
            self._open,
            size=settings.max_connections,
            messages_per_connection=settings.messages_per_connection,
            clock=clock,
            failed=lambda outcome: self._pause.trip(outcome, ends_with=Step.CONNECTED),
        )

    @property
    def connection_limit(self) -> int:
        """How many connections the server bears, as far as is known."""
        return self._pool.limit

    async def verify(self, sender: str = "", recipient: str = "") -> Sequence[Finding]:
        connection = SmtpConnection(self._settings, self._timeouts)
        envelope: list[tuple[Stage, str, Reply | Refused | AccountFault]] = []
        fault = ""
        try:
            connection = await self._log_in(connection)
            if sender:
                replies = await connection.rehearse(sender, recipient)
                envelope = list(zip((Stage.MAIL, Stage.RCPT), (sender, recipient), replies, strict=False))
            await connection.quit()
        except ConnectionGone as gone:
            fault = gone.reason
        except OpenFailed as failed:
            fault = failed.outcome.reason
        finally:
            connection.abort()
        return findings(connection.facts, self._settings, fault, envelope)

    async def _deliver(self, mail: Mail, written: Written, attempt: Attempt) -> SendOutcome:
        await self._keep_pace()
        sender = envelope_sender(mail.content)
        second_try = False
        fresh: SmtpConnection | None = None
        while True:
            try:
                connection = fresh or await self._pool.take()
            except OpenFailed as failed:
                return failed.outcome
            used_before = connection.rested or connection.messages > 0
            begun = self._clock()
            reused = connection.used or connection.rested
            try:
                self._begin(attempt)
                outcome = await connection.transact(
                    sender,
                    mail.recipient,
                    written,
                    attempt,
                    lambda: self._pause.passed(Step.SENDER),
                    pipelining=self._pipelining,
                )
            except ConnectionGone as gone:
                # It died while idle, or has served enough messages.
                worn_out = used_before and gone.before_recipient
                bears_others = gone.crowded and not worn_out and self._pool.crowded()
                self._pool.drop(connection)
                self._learn(connection)
                # Once the recipient was named it may be this message's fault, and a server that bears only
                # the others may say so of a message (Exchange Online): then one more connection is risked.
                if worn_out or (not second_try and (used_before or bears_others)):
                    second_try = second_try or not worn_out
                    if not gone.crowded:
                        self._pool.drop_idle()
                    continue
                return Temporary(f"{self._settings.host}: {gone.reason}")
            except (WithdrawnError, DoubtedError):
                self._pool.give_back(connection)
                raise
            except BaseException:
                self._pool.drop(connection)
                raise
            self._learn(connection)
            if not isinstance(outcome, Refused | Declined | AccountFault):
                accepted = isinstance(outcome, Delivered)
                self._pool.give_back(connection, took=self._clock() - begun if accepted else None)
                if connection.crowded:
                    self._pool.crowded()
                return outcome
            if reused and not self._asking_again and not self.paused:
                self._asking_again = True
                attempt.refused()
                try:
                    fresh = await self._pool.renew(connection)
                except OpenFailed:
                    return _not_believed(outcome)
                finally:
                    self._asking_again = False
                continue
            self._pool.give_back(connection)
            return self._believed(_not_believed(outcome) if reused else outcome)

    def _learn(self, connection: SmtpConnection) -> None:
        """Group no commands any more where the server does not bear that after all."""
        if not (self._pipelining and connection.dropped_commands):
            return
        self._pipelining = False
        log.warning(
            "mail server does not mean PIPELINING",
            server=f"{self._settings.host}:{self._settings.port}",
            action="set smtp.pipelining = false; until then each start finds out anew, by waiting",
        )

    def _believed(self, outcome: SendOutcome) -> SendOutcome:
        if isinstance(outcome, AccountFault):
            self._pause.trip(outcome, ends_with=Step.SENDER)
        return outcome

    async def _keep_pace(self) -> None:
        """Wait until there were fewer than ``max_per_minute`` messages in the minute behind us."""
        limit = self._settings.max_per_minute
        if not limit:
            return
        now = self._clock()
        start = now if len(self._sent_at) < limit else max(now, self._sent_at[0] + MINUTE)
        self._sent_at.append(start)
        if start > now:
            await asyncio.sleep(start - now)

    def _prepare(self) -> None:
        if self._pause.verdict is None:
            self._pool.prepare()

    async def _close_connections(self) -> None:
        await self._pool.close()

    async def _open(self) -> SmtpConnection:
        try:
            connection = await self._log_in(SmtpConnection(self._settings, self._timeouts))
        except OpenFailed as failed:
            log.debug("mail connection failed", error=failed.outcome.reason)
            raise
        if connection.facts.secret_in_clear:
            self._warn("password sent in clear text", "set smtp.tls, or keep this network private")
        if self._is_without(connection.facts):
            self._warn(
                "login not offered", "smtp.username and password are not used; remove them if all is well"
            )
        self._pause.passed(Step.CONNECTED)
        return connection

    def _warn(self, event: str, action: str) -> None:
        """Say it once."""
        if event not in self._warned:
            self._warned.add(event)
            log.warning(event, server=self._where, action=action)

    def _is_without(self, facts: Facts) -> bool:
        """Whether we go without the login that was to be, since the server offers none."""
        return self._settings.auth == "password" and not facts.login

    async def _log_in(self, connection: SmtpConnection) -> SmtpConnection:
        """Open this connection, or another one if the first token was refused."""
        if self._tokens is None:
            try:
                await connection.open(self._tls)
            finally:
                if connection.facts.login_offered:
                    self._logins.add(self._where)
            if self._is_without(connection.facts) and self._where in self._logins:
                connection.abort()
                raise OpenFailed(
                    Temporary(
                        f"{self._where} offers no login now, though it did before: nothing is sent without"
                    )
                )
            return connection
        connection.facts.stage = "login"  # where it ends without a token
        token = await self._token(self._tokens.get())
        try:
            await connection.open(self._tls, token)
        except LoginRefused:
            # Perhaps the token was revoked before its time: once with a new one, then it is the account.
            renewed = await self._token(self._tokens.renew(token))
            if renewed == token:
                raise
            connection = SmtpConnection(self._settings, self._timeouts)
            await connection.open(self._tls, renewed)
        return connection

    async def _token(self, token: Awaitable[str]) -> str:
        from .oauth2 import TokenError

        try:
            return await token
        except TokenError as error:
            reason = f"no OAuth2 token: {error}"
            outcome = AccountFault(reason, login=True) if error.permanent else Temporary(reason)
            raise OpenFailed(outcome) from error


def _not_believed(refusal: Refused | Declined | AccountFault) -> Declined | AccountFault | Temporary:
    """What a connection says that has served before: it may be the connection that is worn out."""
    if isinstance(refusal, AccountFault):
        return Temporary(refusal.reason)
    return Declined(refusal.reason)


def _token_source(
    settings: SmtpSettings, clock: Callable[[], float], environ: Mapping[str, str]
) -> TokenSource | None:
    if settings.auth != "xoauth2" or settings.oauth2 is None:
        return None
    from .oauth2 import token_source  # may load an HTTP client: only for who needs it

    return token_source(settings.oauth2, clock=clock, environ=environ)

"""The limits of servers as people know them: with the defaults each gets all mails, and no more than it bears.

A minute is a fifth of a second here.
"""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from teleport_email.core.model import Delivered, Temporary
from teleport_email.mail.mailer import OpenGate
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.smtp_faults import Action, Reply, SmtpFaults

MINUTE = 0.2
MAILS = 90


class Profile(SmtpFaults):
    """A server with limits of its own."""

    per_minute: int | None = None
    over_rate = Reply(421, "4.4.2 Message submission rate for this client has exceeded the configured limit")

    def __init__(self) -> None:
        super().__init__()
        self._begun: deque[float] = deque()
        self.told_off = 0

    def at(self, verb, recipients=(), *, now: float = 0.0) -> Action | None:
        action = super().at(verb, recipients, now=now)
        if action is not None or verb != "MAIL" or self.per_minute is None:
            return action
        while self._begun and self._begun[0] <= now - MINUTE:
            self._begun.popleft()
        if len(self._begun) >= self.per_minute:
            self.told_off += 1
            return self.over_rate
        self._begun.append(now)
        return None


def exchange_online() -> Profile:
    """Three connections at once, 30 messages a minute."""
    profile = Profile()
    profile.connection_limit = 3
    profile.per_minute = 30
    return profile


def gmail() -> Profile:
    """Closes a connection after 100 messages, takes many at once, and says 421 to haste."""
    profile = Profile()
    profile.connection_limit = 15
    profile.messages_per_connection = 100
    profile.per_minute = 60
    profile.over_rate = Reply(421, "4.7.28 Our system has detected an unusual rate of mail")
    return profile


def ses() -> Profile:
    """454 beyond the rate, on a connection that stays."""
    profile = Profile()
    profile.per_minute = 40
    profile.over_rate = Reply(454, "Throttling failure: Maximum sending rate exceeded.")
    return profile


def postfix_with_anvil() -> Profile:
    """smtpd_client_connection_count_limit and smtpd_client_message_rate_limit."""
    profile = Profile()
    profile.connection_limit = 5
    profile.per_minute = 50
    profile.over_rate = Reply(450, "4.7.1 Error: too much mail from 192.0.2.1")
    return profile


def exim() -> Profile:
    """smtp_accept_max_per_host, cut without a word, and smtp_accept_queue_per_connection."""
    profile = Profile()
    profile.connection_limit = 4
    profile.over_limit = "cut"
    profile.messages_per_connection = 10
    return profile


@pytest.mark.parametrize("profile", [exchange_online, gmail, ses, postfix_with_anvil, exim])
async def test_with_the_defaults_it_gets_every_mail_once(profile, connect, new_mail, clock) -> None:
    faults = profile()
    async with Inbox(faults=faults) as inbox:
        mailer = connect(inbox)

        async def deliver(number: int) -> None:
            mail = new_mail(f"p{number}@example.com")
            for _ in range(200):
                async with mailer.admit():
                    outcome = await mailer.send(mail, OpenGate())
                if isinstance(outcome, Delivered):
                    return
                assert isinstance(outcome, Temporary), outcome
                assert not outcome.maybe_accepted
                clock.now += 1  # the queue's backoff, and the pause's
                mailer._admission.look()
                await asyncio.sleep(MINUTE / 10)
            raise AssertionError(f"not delivered: {outcome}")

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for number in range(MAILS):
                group.create_task(deliver(number))
        assert len(inbox.messages) == MAILS
        assert len({message.message_id for message in inbox.messages}) == MAILS
        assert inbox.connections.highest <= (faults.connection_limit or 10)
        assert max(inbox.connections.messages.values()) <= 20


async def test_a_message_that_is_refused_for_too_many_connections_goes_by_another_one(
    connect, new_mail
) -> None:
    """So says Exchange Online: not to the connection, but to MAIL on it."""
    bears = 3

    class Busy(SmtpFaults):
        doomed = 0

        def at(self, verb, recipients=(), *, now: float = 0.0) -> Action | None:
            if verb != "MAIL" or inbox.connections.total - self.doomed <= bears:
                return super().at(verb, recipients, now=now)
            self.doomed += 1
            return Reply(432, "4.3.2 Concurrent connections limit exceeded")

    faults = Busy()
    faults.delay = 0.02
    async with Inbox(faults=faults) as inbox:
        mailer = connect(inbox, messages_per_connection=100)
        outcomes = await asyncio.gather(*(mailer.send(new_mail(), OpenGate()) for _ in range(60)))
        assert [outcome for outcome in outcomes if not isinstance(outcome, Delivered)] == []
        assert faults.doomed == 7
        assert mailer.connection_limit == bears


async def test_a_refusal_to_grow_is_no_fault_and_no_line_in_the_log(
    connect, new_mail, caplog, capsys
) -> None:
    faults = SmtpFaults()
    faults.connection_limit = 2
    faults.delay = 0.005
    async with Inbox(faults=faults) as inbox:
        mailer = connect(inbox)
        outcomes = await asyncio.gather(*(mailer.send(new_mail(), OpenGate()) for _ in range(40)))
        assert all(isinstance(outcome, Delivered) for outcome in outcomes)
        assert inbox.connections.refused >= 1
        assert mailer.paused == ""
        lines = [line for line in capsys.readouterr().out.splitlines() if "debug" not in line]
        assert lines == []

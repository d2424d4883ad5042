"""Credentials in the file, and a server that offers no AUTH, or none that would hide them: decided when it has
said what it offers. Files of the Go plugin always have a user name and a password.
"""

from __future__ import annotations

import random

import pytest
import structlog

from teleport_email.config.settings import Secret
from teleport_email.core.model import AccountFault, Delivered, Temporary
from teleport_email.mail.mailer import OpenGate
from teleport_email.mail.smtp import connection as smtp_connection
from teleport_email.mail.smtp.mailer import SmtpMailer
from teleport_email.sandbox.mail.inbox import Inbox

ME = {"auth": "password", "username": "me", "password": Secret("hunter2")}


@pytest.fixture
def elsewhere(monkeypatch) -> None:
    """The server is not on this machine."""
    monkeypatch.setattr(smtp_connection, "is_loopback", lambda address: False)


@pytest.mark.parametrize("tls", ["none", "opportunistic"])
async def test_a_relay_that_offers_no_login_is_used_without(connect, new_mail, elsewhere, tls) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, **ME, tls=tls, max_connections=1, messages_per_connection=1)
        with structlog.testing.capture_logs() as logs:
            for _ in range(3):
                assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        warnings = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
        assert warnings == ["login not offered"], "said once"
        assert inbox.commands["AUTH"] == 0
        assert "hunter2" not in str(logs)
        assert inbox.connections.total == 3


async def test_check_warns_of_it(connect) -> None:
    async with Inbox() as inbox:
        findings = {found.subject: found for found in await connect(inbox, **ME).verify()}
        assert findings["login"].good
        assert findings["login"].odd
        assert findings["login"].detail.startswith("none offered")


async def test_where_it_was_offered_before_its_absence_is_an_outage(connect, new_mail, clock) -> None:
    async with Inbox(passwords={"me": "hunter2"}) as inbox:
        mailer = connect(inbox, **ME, max_connections=1, messages_per_connection=1)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        inbox.access.passwords.clear()
        outcome = await mailer.send(new_mail(), OpenGate())
        assert isinstance(outcome, Temporary)
        assert "offers no login now, though it did before" in outcome.reason
        assert inbox.received == 1
        inbox.access.passwords["me"] = "hunter2"
        clock.now += 60
        async with mailer.admit():
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert [mail.auth_user for mail in inbox.messages] == ["me", "me"]


async def test_a_refused_login_was_offered_too_and_another_mailer_of_the_process_knows(
    new_mail, clock
) -> None:
    logins: set[str] = set()

    def mailer(inbox: Inbox) -> SmtpMailer:
        return SmtpMailer(
            inbox.settings(**ME), clock=clock, random=random.Random(1), environ={}, logins=logins
        )

    async with Inbox(passwords={"me": "another"}) as inbox:
        first, second = mailer(inbox), mailer(inbox)
        assert isinstance(await first.send(new_mail(), OpenGate()), AccountFault)
        await first.close()
        inbox.access.passwords.clear()
        assert isinstance(await second.send(new_mail(), OpenGate()), Temporary), "after a reload"
        await second.close()
        assert inbox.received == 0


@pytest.mark.parametrize("tls", ["none", "opportunistic"])
async def test_a_login_that_does_not_show_the_password_is_taken_before_one_that_does(
    connect, new_mail, elsewhere, tls
) -> None:
    async with Inbox(passwords={"me": "hunter2"}, mechanisms=("PLAIN", "LOGIN", "CRAM-MD5")) as inbox:
        mailer = connect(inbox, **ME, tls=tls, allow_plaintext_auth=False)
        with structlog.testing.capture_logs() as logs:
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert inbox.messages[0].auth_user == "me"
        assert [entry for entry in logs if entry["log_level"] == "warning"] == []


async def test_never_a_password_in_the_clear(connect, new_mail, elsewhere) -> None:
    async with Inbox(passwords={"me": "hunter2"}, mechanisms=("PLAIN", "LOGIN")) as inbox:
        outcome = await connect(inbox, **ME, allow_plaintext_auth=False).send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "allow_plaintext_auth" in outcome.reason
        assert inbox.commands["AUTH"] == 0

"""Addresses whose local part is not ASCII: SMTPUTF8 (RFC 6531) where the server offers it."""

from __future__ import annotations

from teleport_email.config.settings import Secret
from teleport_email.core.model import AccountFault, Delivered, Refused
from teleport_email.mail.mailer import OpenGate
from teleport_email.mail.message import build
from teleport_email.sandbox.mail.inbox import Inbox


async def test_they_are_named_where_the_server_offers_it(connect, new_mail) -> None:
    async with Inbox() as inbox:
        inbox.faults.smtputf8 = True
        mailer = connect(inbox)
        mail = new_mail("jörg@example.com")
        assert isinstance(await mailer.send(mail, OpenGate()), Delivered)
        assert isinstance(await mailer.send(new_mail("bob@example.com"), OpenGate()), Delivered)
        assert [received.envelope_to for received in inbox.messages] == [
            ("jörg@example.com",),
            ("bob@example.com",),
        ]
        assert inbox.messages[0].raw == build(mail)
        assert inbox.messages[0].to == "jörg@example.com"


async def test_without_it_only_that_recipient_is_given_up(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        outcome = await mailer.send(new_mail("jörg@example.com"), OpenGate())
        assert isinstance(outcome, Refused)
        assert outcome.reason.startswith("jörg@example.com has non-ASCII characters")
        assert isinstance(await mailer.send(new_mail("bob@example.com"), OpenGate()), Delivered)
        assert inbox.commands["MAIL"] == 1
        assert not mailer.paused


async def test_without_it_a_sender_pauses_all_until_the_server_offers_it(connect, new_mail) -> None:
    sender = "Teleport <nöreply@example.com>"
    async with Inbox() as inbox:
        mailer = connect(inbox)
        outcome = await mailer.send(new_mail(sender=sender), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "delivery.sender nöreply@example.com" in outcome.reason
        assert mailer.paused
        [*_, finding] = await connect(inbox).verify("nöreply@example.com")
        assert not finding.good
        inbox.faults.smtputf8 = True
        mailer = connect(inbox)
        assert isinstance(await mailer.send(new_mail(sender=sender), OpenGate()), Delivered)
        assert inbox.messages[0].envelope_from == "nöreply@example.com"
        [*_, finding] = await mailer.verify("nöreply@example.com")
        assert finding.good


async def test_a_password_that_is_no_text_is_sent_as_it_is(connect, new_mail) -> None:
    async with Inbox(tls="starttls", passwords={"u": "p\ufffdss"}) as inbox:
        # The inbox shows bytes that are no UTF-8 like that.
        mailer = connect(inbox, username="u", password=Secret(b"p\xe4ss".decode("utf-8", "surrogateescape")))
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert inbox.messages[0].auth_user == "u"

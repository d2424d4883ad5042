"""Sending by SMTP to a real server, in all ways to connect and with every fault."""

from __future__ import annotations

from teleport_email.mail.mailer import OpenGate
from teleport_email.mail.message import build
from teleport_email.model import Delivered
from teleport_email.sandbox.inbox import Inbox


async def test_a_message_arrives_byte_for_byte(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        mail = new_mail()
        outcome = await mailer.send(mail, OpenGate())
        assert isinstance(outcome, Delivered)
        assert "queued as 1" in outcome.answer
        [received] = inbox.messages
        assert received.raw == build(mail)
        assert received.envelope_from == "teleport@example.com"
        assert received.envelope_to == ("bob@example.com",)

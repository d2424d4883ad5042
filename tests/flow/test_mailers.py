"""The same story by every way of sending: in clear text to a relay, by STARTTLS, implicit TLS, and Mailgun."""

from __future__ import annotations

from typing import Any

import pytest

from teleport_email.core.model import RequestState
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.mailgun import MailgunServer


async def story(world: Any, box: Any) -> None:
    await world.start(mailer=box.settings())
    request = await world.cluster.create(user="zoe@example.com", roles=["dba"], reason="INC-42")
    await box.wait_for(2)
    await world.cluster.review(request.id, "alice@example.com", RequestState.DENIED, "not today")
    await box.wait_for(6)
    for address in ("dba@example.com", "ops@example.com"):
        mails = box.to(address)
        assert [
            line
            for mail in mails
            for line in mail.text.splitlines()
            if line.startswith(("Status", "Resolution"))
        ]
        assert "Status: ⏳ PENDING" in mails[0].text
        assert "Resolution: ❌ DENIED" in mails[1].text
        assert "Status: ❌ DENIED (not today)" in mails[2].text
        assert len({mail.references for mail in mails}) == 1
        assert len({mail.message_id for mail in mails}) == 3


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
async def test_by_smtp(world: Any, tls: str) -> None:
    passwords = {} if tls == "none" else {"me@example.com": "secret"}
    async with Inbox(tls=tls, passwords=passwords) as inbox:
        await story(world, inbox)
        assert all(bool(mail.tls) == (tls != "none") for mail in inbox.messages)
        assert {mail.auth_user for mail in inbox.messages} == ({""} if tls == "none" else {"me@example.com"})
        for running in world.running:
            await running.stop()


async def test_by_mailgun(world: Any) -> None:
    async with MailgunServer() as mailgun:
        await story(world, mailgun)
        for mail in mailgun.messages:
            assert mail.options["o:tracking-clicks"] == ("no",)
        for running in world.running:
            await running.stop()

"""What ``check`` says of the way to send, and what it proposes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from teleport_email.commands.checks import local, mail
from teleport_email.commands.checks.line import Level, Line
from teleport_email.commands.send_test import describe
from teleport_email.config.settings import DeliverySettings, EscalationSettings, Settings, TeleportSettings
from teleport_email.core.model import AccountFault, Declined
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.smtp_faults import Reply, Wait


def settings(inbox: Inbox, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "teleport": TeleportSettings(),
        "mailer": inbox.settings(),
        "delivery": DeliverySettings(sender="Teleport, Inc. <teleport@example.com>"),
        "role_to_recipients": {"dba": ("dba@example.org",), "*": ("all@example.com", "b@example.com")},
    }
    return Settings(**(values | changes))


async def looked(inbox: Inbox, **changes: Any) -> list[Line]:
    return [line async for line in mail.inspect(settings(inbox, **changes))]


async def test_sender_and_the_recipient_for_all_else_are_tried() -> None:
    async with Inbox() as inbox:
        lines = await looked(inbox)
        assert [line.level for line in lines] == [Level.OK] * len(lines)
        assert {"sender: teleport@example.com is accepted", "recipient: all@example.com is accepted"} <= {
            line.what for line in lines
        }
        assert inbox.received == 0


async def test_what_will_be_refused_is_a_fault_with_something_to_do() -> None:
    async with Inbox() as inbox:
        inbox.faults.on("RCPT", Reply(554, "5.7.1 Relay access denied"))
        *_, last = await looked(inbox)
        assert last.level is Level.FAULT
        assert "all@example.com: the mail server answered 554 5.7.1 Relay access denied" in last.what
        assert "smtp.username" in last.todo[0]
        inbox.faults.on("MAIL", Reply(550, "5.7.1 not yours"))
        *_, last = await looked(inbox)
        assert (last.level, "delivery.sender" in last.todo[0]) == (Level.FAULT, True)


async def test_a_slow_server_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "PATIENCE", 0.01)
    async with Inbox() as inbox:
        inbox.faults.on("EHLO", Wait(0.2))
        first, *rest = await looked(inbox)
        assert first.level is Level.WARNING
        assert "no answer for" in first.what
        assert [line.level for line in rest] == [Level.OK] * len(rest)
        assert rest


@pytest.mark.parametrize(
    ("roles", "fallback", "most", "expected"),
    [
        ({"*": ("a@Example.org".lower(), "b@eu.example.com"), "x": ("c@example.org",)}, "", 20, '["eu.example.com", "example.org"]'),
        ({"*": ("a@example.org",)}, "oncall@example.net", 3, '["example.net", "example.org"]'),
    ],
)  # fmt: skip
async def test_the_domains_that_are_proposed_are_those_of_the_recipients(
    roles, fallback, most, expected
) -> None:
    async with Inbox() as inbox:
        delivery = replace(
            settings(inbox).delivery, fallback_recipient=fallback, max_suggested_reviewers=most
        )
        lines = local.configuration(
            Path("x.toml"), settings(inbox, role_to_recipients=roles, delivery=delivery)
        )
        [said] = [line for line in lines if "any address" in line.what]
        assert f"to {most} addresses a request, with any number of requests" in said.what
        [todo] = said.todo
        assert todo == f"set delivery.allowed_domains = {expected}"


async def test_whom_requests_are_escalated_to_counts_as_a_recipient_and_is_said() -> None:
    async with Inbox() as inbox:
        chosen = EscalationSettings(after=1800.0, role_to_recipients={"dba": ("head@example.net",)})
        first, *lines = local.configuration(
            Path("x.toml"), settings(inbox, role_to_recipients={"*": ("a@example.org",)}, escalation=chosen)
        )
        assert first.what.endswith("1 line of recipients, escalated after 30m")
        [said] = [line for line in lines if "any address" in line.what]
        assert said.todo == ('set delivery.allowed_domains = ["example.net", "example.org"]',)


@pytest.mark.parametrize(
    ("reason", "referred"),
    [
        ("the mail server answered 535 5.7.8 no to AUTH", True),
        ("the mail server answered 550 5.7.1 not yours to MAIL FROM", True),
        ("the certificate of mail.example.com:465 is not valid for us", True),
        ("the mail server answered 554 5.7.1 spam to the message", False),
        ("the mail server answered 554 5.7.1 no to DATA", False),
        ("the mail server answered 550 5.4.5 Daily limit to the message; ask for a larger one", False),
        ("the mail server answered 554 5.7.1 Relay access denied to RCPT TO; allow this host", True),
    ],
)
def test_send_test_refers_to_check_only_where_that_knows_more(reason, referred) -> None:
    for outcome in (AccountFault(reason), Declined(reason)):
        said, code = describe(outcome)
        assert code == 1
        assert reason in said
        assert ("teleport-email check" in said) is referred

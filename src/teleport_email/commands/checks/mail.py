"""The way to send: connection, TLS, login, limits, sender, recipient. No message is sent."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator

from teleport_email.commands.checks.line import Line, fault, ok, warning
from teleport_email.config.settings import Settings, SmtpSettings
from teleport_email.core.errors import TeleportEmailError
from teleport_email.mail.factory import make_mailer
from teleport_email.mail.mailer import Finding

PATIENCE = 30.0
"""Seconds until a person is told that the server is slow. That is no fault: the daemon waits for it."""


async def inspect(settings: Settings) -> AsyncIterator[Line]:
    """What the mailer found out."""
    try:
        mailer = make_mailer(settings.mailer, clock=time.monotonic, random=random.SystemRandom())
    except TeleportEmailError as error:
        yield fault("mail", str(error))
        return
    section = "smtp" if isinstance(settings.mailer, SmtpSettings) else "mailgun"
    sender = settings.delivery.sender.rpartition("<")[2].removesuffix(">")
    verifying = asyncio.create_task(mailer.verify(sender, _somebody(settings)))
    try:
        if not (await asyncio.wait({verifying}, timeout=PATIENCE))[0]:
            what = f"no answer for {PATIENCE:.0f} s; looking on for as long as the daemon would wait"
            yield warning("mail", what)
        for finding in await verifying:
            yield _line(finding, section)
    finally:
        verifying.cancel()
        await mailer.close()


def _somebody(settings: Settings) -> str:
    """Somebody whom the configuration names: of those told when no other line fits, if there are any."""
    lists = settings.role_to_recipients
    return next(iter([*lists.get("*", ()), *(one for line in lists.values() for one in line)]), "")


def _line(finding: Finding, section: str) -> Line:
    what = f"{finding.subject}: {finding.detail}"
    if not finding.good:
        return fault("mail", what, _todo(finding.subject, section))
    return warning("mail", what) if finding.odd else ok("mail", what)


def _todo(subject: str, section: str) -> str:
    return {
        "connection": f"look at the address in [{section}] and at what stands between (firewall, proxy)",
        "TLS": "look at smtp.tls, smtp.starttls_policy and smtp.ca_file",
        "login": "look at smtp.username, at smtp.password or smtp.oauth2, and at what the server asks for",
        "size": "let the server take larger messages: what it refuses cannot be told",
        "sender": "set delivery.sender to an address from which this account may send, or let it",
        "recipient": "look at [role_to_recipients], and whether the server lets us send there: with a login"
        " (smtp.username), or from this address",
        "domain": "look at mailgun.domain, mailgun.private_key and mailgun.region",
    }.get(subject, f"look at [{section}]")

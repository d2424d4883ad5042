"""The way to send: connection, TLS, login, limits. No message is sent."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator

from teleport_email.commands.checks.line import Line, fault, ok, warning
from teleport_email.config.settings import Settings, SmtpSettings
from teleport_email.core.errors import TeleportEmailError
from teleport_email.mail.factory import make_mailer


async def inspect(settings: Settings) -> AsyncIterator[Line]:
    """What the mailer found out."""
    try:
        mailer = make_mailer(settings.mailer, clock=time.monotonic, random=random.SystemRandom())
    except TeleportEmailError as error:
        yield fault("mail", str(error))
        return
    section = "smtp" if isinstance(settings.mailer, SmtpSettings) else "mailgun"
    try:
        for finding in await mailer.verify():
            what = f"{finding.subject}: {finding.detail}"
            if finding.good:
                yield warning("mail", what) if finding.odd else ok("mail", what)
            else:
                yield fault("mail", what, _todo(finding.subject, section))
    finally:
        await mailer.close()


def _todo(subject: str, section: str) -> str:
    return {
        "connection": f"look at the address in [{section}] and at what stands between (firewall, proxy)",
        "TLS": "look at smtp.tls, smtp.starttls_policy and smtp.ca_file",
        "login": "look at smtp.username, at smtp.password or smtp.oauth2, and at what the server asks for",
        "domain": "look at mailgun.domain, mailgun.private_key and mailgun.region",
    }.get(subject, f"look at [{section}]")

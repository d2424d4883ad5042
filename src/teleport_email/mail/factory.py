"""Which way of sending the settings ask for. Above both ways, so that neither knows the other."""

from __future__ import annotations

import random
from collections.abc import Callable

from teleport_email.config.settings import MailgunSettings, SmtpSettings

from .mailer import Mailer

__all__ = ["make_mailer"]


def make_mailer(
    settings: SmtpSettings | MailgunSettings,
    *,
    clock: Callable[[], float],
    random: random.Random,
    logins: set[str] | None = None,
) -> Mailer:
    """The mailer for these settings. ``clock``: seconds that go on while the machine sleeps. ``logins``: mail
    servers that have offered a login to this process.
    """
    if isinstance(settings, SmtpSettings):
        from .smtp.mailer import SmtpMailer

        return SmtpMailer(settings, clock=clock, random=random, logins=logins)
    from .mailgun import MailgunMailer  # loads an HTTP client: only for who needs it

    return MailgunMailer(settings, clock=clock, random=random)

"""What can be said without connecting anywhere: configuration, files, identity."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from teleport_email.commands.checks import files
from teleport_email.commands.checks.line import Line, fault, ok, warning
from teleport_email.config.durations import format_duration
from teleport_email.config.settings import Settings, SmtpSettings
from teleport_email.core.errors import IdentityError, IdentityNotYetValid
from teleport_email.teleport.calls.permissions import MAKE_ONE, is_personal, whose

# Long enough to notice and to make a new identity in working hours.
SOON = timedelta(days=7)


def configuration(config: Path, settings: Settings) -> Iterator[Line]:
    """What the configuration says, and what about it may surprise."""
    mailer = settings.mailer
    way = (
        f"SMTP by {mailer.host}:{mailer.port}"
        if isinstance(mailer, SmtpSettings)
        else f"Mailgun ({mailer.api_base}, domain {mailer.domain})"
    )
    count = len(settings.role_to_recipients)
    routes = f"{count} line{'' if count == 1 else 's'} of recipients"
    if settings.escalation.after:
        routes += f", escalated after {format_duration(settings.escalation.after)}"
    yield ok("configuration", f"{config}: {way}, from {settings.delivery.sender}, {routes}")
    for hint in settings.warnings:
        yield warning("configuration", hint)
    delivery = settings.delivery
    open_to_all = delivery.suggested_reviewers != "ignore" and delivery.max_suggested_reviewers
    if not delivery.allowed_domains and open_to_all:
        yield warning(
            "configuration",
            "whoever may request access can have mail sent to any address, as a suggested reviewer: to "
            f"{delivery.max_suggested_reviewers} addresses a request, with any number of requests",
            f"set delivery.allowed_domains = {_domains(settings)}",
        )
    if delivery.templates is not None:
        yield from _templates(settings)


def _domains(settings: Settings) -> str:
    """The domains of those whom the configuration names, as TOML."""
    named = [one for line in settings.role_to_recipients.values() for one in line]
    named += [one for line in settings.escalation.role_to_recipients.values() for one in line]
    named.append(settings.delivery.fallback_recipient)
    domains = sorted({one.rpartition("@")[2] for one in named if one})
    return json.dumps(domains or ["example.com"])


def identity(settings: Settings, now: datetime, *, clock_set: bool) -> Iterator[Line]:
    """Who we are and for how long. The last line is a fault when it cannot be used."""
    from teleport_email.teleport.connect import credentials

    teleport = settings.teleport
    try:
        found = credentials.load(teleport)
        credentials.check_time(found, now, clock_set=clock_set)
    except IdentityNotYetValid as error:
        yield fault("clock", str(error), "the daemon waits until it is set")
        return
    except IdentityError as error:
        yield fault("identity", str(error), *_unreadable(settings))
        return
    left = found.not_after - now
    what = (
        f"{whose(found.user, found.roles)} of cluster {found.cluster}, "
        f"valid until {found.not_after:%Y-%m-%d %H:%M} UTC (for {_span(left)} more)"
    )
    if is_personal(found.user, found.roles):
        yield warning("identity", f"{what}; the daemon would do all in this person's name", MAKE_ONE)
    elif teleport.refresh_identity or left > SOON:
        yield ok("identity", what)
    else:
        yield warning(
            "identity",
            what,
            "let Machine ID renew it and set teleport.refresh_identity = true, or sign a new one in time",
        )


def _templates(settings: Settings) -> Iterator[Line]:
    from teleport_email.render import Renderer

    faults = Renderer(settings.delivery).check()
    for found in faults:
        yield warning("configuration", f"template {found}", "until it is put right, the built-in one is used")
    if not faults:
        yield ok("configuration", f"the templates in {settings.delivery.templates} work")


def _unreadable(settings: Settings) -> tuple[str, ...]:
    teleport = settings.teleport
    for path in (teleport.identity, teleport.client_key, teleport.client_crt, teleport.root_cas):
        if path and not _can_read(path):
            return (files.explain_unreadable(path)[1],)
    return ()


def _can_read(path: Path) -> bool:
    try:
        path.open("rb").close()
    except OSError:
        return False
    return True


def _span(left: timedelta) -> str:
    return f"{left.days} days" if left.days >= 2 else format_duration(60 * (left.total_seconds() // 60))

"""What ``check`` tells of an SMTP server, from what was learned while connecting. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from teleport_email.config.settings import SmtpSettings
from teleport_email.core.model import AccountFault, Refused
from teleport_email.mail.mailer import Finding

from .facts import Facts
from .replies import Reply, Stage

__all__ = ["findings"]

ROOM_NEEDED = 40_000
"""Bytes. No message has more than 30 kB of HTML (docs/messages.md); text and headers come on top."""


def findings(
    facts: Facts,
    settings: SmtpSettings,
    fault: str,
    envelope: Sequence[tuple[Stage, str, Reply | Refused | AccountFault]] = (),
) -> list[Finding]:
    """What went well, in order, and then the ``fault``. ``envelope``: the replies to sender and recipient."""
    found = []
    if facts.greeting:
        where = f"{settings.host}:{settings.port}"
        found.append(Finding(True, "connection", f"{where} ({facts.peer}) says {facts.greeting}"))
    if facts.tls_version:
        ends = (
            f", certificate valid until {facts.certificate_ends:%Y-%m-%d}" if facts.certificate_ends else ""
        )
        found.append(Finding(True, "TLS", f"{facts.tls_version}{ends}"))
    if fault:
        return [*found, Finding(False, facts.stage, fault)]
    if not facts.tls_version:
        found.append(Finding(settings.tls != "starttls", "TLS", "none: everything goes in clear text"))
    taken = any(
        stage is Stage.RCPT and isinstance(said, Reply) and said.positive for stage, _, said in envelope
    )
    found.append(_login(facts, settings, taken=taken))
    if facts.size:
        found.append(_size(facts.size))
    return [*found, *(_taken(*said) for said in envelope)]


def _login(facts: Facts, settings: SmtpSettings, *, taken: bool) -> Finding:
    if facts.login:
        return Finding(True, "login", f"as {settings.username} by {facts.login}")
    if settings.auth == "password":
        return Finding(True, "login", "none offered: smtp.username and password are not used", odd=True)
    if taken:
        return Finding(True, "login", "none needed")
    why = 'smtp.auth is "none"' if settings.username else "smtp.username is empty"
    return Finding(True, "login", f"none: {why}", odd=True)


def _size(size: int) -> Finding:
    kilobytes = f"{size / 1000:,.1f}".removesuffix(".0")
    if size < ROOM_NEEDED:
        needed = f"{ROOM_NEEDED / 1000:.0f} kB are needed"
        return Finding(False, "size", f"takes messages up to {kilobytes} kB only; {needed}")
    return Finding(True, "size", f"takes messages up to {kilobytes} kB")


def _taken(stage: Stage, address: str, reply: Reply | Refused | AccountFault) -> Finding:
    subject = "sender" if stage is Stage.MAIL else "recipient"
    if not isinstance(reply, Reply):
        return Finding(False, subject, reply.reason)
    if reply.positive:
        return Finding(True, subject, f"{address} is accepted")
    what = f"{address}: the mail server answered {reply} to {stage.value}"
    later = 400 <= reply.code < 500
    if later:
        what += "; the daemon tries again when that is said"
    return Finding(later, subject, what, odd=later)

"""Whom a request is escalated to, from the configuration alone. Pure; nobody is looked up.

By role, as ``[role_to_recipients]`` does it, but for roles without a line nobody. Who was told before is no
part of the answer: ``decide`` knows. Rules, annotations and suggested reviewers have no say: who makes a
request, or routes it, does not choose who hears that nobody has decided it.
"""

from __future__ import annotations

from teleport_email.config.settings import Settings
from teleport_email.core.model import AccessRequest, replace
from teleport_email.routing import recipients
from teleport_email.routing.route import Reason, Route


def escalation(request: AccessRequest, settings: Settings) -> Route:
    """Who is told about ``request`` once nobody has decided for a while; nobody where that is off."""
    chosen = settings.escalation
    if not chosen.after:
        return Route()
    found = recipients.route(
        replace(request, suggested_reviewers=()),
        replace(settings.delivery, recipients_annotation="", fallback_recipient=""),
        chosen.role_to_recipients,
        spelled=settings.spelled,
    )
    reasons = tuple(Reason(one.address, f"escalation.{one.why}") for one in found.reasons)
    return replace(found, reasons=reasons, problem="")

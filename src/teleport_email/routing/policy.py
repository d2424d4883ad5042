"""What the configuration says about being due, for ``core``. Pure."""

from __future__ import annotations

from datetime import datetime

from teleport_email.config.settings import Settings
from teleport_email.core.decide import Policy


def policy(settings: Settings, *, duty_since: datetime | None = None) -> Policy:
    """The policy of these settings. ``duty_since``: since when requests are ours to tell, if known."""
    delivery = settings.delivery
    return Policy(
        catch_up=delivery.catch_up,
        duty_since=duty_since,
        reminders=delivery.remind_before_expiry,
        requester=delivery.notify_requester,
        merge_deciding_review=delivery.merge_deciding_review,
        skip_own_review=delivery.skip_own_review,
        quiet_reviews=delivery.quiet_reviews,
        escalate_after=settings.escalation.after,
    )

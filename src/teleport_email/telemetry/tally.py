"""What has happened since the start, as plain numbers: cheap enough to be kept whether anybody asks or not.

In: what the parts report as it happens. Out: numbers for the metrics and the status page. Never: text that
users or servers wrote, addresses, I/O.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

from teleport_email.core.decide import Due
from teleport_email.core.model import (
    AccountFault,
    Declined,
    Delivered,
    Refused,
    SendOutcome,
    Temporary,
    Topic,
    Withdrawn,
)

KINDS = ("announcement", "review", "reminder", "escalation", "resolution", "requester", "access_list_review")
"""Kinds of messages that are told apart here; coarser than topics, so that every series exists from the
start and the first refusal of its kind shows as an increase."""
OUTCOMES = ("delivered", "deferred", "unknown", "refused", "account_refused", "withdrawn")
"""``unknown``: deferred after everything was sent, so perhaps accepted; the retry may make a twin."""
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, float("inf"))
"""Upper bounds of the histogram of send times, seconds: a good relay takes a tenth of a second, a tarpit
half a minute, and the final reply may take ten minutes (RFC 5321, 4.5.3.2.6)."""


class Tally:
    """Counts. All methods belong to one event loop."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        """``wall``: the time now, UTC."""
        self._wall = wall
        self.started = wall()
        self.messages: Counter[tuple[str, str]] = Counter(
            dict.fromkeys(itertools.product(KINDS, OUTCOMES), 0)
        )
        """Attempts to send by kind and outcome."""
        self.last_delivery: datetime | None = None
        self.send_seconds = 0.0
        """Sum of the times of all attempts in the histogram."""
        self.conflicts = 0
        self.without_recipient = 0
        self.rule_faults = 0
        self.reconnects = 0
        self.reloads: Counter[bool] = Counter({True: 0, False: 0})
        """Reloads by whether the new configuration was good."""
        self.last_reload: datetime | None = None
        self.last_reload_good = True
        self._times = [0] * len(BOUNDS)

    def sent(self, due: Due, outcome: SendOutcome, seconds: float) -> None:
        """An attempt to send has ended after ``seconds``."""
        self.messages[kind_of(due.kind.topic), outcome_of(outcome)] += 1
        if isinstance(outcome, Withdrawn) or (isinstance(outcome, Declined) and not outcome.tried):
            return  # says nothing about the server
        self._times[bisect_left(BOUNDS, seconds)] += 1
        self.send_seconds += seconds
        if isinstance(outcome, Delivered):
            self.last_delivery = self._wall()

    def conflict(self) -> None:
        """A write to a ledger was not confirmed."""
        self.conflicts += 1

    def unroutable(self) -> None:
        """A request had nobody to be told, or only the fallback."""
        self.without_recipient += 1

    def rule_failed(self) -> None:
        """The condition of an Access Monitoring Rule does not parse, or does not evaluate for a request."""
        self.rule_faults += 1

    def reconnected(self) -> None:
        """The connection to the cluster stands again after an outage."""
        self.reconnects += 1

    def reloaded(self, *, good: bool) -> None:
        """A reload has ended; not good: the old configuration stays in use."""
        self.reloads[good] += 1
        self.last_reload = self._wall()
        self.last_reload_good = good

    def histogram(self) -> Iterator[tuple[float, int]]:
        """Upper bound in seconds, and how many attempts took no longer."""
        return zip(BOUNDS, itertools.accumulate(self._times), strict=True)


def kind_of(topic: Topic) -> str:
    """One of :data:`KINDS`."""
    if topic.for_requester:
        return "requester"
    match topic:
        case Topic.REVIEW:
            return "review"
        case Topic.REMINDER:
            return "reminder"
        case Topic.ESCALATION:
            return "escalation"
        case Topic.AUDIT:
            return "access_list_review"
        case Topic.APPROVED | Topic.DENIED | Topic.PROMOTED | Topic.EXPIRED:
            return "resolution"
        case _:
            return "announcement"


def outcome_of(outcome: SendOutcome) -> str:
    """One of :data:`OUTCOMES`."""
    match outcome:
        case Delivered():
            return "delivered"
        case Temporary(maybe_accepted=True):
            return "unknown"
        case Temporary() | Declined():
            return "deferred"
        case Refused():
            return "refused"
        case AccountFault():
            return "account_refused"
        case Withdrawn():
            return "withdrawn"

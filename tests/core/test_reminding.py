"""Which reviews of Access Lists somebody is reminded of, and by which message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from teleport_email.core.audits import DAY, WEEK, Audit
from teleport_email.core.claim import Claim
from teleport_email.core.decide import Audience, Plan, Policy, View
from teleport_email.core.ledger import Ledger
from teleport_email.core.model import (
    Content,
    Delivered,
    Kind,
    Refused,
    SendOutcome,
)
from teleport_email.core.reminding import ReminderView, audits_of, view_of

KEY = "access_list/teleport-email-owner-00"
DATE = datetime(2026, 12, 15, tzinfo=UTC)
OPENS = DATE - 2 * WEEK
ANN = "ann@example.com"


def audit(name: str = "one", due: datetime = DATE, opens: datetime = OPENS) -> Audit:
    return Audit(name, due, opens)


class Owner:
    """A ledger over time, claimed by one process after the other."""

    def __init__(self, *audits: Audit, to: tuple[str, ...] = (ANN,)) -> None:
        self.data: dict[str, str] = {}
        self.audits = audits
        self.to = to
        self.mails: list[tuple[str, str, str]] = []
        """Recipient, Message-ID and text of all that was accepted, perhaps unknowingly."""
        self.roots: list[str] = []
        self._writes = 0

    @property
    def view(self) -> ReminderView:
        return view_of(KEY, self.to, self.audits)

    @property
    def ledger(self) -> Ledger:
        return Claim(KEY, "x").read(self.data).ledger

    def plan(self, now: datetime) -> Plan:
        return Claim(KEY, "x").read(self.data).plan(self.view, Audience(), Policy(), now)

    def look(self, now: datetime, *outcomes: SendOutcome) -> list[str]:
        """All that one process does at ``now``; ``outcomes`` of its sends, delivered by default. What was sent."""
        left = list(outcomes)
        self._writes += 1
        claim = Claim(KEY, f"process {self._writes}").read(self.data)
        sent: list[str] = []

        def render(kind: Kind, view: View, ledger: Ledger) -> Content:
            names = " ".join(one.list_name for one in audits_of(view, ledger, kind))
            return Content("s", f"{names} at {now:%d %H:%M}", "", now, "b", "f@example.com")

        for _ in range(20):
            self._writes += 1
            attempt = claim.next_write(
                self.view,
                claim.plan(self.view, Audience(), Policy(), now),
                write_id=str(self._writes),
                nonce=f"{self._writes:032x}",
                domain="example.com",
                now=0.0,
                room=8,
                render=render,
            )
            if attempt is None:
                return sent
            assert all(self.data.get(key, "") == value for key, value in attempt.write.expect.items())
            claim = claim.issued(attempt).written(attempt)
            self.data = attempt.write.after
            dues, claim = claim.begin()
            for due, mail in claim.mails(dues).items():
                outcome = left.pop(0) if left else Delivered()
                if not isinstance(outcome, Refused) and getattr(outcome, "maybe_accepted", True):
                    self.mails.append((mail.recipient, mail.message_id, mail.content.text))
                    self.roots.append(mail.thread_root)
                sent.append(mail.content.text)
                claim = claim.finish(due, outcome, int(now.timestamp()))
        raise AssertionError("the work never ends")


def test_once_a_week_from_the_opening_and_once_a_day_from_the_date() -> None:
    owner = Owner(audit())
    told = [now for hour in range(24 * 20) if owner.look(now := OPENS + timedelta(hours=hour - 5))]
    assert told == [OPENS, OPENS + WEEK, *(DATE + DAY * day for day in range(6))]

"""When owners of Access Lists are reminded."""

from datetime import UTC, datetime, timedelta

import pytest

from teleport_email.core.audits import OWNER, Audit, next_step, owner_id, step_begin

DUE = datetime(2026, 12, 20, 9, 30, tzinfo=UTC)
TWO_WEEKS = Audit("ops", DUE, DUE - timedelta(weeks=2))
TEN_DAYS = Audit("ops", DUE, DUE - timedelta(days=10))
SECOND = timedelta(seconds=1)


def before(**time: float) -> datetime:
    return DUE - timedelta(**time)


@pytest.mark.parametrize(
    ("audit", "now", "begun", "following"),
    [
        (TWO_WEEKS, before(weeks=2, seconds=1), None, before(weeks=2)),
        (TWO_WEEKS, before(weeks=2), before(weeks=2), before(weeks=1)),
        (TWO_WEEKS, before(weeks=1, seconds=1), before(weeks=2), before(weeks=1)),
        (TWO_WEEKS, before(weeks=1), before(weeks=1), DUE),
        (TWO_WEEKS, before(seconds=1), before(weeks=1), DUE),
        # Weeks are counted from the opening, so the last one may be short.
        (TEN_DAYS, before(days=3, seconds=1), before(days=10), before(days=3)),
        (TEN_DAYS, before(days=2), before(days=3), DUE),
        (TWO_WEEKS, DUE, DUE, DUE + timedelta(days=1)),
        (TWO_WEEKS, DUE + timedelta(days=1) - SECOND, DUE, DUE + timedelta(days=1)),
        (TWO_WEEKS, DUE + timedelta(days=40, hours=5), DUE + timedelta(days=40), DUE + timedelta(days=41)),
    ],
)
def test_weekly_from_the_opening_and_daily_from_the_date(
    audit: Audit, now: datetime, begun: datetime | None, following: datetime
) -> None:
    assert step_begin(audit, now) == begun
    assert next_step(audit, now) == following


def test_a_window_that_opens_at_the_date_has_no_weekly_step() -> None:
    audit = Audit("ops", DUE, DUE)
    assert step_begin(audit, DUE - SECOND) is None
    assert step_begin(audit, DUE) == DUE


def test_an_owner_s_reminders_are_kept_under_a_name_that_tells_nobody_the_address() -> None:
    name = owner_id("alice@example.com")
    assert name.startswith(OWNER)
    assert len(name.removeprefix(OWNER)) == 32
    assert "alice" not in name
    assert name == owner_id("alice@example.com") != owner_id("bob@example.com")


def test_known_to_be_empty_is_not_the_same_as_unknown() -> None:
    assert Audit("ops", DUE, DUE, members=0, member_lists=0).is_empty
    assert not Audit("ops", DUE, DUE, members=0, member_lists=None).is_empty
    assert not Audit("ops", DUE, DUE, members=0, member_lists=2).is_empty

"""When a rule counts: shifts, their ends, zones, and what can never match."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from teleport_email.core.model import AccessMonitoringRule, AccessRequest, Schedule, Shift
from teleport_email.routing.rules import Surroundings, compile_rule


def rule(*schedules: Schedule, condition: str = "true") -> AccessMonitoringRule:
    named = {str(number): schedule for number, schedule in enumerate(schedules)}
    return AccessMonitoringRule("r", ("access_request",), condition, "email", ("a@x.com",), schedules=named)


def made(text: str | None) -> Surroundings:
    created = None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
    return Surroundings(AccessRequest("1", "ann", ("dev",), created=created))


def shift(weekday: str, start: str, end: str, zone: str = "") -> Schedule:
    return Schedule((Shift(weekday, start, end),), zone)


MONDAY = shift("Monday", "08:30", "17:00")


@pytest.mark.parametrize(
    ("schedule", "created", "matches"),
    [
        # 2026-11-30 is a Monday.
        (MONDAY, "2026-11-30T08:29:59.999999", False),
        (MONDAY, "2026-11-30T08:30:00", True),
        (MONDAY, "2026-11-30T17:00:00", True),
        (MONDAY, "2026-11-30T17:00:00.000001", False),
        (MONDAY, "2026-12-01T09:00:00", False),
        (shift("Monday", "8:30", "17:00"), "2026-11-30T08:30:00", True),
        (shift("Monday", "00:00", "23:59"), "2026-11-30T23:59:00", True),
        (shift("Monday", "00:00", "23:59"), "2026-11-30T23:59:01", False),
        (shift("Monday", "12:00", "12:00"), "2026-11-30T12:00:00", True),
        # Over midnight it never matches, on neither side.
        (shift("Monday", "22:00", "06:00"), "2026-11-30T23:00:00", False),
        (shift("Monday", "22:00", "06:00"), "2026-12-01T05:00:00", False),
        # The day and the time are those of the zone: Sunday evening in New York is Monday in UTC.
        (shift("Sunday", "22:00", "23:59", "America/New_York"), "2026-11-30T03:30:00", True),
        (shift("Monday", "03:00", "04:00", "America/New_York"), "2026-11-30T03:30:00", False),
        (shift("Tuesday", "05:00", "06:00", "Asia/Kolkata"), "2026-11-30T23:45:00", True),
        # Winter and summer time.
        (shift("Monday", "09:00", "10:00", "Europe/Lisbon"), "2026-11-30T09:30:00", True),
        (shift("Monday", "09:00", "10:00", "Europe/Lisbon"), "2026-07-06T08:30:00", True),
        (shift("Monday", "09:00", "10:00", "Europe/Lisbon"), "2026-07-06T09:30:00", False),
        # The hour that comes twice (2026-10-25, 01:00 UTC in Berlin): from its first beginning to its last.
        (shift("Sunday", "02:30", "03:30", "Europe/Berlin"), "2026-10-25T00:29:00", False),
        (shift("Sunday", "02:30", "03:30", "Europe/Berlin"), "2026-10-25T00:45:00", True),
        (shift("Sunday", "02:30", "03:30", "Europe/Berlin"), "2026-10-25T01:10:00", True),
        # What never matches.
        (Schedule(), "2026-11-30T12:00:00", False),
        (shift("monday", "00:00", "23:59"), "2026-11-30T12:00:00", False),
        (shift("Mon", "00:00", "23:59"), "2026-11-30T12:00:00", False),
        (MONDAY, None, False),
    ],
)
def test_a_shift_and_the_time_of_a_request(schedule: Schedule, created: str | None, matches: bool) -> None:
    verdict = compile_rule(rule(schedule)).judge(made(created))
    assert (verdict.matched, verdict.faulty) == (matches, False)


def test_any_schedule_suffices_and_none_means_always() -> None:
    both = compile_rule(rule(MONDAY, shift("Tuesday", "00:00", "01:00")))
    assert both.judge(made("2026-11-30T09:00:00")).matched
    assert both.judge(made("2026-12-01T00:30:00")).matched
    assert not both.judge(made("2026-12-01T09:00:00")).matched
    assert compile_rule(rule()).judge(made(None)).matched


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (shift("Monday", "08:30", "17:00", "Europe/Lissabon"), 'there is no time zone "Europe/Lissabon"'),
        (shift("Monday", "08:30", "17:00", "Europe"), 'no time zone "Europe"'),
        (shift("Monday", "08:30", "17:00", "../../etc/passwd"), "no time zone"),
        (shift("Monday", "08:30", "24:00"), 'shift 1: end "24:00" is no time like 08:30'),
        (shift("Monday", "08:60", "17:00"), 'shift 1: start "08:60"'),
        (shift("Monday", "", "17:00"), 'start ""'),
        (shift("Monday", "8", "17:00"), 'start "8"'),
        (shift("Monday", "08:30:00", "17:00"), "start"),
        (shift("Monday", "٠٨:٣٠", "17:00"), "start"),
    ],
)
def test_what_cannot_be_read_makes_the_whole_rule_not_match(schedule: Schedule, words: str) -> None:
    verdict = compile_rule(rule(shift("Monday", "00:00", "23:59"), schedule)).judge(
        made("2026-11-30T09:00:00")
    )
    assert (verdict.matched, verdict.faulty) == (False, True)
    assert verdict.why.startswith("its schedule cannot be read: ")
    assert words in verdict.why


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(), 'schedule "0" has no shift, so it never matches'),
        (shift("Mon", "08:30", "17:00"), 'weekday "Mon" is none of Monday, '),
        (
            shift("Monday", "22:00", "06:00"),
            "ends (06:00) before it begins (22:00), and none goes over midnight",
        ),
    ],
)
def test_a_shift_that_can_never_match_is_remarked(schedule: Schedule, words: str) -> None:
    compiled = compile_rule(rule(schedule))
    assert not compiled.faulty
    [remark] = compiled.remarks
    assert words in remark


def test_the_schedule_is_looked_at_before_the_condition() -> None:
    compiled = compile_rule(rule(MONDAY, condition='user.traits["team"].contains("red")'))
    assert not compiled.judge(made("2026-12-01T09:00:00")).faulty
    assert compiled.judge(made("2026-11-30T09:00:00")).faulty


@pytest.mark.parametrize(
    ("schedules", "created", "words"),
    [
        ([MONDAY], "2026-12-01T09:00:00", "next: Monday 2026-12-07, 08:30 to 17:00 (UTC)"),
        ([MONDAY], "2026-11-30T08:00:00", "next: Monday 2026-11-30, 08:30 to 17:00 (UTC)"),
        ([MONDAY], "2026-11-30T18:00:00", "next: Monday 2026-12-07, 08:30"),
        (
            [MONDAY, shift("Sunday", "22:00", "23:59", "America/New_York")],
            "2026-12-05T09:00:00",
            "next: Sunday 2026-12-06, 22:00 to 23:59 (America/New_York)",
        ),
        ([Schedule()], "2026-11-30T18:00:00", "which has no shift at all"),
    ],
)
def test_it_says_when_it_would_be(schedules: list[Schedule], created: str, words: str) -> None:
    verdict = compile_rule(rule(*schedules)).judge(made(created))
    assert verdict.why.startswith("not in its schedule")
    assert words in verdict.why

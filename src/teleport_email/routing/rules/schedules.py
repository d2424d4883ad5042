"""The schedules of a rule: was a request made in one of their shifts, and when is the next one? Pure.

As Teleport does it: any schedule of the map suffices, and none at all means always. The moment that counts is
the request's creation, in the schedule's zone. Both ends of a shift are the beginning of their minute, so one
that ends at 23:59 leaves out the last 59 seconds of the day; and none goes over midnight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from teleport_email.core.errors import ConditionError
from teleport_email.core.model import Schedule, Shift

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIME = re.compile(r"(\d{1,2}):(\d\d)", re.ASCII)


class _Turn(Struct, frozen=True):
    """A shift that can match, in its zone."""

    zone: ZoneInfo
    weekday: int
    start: time
    end: time

    def on(self, day: date) -> tuple[datetime, datetime]:
        """Its two ends on a day, in UTC: two times of one zone would be compared without their offsets."""
        start, end = (
            datetime.combine(day, each, self.zone).astimezone(UTC) for each in (self.start, self.end)
        )
        return start, end


class Schedules(Struct, frozen=True):
    """The shifts of all schedules together. ``oddities``: shifts that can never match, and why."""

    turns: tuple[_Turn, ...] = ()
    oddities: tuple[str, ...] = ()

    def hold(self, moment: datetime | None) -> bool:
        """Whether ``moment`` (UTC) is in a shift; None never is."""
        if moment is None:
            return False
        for turn in self.turns:
            day = moment.astimezone(turn.zone).date()
            if day.weekday() != turn.weekday:
                continue
            start, end = turn.on(day)
            if start <= moment <= end:
                return True
        return False

    def next_after(self, moment: datetime) -> str:
        """The next shift that begins after ``moment`` (UTC), in words; empty when there is none."""
        coming = [
            (start, turn)
            for turn in self.turns
            for day in _days(moment.astimezone(turn.zone).date())
            if day.weekday() == turn.weekday and (start := turn.on(day)[0]) > moment
        ]
        if not coming:
            return ""
        start, turn = min(coming, key=lambda each: each[0])
        local = start.astimezone(turn.zone)
        day = f"{WEEKDAYS[local.weekday()]} {local:%Y-%m-%d}"
        return f"{day}, {local:%H:%M} to {turn.end:%H:%M} ({turn.zone.key})"


def read(schedules: Mapping[str, Schedule]) -> Schedules:
    """What the schedules of a rule mean. ``ConditionError`` names a zone or time that cannot be read."""
    turns: list[_Turn] = []
    oddities: list[str] = []
    for name, schedule in sorted(schedules.items()):
        zone = _zone(schedule.timezone, f'schedule "{name}"')
        if not schedule.shifts:
            oddities.append(f'schedule "{name}" has no shift, so it never matches')
        for number, shift in enumerate(schedule.shifts, 1):
            where = f'schedule "{name}", shift {number}'
            start, end = _time(shift.start, f"{where}: start"), _time(shift.end, f"{where}: end")
            if odd := _oddity(shift, start, end):
                oddities.append(f"{where} never matches: {odd}")
            else:
                turns.append(_Turn(zone, WEEKDAYS.index(shift.weekday), start, end))
    return Schedules(tuple(turns), tuple(oddities))


def _oddity(shift: Shift, start: time, end: time) -> str:
    if shift.weekday not in WEEKDAYS:
        return f'weekday "{shift.weekday}" is none of {", ".join(WEEKDAYS)}'
    if start > end:
        return f"it ends ({shift.end}) before it begins ({shift.start}), and none goes over midnight"
    return ""


def _zone(name: str, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConditionError(f'{where}: there is no time zone "{name}"') from None


def _time(text: str, where: str) -> time:
    match = _TIME.fullmatch(text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ConditionError(f'{where} "{text}" is no time like 08:30')
    return time(int(match[1]), int(match[2]))


def _days(first: date) -> Iterator[date]:
    """A week, and its first day once more: of that one only a part is left."""
    for days in range(8):
        yield first + timedelta(days=days)

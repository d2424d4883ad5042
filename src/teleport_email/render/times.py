"""Times as people read them: in their zone with its UTC offset, and relative to the message's own date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from msgspec import Struct

MINUTE = 60
HOUR = 60 * MINUTE
# Not by strftime, which asks the locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Moment(Struct, frozen=True):
    """A point in time for a template. ``str()`` gives ``2026-11-22 19:21 UTC+01:00``."""

    date: str
    """``2026-11-22``"""
    time: str
    """``19:21``"""
    offset: str
    """``UTC``, ``UTC+01:00``"""
    iso: str
    """``2026-11-22T19:21:07+01:00``"""
    short: str
    """``22 Nov 26 19:21 CET``, as the Go plugin writes the time of a review."""
    span: str
    """Time between this and the message's date, without a sign: ``3 h``, ``2 d 4 h``."""
    past: bool
    """Whether it lies before the message's date."""
    just_now: bool
    """Less than a minute away, either side."""

    def __str__(self) -> str:
        return f"{self.date} {self.time} {self.offset}"


def zone(name: str) -> tzinfo:
    """The time zone of that name; UTC when there is none such (the configuration's check has told that)."""
    if name.upper() == "UTC":
        return UTC  # needs no time zone data on the machine
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return UTC


def moment(at: datetime, *, now: datetime, zone: tzinfo) -> Moment:
    """``at`` in ``zone`` and relative to ``now``, both aware."""
    try:
        local = at.astimezone(zone)
    except OverflowError:  # a time at the very end of the calendar has no local form in some zones
        local = at.astimezone(UTC)
    seconds = (at - now).total_seconds()
    iso = local.isoformat(timespec="seconds")
    date, time = iso[:10], iso[11:16]
    return Moment(
        date=date,
        time=time,
        offset=_offset(local.utcoffset()),
        iso=iso,
        short=f"{date[8:]} {_MONTHS[local.month - 1]} {date[2:4]} {time} {local.tzname() or 'UTC'}",
        span=span(abs(seconds)),
        past=seconds < 0,
        just_now=abs(seconds) < MINUTE,
    )


def span(seconds: float) -> str:
    """A length of time in its two largest units: ``45 min``, ``3 h``, ``3 h 20 min``, ``2 d 4 h``."""
    minutes = round(seconds / MINUTE)
    if minutes < 60:
        return f"{max(minutes, 1)} min"
    if minutes < 24 * 60:
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / HOUR), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _offset(offset: timedelta | None) -> str:
    if not offset:
        return "UTC"
    sign = "-" if offset < timedelta() else "+"
    hours, minutes = divmod(round(abs(offset).total_seconds() / MINUTE), 60)
    return f"UTC{sign}{hours:02}:{minutes:02}"

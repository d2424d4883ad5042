"""What Go's ``strings`` and ``time`` packages do with text, on bytes. Pure.

Python's own methods differ in corners: ``"ß".upper()`` is two letters, an empty separator is an error, and
``fromisoformat`` takes much that RFC 3339 does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from teleport_email.core.errors import ConditionError
from teleport_email.routing.rules.kinds import Instant, Work

_RFC3339 = re.compile(
    rb"(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)
_DAYS_BEFORE_1970 = 719_468  # from 1 March of the year 0
_SECOND = 10**9


def upper(text: bytes) -> bytes:
    """In capitals, character by character."""
    return text.upper() if text.isascii() else _mapped(text, _simple_upper)


def lower(text: bytes) -> bytes:
    """In small letters, character by character."""
    return text.lower() if text.isascii() else _mapped(text, _simple_lower)


def replace_all(text: bytes, old: bytes, new: bytes, work: Work) -> bytes:
    """Every ``old`` replaced; an empty ``old`` is found before each character and at the end."""
    if old:
        work.charge(len(text) + text.count(old) * len(new))
        return text.replace(old, new)
    characters = list(_characters(text))
    work.charge(len(text) + len(characters) * (len(new) + Work.ITEM))
    return new + b"".join(character + new for character in characters)


def split(text: bytes, separator: bytes) -> list[bytes]:
    """The parts between separators; an empty separator splits into characters."""
    return text.split(separator) if separator else list(_characters(text))


def rfc3339(text: bytes) -> Instant:
    """The moment that ``text`` names, as Go's ``time.Parse(time.RFC3339, ...)`` reads it.

    It is a little laxer than the RFC: an hour of one digit, a comma before the fraction. No leap seconds.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise _no_time(text)
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    zone_hours, zone_minutes = int(match[9] or 0), int(match[10] or 0)
    if not (
        1 <= month <= 12
        and 1 <= day <= _days_of(year, month)
        and hour < 24
        and minute < 60
        and second < 60
        and zone_hours <= 24  # as lax as Go: "some people do write offsets of 24 hours or 60 minutes"
        and zone_minutes <= 60
    ):
        raise _no_time(text)
    fraction = int((match[7] or b"")[:9].ljust(9, b"0"))
    offset = (zone_hours * 60 + zone_minutes) * 60 * (-1 if match[8] == b"-" else 1)
    seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset
    return Instant(seconds * _SECOND + fraction)


def days_since_1970(year: int, month: int, day: int) -> int:
    """Days in the proleptic Gregorian calendar; the year may be 0, which ``datetime`` does not have."""
    # Years that begin in March have the leap day at their end.
    year -= month < 3
    days_before_month = (153 * ((month + 9) % 12) + 2) // 5
    leap_days = year // 4 - year // 100 + year // 400
    return year * 365 + leap_days + days_before_month + day - 1 - _DAYS_BEFORE_1970


def _days_of(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _no_time(text: bytes) -> ConditionError:
    return ConditionError(f"{text.decode(errors='replace')[:60]!r} is no time like 2006-01-02T15:04:05Z")


def _characters(text: bytes) -> Iterator[bytes]:
    """The UTF-8 characters; a byte that belongs to none stands alone."""
    for character in text.decode(errors="surrogateescape"):
        yield character.encode(errors="surrogateescape")


def _mapped(text: bytes, change: Callable[[str], str]) -> bytes:
    # Go writes U+FFFD for each byte that is no part of a character; that is what surrogates stand for here.
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if "\ud800" <= character <= "\udfff" else change(character)
        for character in text.decode(errors="surrogateescape")
    ).encode()


def _simple_upper(character: str) -> str:
    """Unicode's simple mapping, one character for one; Python has the full one (``ß`` to ``SS``)."""
    if len(capital := character.upper()) == 1:
        return capital
    # The Greek letters with iota below have a capital of one character, which Python calls their title.
    return title if len(title := character.title()) == 1 else character


def _simple_lower(character: str) -> str:
    return character.lower()[0]  # only the Turkish dotted capital I has more than one

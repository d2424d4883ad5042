"""One reading of what strangers send as JSON, numbers and dates: a value, or one error of our own. Pure.

The standard library raises what comes: ``RecursionError`` for ``[[[[``, ``OverflowError`` for a number with
400 digits or a date in the year 10^23, ``ValueError`` for one with 5,000. It makes infinity of ``1e999``,
takes the last of two values of one name, and lets in halves of characters that cannot be written down again.
Callers know only :class:`Unreadable`.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import msgspec

LONGEST_DATE = 100
"""Characters; RFC 9110's dates have 29."""
LONGEST_NUMBER = 20
"""Characters: more than any number of seconds or bytes that means something."""
LONGEST_INTEGER = 100
"""Characters; no id has as many. With a few hundred it is no float any more."""

# From the left, so that an escaped backslash begins nothing. The group: half of a character by itself.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class Unreadable(ValueError):
    """What came is not what was asked for. The text says what is wrong and never quotes it."""


def json_value(text: str | bytes) -> Any:
    """Any JSON value in UTF-8; each name of an object once, no numbers that are none (NaN, Infinity, 1e999).

    Halves of characters are read as U+FFFD, as Go does. Raises :class:`Unreadable`.
    """
    try:
        read = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        if r"\ud" in read or r"\uD" in read:  # else no half of a character is written as an escape
            read = _ESCAPE.sub(lambda found: r"\ufffd" if found[1] else found[0], read)
        return json.loads(
            read,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_integer,
            object_pairs_hook=_unique,
        )
    except json.JSONDecodeError as error:
        raise Unreadable(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8") from None
    except RecursionError:
        raise Unreadable("is no JSON: nested too deeply") from None


def json_bytes(value: Any) -> bytes:
    """Compact JSON in UTF-8, to the byte as the standard library writes it, in an eighth of its time."""
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError):  # halves of characters, or a kind of string
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass")


def json_object(text: str | bytes) -> dict[str, Any]:
    """As :func:`json_value`, but only an object. Raises :class:`Unreadable`."""
    value = json_value(text)
    if not isinstance(value, dict):
        raise Unreadable("is no JSON object")
    return value


def number(value: object, most: float) -> float:
    """A number, or the digits of one, from 0 to ``most``. Raises :class:`Unreadable`."""
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER:
        try:
            value = float(value)
        except ValueError:
            raise Unreadable("is no number") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable("is no number")
    # Compared before it is converted: an int can be too large for a float.
    if not 0 <= value <= most:  # also false for NaN
        raise Unreadable("is no number that means something")
    return float(value)


def whole_number(text: str) -> int:
    """A number of ASCII digits, as in headers and replies. Raises :class:`Unreadable`."""
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise Unreadable("is no number")
    return int(text)


def http_date(text: str) -> datetime:
    """A date of a header, in UTC where it names no zone. Raises :class:`Unreadable`."""
    if len(text) > LONGEST_DATE:
        raise Unreadable("is no date")
    try:
        then = parsedate_to_datetime(text)
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        # A zone at the end of time: seen only where it is computed with.
        if not math.isfinite(then.timestamp()):
            raise Unreadable("is no date")
    except (ValueError, TypeError, IndexError, OverflowError, RecursionError):
        raise Unreadable("is no date") from None
    return then


def _no_constant(_: str) -> NoReturn:
    raise Unreadable("is no JSON: a number that cannot be read")


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _no_constant(digits)


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= LONGEST_INTEGER else _no_constant(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """What the one reader takes the first of and the other the last means nothing."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise Unreadable("has a name twice in one object")
    return value

"""Durations as Go writes them: ``1m``, ``90s``, ``1h30m``, ``1.5h``, ``0``. Pure."""

from __future__ import annotations

import re

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,  # U+00B5, the micro sign
    "μs": 1e-6,  # U+03BC, the Greek letter: Go takes both
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
# Go counts nanoseconds in an int64; what it cannot hold (292 years) is a slip of the pen.
_LONGEST = (2**63 - 1) / 1e9
# Enough for any sensible duration; keeps hostile input cheap.
_MAX_CHARACTERS = 64


def parse_duration(text: str) -> float:
    """Seconds of a duration in Go's form (``time.ParseDuration``), never negative.

    Raises ``ValueError`` with a sentence for people.
    """
    if text == "0":
        return 0.0
    if not text:
        raise ValueError('is empty: write a duration such as "90s", "10m" or "1h30m"')
    if text.startswith("-"):
        raise ValueError("must not be negative")
    rest = text.removeprefix("+")
    total = 0.0
    position = 0
    while position < len(rest) and len(rest) <= _MAX_CHARACTERS:
        part = _PART.match(rest, position)
        if part is None:
            break
        total += float(part[1]) * _UNITS[part[2]]
        position = part.end()
    if not rest or position < len(rest):
        hint = " (a unit is missing)" if re.fullmatch(r"[0-9.]+", rest) else ""
        raise ValueError(f'is not a duration{hint}: write it such as "90s", "10m" or "1h30m"')
    if total > _LONGEST:
        raise ValueError("is longer than 292 years")
    return total


def format_duration(seconds: float) -> str:
    """A duration for people and for files: ``1h30m``, ``45s``, ``0s``; whole seconds, rounded."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if count]
    return "".join(parts) or "0s"

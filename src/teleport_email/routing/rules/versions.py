"""``newer_than``, ``older_than`` and ``between`` of semantic versions (semver.org, 2.0.0). Pure."""

from __future__ import annotations

import re

from teleport_email.core.errors import ConditionError

_NUMBER = r"(?:0|[1-9]\d*)"
_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(
    rf"v?(?P<numbers>{_NUMBER}\.{_NUMBER}\.{_NUMBER})(?:-(?P<early>{_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?",
    re.ASCII,
)
_LONGEST = 256
"""Bytes: far more than any version has, and its numbers stay quick to read."""

_Key = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


def newer(version: bytes, other: bytes) -> bool:
    """Whether ``version`` comes after ``other``."""
    return _key(version) > _key(other)


def older(version: bytes, other: bytes) -> bool:
    """Whether ``version`` comes before ``other``."""
    return _key(version) < _key(other)


def between(version: bytes, *limits: bytes) -> bool:
    """Whether ``version`` is the first limit or later, and before the second."""
    if len(limits) != 2:
        raise ConditionError(f"between takes two limits, not {len(limits)}")
    first, last = map(_key, limits)
    return first <= _key(version) < last


def _key(text: bytes) -> _Key:
    """What orders versions: what is behind a plus counts for nothing."""
    match = _VERSION.fullmatch(text.decode(errors="replace")) if len(text) <= _LONGEST else None
    early = match["early"] if match else None
    identifiers = early.split(".") if early else []
    if match is None or any(part.isdigit() and part != "0" and part[0] == "0" for part in identifiers):
        raise ConditionError(f"{text.decode(errors='replace')[:60]!r} is no version like 17.2.1")
    numbers = tuple(map(int, match["numbers"].split(".")))
    # A version without identifiers comes after all that have some, a number before any word.
    return (
        numbers,
        not identifiers,
        tuple((False, int(part), "") if part.isdigit() else (True, 0, part) for part in identifiers),
    )

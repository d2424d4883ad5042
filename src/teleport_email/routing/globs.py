"""Globs for roles and domains: ``*`` is any text, ``?`` is one character, everything else is itself.

Pure, and linear enough for hostile names: no regular expression, no backtracking beyond the last star.
"""

from __future__ import annotations

from collections.abc import Iterable

WILD = "*?"


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of ``text`` fits ``pattern``; case-sensitive."""
    at, position = 0, 0
    star, resume = -1, 0
    while position < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, position
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[position]):
            at += 1
            position += 1
        elif star >= 0:
            # Let the last star take one character more; earlier stars never need another look.
            resume += 1
            at, position = star + 1, resume
        else:
            return False
    return all(character == "*" for character in pattern[at:])


def is_glob(pattern: str) -> bool:
    """Whether ``pattern`` has a wildcard at all."""
    return any(character in WILD for character in pattern)


def most_specific(patterns: Iterable[str], text: str) -> str | None:
    """The pattern that says most about ``text``, or ``None`` when none fits.

    The text itself comes first, then more literal characters, then fewer stars, then the alphabet, so that
    the answer never depends on the order of the configuration file.
    """
    fitting = [pattern for pattern in patterns if pattern == text or matches(pattern, text)]
    return min(fitting, key=lambda pattern: (pattern != text, *_vagueness(pattern)), default=None)


def _vagueness(pattern: str) -> tuple[int, int, str]:
    literal = sum(character not in WILD for character in pattern)
    return (-literal, pattern.count("*"), pattern)

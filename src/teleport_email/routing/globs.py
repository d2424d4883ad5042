"""Globs for roles and domains: ``*`` is any text, ``?`` is one character, everything else is itself.

Pure, and quick for hostile names too: ``fnmatch`` never goes back beyond the last star.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

WILD = "*?"


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of ``text`` fits ``pattern``; case-sensitive."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))  # fnmatch's sets of characters are not ours


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

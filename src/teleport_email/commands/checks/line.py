"""One line of what a check found. Pure."""

from __future__ import annotations

import enum

from msgspec import Struct


class Level(enum.StrEnum):
    """How good it is."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    FAULT = "fault"


class Line(Struct, frozen=True):
    """What was looked at, what was found, and what to do about it."""

    level: Level
    area: str
    """``configuration``, ``files``, ``identity``, ``clock``, ``cluster``, ``permissions``, ``watch``,
    ``requests``, ``rules``, ``access lists``, ``mail``."""
    what: str
    todo: tuple[str, ...] = ()
    """What to do, a line each; lines of YAML keep their indentation."""


def ok(area: str, what: str) -> Line:
    """All is well."""
    return Line(Level.OK, area, what)


def note(area: str, what: str, *todo: str) -> Line:
    """It works; there could be more."""
    return Line(Level.NOTE, area, what, todo)


def warning(area: str, what: str, *todo: str) -> Line:
    """It works, but."""
    return Line(Level.WARNING, area, what, todo)


def fault(area: str, what: str, *todo: str) -> Line:
    """It does not work."""
    return Line(Level.FAULT, area, what, todo)

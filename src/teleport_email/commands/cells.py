"""Foreign text on a terminal: one way for every cell and line that a command prints. Pure.

Users choose names, roles and reviewers, servers their answers, and a ledger can hold anything. None of it may
begin a line, move the cursor or push everything else off the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from teleport_email.core import redaction
from teleport_email.render.quoting import clean

LONGEST = 1000
"""Characters of one cell: more than any sentence of ours, and a screen at most."""
_LOOKED_AT = 20_000  # characters: bounds the work, as in ``clean``
WIDEST = 60
"""Columns that a cell pads the others of its column to: one very long name must not push all else away."""


def cell(text: object) -> str:
    """``text`` as one harmless line: blanks are single, what is invisible or moves the cursor is gone."""
    line = " ".join(clean(redaction.hide_in_ours(str(text)[:_LOOKED_AT])).split())
    if not line.isprintable():  # what a newer Unicode than Python's may make of it is not known
        line = "".join(char if char.isprintable() else "\ufffd" for char in line)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def indented(text: str) -> str:
    """The same for a line whose indentation has a meaning (YAML)."""
    return " " * min(len(text) - len(text.lstrip(" ")), WIDEST) + cell(text)


def columns(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The rows, each cell made harmless, under each other in columns with two blanks in between."""
    shown = [[cell(each) for each in row] for row in rows]
    widths = [min(max(map(len, column)), WIDEST) for column in zip(*shown, strict=True)]
    for row in shown:
        padded = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        yield "  ".join(padded).rstrip()

"""What to write in place of what is no TOML. Pure.

In: the text, and what the parser says about which line. Out: the line, and a hint to end its words with. The
values of the file are never repeated: one may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from teleport_email.config.tables import BACKSLASH, quoted

_KEY = re.compile(r"\s*(?P<key>[^\"'=#\[\]]*[^\"'=#\[\]\s])\s*=")
_IN_QUOTES = 'text goes in "double quotes", each of a list, too'
_ESCAPE = re.compile(r"unescaped '\\'|invalid hex value|escaped character is not")
_AFTER = (
    (r"\s*,", "several go in [square brackets]"),
    (r"\s*(?:;|//)", "a comment begins with #"),
    (r"""(?<=["'])\S""", "a quote inside of a text: put the whole text in the other kind of quotes"),
    (r"\s*[^\s=]+\s*=", "one key a line"),
    (r"", _IN_QUOTES),
)
"""What stands where a line should end, and what to write."""


def explain(text: str, said: str, line: int, column: int) -> tuple[int, str]:
    """The line (from 1) to look at, and `` ; what to write``, or nothing where that is not known.

    ``said``: the parser's words; ``line`` and ``column`` where it gave up, from 1.
    """
    lines = text.split("\n")
    said = said.lower()
    at = lines[line - 1] if line <= len(lines) else ""
    if said == 'expected "\'"':  # it looks for the other quote up to the end of the file
        line = _unclosed(lines, line)
        return line, "; a single quote is not closed"
    hint = _hint(said, at, column)
    return line, f"; {hint}" if hint else ""


def _hint(said: str, at: str, column: int) -> str:
    rest = at[column - 1 :]
    if said == "invalid statement":
        if at.strip().startswith(("*", "?")):
            return f"write {quoted(_key(at) or '*')} in quotes"
        return "a comment begins with #" if rest.startswith((";", "/")) else ""
    if said.startswith(("expected '=' after a key", "invalid initial character for a key")):
        key = _key(at)
        if key:
            return f"write {quoted(key)} in quotes"
        return "a section is [name] on a line of its own, all else key = value"
    if _ESCAPE.match(said):
        return BACKSLASH
    if said.startswith("illegal character"):
        return BACKSLASH if at.rstrip().endswith('\\"') else "a double quote is not closed"
    if said == "unterminated string":
        return 'three quotes (""") begin a text of many lines, and three end it'
    if said == "unclosed array":
        return "a [ is not closed: write ] at the end of the list, and commas between its texts"
    if said == "invalid value":
        return _value(rest)
    if said.startswith("expected newline or end"):
        return next(what for found, what in _AFTER if re.compile(found).match(at, column - 1))
    if said.startswith("cannot declare"):
        return "this section is there twice: put all its keys under one"
    if said.startswith("cannot overwrite"):
        return 'it is there twice, or a name with a dot needs quotes: "prod.db"'
    return ""


def _key(at: str) -> str:
    """What stands in front of ``=`` without quotes."""
    found = _KEY.match(at)
    return found["key"] if found else ""


def _value(rest: str) -> str:
    """What to write in place of a value that is none."""
    if rest and rest[0] in "“”„‟‘’‚‛«»":
        return "quotes are the straight ones of programmers, \" or '"
    if rest.strip().lower() in ("true", "false", "yes", "no", "on", "off"):
        return "write true or false"
    return "a value is missing" if not rest.strip() or rest.startswith("#") else _IN_QUOTES


def _unclosed(lines: Sequence[str], line: int) -> int:
    """The last line above that opens a single quote and does not close it."""
    for number in range(min(line, len(lines)), 0, -1):
        if re.search(r"""=\s*\[?\s*'[^']*$""", lines[number - 1]):
            return number
    return line

"""``regexp.replace`` and ``regexp.match``: RE2 with Go's replacement syntax. Pure; RE2 is loaded when used.

RE2 is the engine whose syntax Go's ``regexp`` documents as its own, and like it works in linear time. Its
Python binding replaces in Python's syntax (``\\1``), so the loop of Go's ``ReplaceAllString`` is here.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from teleport_email.core.errors import ConditionError
from teleport_email.routing.rules.kinds import Work

if TYPE_CHECKING:
    from collections.abc import Mapping

# A pattern longer than this is no pattern that somebody wrote.
MAX_PATTERN = 4096
# For RE2's program and its cache of states: patterns of people take a tenth of it, and with RE2's own 8 MiB a
# condition full of patterns takes seconds to compile.
_MEMORY = 256 << 10
_COMPILING = 4_000
"""Units for a pattern, besides its length and program: the millisecond that RE2 takes at most otherwise."""
_CLASS = 500
"""Units for each class of Unicode in it, which is hundreds of ranges before memory counts."""
_STEP = 32
"""Instructions of a program that are one unit for each byte: where RE2 runs out of memory for its states it
takes all of them at each byte, in some 7 ns each."""
MAX_GROUPS = 32
"""With more of them RE2 keeps copies at each instruction: ``(a)*`` a thousand times takes ten seconds."""
_KEPT = 1024
"""Patterns that stay compiled: more than all rules of a cluster have."""
# The one escape that RE2 has and Go has not: a single byte, even in the middle of a character.
_ANY_BYTE = re.compile(rb"\\(?:Q.*?(?:\\E|\Z)|(?P<byte>C)|.)", re.DOTALL)
_MAX_GROUP_DIGITS = 9
"""Go reads longer numbers in ``$...`` as names."""
_NAME_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})


def replace_matching(
    items: frozenset[bytes], pattern: bytes, replacement: bytes, work: Work
) -> frozenset[bytes]:
    """What Teleport's ``regexp.replace`` gives: items without a match and empty results are dropped.

    Raises ``ConditionError`` for a pattern that Go would not take, and when it is too much work.
    """
    usable = _usable(pattern, work)
    if len(replacement) > MAX_PATTERN:
        raise ConditionError(f"a replacement of more than {MAX_PATTERN} bytes")
    results = set()
    for item in items:
        replaced = _replaced(usable, item, replacement, work)
        if replaced:
            results.add(replaced)
    return frozenset(results)


def any_matches(items: frozenset[bytes], pattern: bytes, work: Work) -> bool:
    """What Teleport's ``regexp.match`` gives: a pattern from ``^`` to ``$`` is RE2, any other a glob.

    Raises ``ConditionError`` as ``replace_matching`` does.
    """
    if is_whole(pattern):
        usable = _usable(pattern, work)
        return any(_search(usable, item, 0, work) is not None for item in items)
    work.charge(len(pattern) * Work.ITEM)
    if len(pattern) > MAX_PATTERN:
        raise ConditionError(f"a pattern of more than {MAX_PATTERN} bytes")
    return any(_fits(item, pattern.split(b"*"), work) for item in items)


def is_whole(pattern: bytes) -> bool:
    """Whether ``regexp.match`` takes it for a regular expression, and not for a glob."""
    return pattern.startswith(b"^") and pattern.endswith(b"$")


def _fits(text: bytes, parts: list[bytes], work: Work) -> bool:
    """Whether the parts stand in the text in their order, the first at its beginning, the last at its end."""
    work.charge((len(text) + Work.ITEM) * len(parts))
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return text == first
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for part in parts[1:-1]:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def _usable(pattern: bytes, work: Work) -> Any:
    """The compiled pattern. Raises ``ConditionError`` where there is none, and when it is too much work."""
    usable = work.patterns.get(pattern)
    if usable is None:
        usable = compiled(pattern, work)  # made by the condition from what a request says
    if isinstance(usable, str):
        raise ConditionError(usable)
    return usable


def compiled(pattern: bytes, work: Work) -> Any:
    """The pattern, or why there is none. Raises ``ConditionError`` when it is too much work.

    Charged as if it were compiled each time, so that the answer does not depend on what was asked before.
    """
    classes = pattern.count(b"\\p") + pattern.count(b"\\P")
    work.charge(_COMPILING + len(pattern) * Work.ITEM + classes * _CLASS)
    usable = _compiled(pattern)
    if not isinstance(usable, str):
        work.charge(usable.programsize)
    return usable


@functools.lru_cache(maxsize=_KEPT)
def _compiled(pattern: bytes) -> Any:
    """The pattern, or why there is none: each is compiled once, also those that do not."""
    import re2

    if len(pattern) > MAX_PATTERN:
        return f"a regular expression of more than {MAX_PATTERN} bytes"
    shown = pattern.decode(errors="replace")[:60]
    if any(match["byte"] for match in _ANY_BYTE.finditer(pattern)):
        return f"the regular expression {shown!r} has \\C, which Go does not know"
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        usable = re2.compile(pattern, options)
        if usable.groups > MAX_GROUPS:
            return f"the regular expression {shown!r} has more than {MAX_GROUPS} groups"
        return usable
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        return f"the regular expression {shown!r} is none: {text}"


def _replaced(pattern: Any, text: bytes, replacement: bytes, work: Work) -> bytes | None:
    """``text`` with every match replaced; ``None`` when there is none. As Go's ``ReplaceAllString``."""
    parts: list[bytes] = []
    position = last_end = 0
    found = False
    while position <= len(text):
        match = _search(pattern, text, position, work)
        if match is None:
            break
        found = True
        start, end = match.span()
        parts.append(text[last_end:start])
        # An empty match right behind another match is not replaced.
        if end > last_end or start == 0:
            parts.append(_expanded(replacement, match, work))
        last_end = end
        width = _width(text, position)
        position = end if end > position + max(width - 1, 0) else position + max(width, 1)
    if not found:
        return None
    parts.append(text[last_end:])
    return b"".join(parts)


def _search(pattern: Any, text: bytes, position: int, work: Work) -> Any:
    """The next match that begins between characters: RE2's ``\\B`` also holds inside one, Go's does not."""
    each = 1 + pattern.programsize // _STEP
    while True:
        work.charge((len(text) - position) * each + Work.ITEM)
        match = pattern.search(text, position)
        if match is None:
            return None
        boundary = _boundary(text, match.start())
        if boundary == match.start():
            return match
        position = boundary


def _boundary(text: bytes, position: int) -> int:
    """``position``, or the end of the UTF-8 character that it is inside of."""
    for back in range(1, min(3, position) + 1):
        if (width := _width(text, position - back)) > back:
            return position - back + width
    return position


def _width(text: bytes, position: int) -> int:
    """Bytes of the UTF-8 character at ``position``; 1 where there is no valid one, 0 at the end."""
    if position >= len(text):
        return 0
    for width in (1, 2, 3, 4):
        try:
            text[position : position + width].decode()
        except UnicodeDecodeError:
            continue
        return width
    return 1


def _expanded(template: bytes, match: Any, work: Work) -> bytes:
    """``template`` with ``$1``, ``${1}``, ``$name``, ``${name}`` and ``$$`` replaced, as Go's ``Expand``."""
    names: Mapping[bytes, int] = match.re.groupindex
    result = bytearray()
    work.charge(len(template))
    text = template.decode(errors="surrogateescape")
    while True:
        before, dollar, text = text.partition("$")
        result += before.encode(errors="surrogateescape")
        if not dollar:
            return bytes(result)
        if text.startswith("$"):
            result += b"$"
            text = text[1:]
            continue
        name, rest = _reference(text)
        if not name:
            result += b"$"
            continue
        text = rest
        group = _group_number(name)
        if group is None:
            group = names.get(name.encode(errors="surrogateescape"), -1)
        if 0 <= group <= match.re.groups:
            found = match.group(group) or b""
            work.charge(len(found) + Work.ITEM)
            result += found


def _reference(text: str) -> tuple[str, str]:
    """The name behind a ``$`` and what follows it; an empty name when there is none."""
    braced = text.startswith("{")
    start = end = 1 if braced else 0
    while end < len(text) and (text[end] == "_" or unicodedata.category(text[end]) in _NAME_CATEGORIES):
        end += 1
    if end == start or (braced and text[end : end + 1] != "}"):
        return "", text
    return text[start:end], text[end + 1 :] if braced else text[end:]


def _group_number(name: str) -> int | None:
    if not (name.isascii() and name.isdigit()) or (name[0] == "0" and len(name) > 1):
        return None
    return int(name) if len(name) <= _MAX_GROUP_DIGITS else None

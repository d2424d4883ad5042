"""One cut for every value of every log format. Pure.

In: an event as it was logged. Out: the same with values that a line can carry: whatever their kind, however
large or deep, in a time that does not depend on it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, MutableMapping, Set
from typing import Any, Final

from teleport_email.core import redaction

MAX_VALUE: Final = 2000
"""Characters of one value: longer is no fact but a payload; of the rest the length is told."""
MAX_ITEMS: Final = 20
"""Entries of a list or map: a line stays readable with thousands of roles."""
MAX_ITEM: Final = 200
"""Characters of one of them."""
MAX_LINES: Final = 60
"""Of an exception; the middle is left out, since its beginning and its end say what happened where."""
_LARGEST: Final = 2**63
"""JSON's readers take no larger number, and Python writes no number of more than 4,300 digits."""


def bounded(event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event with every value cut. ``exception`` is a text of several lines and stays one."""
    if _is_within(event):
        return event
    return {
        text(str(key)): _exception(value) if key == "exception" else _value(value)
        for key, value in event.items()
    }


def _is_within(event: MutableMapping[str, Any]) -> bool:
    """Whether there is nothing to cut and nothing to hide, looked at all at once: so are nearly all lines."""
    texts: list[str] = []
    for key, value in event.items():
        kind = type(value)
        if kind is str:
            texts.append(value)
        elif not (
            (kind is int and abs(value) < _LARGEST)
            or (kind is float and math.isfinite(value))
            or kind is bool
            or value is None
        ):
            return False
        if type(key) is not str or key == "exception":
            return False
    # No secret goes across a NUL: what is in none of the texts is not in all of them.
    whole = "\0".join([*event, *texts])
    return len(whole) <= MAX_VALUE and not redaction.may_be_in_ours(whole)


def text(whole: str, most: int = MAX_VALUE) -> str:
    """``whole`` without secrets, or its beginning and how long it was."""
    # Before the cut: half a secret is harder to know. Of what is very long only that which can be shown.
    if len(whole) > 2 * most:
        whole, length = whole[: 2 * most], len(whole)
        return f"{redaction.hide_in_ours(whole)[:most]}… ({length} characters)"
    whole = redaction.hide_in_ours(whole)
    return whole if len(whole) <= most else f"{whole[:most]}… ({len(whole)} characters)"


def _value(value: Any) -> Any:
    match value:
        case Mapping():
            pairs = itertools.islice(value.items(), MAX_ITEMS)
            shown = {text(_plain(key), MAX_ITEM): _scalar(each, MAX_ITEM) for key, each in pairs}
            return shown | ({"…": f"{len(value) - MAX_ITEMS} more"} if len(value) > MAX_ITEMS else {})
        case list() | tuple() | Set():
            items = [_scalar(each, MAX_ITEM) for each in itertools.islice(value, MAX_ITEMS)]
            items += [f"… {len(value) - MAX_ITEMS} more"] if len(value) > MAX_ITEMS else []
            return tuple(items) if isinstance(value, tuple) else items
        case _:
            return _scalar(value, MAX_VALUE)


def _scalar(value: Any, most: int) -> Any:
    match value:
        case str():
            return text(value, most)
        case None | bool():
            return value
        case int():
            return value if abs(value) < _LARGEST else f"a number of {value.bit_length()} bits"
        case float():
            return value if math.isfinite(value) else str(value)
        case bytes() | bytearray() | memoryview():
            return text(repr(bytes(value[: most + 1])), most)
        case Mapping() | list() | tuple() | Set():
            return f"… {len(value)} items"
        case _:
            return text(_plain(value), most)


def _plain(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - any object may be logged, and none may stop the daemon
        return f"{type(value).__name__} that cannot be shown ({type(error).__name__})"


def _exception(value: Any) -> str:
    lines = [text(line) for line in _plain(value).splitlines()]
    if len(lines) > MAX_LINES:
        half = MAX_LINES // 2
        lines[half:-half] = [f"… {len(lines) - 2 * half} lines"]
    return "\n".join(lines)

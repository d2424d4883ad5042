"""The latest warnings and errors, kept in memory for the status page. A processor of the log.

In: every log event. Out: the last few of them that somebody should know about, shortened, and without the
local parts of addresses: the page may be open to a network that the log is not.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

KEEP = 20
LONGEST = 300
"""Characters of a detail: enough for any sentence of ours and for what servers answer."""
_DETAILS = ("error", "fault", "reason", "hint", "skipped")
_LOCAL_PART = re.compile(r'(?:"[^"]*"|[^\s@<>"(),;:=]+)@')


class Problem(Struct, frozen=True):
    """One kind of trouble, and when it was met last."""

    at: datetime
    level: str
    event: str
    detail: str
    request: str
    """Id of the request that it came up with last, or nothing."""
    times: int = 1


def without_local_parts(text: str) -> str:
    """A text of a server's or of ours, shortened, in which no address names a person."""
    return _LOCAL_PART.sub("…@", text[: 4 * LONGEST])[:LONGEST]


class Problems:
    """The last :data:`KEEP` problems; the same one again only counts. Passes every event on unchanged."""

    def __init__(self, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._wall = wall
        self._kept: OrderedDict[tuple[str, str], Problem] = OrderedDict()

    def __call__(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Take note of an event, as structlog calls its processors."""
        level = str(event.get("level", ""))
        if level in ("warning", "error", "critical"):
            self._note(level, event)
        return event

    def latest(self) -> list[Problem]:
        """The newest first."""
        return list(reversed(self._kept.values()))

    def _note(self, level: str, event: MutableMapping[str, Any]) -> None:
        name = str(event.get("event", ""))[:LONGEST]
        detail = "; ".join(str(event[key]) for key in _DETAILS if event.get(key))
        if not detail and event.get("exception"):
            detail = str(event["exception"]).splitlines()[-1]
        detail = without_local_parts(detail)
        key = (name, detail)
        before = self._kept.pop(key, None)
        times = before.times + 1 if before else 1
        request = str(event.get("request", ""))[:LONGEST]
        self._kept[key] = Problem(self._wall(), level, name, detail, request, times)
        if len(self._kept) > KEEP:
            self._kept.popitem(last=False)

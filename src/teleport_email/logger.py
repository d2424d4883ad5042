"""What there is to say: events with their facts, from whoever says them to whoever writes them.

In: events. Out: the same with their level, to the listener of the process; until there is one, nowhere. Knows
no format and no file: those are of ``telemetry/log``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
"""``event`` (what happened, always in the same words), ``level`` and facts."""

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
"""As the standard library numbers them."""


def _nobody(_event: Event) -> None:
    return None


_listener: Callable[[Event], None] = _nobody
_least = 0


def listen(listener: Callable[[Event], None] = _nobody, least: str = "debug") -> None:
    """Hand everything from the level ``least`` on to ``listener``, who may change the events; also what those
    loggers say that were made before. Without arguments: to nobody.
    """
    global _listener, _least
    _listener, _least = listener, LEVELS[least]


class Logger:
    """Says events, each with the facts that this logger was made with."""

    __slots__ = ("_facts",)

    def __init__(self, **facts: Any) -> None:
        self._facts = facts

    def bind(self, **facts: Any) -> Logger:
        """One that adds these facts too."""
        return Logger(**(self._facts | facts))

    def debug(self, event: str, /, **facts: Any) -> None:
        """For whoever looks for a fault."""
        self.log("debug", event, **facts)

    def info(self, event: str, /, **facts: Any) -> None:
        """As it should be."""
        self.log("info", event, **facts)

    def warning(self, event: str, /, **facts: Any) -> None:
        """Somebody may have to do something."""
        self.log("warning", event, **facts)

    def error(self, event: str, /, **facts: Any) -> None:
        """Somebody has to."""
        self.log("error", event, **facts)

    def exception(self, event: str, /, **facts: Any) -> None:
        """The same, with the exception that is being handled."""
        self.log("error", event, **({"exc_info": True} | facts))

    def log(self, level: str, event: str, /, **facts: Any) -> None:
        """By the name of the level."""
        if LEVELS[level] >= _least:
            _listener({**self._facts, **facts, "event": event, "level": level})

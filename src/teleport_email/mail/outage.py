"""What the log says of a pause: when it begins, every quarter of an hour while it lasts, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from teleport_email.core.model import AccountFault, Declined, Temporary

__all__ = ["Outage"]

SAID_AGAIN_AFTER = 900.0
"""Seconds between two lines about the same pause: often enough not to be overlooked, and no flood."""

log = structlog.get_logger()


class Outage:
    """Told of every change by :meth:`look`. ``clock`` gives seconds; ``waiting``: how many requests wait."""

    def __init__(
        self, clock: Callable[[], float], next_probe_in: Callable[[], float], waiting: Callable[[], int]
    ) -> None:
        self._clock = clock
        self._next_probe_in = next_probe_in
        self._waiting = waiting
        self._fault: AccountFault | Declined | Temporary | None = None
        self._since = 0.0
        self._waited = 0
        self._timer: asyncio.TimerHandle | None = None

    def look(self, fault: AccountFault | Declined | Temporary | None) -> None:
        """Sending pauses for this; None: it does not."""
        before, self._fault = self._fault, fault
        if fault is None:
            if before is not None:
                self.close()
                seconds = round(self._clock() - self._since, 1)
                log.info("sending again", after_seconds=seconds, waited=max(self._waited, self._waiting()))
            return
        self._waited = max(self._waited, self._waiting()) if before is not None else 0
        if before is None:
            self._since = self._clock()
            self._say()
        elif isinstance(before, Temporary) and not isinstance(fault, Temporary):
            self._say()  # what would have passed has become what somebody has to cure

    def close(self) -> None:
        """Say nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _say(self) -> None:
        self.close()
        fault = self._fault
        assert fault is not None
        say = log.warning if isinstance(fault, Temporary) else log.error
        say(
            "sending paused",
            error=fault.reason,
            for_seconds=round(self._clock() - self._since),
            next_probe_in=round(self._next_probe_in(), 1),
            waiting=self._waiting(),
            action="tried again by itself",
        )
        self._timer = asyncio.get_running_loop().call_later(SAID_AGAIN_AFTER, self._say)

"""What the service manager is told: a line on how things stand where that changed, and that we are alive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

from teleport_email.daemon.systemd import Notifier
from teleport_email.telemetry.health import Snapshot

STATUS_EVERY = 5.0
"""Seconds between two status lines for the service manager, if anything changed."""


class StatusLine:
    """Remembers what it told last."""

    def __init__(self, notifier: Notifier, look: Callable[[], Snapshot]) -> None:
        """``look`` takes a snapshot of the daemon."""
        self._notifier = notifier
        self._look = look
        self._last = ""

    def tell(self) -> None:
        """Say how things stand, unless it was said."""
        line = self._look().line()
        if line != self._last:
            self._last = line
            self._notifier.status(line)

    def ready_again(self) -> None:
        """A reload has ended, well or not: systemd waits for this after every RELOADING=1."""
        self._last = self._look().line()
        self._notifier.ready(self._last)

    async def beats(self, alive: Callable[[], bool]) -> NoReturn:
        """Feed the watchdog while ``alive``, and keep the line true."""
        interval = min(self._notifier.watchdog_interval or STATUS_EVERY, STATUS_EVERY)
        while True:
            if alive():
                self._notifier.watchdog()
            self.tell()
            await asyncio.sleep(interval)

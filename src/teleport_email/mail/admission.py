"""Who may claim and send now: a bounded number of requests at once, and only probes while paused."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .pause import Pause

__all__ = ["Admission"]


class Admission:
    """A queue in front of the mailer, first come first served. ``slots``: how many are let in at once."""

    def __init__(self, pause: Pause, slots: int) -> None:
        self._pause = pause
        self._free = slots
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._open_to_all = False
        pause.changed = self.look

    @property
    def waiting(self) -> int:
        """How many requests wait for a slot."""
        return sum(not waiter.done() for waiter in self._waiting)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot and hold it inside the ``async with``."""
        is_probe = await self._enter()
        try:
            yield
        finally:
            self._free += 1
            if is_probe:
                self._pause.probe_over()
            self.look()

    def look(self) -> None:
        """Let in whoever may go now. To be called after anything changed; harmless at any time."""
        while self._waiting and (self._free > 0 or self._open_to_all):
            is_probe = False
            if self._pause.reason and not self._open_to_all:
                if not self._pause.probe():
                    break
                is_probe = True
            waiter = self._waiting.popleft()
            if waiter.done():  # cancelled in the meantime
                if is_probe:
                    self._pause.probe_over()
                continue
            self._free -= 1
            waiter.set_result(is_probe)
        self._arm()

    def open_to_all(self) -> None:
        """Nobody waits here any more: what they send will be handed back by the mailer that is closing."""
        self._open_to_all = True
        self.look()

    async def _enter(self) -> bool:
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self.look()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # let in and called off in the same moment
                self._free += 1
                if waiter.result():
                    self._pause.probe_over()
            self.look()
            raise

    def _arm(self) -> None:
        """Come back when the next probe is due. No timer while nobody waits: an idle program sleeps."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waits_for_time = self._waiting and self._free > 0 and self._pause.next_probe_in > 0
        if waits_for_time:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._pause.next_probe_in, self.look)

"""Keyed queue: each key waits at most once, is worked on by one worker at a time, and news during the
work bring it back once more (the way of client-go's workqueue).

In: keys, now or after a delay (an earlier time wins). Out: one key at a time to each worker. Never: more
than one worker on a key, a lost key, a growing queue for a repeated key.

The keys of reminders are *patient*: they come after all others, and only a few are worked on at once. However
many there are and however slow the work on them is, the others do not wait for it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import OrderedDict, deque

from teleport_email.reconciling.keys import ACCESS_LIST

MAX_VOID = 64
"""Replaced timers, beyond as many as are valid, at which they are swept out: each would lie there until its
time, which for a reminder is days away."""
PATIENT_AT_ONCE = 4
"""Patient keys that are worked on at the same time: less than half of the mailer's usual slots, and a small
part of the workers. Two hundred mails at a second each are out within a minute."""


class QueueClosed(Exception):
    """No more keys will come."""


class WorkQueue:
    """Keys to look at. All methods belong to one event loop, whose clock counts the delays."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._ready: OrderedDict[str, None] = OrderedDict()
        self._last: OrderedDict[str, None] = OrderedDict()  # those of the patient ones
        self._patiently = 0  # of these, how many are worked on
        self._working: set[str] = set()
        self._again: set[str] = set()  # came up during their own work
        self._due: dict[str, float] = {}  # key -> time of its timer
        self._heap: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._idle: deque[asyncio.Future[None]] = deque()
        """Workers that wait for a key, each woken for one: all of them at each key would be most of a burst's
        wake-ups."""
        self._closed = False

    def add(self, key: str) -> None:
        """Look at ``key`` as soon as a worker is free; after its work where one is at it."""
        self._due.pop(key, None)
        line = self._line(key)
        if self._closed or key in line:
            return
        if key in self._working:
            self._again.add(key)
            return
        line[key] = None
        self._wake_one()

    def add_after(self, key: str, seconds: float) -> None:
        """Look at ``key`` in ``seconds``, or earlier where that was asked for already."""
        if seconds <= 0:
            self.add(key)
            return
        if self._closed or key in self._line(key) or key in self._again:
            return
        when = self._clock() + seconds
        if when >= self._due.get(key, float("inf")):
            return
        if len(self._heap) > 2 * len(self._due) + MAX_VOID:
            self._heap = [entry for entry in self._heap if self._due.get(entry[2]) == entry[0]]
            heapq.heapify(self._heap)
        self._due[key] = when
        heapq.heappush(self._heap, (when, next(self._order), key))
        self._arm()

    def forget(self, key: str) -> None:
        """Drop a timer of the key; a look that is due already stays."""
        self._due.pop(key, None)

    async def get(self) -> str:
        """The next key, now being worked on until :meth:`done`. Raises :class:`QueueClosed`."""
        while (line := self._next_line()) is None:
            if self._closed:
                raise QueueClosed
            woken = asyncio.get_running_loop().create_future()
            self._idle.append(woken)
            try:
                await woken
            except asyncio.CancelledError:
                if not woken.cancelled():  # what it was woken for is another's now
                    self._wake_one()
                raise
        key, _ = line.popitem(last=False)
        self._working.add(key)
        self._patiently += line is self._last
        return key

    def done(self, key: str) -> None:
        """The work on ``key`` has ended."""
        if key in self._working:
            self._working.remove(key)
            if self._line(key) is self._last:
                self._patiently -= 1
                self._wake_one()  # another of them may have its turn now
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def close(self) -> None:
        """Take and give no more keys; workers get :class:`QueueClosed` once they ask again."""
        self._closed = True
        self._ready.clear()
        self._last.clear()
        self._again.clear()
        self._due.clear()
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._idle:
            self._wake_one()

    @property
    def depth(self) -> int:
        """Keys that wait for a worker now."""
        return len(self._ready) + len(self._last) + len(self._again)

    @property
    def delayed(self) -> int:
        """Keys that wait for their time."""
        return len(self._due)

    def delayed_of(self, beginning: str) -> int:
        """Of these, those that begin so."""
        return sum(key.startswith(beginning) for key in self._due)

    @property
    def working(self) -> int:
        """Keys that are being worked on."""
        return len(self._working)

    def _wake_one(self) -> None:
        while self._idle:
            woken = self._idle.popleft()
            if not woken.done():
                woken.set_result(None)
                return

    def _line(self, key: str) -> OrderedDict[str, None]:
        """The one that a key stands in, or would."""
        return self._last if key.startswith(ACCESS_LIST) else self._ready

    def _next_line(self) -> OrderedDict[str, None] | None:
        """The one whose first key may be worked on now, if any."""
        if self._ready:
            return self._ready
        return self._last if self._last and self._patiently < PATIENT_AT_ONCE else None

    def _arm(self) -> None:
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)  # superseded by an earlier time, or looked at meanwhile
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            delay = max(0.0, self._heap[0][0] - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            when, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == when:
                del self._due[key]
                self.add(key)
        self._arm()

"""A small pool of connections to one server: reused, closed when idle, and no more than the server bears.

In: a way to open a connection. Out: connections, to whoever waited longest. It begins with one, so that a
wrong password is tried once, and ``growth`` says how many more are opened once that one stands, while work
waits and the server takes them. What it refuses is no fault as long as others stand.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from teleport_email.core.model import AccountFault, Temporary

from .growth import Growth

__all__ = ["OpenFailed", "Pool", "Poolable"]

IDLE_SECONDS = 30.0
"""A connection idle for longer is closed. Servers cut after 5 minutes, some under stress after 10 s."""


class OpenFailed(Exception):
    """No connection could be opened. ``outcome``: what that means for whoever wants to send."""

    def __init__(self, outcome: Temporary | AccountFault) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class Poolable(Protocol):
    """A connection, as the pool sees it."""

    on_lost: Callable[[], None]
    """Called by the connection when the other side closed it."""

    rested: bool
    """Set by the pool once the connection lay idle: it may be dead without our knowing."""

    @property
    def alive(self) -> bool: ...

    @property
    def messages(self) -> int: ...

    def abort(self) -> None: ...

    async def quit(self) -> None: ...


C = TypeVar("C", bound=Poolable)


class Pool(Generic[C]):
    """``failed`` is called with the outcome when a connection could not be opened while none stood."""

    def __init__(
        self,
        open_connection: Callable[[], Awaitable[C]],
        *,
        size: int,
        messages_per_connection: int,
        clock: Callable[[], float],
        failed: Callable[[Temporary | AccountFault], None],
    ) -> None:
        self._open_connection = open_connection
        self._size = size
        self._messages_per_connection = messages_per_connection
        self._clock = clock
        self._failed = failed
        self._growth = Growth(size)
        self._closed = False
        self._idle: deque[tuple[C, float]] = deque()
        self._busy: set[C] = set()
        self._renewing = 0
        self._opening: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._waiting: deque[asyncio.Future[C]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def limit(self) -> int:
        """How many connections are opened at most at the moment."""
        return self._growth.limit

    @property
    def standing(self) -> int:
        """Connections that are usable, busy or idle, or being replaced."""
        return len(self._busy) + len(self._idle) + self._renewing

    @property
    def _open_or_opening(self) -> int:
        """All that the server counts: also those that only say goodbye yet."""
        return self.standing + len(self._opening) + len(self._leaving)

    async def take(self) -> C:
        """A connection, exclusively, until :meth:`give_back` or :meth:`drop`. :raises OpenFailed:"""
        if not self._waiting and (connection := self._idle_one()) is not None:
            self._busy.add(connection)
            return connection
        waiter: asyncio.Future[C] = asyncio.get_running_loop().create_future()
        if not self._wanted():
            self._growth.begin_wait(self._clock())
        self._waiting.append(waiter)
        self._fill()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.give_back(waiter.result())
            raise

    def give_back(self, connection: C, *, took: float | None = None) -> None:
        """Done with it; it can serve others. ``took``: seconds in which a message was accepted on it."""
        if took is not None:
            is_full = self._open_or_opening >= self._growth.limit
            self._growth.answered(
                self._clock(), took, standing=self.standing, waiting=is_full and self._wanted() > 0
            )
        if not connection.alive:
            self.drop(connection)
            return
        self._busy.discard(connection)
        if connection.messages >= self._messages_per_connection:
            self._retire(connection)
            self._fill()
            return
        if not self._hand_over(connection):
            self._rest(connection)
        self._fill()

    def drop(self, connection: C) -> None:
        """Done with it, and so is everybody: closed without a word."""
        self._busy.discard(connection)
        connection.abort()
        self._fill()

    async def renew(self, connection: C) -> C:
        """Another connection in the place of this one, opened now. :raises OpenFailed:"""
        self._busy.discard(connection)
        self._renewing += 1
        try:
            try:
                await connection.quit()
            finally:
                connection.abort()
            fresh = await self._open_connection()
            fresh.on_lost = lambda: self._lost(fresh)
            self._busy.add(fresh)
        finally:
            self._renewing -= 1
            self._fill()
        return fresh

    def drop_idle(self) -> None:
        """Close all idle connections: one of them turned out to be dead."""
        while self._idle:
            connection, _ = self._idle.pop()
            connection.abort()

    def crowded(self) -> bool:
        """The server said on a connection, which is not dropped yet, that it bears no more of them. Whether
        there are others."""
        others = self.standing + len(self._opening) - 1
        self._growth.refused(self._clock(), others)
        self._arm()
        return others > 0

    def prepare(self) -> None:
        """Begin to open a connection if none is idle: somebody will need one soon."""
        self._expire()
        if not self._idle and len(self._opening) <= self._wanted():
            self._fill(spare=1)

    async def close(self) -> None:
        """Close everything, idle connections politely. What is busy must have been given back before."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._opening:
            task.cancel()
        while self._idle:
            self._retire(self._idle.pop()[0])
        while self._opening or self._leaving:
            await asyncio.wait(self._opening | self._leaving)

    # Idle ones

    def _rest(self, connection: C) -> None:
        connection.rested = True
        self._idle.append((connection, self._clock()))
        self._arm()

    def _idle_one(self) -> C | None:
        self._expire()
        while self._idle:
            connection, _ = self._idle.pop()  # the warmest, so that those not needed can grow old
            if connection.alive:
                return connection
        return None

    def _expire(self) -> None:
        """Close what lay idle too long. The clock goes on while the machine sleeps, timers do not."""
        oldest = self._clock() - IDLE_SECONDS
        while self._idle and self._idle[0][1] <= oldest:
            self._retire(self._idle.popleft()[0])

    def _lost(self, connection: C) -> None:
        for entry in self._idle:
            if entry[0] is connection:
                self._idle.remove(entry)
                break

    def _retire(self, connection: C) -> None:
        """Say goodbye in the background; until that is done, the server counts it, and so do we."""

        async def leave() -> None:
            try:
                await connection.quit()
            finally:
                connection.abort()

        self._spawn(self._leaving, leave())

    # Opening

    def _wanted(self) -> int:
        """How many wait for a connection, counted no further than one more than there can be."""
        waiting = itertools.filterfalse(asyncio.Future.done, self._waiting)
        # Asked a dozen times a mail: without a loop.
        return len(list(itertools.islice(waiting, self._size + 1)))

    def _fill(self, spare: int = 0) -> None:
        """Open as many connections as are waited for (and ``spare`` more), within the limits."""
        if self._closed:
            return
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        waiting = self._wanted()
        if waiting and self.standing:
            self._growth.stands(self.standing)
        wanted = waiting + spare
        while len(self._opening) < wanted:
            if self._open_or_opening >= self._growth.limit:
                break
            self._spawn(self._opening, self._open())
        self._arm()

    async def _open(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            connection = await self._open_connection()
        except asyncio.CancelledError:
            self._opening.discard(task)
            raise
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits
            self._opening.discard(task)
            self._open_failed(error)
            return
        self._opening.discard(task)
        connection.on_lost = lambda: self._lost(connection)
        self._growth.stood()
        if self._closed:
            self._retire(connection)
        elif not self._hand_over(connection):
            self._rest(connection)
        self._fill()

    def _open_failed(self, error: Exception) -> None:
        if self.standing or self._opening:
            # The others do, or may yet: whoever waits goes on waiting for one of them.
            self._growth.refused(self._clock(), self.standing + len(self._opening))
            self._arm()
            return
        self._growth.failed()
        if isinstance(error, OpenFailed):
            self._failed(error.outcome)
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(error)

    def _hand_over(self, connection: C) -> bool:
        """Give it to who waited longest; False when nobody waits."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._busy.add(connection)
                waiter.set_result(connection)
                return True
        return False

    # Time

    def _arm(self) -> None:
        """One timer, only while there is something to come back for: an idle program sleeps."""
        due = [self._idle[0][1] + IDLE_SECONDS] if self._idle else []
        if self._wanted() and self._busy:  # not before one stood: a wrong password is tried once
            due.append(self._growth.grow_at)
        if not due or self._closed or min(due) == float("inf"):
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + max(0.05, min(due) - self._clock())
        if self._timer is not None:
            if self._timer.when() <= when:
                return  # it will find out by itself that there is more to wait for
            self._timer.cancel()
        self._timer = loop.call_at(when, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._expire()
        if self._wanted() and self._busy:
            self._growth.waited(self._clock())
        elif self.standing <= 1 and not self._opening:
            self._growth.calm()
        self._fill()

    def _spawn(self, group: set[asyncio.Task[None]], work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        group.add(task)
        task.add_done_callback(group.discard)
        task.add_done_callback(lambda _: self._fill())

"""How many connections a server bears, found out by itself. Pure: events and times in, a number out.

Begun with one; one more whenever a message was accepted while others wait (Postfix calls it slow start with
positive feedback), up to what the server refused last. What it refused is tried again after a while that
doubles. Answers that get slower as connections are added mean that they only wait in another queue: from how
much slower they are follows how many of ours stand there (L. Brakmo's Vegas, 1994), and no more are opened.
"""

from __future__ import annotations

from collections import deque

__all__ = ["Growth"]

GROW_AFTER = 5.0
"""Seconds until one more connection is tried after the server refused one; doubled at each refusal."""

GROW_AFTER_AT_MOST = 300.0

PATIENCE = 1.0
"""Seconds that somebody waits without one more connection, if no answer comes at all: a server may take
minutes to answer one message, and that must hold up nobody else."""

QUEUE_GROW = 3.0
"""Connections that may wait in the server's own queue before no more are added: a server that does one
message after the other gets four, and one that does ten at once gets ten."""

QUEUE_SHRINK = 4.0
"""Beyond this one is taken away."""

RECENT = 4
"""Answers of which the quickest counts: one long scan of a message is no news."""


class Growth:
    """``limit`` connections may be open at the moment, of ``size`` at most. Times are seconds."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.limit = 1
        self._ceiling = size
        """What the server bears, as far as it has refused any."""
        self._look_at = 0.0
        """When one more than the ceiling may be tried."""
        self._look_after = GROW_AFTER
        self._beyond = False
        """One more than the ceiling is being tried."""
        self._quiet_since = 0.0
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._best = float("inf")

    @property
    def grow_at(self) -> float:
        """When time alone lets one more be opened; infinite when there are as many as there may be."""
        if self.limit >= self._size:
            return float("inf")
        return self._look_at if self.limit >= self._ceiling else self._quiet_since + PATIENCE

    def answered(self, now: float, took: float, *, standing: int, waiting: bool) -> None:
        """A message was accepted ``took`` seconds after it was begun, on one of ``standing`` connections.

        ``waiting``: others need one, and as many are open or opening as may be.
        """
        self._quiet_since = now
        self._recent.append(took)
        self._best = min(self._best, took)
        # How many of our connections stand in the server's own queue, by how slow its answers are.
        usual = min(self._recent)
        queued = standing * (1 - self._best / usual) if usual > 0 else 0.0
        if queued > QUEUE_SHRINK:
            self.refused(now, min(self.limit, standing) - 1)
        elif waiting and queued < QUEUE_GROW and self.limit < self._ceiling:
            self._more(now)

    def begin_wait(self, now: float) -> None:
        """The first of those that wait has come."""
        self._quiet_since = now

    def waited(self, now: float) -> None:
        """Somebody waits. One more is let in where nothing has happened for long enough."""
        if now < self.grow_at:
            return
        if self.limit >= self._ceiling:
            self._beyond = True
            self._ceiling = self.limit + 1
            self._look_at = now + self._look_after
        self._more(now)

    def stood(self) -> None:
        """A connection was opened: what was tried beyond the ceiling is borne."""
        if self._beyond:
            self._beyond, self._look_after = False, GROW_AFTER

    def refused(self, now: float, bears: int) -> None:
        """The server bears no more than so many connections."""
        bears = max(1, bears)
        self.limit = min(self.limit, bears)
        self._ceiling = min(self._ceiling, bears)
        if self._beyond:
            self._beyond = False
            self._look_after = min(self._look_after * 2, GROW_AFTER_AT_MOST)
        self._look_at = now + self._look_after
        self._recent.clear()  # what was is no measure of fewer connections

    def calm(self) -> None:
        """Nobody needs more than one: the next burst begins as the first did, but for what was refused."""
        self.limit, self._best = 1, float("inf")
        self._recent.clear()

    def failed(self) -> None:
        """The server as a whole does not work, which says nothing of how many connections it bears."""
        self.calm()
        self._beyond = False
        self._ceiling, self._look_after = self._size, GROW_AFTER

    def _more(self, now: float) -> None:
        self.limit += 1
        self._quiet_since = now

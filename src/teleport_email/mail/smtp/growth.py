"""How many connections a server bears, found out by itself. Pure: events and times in, a number out.

Begun with one; once it stands and others wait, ten for each that stands, up to what the server refused
last. What it refused is tried again after a while that doubles. Answers that get slower as connections
are added mean that they only wait in another queue: from how much slower follows how many of ours stand
there, and in a round one is taken away, or added again (L. Brakmo's Vegas, 1994). That is no refusal. On
a busy machine it is we who are late, so the quickest answer of a round counts, and a tenth of a second is
no queue (RFC 6817, LEDBAT).
"""

from __future__ import annotations

__all__ = ["Growth"]

FOR_EACH = 10
"""Connections that may be open for each one that stands. As each takes ten messages, a long list is through
when the one opened last has sent its own: a second step would cost a whole connect. A server that bears
three (Exchange Online) refuses seven, once; Postfix begins with five without having tried one."""

GROW_AFTER = 5.0
"""Seconds until one more connection is tried after the server refused one; doubled at each refusal. Also
until one more helps those that wait if answers take so much longer than usual: it may take minutes for
one message."""

GROW_AFTER_AT_MOST = 300.0

QUEUE_GROW = 3.0
"""Connections that may wait in the server's own queue before no more are added: a server that does one
message after the other keeps five, and one that does ten at once ten."""

QUEUE_SHRINK = 4.0
"""Beyond this one is taken away."""

NO_QUEUE = 0.1
"""Seconds by which answers may be slower: as late we are ourselves with ten connections on one busy core."""

ROUND_ANSWERS = 2
"""Answers of each connection that make a round: the later half is of messages begun in it."""

ROUND_SECONDS = 1.0
"""A round takes no less: what is read at one late moment is late together."""


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
        self._best = float("inf")
        self._usual = 0.0
        """The quickest answer of the last round."""
        self._slow = False
        """Answers got slower since it was last calm: from then on one more a round, at most."""
        self._round_since = 0.0
        self._quickest = float("inf")
        self._answers = 0

    @property
    def grow_at(self) -> float:
        """When time alone lets one more be opened; infinite when there are as many as there may be."""
        if self.limit >= self._size:
            return float("inf")
        if self.limit >= self._ceiling:
            return self._look_at
        return self._quiet_since + self._usual + GROW_AFTER

    def stands(self, standing: int) -> None:
        """So many connections are open, and others wait for one."""
        if not self._slow:
            self.limit = max(self.limit, min(standing * FOR_EACH, self._ceiling))

    def answered(self, now: float, took: float, *, standing: int, waiting: bool) -> None:
        """A message was accepted ``took`` seconds after it was begun, on one of ``standing`` connections.

        ``waiting``: others need one, and as many are open or opening as may be.
        """
        self._quiet_since = now
        self._best = min(self._best, took)
        self._quickest = min(self._quickest, took)
        self._answers += 1
        if self._answers < ROUND_ANSWERS * standing or now < self._round_since + ROUND_SECONDS:
            return
        self._usual = self._quickest
        self._begin_round(now)
        # How many of our connections stand in the server's own queue, by how slow its answers are.
        queued = standing * (1 - self._best / self._usual) if self._usual > self._best + NO_QUEUE else 0.0
        if queued > QUEUE_SHRINK:
            self._slow = True
            self.limit = min(self.limit, standing - 1)
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

    def calm(self) -> None:
        """Nobody needs more than one: the next burst begins as the first did, but for what was refused."""
        self.limit, self._best, self._usual, self._slow = 1, float("inf"), 0.0, False
        self._begin_round(0.0)

    def failed(self) -> None:
        """The server as a whole does not work, which says nothing of how many connections it bears."""
        self.calm()
        self._beyond = False
        self._ceiling, self._look_after = self._size, GROW_AFTER

    def _begin_round(self, now: float) -> None:
        self._round_since, self._quickest, self._answers = now, float("inf"), 0

    def _more(self, now: float) -> None:
        self.limit += 1
        self._quiet_since = now

"""The pause: when the mail account or its server does not work, nobody tries but one probe at a time.

A state machine without I/O; clock and chance come from outside. It begins with a fault from before
a recipient was named (server unreachable, TLS, login, sender refused). While it lasts, what is to be sent
waits; at times that back off with jitter, one admission is let through as a probe. Whatever gets further
than the fault ends the pause for all.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable

from teleport_email.core.model import AccountFault, Temporary

__all__ = ["Pause", "Step"]

FIRST_PROBE = {"login": 5.0, "account": 5.0, "passing": 1.0}
"""Seconds until the first probe. What a person has to cure is tried less eagerly than what passes."""

LONGEST = {"login": 300.0, "account": 45.0, "passing": 45.0}
"""Seconds between probes at most: all is told within a minute of a repair. A refused login is tried more
seldom: servers lock accounts."""

LONGEST_ASKED_FOR = 900.0
"""A server that asks for more patience than this (``Retry-After``) is probed earlier all the same."""


class Step(enum.IntEnum):
    """How far a send got, and how far one must get to show that a fault is over."""

    CONNECTED = 1
    """Connection, TLS and login are good."""
    SENDER = 2
    """The sender was accepted."""
    ACCEPTED = 3
    """A message was accepted."""


class Pause:
    """Paused or not, and when to probe. ``clock`` gives seconds; ``changed`` is called when that changes."""

    def __init__(
        self, *, clock: Callable[[], float], random: random.Random, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._clock = clock
        self._random = random
        self.changed = changed
        self._fault: AccountFault | Temporary | None = None
        self._ends_with = Step.CONNECTED
        self._probes = 0
        self._next_probe = 0.0
        self._probing = False

    @property
    def fault(self) -> AccountFault | Temporary | None:
        """What we pause for; None when we do not."""
        return self._fault

    @property
    def reason(self) -> str:
        """Why we pause; empty when we do not."""
        return self._fault.reason if self._fault else ""

    @property
    def next_probe_in(self) -> float:
        """Seconds until somebody may probe; 0 when not paused, or when a probe is under way or due."""
        if self._fault is None or self._probing:
            return 0.0
        return max(0.0, self._next_probe - self._clock())

    @property
    def verdict(self) -> AccountFault | Temporary | None:
        """What a send that is not (part of) the probe comes back with at once; None: it may try."""
        return None if self._probing else self._fault

    def trip(
        self, fault: AccountFault | Temporary, *, ends_with: Step, retry_after: float | None = None
    ) -> None:
        """Begin to pause, or go on pausing since a probe failed too.

        Failures of sends that were under way when the pause began say nothing new and change nothing;
        one that comes in once a probe is due counts as its failure.
        ``retry_after``: seconds the server asked for, instead of our own schedule.
        """
        if self._fault is not None and self.next_probe_in > 0:
            return
        self._probes = self._probes + 1 if self._fault is not None else 0
        self._fault, self._ends_with, self._probing = fault, ends_with, False
        if retry_after is not None:
            wait = min(max(retry_after, 0.0), LONGEST_ASKED_FOR)
        else:
            kind = _kind(fault)
            wait = min(FIRST_PROBE[kind] * 2.0 ** min(self._probes, 30), LONGEST[kind])
            wait *= self._random.uniform(0.75, 1.0)
        self._next_probe = self._clock() + wait
        self.changed()

    def passed(self, step: Step) -> None:
        """A send got as far as this: the pause ends, if that is further than what began it."""
        if self._fault is not None and step >= self._ends_with:
            self._fault, self._probing = None, False
            self.changed()

    def probe(self) -> bool:
        """Whether the caller may go ahead as the probe. It must call :meth:`probe_over` in the end."""
        if self._fault is None or self._probing or self.next_probe_in > 0:
            return False
        self._probing = True
        return True

    def probe_over(self) -> None:
        """The probe is back. If it proved nothing (it had nothing to send after all), the next may go."""
        if self._probing:
            self._probing = False
            self.changed()


def _kind(fault: AccountFault | Temporary) -> str:
    if isinstance(fault, Temporary):
        return "passing"
    return "login" if fault.login else "account"

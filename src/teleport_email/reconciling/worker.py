"""Workers: take a key, reconcile it, and turn the outcome into what the queue does with the key.

In: keys from the queue. Out: forget / again later. Never: a decision about mails.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from teleport_email.core.backoff import CLUSTER
from teleport_email.core.errors import ClusterError, Denied, Rejected, Unsupported
from teleport_email.reconciling.keys import ACCESS_LIST, about
from teleport_email.reconciling.reconcile import Again, Done, Reconciler
from teleport_email.reconciling.workqueue import QueueClosed, WorkQueue
from teleport_email.teleport.calls.permissions import help_for

WORKERS = 32
"""Requests looked at at once. Most of them wait for the cluster or for a slot of the mailer, which bounds
the sending; more would only make the cluster answer more slowly."""

log = structlog.get_logger()


class Workers:
    """A fixed number of workers on one queue."""

    def __init__(
        self,
        queue: WorkQueue,
        reconciler: Reconciler,
        *,
        wall: Callable[[], datetime],
        rng: random.Random,
        count: int = WORKERS,
        others: Mapping[str, Reconciler] | None = None,
        about: Callable[[str], Mapping[str, str]] = about,
    ) -> None:
        """``others``: by the beginning of the keys that belong to them. ``about``: the fields of the log for
        a key."""
        self._queue = queue
        self._reconciler = reconciler
        self._others = {} if others is None else others
        self._about = about
        self._wall = wall
        self._rng = rng
        self._count = count
        self._failures: dict[str, int] = {}
        self._said: set[str] = set()
        """The missing permissions that were told of, as lines of a role."""
        self._refused: dict[str, str] = {}
        """Key -> how the cluster refused a call for it, last."""

    async def run(self) -> None:
        """Work until the queue is closed and what was begun has ended."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                group.create_task(self._work(), name=f"worker {number}")

    async def _work(self) -> None:
        while True:
            try:
                key = await self._queue.get()
            except QueueClosed:
                return
            try:
                delay = await self._look(key)
            finally:
                self._queue.done(key)
            if delay is not None:
                self._queue.add_after(key, delay)

    async def _look(self, key: str) -> float | None:
        """Reconcile one key; returns the seconds until the next look, or None when an event tells."""
        try:
            outcome = await self._of(key).reconcile(key)
        except ClusterError as error:
            return self._failed(key, error)
        except Exception:  # a fault in one request must not end the work on others
            text = "reminders failed" if key.startswith(ACCESS_LIST) else "request failed"
            log.exception(text, **self._about(key), action="tried again later; please report this")
            return max(30.0, CLUSTER.delay(self._count_failure(key), self._rng))
        match outcome:
            case Done(wake_at):
                self._failures.pop(key, None)
                self._refused.pop(key, None)
                if wake_at is None:
                    return None
                return max(0.0, (wake_at - self._wall()).total_seconds()) + 0.5
            case Again(after=None, backoff=backoff, at_least=at_least, at_most=at_most):
                return min(at_most, max(at_least, backoff.delay(self._count_failure(key), self._rng)))
            case Again(after=after):
                return after

    def _of(self, key: str) -> Reconciler:
        owners = (other for beginning, other in self._others.items() if key.startswith(beginning))
        return next(owners, self._reconciler)

    def _failed(self, key: str, error: ClusterError) -> float:
        failures = self._count_failure(key)
        if isinstance(error, Denied):
            self._say_denied(error)
        elif isinstance(error, Rejected | Unsupported) and self._refused.get(key) != str(error):
            # It will hardly work by itself, and nobody is told of the request until it does.
            self._refused[key] = str(error)
            log.error("refused by the cluster", **self._about(key), error=str(error), action="tried again")
        else:
            log.debug("cluster call failed", **self._about(key), error=str(error))
        return CLUSTER.delay(failures, self._rng)

    def _say_denied(self, error: Denied) -> None:
        role = "\n".join(help_for(error))
        if role not in self._said:  # not by the error's words: they name the request
            self._said.add(role)
            log.error(
                "permission missing", error=str(error), role=role, action="allow it in the plugin's role"
            )

    def _count_failure(self, key: str) -> int:
        self._failures[key] = self._failures.get(key, 0) + 1
        return self._failures[key]

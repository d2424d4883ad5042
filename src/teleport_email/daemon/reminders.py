"""What reminds the owners of Access Lists, as long as ``[access_lists]`` asks for it. Loaded only then.

In: the parts that requests have too. Out: a poll, a board, and a reconciler of its own for the keys of
reminders, all on the one queue and its workers. Never: a fault that concerns requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from teleport_email.core.audits import ListOwner
from teleport_email.core.decide import Policy
from teleport_email.core.ledger import id_domain
from teleport_email.core.reminding import NoRouting
from teleport_email.daemon.parts import Parts
from teleport_email.reconciling.reconcile import Reconciler
from teleport_email.reconciling.writer import ReminderWriter
from teleport_email.routing.audience import reminded
from teleport_email.routing.route import Route
from teleport_email.telemetry.health import Reviews
from teleport_email.watching.audit_poll import AuditPoll
from teleport_email.watching.audits import AuditBoard


class Reminders:
    """All of it. Once made it stays, since what is under way has to end; only the asking for lists stops."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.board = AuditBoard()
        routing = NoRouting()
        self.reconciler = Reconciler(
            owner=f"{parts.rng.getrandbits(64):016x}",
            store=self.board,
            plugin_data=parts.link.access_list_data,
            mailer=parts.mailer,
            router=lambda: routing,
            writer=self._writer,
            policy=Policy,
            id_domain=lambda: id_domain(parts.settings().delivery.sender),
            observer=parts.observer,
            clock=parts.clock,
            wall=parts.wall,
            rng=parts.rng,
            refresh=lambda key: self.poll.refresh(key),  # noqa: PLW0108 - not always the same poll
            vanished=lambda key, error: self.poll.vanished(key, error),  # noqa: PLW0108 - likewise
            about=self.board.about,
        )
        self._begin()

    def _begin(self) -> None:
        parts = self._parts
        self.poll = AuditPoll(
            self.board,
            parts.queue,
            parts.link.access_lists,
            self._find,
            lambda: parts.settings().access_lists,
            clock=parts.clock,
            wall=parts.wall,
            rng=parts.rng,
        )
        self._polling = asyncio.create_task(self.poll.run(), name="Access Lists")
        self.on = True

    def apply(self, *, on: bool) -> None:
        """A configuration has come into use; without a list of requests the first one tells when to ask."""
        if self.on and not on:
            self._retire()
        elif on and not self.on:
            self._begin()
        if on and self._parts.link.status.listed:
            self.poll.at_once()

    def _retire(self) -> None:
        """Nobody is to be reminded any more: what is under way ends, claims are released, nothing is due."""
        self.on = False
        self.stop()
        self.board.replace({})
        for key in self.board.all_keys():
            self._parts.queue.add(key)

    def stop(self) -> None:
        """Ask for no more lists."""
        self._polling.cancel()

    def now(self) -> Reviews:
        """How things stand."""
        return Reviews(*self.board.counts(self._parts.wall()), self.poll.ended_at)

    def _writer(self) -> ReminderWriter:
        parts = self._parts
        return ReminderWriter(
            parts.renderer(), cluster=lambda: parts.link.cluster, wall=parts.wall, rng=parts.rng
        )

    async def _find(self, owners: Sequence[ListOwner]) -> Route:
        return await reminded(owners, self._parts.settings(), self._parts.directory)

"""Whether owners of Access Lists are reminded: off, nothing of it is loaded, asked or kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from teleport_email.daemon.parts import Parts
from teleport_email.reconciling.keys import ACCESS_LIST, about
from teleport_email.reconciling.reconcile import Reconciler
from teleport_email.telemetry.health import Reviews

if TYPE_CHECKING:
    from teleport_email.daemon.reminders import Reminders


class ReminderSwitch:
    """The reminders, if any were ever asked for."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.reminders: Reminders | None = None
        self.reconcilers: dict[str, Reconciler] = {}
        """By the beginning of the keys that are theirs."""

    def apply(self) -> None:
        """Do as the settings of the moment say."""
        on = self._parts.settings().access_lists.enabled
        if self.reminders is None and on:
            from teleport_email.daemon.reminders import Reminders

            self.reminders = Reminders(self._parts)
            self.reconcilers[ACCESS_LIST] = self.reminders.reconciler
        if self.reminders is not None:
            self.reminders.apply(on=on)

    def listed(self) -> None:
        """A connection's first list of requests is through."""
        if self.reminders is not None and self.reminders.on:
            self.reminders.poll.connected()

    def about(self, key: str) -> Mapping[str, str]:
        """The fields of a line in the log that say what it is about."""
        if self.reminders is not None and key.startswith(ACCESS_LIST):
            return self.reminders.board.about(key)
        return about(key)

    def now(self) -> Reviews | None:
        """How things stand; None where nobody is reminded."""
        return self.reminders.now() if self.reminders is not None and self.reminders.on else None

    @property
    def asleep(self) -> int:
        """How many keys wait for their next step, days away: nothing of the kind that waits for requests."""
        return self._parts.queue.delayed_of(ACCESS_LIST) if self.reminders is not None else 0

    def stop(self) -> None:
        """The process stops: begin nothing more; what is under way comes to its end and is recorded."""
        if self.reminders is not None:
            self.reminders.stop()
            self.reminders.reconciler.stop()

    def abandon(self) -> None:
        """After :meth:`stop`: give back everything that is not past its final dot."""
        if self.reminders is not None:
            self.reminders.reconciler.abandon()

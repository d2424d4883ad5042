"""The reviews of Access Lists that are open or soon will be, and who is reminded of each. In memory, no I/O.

In: what a completed poll found, and single lists that were read again since. Out: for each key of the queue
the view of one owner, with all lists of theirs; or, where the cluster keeps no plugin data for owners, of one
list with all its owners. Never: a decision about what is due, a clock of its own.

A poll that was cut short changes nothing: a list that it did not come to is not gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from teleport_email.core.audits import Audit, owner_id
from teleport_email.core.reminding import ReminderView, view_of
from teleport_email.reconciling.keys import ACCESS_LIST, about


class Held(Struct, frozen=True):
    """One audit, and whom it concerns."""

    audit: Audit
    recipients: tuple[str, ...] = ()
    spelled: Mapping[str, str] = field(default_factory=dict)
    """How a recipient was written, where that is another form of the address."""


class _Known(Struct):
    recipients: tuple[str, ...]
    lists: tuple[Held, ...]
    """By their dates; none once all were reviewed."""
    version: int = 1
    """Grows with each change."""


class AuditBoard:
    """What is known of the audits: :class:`teleport_email.reconciling.look.Known` for their keys."""

    def __init__(self) -> None:
        self._lists: dict[str, Held] = {}
        self._known: dict[str, _Known] = {}
        self.per_list = False
        """Whether a key stands for a list, not for an owner."""

    def replace(self, found: Mapping[str, Held]) -> None:
        """Take in all that a poll found, by the lists' names, in place of what was known."""
        self._lists = dict(found)
        self._index()

    def update(self, changes: Mapping[str, Held | None]) -> tuple[str, ...]:
        """Take in lists that were read again, None where no such audit is left; the keys that it concerns."""
        # What a poll has dropped meanwhile stays dropped.
        news = {name: held for name, held in changes.items() if self._lists.get(name, held) != held}
        if not news:
            return ()
        for name, held in news.items():
            if held is None:
                del self._lists[name]
            else:
                self._lists[name] = held
        return self._index()

    def keep_per_list(self) -> tuple[str, ...]:
        """From now on a key stands for a list; all of these."""
        self.per_list = True
        self._known.clear()
        return self._index()

    def held(self, name: str) -> Held | None:
        """A list by its name, if its review is open or will soon be."""
        return self._lists.get(name)

    def all_keys(self) -> tuple[str, ...]:
        """All keys, also of those whose lists were all reviewed since they were looked at last."""
        return tuple(self._known)

    def names(self, key: str) -> tuple[str, ...]:
        """The lists of a key, the earliest date first."""
        known = self._known.get(key)
        return tuple(held.audit.list_name for held in known.lists) if known else ()

    def about(self, key: str) -> Mapping[str, str]:
        """The fields of a line in the log that say what it is about: whose reminders, or of which list."""
        known = self._known.get(key)
        return {"owner": known.recipients[0]} if known and not self.per_list else about(key)

    def counts(self, now: datetime) -> tuple[int, int]:
        """How many audits are open, and how many of them are overdue."""
        audits = [held.audit for held in self._lists.values()]
        return sum(audit.opens <= now for audit in audits), sum(audit.due <= now for audit in audits)

    # What reconciling asks for ------------------------------------------------------------------------

    def view(self, key: str) -> ReminderView | None:
        """Whom to remind of what; None of a key that nothing is known of."""
        known = self._known.get(key)
        if known is None:
            return None
        spelled = {
            address: held.spelled[address]
            for held in reversed(known.lists)
            for address in known.recipients
            if address in held.spelled
        }
        return view_of(key, known.recipients, (held.audit for held in known.lists), spelled)

    def is_new(self, _key: str) -> bool:
        """Never: whoever owns a list may have been told of it by an earlier process."""
        return False

    def is_remembered(self, key: str) -> bool:
        """Whether anything is known of it."""
        return key in self._known

    def version(self, key: str) -> int:
        """The version of what is known; 0 of a key that nothing is known of."""
        known = self._known.get(key)
        return known.version if known else 0

    def settle(self, key: str, version: int) -> None:
        """Nothing was left to do at ``version``. Whoever has no lists left is forgotten."""
        known = self._known.get(key)
        if known is not None and not known.lists and known.version == version:
            del self._known[key]

    def _index(self) -> tuple[str, ...]:
        """Bring the keys up to the lists; those that something has changed for."""
        lists: dict[str, list[Held]] = {}
        recipients: dict[str, tuple[str, ...]] = {}
        ids: dict[str, str] = {}
        for held in sorted(self._lists.values(), key=lambda held: (held.audit.due, held.audit.list_name)):
            if self.per_list:
                key = ACCESS_LIST + held.audit.list_name
                lists[key], recipients[key] = [held], held.recipients
                continue
            for address in held.recipients:
                key = ids.get(address) or ids.setdefault(address, ACCESS_LIST + owner_id(address))
                lists.setdefault(key, []).append(held)
                recipients[key] = (address,)
        changed = []
        for key in dict.fromkeys((*self._known, *lists)):
            known, now = self._known.get(key), tuple(lists.get(key, ()))
            if known is None:
                self._known[key] = _Known(recipients[key], now)
            elif (known.lists, known.recipients) != (now, recipients.get(key, known.recipients)):
                known.lists, known.recipients = now, recipients.get(key, known.recipients)
                known.version += 1
            else:
                continue
            changed.append(key)
        return tuple(changed)

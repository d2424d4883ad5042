"""Audits of Access Lists: which are open, and when their owners are reminded. Pure.

An Access List has a date by which its owners are to review its members (Teleport's ``spec.audit``). From
the opening of the window before it they are reminded once a week, counted from the opening; from the date on
once a day, counted from the date. That is the schedule of Teleport's own plugin for Slack.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta

from msgspec import Struct

WEEK = timedelta(weeks=1)
DAY = timedelta(days=1)
WINDOW = timedelta(weeks=2)
"""How long before the date the window opens where the list does not say (``notifications.start`` of 0)."""
OWNER = "teleport-email-owner-"
"""Begins the name under which an owner's reminders are kept in plugin data of kind ``access_list``."""
MARK = 12
"""Characters of :attr:`Audit.mark`: 72 bits, more than enough against chance among the lists of one owner."""


class Audit(Struct, frozen=True):
    """One audit of one Access List, as far as a reminder tells of it."""

    list_name: str
    """Name of the list's resource, often a UUID."""
    due: datetime
    """``spec.audit.next_audit_date``; UTC, whole seconds."""
    opens: datetime
    """When reminding begins."""
    title: str = ""
    """As its owners wrote it: hostile, like the description."""
    description: str = ""
    members: int | None = None
    """Users who are members by themselves; None where the cluster does not tell."""
    member_lists: int | None = None
    """Lists that are members; None where the cluster does not tell."""
    roles: tuple[str, ...] = ()
    """What it grants to its members."""
    ownerless: bool = False
    """None of its owners can be told, and whoever is stands in for them."""

    @property
    def key(self) -> tuple[str, int]:
        """Identity: the same list has another audit once it was reviewed."""
        return (self.list_name, int(self.due.timestamp()))

    @property
    def mark(self) -> str:
        """The identity in :data:`MARK` characters: as ledgers keep it, of which thousands fit into one."""
        name, due = self.key
        digest = hashlib.sha256(f"{name}\n{due}".encode("utf-8", "surrogatepass")).digest()
        return base64.urlsafe_b64encode(digest[: MARK * 3 // 4]).decode("ascii")

    @property
    def is_empty(self) -> bool:
        """Whether it has no members, and that is known."""
        return self.members == 0 and self.member_lists == 0


class ListOwner(Struct, frozen=True):
    """An owner of an Access List."""

    name: str
    """A user name, which may be an address; or the name of a list."""
    is_list: bool = False


class OwnedList(Struct, frozen=True):
    """An Access List that has an audit, with its owners as it names them."""

    audit: Audit
    owners: tuple[ListOwner, ...] = ()


def step_begin(audit: Audit, now: datetime) -> datetime | None:
    """When the step of reminding that ``now`` lies in began; None before the window opens.

    Whoever was told since then is not told again in this step.
    """
    if now >= audit.due:
        return audit.due + (now - audit.due) // DAY * DAY
    if now < audit.opens:
        return None
    return audit.opens + (now - audit.opens) // WEEK * WEEK


def next_step(audit: Audit, now: datetime) -> datetime:
    """When the next step begins."""
    begun = step_begin(audit, now)
    if begun is None:
        return audit.opens
    return begun + DAY if now >= audit.due else min(begun + WEEK, audit.due)


def owner_id(address: str) -> str:
    """The name under which the reminders of an owner are kept; ``address`` in the form in which addresses are
    compared. It tells nobody the address.
    """
    return OWNER + hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:32]

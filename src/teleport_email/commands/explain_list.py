"""``teleport-email explain --access-list``: who is reminded of a review, what they were told, what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from teleport_email.commands import cluster_session
from teleport_email.commands.cells import cell, columns
from teleport_email.config.settings import Settings
from teleport_email.core.audits import Audit, OwnedList, next_step, owner_id, step_begin
from teleport_email.core.claim import Claim
from teleport_email.core.decide import Audience, Policy
from teleport_email.core.errors import (
    ClusterError,
    LedgerUnreadable,
    TeleportEmailError,
    Unsupported,
)
from teleport_email.core.ledger import Ledger, Mark
from teleport_email.core.reminding import view_of
from teleport_email.daemon.clocks import wall_clock
from teleport_email.reconciling.keys import ACCESS_LIST
from teleport_email.routing.audience import reminded
from teleport_email.routing.directory import Directory
from teleport_email.routing.route import Route
from teleport_email.teleport.session import Connection
from teleport_email.watching.audit_poll import resolved
from teleport_email.watching.link import AccessLists

_STATUS = {Mark.ATTEMPTED: "perhaps sent", Mark.DELIVERED: "delivered", Mark.GIVEN_UP: "given up"}


class Told(Struct, frozen=True):
    """One reminder of the list to one recipient."""

    status: str
    at: datetime
    note: str = ""

    def __str__(self) -> str:
        return f"{self.status} {_time(self.at)}" + (f" ({self.note})" if self.note else "")


class Recipient(Struct, frozen=True):
    """Somebody who is reminded of the list."""

    address: str
    why: str
    told: tuple[Told, ...] = ()
    """The earliest first."""
    now: str = ""
    """What would happen if the daemon looked now."""


class ExplainedList(Struct, frozen=True):
    """A list, its review, and who is reminded of it."""

    audit: Audit
    at: datetime
    """When it was looked at."""
    enabled: bool
    outcome: str
    """What comes of it at the moment, for everybody."""
    route: Route
    recipients: tuple[Recipient, ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For ``--json``; times in UTC."""
        audit = self.audit
        begun = step_begin(audit, self.at)
        return {
            "access_list": audit.list_name,
            "title": audit.title,
            "due": audit.due.isoformat(),
            "opens": audit.opens.isoformat(),
            "step_began": begun and begun.isoformat(),
            "next_step": next_step(audit, self.at).isoformat(),
            "members": audit.members,
            "member_lists": audit.member_lists,
            "roles": list(audit.roles),
            "enabled": self.enabled,
            "outcome": self.outcome,
            "recipients": [
                {
                    "address": each.address,
                    "why": each.why,
                    "told": [
                        {"status": one.status, "at": one.at.isoformat(), "note": one.note}
                        for one in each.told
                    ],
                    "now": each.now,
                }
                for each in self.recipients
            ],
            "skipped": [{"candidate": each.candidate, "why": each.why} for each in self.route.skipped],
            "fallback": self.route.fallback,
            "problem": self.route.problem,
            "notes": list(self.notes),
        }


async def ask(settings: Settings, name: str) -> ExplainedList:
    """Ask the cluster for all of it. Raises :class:`TeleportEmailError` where there is no such list."""
    async with await cluster_session(settings).connect() as connection:
        owned = await _find(connection.access_lists, name)
        notes: list[str] = []
        owners = owned.owners
        if any(owner.is_list for owner in owners):
            owners, error = await resolved(connection.access_lists, owned)
            if error is not None:
                notes.append(f"the cluster does not say who owns the lists that own it: {error}")
        directory = Directory(connection.users, clock=asyncio.get_running_loop().time)
        route = await reminded(owners, settings, directory)
        if not directory.permitted:
            notes.append("users cannot be looked up: that needs a role with the resource user, verb read")
        at = wall_clock()
        outcome, due = _outcome(owned.audit, settings, at)
        recipients = [
            await _recipient(connection, owned.audit, each.address, each.why, at, due=due)
            for each in route.reasons
        ]
    return ExplainedList(
        owned.audit, at, settings.access_lists.enabled, outcome, route, tuple(recipients), tuple(notes)
    )


async def _find(lists: AccessLists, name: str) -> OwnedList:
    """By its name, else by its title where only one has it."""
    try:
        if (owned := await lists.get(name)) is not None:
            return owned
        titled = [each async for page in lists.pages() for each in page if each.audit.title == name]
    except Unsupported:
        raise TeleportEmailError("this cluster has no Access Lists: Teleport Enterprise has") from None
    found = {each.audit.list_name: each for each in titled}
    if len(found) > 1:
        names = ", ".join(map(cell, sorted(found)))
        raise TeleportEmailError(f"{len(found)} Access Lists are called {cell(name)}; say which: {names}")
    if not found:
        raise TeleportEmailError(
            f"the cluster has no Access List {cell(name)} that is reviewed: it was deleted, has no review "
            "date, or is mistyped (`tctl acl ls` shows the names)"
        )
    return next(iter(found.values()))


def _outcome(audit: Audit, settings: Settings, now: datetime) -> tuple[str, bool]:
    """What comes of the list at the moment; and whether a reminder may be due."""
    if not settings.access_lists.enabled:
        return "nobody is reminded: access_lists.enabled is off", False
    if audit.is_empty and settings.access_lists.skip_without_members:
        return "nobody is reminded: it has no members (access_lists.skip_without_members)", False
    begun = step_begin(audit, now)
    if begun is None:
        return f"reminding begins {_time(audit.opens)}", False
    often = "once a day until it is reviewed" if now >= audit.due else "once a week until the date"
    return f"owners are reminded {often}; this time since {_time(begun)}", True


async def _recipient(
    connection: Connection, audit: Audit, address: str, why: str, now: datetime, *, due: bool
) -> Recipient:
    """With what the ledgers say: the owner's, and that of the list where the cluster keeps those alone."""
    told: list[Told] = []
    is_due = waits = False
    again: datetime | None = None
    for resource in (owner_id(address), audit.list_name):
        key = ACCESS_LIST + resource
        try:
            data = await connection.access_list_data.read(resource)
            claim = Claim(key, "").read(data)
        except LedgerUnreadable as error:
            return Recipient(address, why, tuple(told), f"left alone: {cell(error)}")
        except ClusterError as error:
            return Recipient(address, why, tuple(told), f"what was told cannot be read: {cell(error)}")
        told += _told(claim.ledger, audit, address)
        if data:
            plan = claim.plan(view_of(key, (address,), (audit,)), Audience(), Policy(), now)
            is_due, waits, again = is_due or bool(plan.next), waits or not plan.next, plan.wake_at
    told.sort(key=lambda one: one.at)
    if not due:
        verdict = ""
    elif is_due and told and told[-1].status == _STATUS[Mark.ATTEMPTED]:
        verdict = "sent again, as the same message: nobody knows whether it arrived"
    elif not waits:
        verdict = "due now"
    elif again is not None and again < next_step(audit, now):
        verdict = f"due, after several reminders within a day; next {_time(again)}"
    else:
        verdict = f"told in this step; next {_time(next_step(audit, now))}"
    return Recipient(address, why, tuple(told), verdict)


def _told(ledger: Ledger, audit: Audit, address: str) -> Iterator[Told]:
    party = ledger.party(address)
    if party is None:
        return
    for one in ledger.rounds:
        entry = party.entries.get(one.kind)
        if entry is not None and audit.mark in one.audits:
            at = datetime.fromtimestamp(entry.at or one.at, UTC)
            yield Told(_STATUS.get(entry.mark, str(entry.mark)), at, cell(entry.note))


def lines(explained: ExplainedList) -> Iterator[str]:
    """For people."""
    audit, route = explained.audit, explained.route
    title = f" ({cell(audit.title)})" if audit.title else ""
    yield f"Access List {cell(audit.list_name)}{title}"
    for note in explained.notes:
        yield f"Note: {cell(note)}"
    yield ""
    facts = {
        "Review due": f"{_time(audit.due)}{' (overdue)' if explained.at >= audit.due else ''}",
        "Window opens": _time(audit.opens),
        "Next step": _time(next_step(audit, explained.at)),
        "Members": _members(audit),
        "Grants": ", ".join(audit.roles) or "no role",
    }
    yield from columns((f"{name}:", value) for name, value in facts.items())
    yield f"Now: {cell(explained.outcome)}"
    yield ""
    yield f"Reminded ({len(explained.recipients)}):" if explained.recipients else "Reminded: nobody"
    for each in explained.recipients:
        yield from _indented([(each.address, each.why)])
        for one in each.told:
            yield f"    {cell(one)}"
        if each.now:
            yield f"    {cell(each.now)}"
    if route.skipped:
        yield f"Not reminded ({len(route.skipped)}):"
        yield from _indented([(entry.candidate, entry.why) for entry in route.skipped])
    if route.problem:
        yield f"Problem: {cell(route.problem)}"


def _members(audit: Audit) -> str:
    if audit.members is None:
        return "not told by this cluster"
    lists = audit.member_lists or 0
    return f"{audit.members}" + (f", and {lists} list{'' if lists == 1 else 's'}" if lists else "")


def _indented(rows: list[tuple[str, str]]) -> Iterator[str]:
    for line in columns((left.strip() or '""', right) for left, right in rows):
        yield f"  {line}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"

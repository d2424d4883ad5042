"""Access Lists for the chaos harness: windows open and dates pass in the storm, reviews come in its midst.

In: a cluster whose lists come and go, the mails to their owners, the ledgers that are written. Out: of each
owner, list and step of reminding whether it was told once. It knows what a mail tells by the round in the
ledger that its Message-ID names.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chaos_book import MOODY, REFUSED, Arrival, Book, Verdict

from teleport_email.core.audits import Audit, owner_id, step_begin
from teleport_email.core.ledger import Mark
from teleport_email.sandbox.cluster.cluster import SandboxCluster

FAR = 3600
"""Seconds after the opening of a window that no run lasts: such a date does not pass."""
OWNERS = ("l1@example.com", "l2@example.com", "l3@example.com", MOODY, REFUSED)


@dataclass
class Watched:
    """One audit, as the harness made it."""

    audit: Audit
    owners: tuple[str, ...]
    is_over: bool = False
    """The list was reviewed, or is gone: nobody has to be told any more, though somebody may have been."""


class Lists:
    """What happens to the lists, and the account of it."""

    def __init__(self, rng: random.Random, cluster: SandboxCluster, book: Book, count: int) -> None:
        self._rng = rng
        self._cluster = cluster
        self._book = book
        self._count = count
        self.watched: list[Watched] = []
        self.told = 0
        """Steps of owners that were told."""
        self.reviews = 0

    # What people do ---------------------------------------------------------------------------------

    async def live(self) -> None:
        """All of them, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                rng = random.Random(self._rng.random())
                group.create_task(self._live(f"list-{number}", rng), name=f"list {number}")

    async def _live(self, name: str, rng: random.Random) -> None:
        """One audit after the other."""
        while True:
            watched = self._make(name, rng)
            await asyncio.sleep(rng.uniform(1.0, 25.0))
            if rng.random() < 0.5:
                await asyncio.sleep(rng.uniform(10.0, 30.0))
            watched.is_over = True
            self.reviews += 1
            if rng.random() < 0.3:
                self._cluster.access_lists.delete(name)
                await asyncio.sleep(rng.uniform(0.5, 5.0))

    def _make(self, name: str, rng: random.Random) -> Watched:
        """A list, or its next audit: the window opens soon or has opened, the date passes soon after."""
        now = datetime.now(UTC).replace(microsecond=0)
        opens = now + timedelta(seconds=rng.choice([-60, 0, 2, 5, 10]))
        due = opens + timedelta(seconds=rng.choice([5, 10, 20, FAR]))
        owners = tuple(rng.sample(OWNERS, rng.choice([1, 1, 2, 3])))
        self._cluster.access_lists.create(
            name, owners=owners, due=due, notify_before=due - opens, members=("m",), replace=True
        )
        watched = Watched(Audit(name, due, opens), owners)
        self.watched.append(watched)
        return watched

    # The account --------------------------------------------------------------------------------------

    def open(self) -> Iterator[str]:
        """What is still to come: reminders, or dates that pass."""
        now = datetime.now(UTC)
        for watched, owner in self._due():
            if now < watched.audit.due < now + timedelta(seconds=FAR / 2):
                yield f"{watched.audit.list_name}: its date is still to come"
            elif not self._is_told(watched.audit, owner, now):
                yield f"{watched.audit.list_name}: {owner} is still to be reminded"
        for owner in OWNERS:
            yield from self._unsettled(owner)

    def judge(self, verdict: Verdict) -> None:
        """Add to the account of requests that of reminders."""
        now = datetime.now(UTC)
        for watched, owner in self._due():
            verdict.due += 1
            if self._is_told(watched.audit, owner, now):
                verdict.delivered += 1
            else:
                verdict.lost.append(f"{watched.audit.list_name} {owner}: not reminded")
        for owner in OWNERS:
            self._judge(owner, verdict)
            verdict.unsettled += self._unsettled(owner)

    def _due(self) -> Iterator[tuple[Watched, str]]:
        """Whose list is to be reviewed now; who is always refused is reminded of nothing."""
        for watched in self.watched:
            if not watched.is_over:
                yield from ((watched, owner) for owner in watched.owners if owner != REFUSED)

    def arrivals(self, owner: str) -> list[Arrival]:
        """The reminders that somebody got."""
        return self._book.arrivals.get((owner_id(owner), owner), [])

    def _is_told(self, audit: Audit, owner: str, now: datetime) -> bool:
        """Whether somebody was told in the step that it is now."""
        step = step_begin(audit, now)
        if step is None:
            return True
        told = [mail.round for mail in self.arrivals(owner) if mail.round is not None]
        if owner == MOODY and (ledger := self._book.ledger(owner_id(owner))) is not None:
            party = ledger.party(owner)
            told += [one for one in ledger.rounds if party and party.mark(one.kind) is Mark.GIVEN_UP]
        return any(audit.mark in one.audits and one.at >= step.timestamp() for one in told)

    def _judge(self, owner: str, verdict: Verdict) -> None:
        mails: dict[str, list[Arrival]] = defaultdict(list)
        for mail in self.arrivals(owner):
            mails[mail.message_id].append(mail)
        steps: dict[tuple[str, int, datetime], str] = {}
        audits = {watched.audit.mark: watched.audit for watched in self.watched if owner in watched.owners}
        for message_id, copies in mails.items():
            for earlier, later in itertools.pairwise(copies):
                self._book.compare(owner_id(owner), owner, earlier, later, verdict)
            told = copies[0].round
            if told is None:
                verdict.disordered.append(f"{owner}: {message_id} is of no round that was written down")
                continue
            for mark in told.audits:
                if (audit := audits.get(mark)) is None:
                    verdict.doubled.append(f"{owner}: reminded of a list of others by {message_id}")
                    continue
                at = datetime.fromtimestamp(told.at, UTC)
                step = step_begin(audit, at)
                if step is None:
                    verdict.disordered.append(f"{owner}: reminded of {audit.list_name} before its window")
                elif steps.setdefault((*audit.key, step), message_id) != message_id:
                    verdict.doubled.append(f"{owner}: reminded of {audit.list_name} twice in a step")
        self.told += len(steps)

    def _unsettled(self, owner: str) -> Iterator[str]:
        """What the last ledger of an owner says against its being finished; nobody looks at one that is about
        nothing any more."""
        ledger = self._book.ledger(owner_id(owner))
        open_ = {
            watched.audit.mark for watched in self.watched if not watched.is_over and owner in watched.owners
        }
        if ledger is None or not open_:
            return
        if ledger.owner:
            yield f"{owner}: claimed"
        party = ledger.party(owner)
        for one in ledger.rounds:
            mark = party.mark(one.kind) if party else None
            if mark is Mark.ATTEMPTED and not one.audits.isdisjoint(open_):
                yield f"{owner} {one.kind.code} attempted and left"
            if mark is Mark.GIVEN_UP and owner not in (MOODY, REFUSED):
                yield f"{owner} {one.kind.code} given up"

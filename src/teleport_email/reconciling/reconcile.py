"""One key: look what the situation is, and work where something is due: claim, send, record.

In: a request's id, or the key of somebody's reminders. Out: what to do with the key (:class:`Done`,
:class:`Again`). What an event said plays no part: the request is taken from the store as it is now, the
ledger from the cluster as it is now. So events may be lost, doubled or reordered, and start-up, reconnection
and a retry are one code path.

``look`` says what the situation is; here is what is done about it, and what is kept until the next look.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

import structlog
from msgspec import Struct

from teleport_email.core import informing
from teleport_email.core.backoff import CONTENTION, MAIL, Backoff
from teleport_email.core.claim import LEASE, Attempt, Claim, Render
from teleport_email.core.decide import Audience, Due, Plan, Policy, View
from teleport_email.core.errors import ClusterError, LedgerTooNew, LedgerUnreadable, NotFound
from teleport_email.core.informing import Wait
from teleport_email.core.ledger import Entry
from teleport_email.reconciling.hold import Hold, Mailer, Observer
from teleport_email.reconciling.keys import about
from teleport_email.reconciling.look import (
    GoPluginAtWork,
    HeldByOther,
    Known,
    Look,
    NotNew,
    Router,
    Settled,
    Sighting,
    Unknown,
    Unreadable,
    Waiting,
    WorkDue,
)
from teleport_email.reconciling.record import PluginData, Recorder

LOOK_AGAIN = 8.0
"""Seconds between looks at a request that another process works on. With the lease of 30 s and a first
look that comes at most this late, the share of a dead process is taken over within 45 s."""
STALE_LOOK = 3.0
"""Seconds until a request is looked at again whose ledger is further than what we know of it."""
PAUSED_LOOK = 1.0
"""Seconds until a request is in the mailer's queue again after a pause has put it off: enough for the
others that are waiting to have their turn as the probe."""
HOLD_LIMIT = 600.0
"""Seconds after which a hold begins nothing more and lets others have a turn."""

log = structlog.get_logger()


class Writer(Protocol):
    """Writes what messages say."""

    async def prepare(self, view: View) -> Render:
        """Look up what the texts need (names of resources ...) and return the pure part."""
        ...


class Done(Struct, frozen=True):
    """Nothing is left to do until the request changes, or until ``wake_at``."""

    wake_at: datetime | None = None


class Again(Struct, frozen=True):
    """Look again: in ``after`` seconds, or, when None, as the number of failures in a row says."""

    after: float | None = None
    backoff: Backoff = MAIL
    at_least: float = 0.0
    """Seconds that the mail server asked for."""
    at_most: float = float("inf")
    """Seconds until a recipient may be tried who waits after a refusal."""


Outcome = Done | Again


class Reconciler:
    """Brings one key at a time to the state in which nothing is due."""

    def __init__(
        self,
        *,
        owner: str,
        store: Known,
        plugin_data: PluginData,
        mailer: Callable[[], Mailer],
        router: Callable[[], Router],
        writer: Callable[[], Writer],
        policy: Callable[[], Policy],
        id_domain: Callable[[], str],
        observer: Observer,
        clock: Callable[[], float],
        wall: Callable[[], datetime],
        rng: random.Random,
        refresh: Callable[[str], Awaitable[None]] | None = None,
        vanished: Callable[[str, NotFound], None] | None = None,
        about: Callable[[str], Mapping[str, str]] = about,
    ) -> None:
        """``owner``: random, new per process. ``clock``: seconds that go on while the machine sleeps.

        What a reload may replace comes in as a function. ``rng`` must be unguessable (SystemRandom).
        ``refresh``: asked before each claim, so that the store has the newest; where it fails, what is known
        stands. ``vanished``: told when the cluster has no place for a ledger, instead of the log.
        ``about``: the fields of the log for a key.
        """
        self._look = Look(
            owner=owner,
            store=store,
            plugin_data=plugin_data,
            router=router,
            policy=policy,
            clock=clock,
            wall=wall,
        )
        self._store = store
        self._mailer = mailer
        self._writer = writer
        self._policy = policy
        self._id_domain = id_domain
        self._observer = observer
        self._clock = clock
        self._wall = wall
        self._rng = rng
        self._sightings: dict[str, Sighting] = {}
        self._leftover: dict[str, dict[Due, Entry | None]] = {}
        self._tries: dict[str, dict[Due, int]] = {}
        self._said: dict[str, str] = {}
        self.waits: dict[str, tuple[Wait, ...]] = {}
        """By request, the failed tries of those who wait, as its ledger had them last."""
        self._stopping = asyncio.Event()
        self._ledgers = Recorder(plugin_data, observer, self._stopping, clock=clock, rng=rng, about=about)
        self._holds: set[Hold] = set()
        self._refresh = refresh
        self._vanish = vanished
        self._about = about

    def stop(self) -> None:
        """Begin nothing more; what is under way comes to its end and is recorded."""
        self._stopping.set()
        for hold in self._holds:
            hold.gate.winding_down = True

    def abandon(self) -> None:
        """After :meth:`stop`: give back everything that is not past its final dot."""
        for hold in self._holds:
            hold.gate.close()

    def is_settled(self, request_id: str, data: Mapping[str, str]) -> bool:
        """Whether nothing is due for a request, given its plugin data; False when that is not certain."""
        return self._look.is_settled(request_id, data)

    def is_finished(self, request_id: str, data: Mapping[str, str]) -> bool:
        """Whether nothing would be due even if the request were gone by now."""
        return self._look.is_finished(request_id, data)

    async def reconcile(self, request_id: str) -> Outcome:
        """Look at one request and do what is due. Raises :class:`ClusterError` to be tried again."""
        situation = await self._look.situation(
            request_id,
            facts=self._leftover.get(request_id, {}),
            sighting=self._sightings.get(request_id),
            tried=request_id in self._tries,
        )
        match situation:
            case WorkDue():
                try:
                    return await self._work(situation)
                except NotFound as error:
                    return self._vanished(request_id, situation, error)
            case Settled(version, wake_at):
                return self._settled(request_id, version, wake_at)
            case HeldByOther(claim, view, sighting):
                self._sightings[request_id] = sighting
                self._keep_facts(await self._ledgers.facts(claim, view))
                return Again(LOOK_AGAIN * (1 + self._rng.random() / 4))
            case GoPluginAtWork(sighting):
                self._sightings[request_id] = sighting
                return Again(LOOK_AGAIN)
            case Waiting(claim, view):
                self._keep_facts(await self._ledgers.facts(claim, view))
                return Again(STALE_LOOK)
            case NotNew():
                self._tries[request_id] = {}
                return Again(0)
            case Unreadable(version, error):
                self._say_unreadable(request_id, error)
                self._store.settle(request_id, version)
                if self._store.view(request_id) is None:
                    self._forget(request_id)
                return Done()
            case Unknown():
                self._forget(request_id)
                return Done()

    def _forget(self, request_id: str) -> None:
        for memory in (self._sightings, self._said, self._tries, self._leftover, self.waits):
            memory.pop(request_id, None)
        self._mailer().leave(request_id)

    def _waits(self, mailer: Mailer, request_id: str, dues: Iterable[Due]) -> dict[Due, float]:
        """Who has to wait after a refusal, and for how many seconds."""
        waits = {due: mailer.wait(due.address, request_id, due.turn) for due in dues}
        return {due: seconds for due, seconds in waits.items() if seconds > 0}

    def _parked(self, mailer: Mailer, request_id: str, waits: Mapping[Due, float]) -> Again:
        # The highest last: a reviewer may be the requester, too.
        mailer.park(request_id, {due.address: due.turn for due in sorted(waits, key=lambda due: due.turn)})
        return Again(min(waits.values()) + 0.05)

    def _settled(self, request_id: str, version: int, wake_at: datetime | None) -> Done:
        self._forget(request_id)
        self._store.settle(request_id, version)
        return Done(wake_at)

    def _vanished(self, request_id: str, work: WorkDue, error: NotFound) -> Done:
        if self._vanish is not None:
            self._vanish(request_id, error)
        elif work.claim.ledger.exists:
            log.error("ledger expired", **self._about(request_id), error=str(error), lost=len(work.plan.next))
        else:
            log.info("request gone before it was announced", **self._about(request_id))
        return self._settled(request_id, work.version, work.plan.wake_at)

    def _say_unreadable(self, request_id: str, error: LedgerUnreadable) -> None:
        if self._said.get(request_id) == str(error):
            return
        self._said[request_id] = str(error)
        text = "ledger of a newer version" if isinstance(error, LedgerTooNew) else "ledger unreadable"
        action = "left as it is; nobody is told"
        log.error(text, **self._about(request_id), error=str(error), action=action)

    # Claim, send, record ------------------------------------------------------------------------------

    async def _work(self, work: WorkDue) -> Outcome:
        request_id, mailer = work.claim.request_id, self._mailer()
        if not work.plan.next:
            return await self._pass(work)
        waits = self._waits(mailer, request_id, work.plan.next)
        if len(waits) == len(work.plan.next):
            # For nobody else anything is due: neither a claim nor a worker is held meanwhile.
            view = self._look.view(request_id, work.claim.data)
            if work.claim.facts and view is not None:
                self._keep_facts(await self._ledgers.facts(work.claim, view))
            return self._parked(mailer, request_id, waits)
        if work.claim.held_by_other:
            log.warning("claim taken over", **self._about(request_id), silent_for=f"{LEASE:.0f} s")
        async with self._holding(work.claim) as hold:
            return await self._send_what_is_due(hold, work.audience) if hold is not None else Again(0)

    async def _pass(self, work: WorkDue) -> Outcome:
        """Write down which reviews are passed. Nothing is sent: neither a slot nor a claim is needed."""
        hold = self._hold(work.claim, self._mailer())
        view = self._look.view(work.claim.request_id, work.claim.data)
        if view is None:
            return Again(STALE_LOOK)
        attempt = self._next_write(hold, view, work.plan)
        if attempt is not None and not await self._ledgers.write(hold, attempt):
            await self._ledgers.after_loss(hold, view)
            self._keep_facts(hold.claim)
            return Again(backoff=CONTENTION)
        self._keep_facts(hold.claim)
        return Again(0)

    def _hold(self, claim: Claim, mailer: Mailer) -> Hold:
        tries = self._tries.setdefault(claim.request_id, {})
        return Hold(
            claim,
            mailer,
            observer=self._observer,
            clock=self._clock,
            wall=self._wall,
            tries=tries,
            about=self._about,
        )

    @contextlib.asynccontextmanager
    async def _holding(self, claim: Claim) -> AsyncIterator[Hold | None]:
        """A slot of the mailer and a hold; at its end all sends have ended. None when told to stop first."""
        mailer = self._mailer()
        admission = mailer.admit()
        if not await self._unless_stopping(admission.__aenter__()):
            yield None
            return
        hold = self._hold(claim, mailer)
        self._holds.add(hold)
        try:
            yield hold
        finally:
            try:
                await hold.end()
                self._keep_facts(hold.claim)
            finally:
                self._holds.discard(hold)
                await admission.__aexit__(None, None, None)

    async def _unless_stopping(self, entering: Awaitable[None]) -> bool:
        """Wait for an admission; False when the process is told to stop first."""
        enter = asyncio.ensure_future(entering)
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({enter, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            if not enter.done():
                enter.cancel()
        await asyncio.wait({enter, stop})
        if enter.cancelled():
            return False
        enter.result()
        return True

    async def _send_what_is_due(self, hold: Hold, audience: Audience) -> Outcome:
        request_id = hold.claim.request_id
        ends = self._clock() + HOLD_LIMIT
        if self._refresh is not None:
            try:
                await self._refresh(request_id)
            except ClusterError as error:
                log.debug("not read again before the claim", **self._about(request_id), error=str(error))
        while True:
            version = self._store.version(request_id)
            view = self._look.view(request_id, hold.claim.data)
            if view is None:
                return Again(STALE_LOOK)
            plan = hold.claim.plan(view, audience, self._policy(), self._wall())
            if (plan.freeze or (plan.renew and not hold.claim.holding)) and hold.render is None:
                hold.render = await self._writer().prepare(view)
            if self._stopping.is_set() or hold.mailer.refusing or self._clock() >= ends:
                hold.gate.winding_down = True
            begun = {*hold.claim.in_flight, *hold.claim.ready, *hold.claim.deferred}
            fresh = [due for due in plan.next if due not in begun]
            if waits := self._waits(hold.mailer, request_id, fresh):
                hold.claim = hold.claim.put_off(waits)
            attempt = self._next_write(hold, view, plan)
            if attempt is not None:
                if not await self._ledgers.write(hold, attempt):
                    await self._ledgers.after_loss(hold, view)
                    return Again(backoff=CONTENTION)
                hold.begin()
                hold.collect()
            elif hold.is_sending:
                await hold.news()
            else:
                break
        if plan.settled and not hold.claim.facts:
            return self._settled(request_id, version, plan.wake_at)
        if hold.mailer.refusing:
            # Not this request's fault: it waits with the others for a probe, not for a backoff of its own.
            return Again(PAUSED_LOOK)
        waits = self._waits(hold.mailer, request_id, plan.next)
        if any(due in hold.declined and due not in waits for due in plan.next):
            return Again(0)  # somebody got through meanwhile: it was the account that was refused
        if waits:
            again = self._parked(hold.mailer, request_id, waits)
            if len(waits) == len(plan.next):
                return again
            return Again(at_least=hold.retry_after, at_most=again.after or 0.0)
        return Again(at_least=hold.retry_after)

    def _next_write(self, hold: Hold, view: View, plan: Plan) -> Attempt | None:
        return hold.claim.next_write(
            view,
            plan,
            write_id=f"{self._rng.getrandbits(64):016x}",
            nonce=f"{self._rng.getrandbits(128):032x}",
            domain=self._id_domain(),
            now=self._clock(),
            room=hold.room,
            render=hold.render,
        )

    def _keep_facts(self, claim: Claim) -> None:
        """Keep what is not recorded for the next look, and for the status page why people wait."""
        waits = [informing.waiting(party.info) for party in claim.ledger.parties]
        if any(waits):
            self.waits[claim.request_id] = tuple(wait for wait in waits if wait is not None)
        else:
            self.waits.pop(claim.request_id, None)
        facts: dict[Due, Entry | None] = {
            due: entry for due, entry in claim.facts.items() if entry is not None
        }
        if facts:
            self._leftover[claim.request_id] = facts
        else:
            self._leftover.pop(claim.request_id, None)

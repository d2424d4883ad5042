"""One request: read its ledger, work out what is still due, claim, send, record.

In: a request's id. Out: what to do with the key (:class:`Done`, :class:`Again`). What an event said plays
no part: the request is taken from the store as it is now, the ledger from the cluster as it is now. So
events may be lost, doubled or reordered, and start-up, reconnection and a retry are one code path.

The decisions are in ``decide`` and ``claim``; here is the I/O around them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from teleport_email.core import go_plugin
from teleport_email.core.backoff import CONTENTION, MAIL, Backoff
from teleport_email.core.claim import LEASE, Attempt, Claim, Render
from teleport_email.core.decide import Audience, Due, Plan, Policy, View, is_ours_to_tell
from teleport_email.core.errors import (
    LedgerTooNew,
    LedgerUnreadable,
    NotFound,
)
from teleport_email.core.frozen import unpack
from teleport_email.core.ledger import Entry, Ledger
from teleport_email.core.model import (
    AccessRequest,
)
from teleport_email.reconciling.hold import Hold, Mailer, Observer
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


class Known(Protocol):
    """What is known of the requests: :class:`teleport_email.watching.store.Store`."""

    def view(self, request_id: str) -> View | None: ...

    def is_new(self, request_id: str) -> bool: ...

    def is_remembered(self, request_id: str) -> bool: ...

    def version(self, request_id: str) -> int: ...

    def settle(self, request_id: str, version: int) -> None: ...


class Router(Protocol):
    """Finds out who is told of a new request."""

    async def audience(self, request: AccessRequest) -> Audience: ...


class Writer(Protocol):
    """Writes what messages say."""

    async def prepare(self, request: AccessRequest) -> Render:
        """Look up what the texts need (names of resources ...) and return the pure part."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do until the request changes, or until ``wake_at``."""

    wake_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """Look again: in ``after`` seconds, or, when None, as the number of failures in a row says."""

    after: float | None = None
    backoff: Backoff = MAIL
    at_least: float = 0.0
    """Seconds that the mail server asked for."""


Outcome = Done | Again


@dataclass(frozen=True, slots=True)
class _Sighting:
    """Somebody's claim as first received: the same one, half a minute later, is taken over."""

    what: tuple[str, ...]
    received: float


class Reconciler:
    """Brings one request at a time to the state in which nothing is due."""

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
    ) -> None:
        """``owner``: random, new per process. ``clock``: seconds that go on while the machine sleeps.

        What a reload may replace comes in as a function. ``rng`` must be unguessable (SystemRandom).
        """
        self._owner = owner
        self._store = store
        self._data = plugin_data
        self._mailer = mailer
        self._router = router
        self._writer = writer
        self._policy = policy
        self._id_domain = id_domain
        self._observer = observer
        self._clock = clock
        self._wall = wall
        self._rng = rng
        self._sightings: dict[str, _Sighting] = {}
        self._leftover: dict[str, dict[Due, Entry | None]] = {}
        self._tries: dict[str, dict[Due, int]] = {}
        self._said: dict[str, str] = {}
        self._stopping = asyncio.Event()
        self._ledgers = Recorder(plugin_data, observer, self._stopping, clock=clock, rng=rng)
        self._holds: set[Hold] = set()

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
        view = self._view(request_id, data)
        return view is None or self._nothing_due(view, data)

    def is_finished(self, request_id: str, data: Mapping[str, str]) -> bool:
        """Whether nothing would be due even if the request were gone by now."""
        return self._nothing_due(View(_from_plugin_data(request_id, data), gone=True), data)

    def _nothing_due(self, view: View, data: Mapping[str, str]) -> bool:
        try:
            claim = Claim(view.request.id, self._owner).read(data)
        except LedgerUnreadable:
            return False
        if not claim.ledger.exists and is_ours_to_tell(view, self._policy(), self._wall()):
            return False
        plan = claim.plan(view, Audience(), self._policy(), self._wall())
        return plan.settled and plan.wake_at is None

    async def reconcile(self, request_id: str) -> Outcome:
        """Look at one request and do what is due. Raises :class:`ClusterError` to be tried again."""
        version = self._store.version(request_id)
        begun = self._clock()
        # Of a new request nobody has told yet: it is claimed at once, and the compare notices if one has.
        assumed = self._store.is_new(request_id) and request_id not in self._tries
        data = {} if assumed else await self._data.read(request_id)
        received = self._clock()
        view = self._view(request_id, data)
        if view is None:
            self._forget(request_id)
            return Done()
        claim = Claim(request_id, self._owner, facts=self._leftover.get(request_id, {}))
        try:
            claim = claim.read(data)
            audience = await self._audience(view, claim.ledger)
            plan = claim.plan(view, audience, self._policy(), self._wall())
            # Before anything is claimed: what was frozen must go out as it is, or not at all.
            for kind in plan.owed & claim.ledger.contents:
                unpack(claim.ledger.blob(kind))
        except LedgerUnreadable as error:
            self._say_unreadable(request_id, error)
            self._store.settle(request_id, version)
            if self._store.view(request_id) is None:
                self._forget(request_id)
            return Done()
        if assumed and not plan.next and await self._data.read(request_id):
            self._tries[request_id] = {}
            return Again(0)
        if plan.settled and not claim.facts and not claim.is_left_behind:
            return self._settled(request_id, version, plan)
        if claim.held_by_other and not self._may_take_over(request_id, claim.ledger, begun, received):
            self._keep_facts(await self._ledgers.facts(claim, view))
            return Again(LOOK_AGAIN * (1 + self._rng.random() / 4))
        if not claim.ledger.exists and go_plugin.is_claiming(data):
            waiting = ("go", *go_plugin.go_values(data).values())
            if not self._seen_for(request_id, waiting, begun, received):
                return Again(LOOK_AGAIN)
        if not plan.next:
            self._keep_facts(await self._ledgers.facts(claim, view))
            return Again(STALE_LOOK)
        try:
            return await self._work(claim, version, audience)
        except NotFound as error:
            self._leftover.pop(request_id, None)
            if claim.ledger.exists:
                log.error("ledger expired", request=request_id, error=str(error), lost=len(plan.next))
            else:
                log.info("request gone before it was announced", request=request_id)
            return self._settled(request_id, version, plan)

    def _view(self, request_id: str, data: Mapping[str, str]) -> View | None:
        """What is known of the request, filled from its plugin data where it was gone before we saw it."""
        view = self._store.view(request_id)
        if view is None or self._store.is_remembered(request_id):
            return view
        if not view.gone:
            return None  # known by its plugin data alone, and not known to be gone: the next list tells
        return View(_from_plugin_data(request_id, data), gone=True)

    async def _audience(self, view: View, ledger: Ledger) -> Audience:
        if ledger.exists or not is_ours_to_tell(view, self._policy(), self._wall()):
            return Audience()
        return await self._router().audience(view.request)

    def _forget(self, request_id: str) -> None:
        for memory in (self._sightings, self._said, self._tries, self._leftover):
            memory.pop(request_id, None)

    def _settled(self, request_id: str, version: int, plan: Plan) -> Done:
        self._forget(request_id)
        self._store.settle(request_id, version)
        return Done(plan.wake_at)

    def _say_unreadable(self, request_id: str, error: LedgerUnreadable) -> None:
        if self._said.get(request_id) == str(error):
            return
        self._said[request_id] = str(error)
        what = "ledger of a newer version" if isinstance(error, LedgerTooNew) else "ledger unreadable"
        log.error(what, request=request_id, error=str(error), action="left as it is; this request is skipped")

    # Whose turn it is -------------------------------------------------------------------------------

    def _may_take_over(self, request_id: str, ledger: Ledger, begun: float, received: float) -> bool:
        """A claim that shows no life for a whole lease: the same owner and write id, seen twice."""
        what = (ledger.owner, ledger.write_id)
        if not self._seen_for(request_id, what, begun, received):
            return False
        log.warning("claim taken over", request=request_id, silent_for=f"{LEASE:.0f} s")
        return True

    def _seen_for(self, request_id: str, what: tuple[str, ...], begun: float, received: float) -> bool:
        """Whether a read begun now shows what was first received at least a lease ago."""
        sighting = self._sightings.get(request_id)
        if sighting is None or sighting.what != what:
            self._sightings[request_id] = _Sighting(what, received)
            return False
        return begun - sighting.received >= LEASE

    # Claim, send, record ------------------------------------------------------------------------------

    async def _work(self, claim: Claim, version: int, audience: Audience) -> Outcome:
        mailer = self._mailer()
        admission = mailer.admit()
        if not await self._unless_stopping(admission.__aenter__()):
            return Again(0)
        hold = Hold(
            claim,
            mailer,
            observer=self._observer,
            clock=self._clock,
            wall=self._wall,
            tries=self._tries.setdefault(claim.request_id, {}),
        )
        self._holds.add(hold)
        try:
            outcome = await self._hold(hold, version, audience)
        finally:
            try:
                await hold.end()
                self._keep_facts(hold.claim)
            finally:
                self._holds.discard(hold)
                await admission.__aexit__(None, None, None)
        return outcome

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

    async def _hold(self, hold: Hold, version: int, audience: Audience) -> Outcome:
        request_id = hold.claim.request_id
        ends = self._clock() + HOLD_LIMIT
        while True:
            version = self._store.version(request_id)
            view = self._view(request_id, hold.claim.data)
            if view is None:
                return Again(STALE_LOOK)
            plan = hold.claim.plan(view, audience, self._policy(), self._wall())
            if plan.freeze and hold.render is None:
                hold.render = await self._writer().prepare(view.request)
            if self._stopping.is_set() or hold.mailer.refusing or self._clock() >= ends:
                hold.gate.winding_down = True
            attempt = self._next_write(hold, view, plan)
            if attempt is None:
                if not hold.is_sending:
                    break
                await hold.news()
                continue
            if not await self._ledgers.write(hold, attempt):
                await self._ledgers.after_loss(hold, view)
                return Again(backoff=CONTENTION)
            hold.begin()
            hold.collect()
        if plan.settled and not hold.claim.facts:
            return self._settled(request_id, version, plan)
        if hold.mailer.refusing:
            # Not this request's fault: it waits with the others for a probe, not for a backoff of its own.
            return Again(PAUSED_LOOK)
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
        """Keep what is not recorded for the next look at the request."""
        facts: dict[Due, Entry | None] = {
            due: entry for due, entry in claim.facts.items() if entry is not None
        }
        if facts:
            self._leftover[claim.request_id] = facts
        else:
            self._leftover.pop(claim.request_id, None)


def _from_plugin_data(request_id: str, data: Mapping[str, str]) -> AccessRequest:
    """What the plugin data tell of a request that is gone."""
    return AccessRequest(
        id=request_id,
        user=data.get("user", ""),
        roles=tuple(role for role in data.get("roles", "").split(",") if role),
        request_reason=data.get("request_reason", ""),
    )

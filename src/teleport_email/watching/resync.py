"""Listing: what the cluster has, held against what was told; the safety net under the event stream.

In: a connection that is watching. Out: the ids of requests whose ledger may be behind, put on the queue.
Runs after every beginning of a watch (the stream replays nothing), again a little later because the
cluster's lists lag behind its events, and then at long, jittered intervals.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from teleport_email.config.settings import DeliverySettings
from teleport_email.core import go_plugin
from teleport_email.core.decide import Policy
from teleport_email.core.errors import ClusterError, Denied, LedgerUnreadable
from teleport_email.core.ledger import LEDGER_KEY
from teleport_email.core.model import AccessRequest
from teleport_email.reconciling.unannounced import unannounced
from teleport_email.reconciling.workqueue import WorkQueue
from teleport_email.watching.store import SECOND_LOOK, Store

LIST_SPACING = 30.0
"""Seconds between full lists made because a stream began, however often it ends."""
FOLLOW_UPS = (5.0, 30.0)
"""Seconds after which the first list of a stream is repeated: lists answer from a cache that lags."""
LONG_OUTAGE = 120.0
"""Seconds without a stream after which all ledgers are read at once again; else one by one as needed."""
LOOK_AGAIN = 3600.0
"""Seconds at most between two looks at the ledger of an open request for which nothing is due. No event tells
that ``retry`` brought back what was given up, and could not send it."""
BREATHE_EVERY = 200
"""Ledgers to look at before other tasks get a turn."""

log = structlog.get_logger()


class Lists(Protocol):
    """What a resync reads from the cluster."""

    async def list(self) -> list[AccessRequest]: ...


class Ledgers(Protocol):
    """Our plugin data."""

    async def read(self, request_id: str) -> Mapping[str, str]: ...
    async def read_all(self) -> Mapping[str, Mapping[str, str]]: ...


class Settled(Protocol):
    """Tells from plugin data alone whether a request needs a look."""

    def is_settled(self, request_id: str, data: Mapping[str, str]) -> bool: ...
    def is_finished(self, request_id: str, data: Mapping[str, str]) -> bool: ...


class Resync:
    """Lists at the right times, over all connections of the process."""

    def __init__(
        self,
        store: Store,
        queue: WorkQueue,
        settled: Settled,
        *,
        interval: Callable[[], float],
        delivery: Callable[[], DeliverySettings],
        policy: Callable[[], Policy],
        clock: Callable[[], float],
        wall: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        """``interval``: seconds between lists in quiet times."""
        self._store = store
        self._queue = queue
        self._settled = settled
        self._interval = interval
        self._delivery = delivery
        self._policy = policy
        self._clock = clock
        self._wall = wall
        self._rng = rng
        self._look_at = clock() + self._until_look()
        self._last_first = float("-inf")
        self._last_seen = float("-inf")
        self._ledgers_due = True
        self._expiries: dict[str, datetime] = {}
        self.to_announce = 0
        """Pending requests that nobody was told of when all ledgers were read last."""
        self.duty_since: datetime | None = None
        """Requests made since then were ours to tell; None before the first watch."""

    def watching(self) -> None:
        """The stream is open. The first time: from here on every request made is ours to tell."""
        if self.duty_since is None:
            self.duty_since = self._wall()
        # Due until a list with all ledgers is through, however many streams end before that.
        if self._clock() - self._last_seen > LONG_OUTAGE:
            self._ledgers_due = True

    def lost(self) -> None:
        """The stream has ended."""
        self._last_seen = self._clock()

    async def run(self, requests: Lists, ledgers: Ledgers, ready: Callable[[], None]) -> None:
        """List as long as the connection lasts; ``ready`` is called after the first list."""
        await asyncio.sleep(max(0.0, self._last_first + LIST_SPACING - self._clock()))
        self._last_first = self._clock()
        uncertain = await self.once(requests, ledgers if self._ledgers_due else None)
        self._ledgers_due = False
        ready()
        begun = self._clock()
        for delay in FOLLOW_UPS:
            await asyncio.sleep(max(0.0, begun + delay - self._clock()))
            uncertain = await self.once(requests)
        while True:
            # A request that one list lacks is gone if another, a minute later, lacks it too.
            quiet = self._interval() * (1.0 - self._rng.random() / 4)
            await self._quiet(min(quiet, SECOND_LOOK + 1) if uncertain else quiet, ledgers)
            uncertain = await self.once(requests)

    async def _quiet(self, seconds: float, ledgers: Ledgers) -> None:
        """The time between two lists, with the look at settled requests where its hour is over."""
        ends = self._clock() + seconds
        while (left := ends - self._clock()) > 0:
            await asyncio.sleep(min(left, max(0.0, self._look_at - self._clock())))
            if self._clock() >= self._look_at:
                await self.look_again(ledgers)
                self._look_at = self._clock() + self._until_look()

    def _until_look(self) -> float:
        return LOOK_AGAIN * (1.0 - self._rng.random() / 4)

    async def look_again(self, ledgers: Ledgers) -> None:
        """Read the ledgers of open requests for which nothing is due, one by one: something may be by now."""
        looks = 0
        for request_id in self._store.settled():
            try:
                data = await ledgers.read(request_id)
            except ClusterError as error:
                log.debug("cluster call failed", request=request_id, error=str(error))
                return  # the next round comes, and a lost connection is noticed by others
            if not self._settled.is_settled(request_id, data):
                self._queue.add(request_id)
                looks += 1
        log.debug("looked again", to_look_at=looks)

    async def once(self, requests: Lists, ledgers: Ledgers | None = None) -> bool:
        """One full list. With ``ledgers``, all of them are read, so that nothing is asked one by one.

        Returns whether some request is missing and only a second look can tell that it is gone.
        """
        asked, now = self._clock(), self._wall()
        listed = await requests.list()
        data = await self._read_all(ledgers) if ledgers is not None else None
        if data is not None:
            self._take_ledgers(listed, data)
            new = unannounced(listed, data, self._delivery(), self._policy(), self._wall())
            self.to_announce = len(new)
        unsettled, uncertain = self._store.listed(listed, clock=asked, now=now, expiries=self._expiries)
        if data is not None:
            unsettled = self._store.ids()  # what was settled before all ledgers were known was a guess
        looks = 0
        for count, request_id in enumerate(unsettled):
            version = self._store.version(request_id)
            if data is not None and self._settled.is_settled(request_id, data.get(request_id, {})):
                self._store.settle(request_id, version)
            else:
                self._queue.add(request_id)
                looks += 1
            if count % BREATHE_EVERY == 0:
                await asyncio.sleep(0)
        log.debug("listed", requests=len(listed), to_look_at=looks, ledgers=len(data or ()))
        return uncertain

    async def _read_all(self, ledgers: Ledgers) -> Mapping[str, Mapping[str, str]] | None:
        try:
            return await ledgers.read_all()
        except Denied as error:
            log.error(
                "plugin data not readable", error=str(error), action="allow access_plugin_data: read, update"
            )
            return None

    def _take_ledgers(self, listed: list[AccessRequest], data: Mapping[str, Mapping[str, str]]) -> None:
        """Learn from all ledgers: since when we are on duty, and which requests may have gone unseen."""
        present = {request.id for request in listed}
        ours = [
            request.created
            for request in listed
            if request.created and LEDGER_KEY in data.get(request.id, {})
        ]
        catch_up = self._policy().catch_up
        if ours and catch_up > 0 and self.duty_since is not None:
            # Whoever told of one request was on duty for all later ones, as far as catching up goes.
            oldest = max(min(ours), self._wall() - timedelta(seconds=catch_up))
            self.duty_since = min(self.duty_since, oldest)
        self._expiries.clear()
        for request_id, entry in data.items():
            if request_id in present or self._settled.is_finished(request_id, entry):
                continue
            self._store.expect(request_id)
            try:
                expires = go_plugin.read(entry, reviews=0).expires
            except LedgerUnreadable:
                continue
            if expires:
                self._expiries[request_id] = datetime.fromtimestamp(expires, UTC)

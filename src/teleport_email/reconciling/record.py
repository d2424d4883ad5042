"""Writing to a ledger, and finding out what became of a write.

In: what a claim wants written. Out: the claim after the answer, or after reading where there was none.
Never: a decision about what is due, a blind repetition.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from teleport_email.core.backoff import CONTENTION
from teleport_email.core.claim import LEASE, Attempt, Claim
from teleport_email.core.decide import View
from teleport_email.core.errors import ClusterError, Conflict, LedgerUnreadable, Unreachable
from teleport_email.core.model import replace
from teleport_email.reconciling.hold import Hold, Observer
from teleport_email.reconciling.keys import about

log = structlog.get_logger()


class PluginData(Protocol):
    """The plugin data of the cluster; the errors are those of ``errors.ClusterError``."""

    async def read(self, request_id: str) -> Mapping[str, str]:
        """Our entry for the request, empty when there is none."""
        ...

    async def compare_and_swap(
        self,
        request_id: str,
        *,
        set: Mapping[str, str],  # noqa: A002 - the name on the wire
        expect: Mapping[str, str],
    ) -> None:
        """Set keys where all expectations hold."""
        ...


class Recorder:
    """Writes for all keys of a reconciler."""

    def __init__(
        self,
        data: PluginData,
        observer: Observer,
        stopping: asyncio.Event,
        *,
        clock: Callable[[], float],
        rng: random.Random,
        about: Callable[[str], Mapping[str, str]] = about,
    ) -> None:
        """``stopping``: once set, nothing is waited for any longer than needed."""
        self._data = data
        self._observer = observer
        self._stopping = stopping
        self._clock = clock
        self._rng = rng
        self._about = about

    async def write(self, hold: Hold, attempt: Attempt) -> bool:
        """Issue a write and find out what became of it. Returns whether this process may go on."""
        was_holding = hold.claim.holding
        hold.claim = hold.claim.issued(attempt)
        request_id = hold.claim.request_id
        try:
            await self._data.compare_and_swap(request_id, set=attempt.write.set, expect=attempt.write.expect)
        except (Conflict, Unreachable) as error:
            self._observer.conflict()
            log.debug("ledger write not confirmed", **self._about(request_id), error=str(error))
        except ClusterError:
            hold.gate.close()
            raise
        else:
            hold.claim = hold.claim.written(attempt)
            hold.gate.confirmed = hold.claim.confirmed
            hold.unconfirmed = 0
            return True
        hold.unconfirmed += 1
        if not await self._read_again(hold, attempt):
            return False
        applied = hold.claim.ledger.write_id == attempt.write_id
        if not was_holding and not applied:
            return False  # lost the claim to somebody: never claim again in the same step
        if not hold.claim.holding:
            return applied and hold.claim.ledger.owner == ""
        hold.gate.confirmed = hold.claim.confirmed
        if hold.claim.age(self._clock()) > LEASE:
            return False
        if hold.unconfirmed > 1:
            await asyncio.sleep(CONTENTION.delay(hold.unconfirmed, self._rng))
        return True

    async def _read_again(self, hold: Hold, attempt: Attempt) -> bool:
        """Read until it works or the lease is over."""
        failures = 0
        while True:
            try:
                hold.claim = hold.claim.read(await self._data.read(hold.claim.request_id))
            except Unreachable:
                failures += 1
                if self._clock() - attempt.issued > LEASE or self._stopping.is_set():
                    return False
                await asyncio.sleep(CONTENTION.delay(failures, self._rng))
            except LedgerUnreadable:
                return False
            else:
                return True

    async def after_loss(self, hold: Hold, view: View) -> None:
        """No longer the owner: abort all before the dot, let dots finish, then write only the facts."""
        hold.gate.close()
        await hold.end()
        hold.claim = await self.facts(replace(hold.claim, holding=False), view)

    async def facts(self, claim: Claim, view: View) -> Claim:
        """Write what became known without touching the claim. What does not get through stays in it."""
        for failures in range(1, 6):
            write = claim.facts_write(view)
            if write is None:
                return replace(claim, facts={})
            try:
                await self._data.compare_and_swap(claim.request_id, set=write.set, expect=write.expect)
            except (Conflict, Unreachable):
                await asyncio.sleep(CONTENTION.delay(failures, self._rng))
                try:
                    claim = claim.read(await self._data.read(claim.request_id))
                except (Unreachable, LedgerUnreadable):
                    return claim
            else:
                return claim.facts_written(write)
        return claim

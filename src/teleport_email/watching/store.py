"""The newest that is known of each request, fed by events and lists. In memory, no I/O, no clock.

The cluster's lists come from a cache that may lag behind its events, so an older answer never takes the
place of a newer one: progress only grows (more reviews; pending, then resolved), and what was deleted
stays deleted. A request that a list lacks counts as gone when a second look at least :data:`SECOND_LOOK`
seconds later misses it too; :data:`EXPIRED_LOOK` seconds are enough once its expiry has passed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from teleport_email.core.decide import View
from teleport_email.core.model import AccessRequest, RequestState, replace

SECOND_LOOK = 60.0
"""Seconds between two lists that must both lack a request: lists lag by seconds, not by a minute."""
EXPIRED_LOOK = 4.0
"""The same for a request whose expiry has passed. Not 0: by a clock that is ahead, the newest request has
expired too, and it is the one that a list lacks because it lags. Below the first repetition of a list."""
REMEMBER_GONE = 4096
"""Ids of deleted requests that are remembered, so that a late list does not bring one back to life."""


class _Known(Struct):
    request: AccessRequest | None
    gone: bool = False
    version: int = 1
    """Grows with each change that may make something due."""
    settled: int = 0
    """The version at which nothing was left to do."""
    seen_pending: bool = False
    """Whether it was seen before its resolution."""
    missed_at: float | None = None
    """Clock reading at which a list lacked it first."""


class Store:
    """What is known of each request that is not finished."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()
        self.seen = 0
        """Requests seen so far."""

    def __len__(self) -> int:
        return len(self._known)

    @property
    def open(self) -> int:
        """Requests that are there: not gone, not missing in the last list, not known by a ledger alone."""
        return sum(
            known.request is not None and not known.gone and known.missed_at is None
            for known in self._known.values()
        )

    def unsettled(self) -> list[str]:
        """Requests for which something is due, as far as is known."""
        return [key for key, known in self._known.items() if known.version != known.settled]

    def settled(self) -> list[str]:
        """Requests that are there and for which nothing is due, as far as is known."""
        return [
            key for key, known in self._known.items() if known.version == known.settled and not known.gone
        ]

    def view(self, request_id: str) -> View | None:
        """The newest known; None of a request never seen (or forgotten)."""
        known = self._known.get(request_id)
        if known is None:
            return None
        request = known.request or AccessRequest(id=request_id, user="")
        return View(request, known.gone, known.seen_pending)

    def is_remembered(self, request_id: str) -> bool:
        """Whether the request itself was seen, not only its plugin data."""
        known = self._known.get(request_id)
        return known is not None and known.request is not None

    def is_new(self, request_id: str) -> bool:
        """Whether all that is known is the request as it was first seen: no change, no plugin data, no look
        that found nothing left to do."""
        known = self._known.get(request_id)
        return known is not None and known.request is not None and (known.version, known.settled) == (1, 0)

    def version(self, request_id: str) -> int:
        """The version of what is known; 0 of a request never seen."""
        known = self._known.get(request_id)
        return known.version if known else 0

    def put(self, request: AccessRequest) -> bool:
        """Take in a request from an event or a list. Returns whether it is news."""
        if request.id in self._gone:
            return False
        known = self._known.get(request.id)
        if known is None:
            self._known[request.id] = _Known(request, seen_pending=request.state is RequestState.PENDING)
            self.seen += 1
            return True
        known.missed_at = None
        if known.gone or (known.request is not None and not _is_further(request, known.request)):
            return False
        known.request = request
        known.seen_pending |= request.state is RequestState.PENDING
        known.version += 1
        return True

    def remove(self, request_id: str) -> bool:
        """The request was deleted or has expired. Returns whether it is news."""
        known = self._known.get(request_id)
        if known is None:
            if request_id in self._gone:
                return False
            known = self._known[request_id] = _Known(None)
        elif known.gone:
            return False
        known.gone = True
        known.version += 1
        return True

    def expect(self, request_id: str) -> None:
        """There is plugin data of this request: if the list lacks it, it may be gone."""
        if request_id not in self._gone:
            self._known.setdefault(request_id, _Known(None, settled=1))

    def listed(
        self,
        requests: Iterable[AccessRequest],
        *,
        clock: float,
        now: datetime,
        expiries: Mapping[str, datetime],
    ) -> tuple[list[str], bool]:
        """Take in a full list. ``clock``: reading when it was asked for, seconds; ``now``: wall clock.

        ``expiries``: of requests known by their ledger alone. Returns the ids with something unsettled,
        and whether some are missing that only a second look can tell to be gone.
        """
        present = set()
        for request in requests:
            present.add(request.id)
            self.put(request)
        uncertain = False
        for request_id, known in self._known.items():
            if request_id in present or known.gone:
                continue
            expires = known.request.expires if known.request else expiries.get(request_id)
            if known.missed_at is None:
                known.missed_at = clock
            enough = EXPIRED_LOOK if expires is not None and expires <= now else SECOND_LOOK
            if clock - known.missed_at >= enough:
                known.gone = True
                known.version += 1
            else:
                uncertain = True
        return self.unsettled(), uncertain

    def settle(self, request_id: str, version: int) -> None:
        """Nothing was left to do at ``version``. What is gone and settled is forgotten."""
        known = self._known.get(request_id)
        if known is None:
            return
        known.settled = version
        if known.gone and known.version == version:
            del self._known[request_id]
            self._gone[request_id] = None
            while len(self._gone) > REMEMBER_GONE:
                self._gone.popitem(last=False)

    def ids(self) -> list[str]:
        """All ids, in the order in which they came to be known."""
        return list(self._known)


def _is_further(new: AccessRequest, old: AccessRequest) -> bool:
    """Whether ``new`` is a later state of the request than ``old``, as far as anybody is told."""
    if new.state.rank < old.state.rank or len(new.reviews) < len(old.reviews):
        return False
    if new.progress != old.progress:
        return True
    same = replace(new, reviews=old.reviews)
    return same != old  # as far along, yet changed: an approver moved the start, a reason came later

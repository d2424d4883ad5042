"""The cluster's access requests: stored, listed, expired; every change is told to whoever watches.

Holds messages and their encoded form side by side. Remembers recent changes, so that a list can be answered
as it would have been some changes or some time ago: a real cluster's lists come from a cache that lags.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from teleport_email.sandbox.cluster.lifecycle import KIND, VERSION
from teleport_email.sandbox.cluster.refusal import bad_parameter, not_found
from teleport_email.sandbox.cluster.wire import deleted, field, put_request
from teleport_email.teleport._proto import auth_pb2, types_pb2

_JOURNAL = 10_000  # changes remembered; a list never lags behind further than that
_PAGE = 1000  # what a list without a limit gives at most, as in Teleport
_MAX_PAGE = 16_000


class Stored(NamedTuple):
    """A request as it is: never changed, only replaced."""

    message: types_pb2.AccessRequestV3
    wire: bytes

    @property
    def expires(self) -> datetime | None:
        """When it disappears; None: never."""
        metadata = self.message.Metadata
        return metadata.Expires.ToDatetime(tzinfo=UTC) if metadata.HasField("Expires") else None

    @property
    def access_ends(self) -> Timestamp | None:
        """When access by it ends."""
        spec = self.message.Spec
        return spec.Expires if spec.HasField("Expires") else None


class _Change(NamedTuple):
    at: datetime
    request_id: str
    before: Stored | None


class RequestBook:
    """All access requests. ``publish(kind, event)`` is called with each change."""

    def __init__(self, publish: Callable[[str, bytes], None]) -> None:
        self._publish = publish
        self._requests: dict[str, Stored] = {}
        self._journal: deque[_Change] = deque(maxlen=_JOURNAL)
        self._expiries: list[tuple[datetime, str]] = []

    def __len__(self) -> int:
        return len(self._requests)

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._requests

    def get(self, request_id: str) -> Stored | None:
        """A request as it is now."""
        return self._requests.get(request_id)

    def need(self, request_id: str) -> Stored:
        """A request that must be there; raises :class:`Refusal` (NOT_FOUND) when it is not."""
        stored = self._requests.get(request_id)
        if stored is None:
            raise not_found(f'no access request matching "{request_id}"')
        return stored

    def all(self) -> list[Stored]:
        """All requests by id, which is by time of creation."""
        return [self._requests[request_id] for request_id in sorted(self._requests)]

    def put(self, message: types_pb2.AccessRequestV3, now: datetime, *, wire: bytes | None = None) -> Stored:
        """Make or replace a request. ``wire``: its encoded form, where it must be kept to the byte."""
        stored = Stored(message, message.SerializeToString() if wire is None else wire)
        request_id = message.Metadata.Name
        self._journal.append(_Change(now, request_id, self._requests.get(request_id)))
        self._requests[request_id] = stored
        if stored.expires is not None:
            heapq.heappush(self._expiries, (stored.expires, request_id))
        self._publish(KIND, put_request(stored.wire))
        return stored

    def delete(self, request_id: str, now: datetime) -> None:
        """Delete a request; raises :class:`Refusal` when there is none."""
        before = self._requests.pop(request_id, None)
        if before is None:
            raise not_found(f'cannot delete access request "{request_id}" (not found)')
        self._journal.append(_Change(now, request_id, before))
        self._publish(KIND, deleted(KIND, VERSION, request_id))

    def expire(self, now: datetime) -> int:
        """Delete what has expired by ``now``; how many that were."""
        gone = 0
        while self._expiries and self._expiries[0][0] <= now:
            _, request_id = heapq.heappop(self._expiries)
            stored = self._requests.get(request_id)
            # The heap also holds expiries that a resolution has moved since.
            if stored is not None and stored.expires is not None and stored.expires <= now:
                self.delete(request_id, now)
                gone += 1
        return gone

    @property
    def next_expiry(self) -> datetime | None:
        """When to call :meth:`expire` next, or a little earlier; None: there is nothing that expires."""
        return self._expiries[0][0] if self._expiries else None

    # Lists ------------------------------------------------------------------------------------------

    def page(
        self, asked: auth_pb2.ListAccessRequestsRequest, now: datetime, *, lag: tuple[int, timedelta]
    ) -> bytes:
        """The ``ListAccessRequestsResponse``; ``lag`` as for :meth:`as_it_was`.

        :raises Refusal: a page size or an order that the server does not know.
        """
        limit = asked.Limit if asked.Limit > 0 else _PAGE
        if limit > _MAX_PAGE:
            raise bad_parameter(f"page size of {limit} is too large")
        found = [(_sort_key(one, asked.Sort), one) for one in self.select(asked.Filter, now, lag=lag)]
        found.sort(key=lambda pair: pair[0], reverse=asked.Descending)
        keys = [key for key, _ in found]
        start = 0
        if asked.StartKey:
            start = next(
                (
                    index
                    for index, key in enumerate(keys)
                    if (key <= asked.StartKey if asked.Descending else key >= asked.StartKey)
                ),
                len(keys),
            )
        answer = b"".join(field(1, one.wire) for _, one in found[start : start + limit])
        if start + limit < len(keys):
            answer += field(2, keys[start + limit].encode())
        return answer

    def select(
        self, asked: types_pb2.AccessRequestFilter, now: datetime, *, lag: tuple[int, timedelta]
    ) -> list[Stored]:
        """The requests that match a filter, by id. One asked for by its id does not come from the cache."""
        if asked.ID:
            stored = self._requests.get(asked.ID)
            candidates: Iterable[Stored] = [] if stored is None else [stored]
        else:
            snapshot = self.as_it_was(now, *lag)
            candidates = (snapshot[request_id] for request_id in sorted(snapshot))
        return [one for one in candidates if _matches(one.message, asked)]

    def as_it_was(self, now: datetime, changes: int, age: timedelta) -> dict[str, Stored]:
        """All requests without the last ``changes`` changes and without those younger than ``age``."""
        if not changes and not age:
            return self._requests
        snapshot = dict(self._requests)
        for undone, change in enumerate(reversed(self._journal)):
            if undone >= changes and now - change.at >= age:
                break
            if change.before is None:
                snapshot.pop(change.request_id, None)
            else:
                snapshot[change.request_id] = change.before
        return snapshot


def _sort_key(stored: Stored, sort: int) -> str:
    """The key of Teleport's AccessRequestSort: by id, by time of creation, by state, by user."""
    message = stored.message
    match sort:
        case 0:
            return message.Metadata.Name
        case 1:
            return f"{message.Spec.Created.ToJsonString()}/{message.Metadata.Name}"
        case 2:
            return f"{types_pb2.RequestState.Name(message.Spec.State)}/{message.Metadata.Name}"
        case 3:
            return f"{message.Spec.User}/{message.Metadata.Name}"
        case _:
            raise bad_parameter(f"unsupported access request sort index '{sort}'")


def _matches(message: types_pb2.AccessRequestV3, asked: types_pb2.AccessRequestFilter) -> bool:
    spec = message.Spec
    if asked.User and asked.User != spec.User:
        return False
    if asked.Requester and asked.Requester != spec.User:
        return False
    if asked.State not in (types_pb2.NONE, spec.State):
        return False
    if asked.SearchKeywords:
        words = " ".join((message.Metadata.Name, spec.User, *spec.Roles, spec.RequestReason)).lower()
        return all(keyword.lower() in words for keyword in asked.SearchKeywords)
    return True

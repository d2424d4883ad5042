"""What people do with access requests in the embedded cluster: make, review, settle, delete, look at them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from teleport_email.core.model import AccessList, AccessRequest, RequestState, ResourceID, Threshold
from teleport_email.sandbox.cluster import lifecycle
from teleport_email.sandbox.cluster.world import World
from teleport_email.teleport._proto import types_pb2
from teleport_email.teleport.calls.convert import request_from_proto


class RequestDesk:
    """Acts on a world. ``changed`` is called after each change; nothing here asks for permissions."""

    def __init__(self, world: World, changed: Callable[[], None]) -> None:
        self._world = world
        self._tell = changed
        self._expiries_changed = asyncio.Event()
        self._sequence = 0

    async def create(
        self,
        user: str = "alice@example.com",
        roles: Sequence[str] = ("dev",),
        reason: str = "",
        suggested_reviewers: Sequence[str] = (),
        resources: Sequence[ResourceID] = (),
        *,
        pending_for: timedelta = timedelta(hours=1),
        access_for: timedelta = timedelta(hours=12),
        thresholds: Sequence[Threshold] = (lifecycle.DEFAULT_THRESHOLD,),
        assume_start: datetime | None = None,
        annotations: Mapping[str, Sequence[str]] | None = None,
        login_hint: str = "",
        role_thresholds: Mapping[str, Sequence[Sequence[int]]] | None = None,
        long_term: bool = False,
        created: datetime | None = None,
    ) -> AccessRequest:
        """Make a request. Durations count from ``created``, which is now unless it is given.

        :raises Refusal: it makes no sense.
        """
        draft = lifecycle.Draft(
            user=user,
            roles=roles,
            reason=reason,
            suggested_reviewers=suggested_reviewers,
            resources=resources,
            pending_for=pending_for,
            access_for=access_for,
            thresholds=thresholds,
            assume_start=assume_start,
            annotations=annotations or {},
            login_hint=login_hint,
            role_thresholds=role_thresholds or {},
            long_term=long_term,
        )
        made_at = self._world.now() if created is None else created
        self._sequence += 1
        request_id = lifecycle.new_id(made_at, self._world.rng, self._sequence)
        return self._put(lifecycle.new_request(draft, request_id, made_at))

    async def review(
        self,
        request_id: str,
        author: str,
        state: RequestState = RequestState.APPROVED,
        reason: str = "",
        *,
        access_list: AccessList | None = None,
        assume_start: datetime | None = None,
    ) -> AccessRequest:
        """Add a review, which resolves the request once a threshold is met.

        :raises Refusal: unknown request, own request, second review of the author, already resolved.
        """
        return self._put(
            lifecycle.review(
                self._stored(request_id),
                author,
                state,
                reason,
                self._world.now(),
                access_list=access_list,
                assume_start=assume_start,
            )
        )

    async def approve(self, request_id: str, reason: str = "") -> AccessRequest:
        """Approve as an administrator, without a review; raises :class:`Refusal` after a denial."""
        return self._put(lifecycle.resolve(self._stored(request_id), RequestState.APPROVED, reason))

    async def deny(self, request_id: str, reason: str = "") -> AccessRequest:
        """Deny as an administrator, without a review; also after an approval."""
        return self._put(lifecycle.resolve(self._stored(request_id), RequestState.DENIED, reason))

    async def promote(
        self,
        request_id: str,
        access_list: AccessList | str,
        reason: str = "",
        *,
        author: str = "admin@example.com",
    ) -> AccessRequest:
        """Promote to an access list, by a review of ``author``."""
        promoted = AccessList(access_list, access_list) if isinstance(access_list, str) else access_list
        return await self.review(request_id, author, RequestState.PROMOTED, reason, access_list=promoted)

    async def delete(self, request_id: str) -> None:
        """Delete a request; raises :class:`Refusal` when there is none."""
        self._world.requests.delete(request_id, self._world.now())
        self._tell()

    async def expire(self, request_id: str) -> None:
        """Let a request expire now; watchers cannot tell it from a deletion."""
        await self.delete(request_id)

    def get(self, request_id: str) -> AccessRequest | None:
        """A request as it is."""
        stored = self._world.requests.get(request_id)
        return None if stored is None else request_from_proto(stored.message)

    def list(self) -> list[AccessRequest]:
        """All requests, oldest first."""
        return [request_from_proto(stored.message) for stored in self._world.requests.all()]

    def load_request(self, wire: bytes) -> AccessRequest:
        """Take over a recorded ``types.AccessRequestV3``, to the byte."""
        message = types_pb2.AccessRequestV3.FromString(wire)
        return self._store(message, wire)

    def _stored(self, request_id: str) -> types_pb2.AccessRequestV3:
        self._world.expire()
        return self._world.requests.need(request_id).message

    def _put(self, message: types_pb2.AccessRequestV3) -> AccessRequest:
        message.Metadata.Revision = self._world.new_revision()
        return self._store(message, None)

    def _store(self, message: types_pb2.AccessRequestV3, wire: bytes | None) -> AccessRequest:
        stored = self._world.requests.put(message, self._world.now(), wire=wire)
        self._expiries_changed.set()
        self._tell()
        return request_from_proto(stored.message)

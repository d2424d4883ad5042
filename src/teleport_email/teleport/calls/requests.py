"""Access requests: list them all, or look at one.

The answers come from the cluster's cache, which may be a second or more behind the event stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from teleport_email.core.errors import Rejected, Unsupported
from teleport_email.core.model import AccessRequest
from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport.calls.call import Caller
from teleport_email.teleport.calls.convert import request_from_proto

PAGE = 500
"""Requests a page: a request is some kB, so a page stays far below every limit on message sizes."""

PAGE_DEADLINE = 60.0
STREAM_DEADLINE = 180.0
ONE_DEADLINE = 15.0


class Requests:
    """The access requests of a cluster."""

    def __init__(self, caller: Caller, auth: AuthServiceStub) -> None:
        self._caller = caller
        self._auth = auth
        self._pages = True
        """False once the server (before 15.1) said that it has no ``ListAccessRequests``."""

    async def list(self) -> list[AccessRequest]:
        """All requests in all states. Raises :class:`Denied` without ``access_request: list, read``.

        A request that several pages show is told once, in its furthest state.
        """
        doing = "listing access requests"
        if self._pages:
            try:
                return _furthest(await self._all_pages(doing))
            except Unsupported:
                self._pages = False
        answers = await self._caller.all(
            self._auth.GetAccessRequestsV2,
            types_pb2.AccessRequestFilter(),
            doing=doing,
            timeout=STREAM_DEADLINE,
        )
        return _furthest(answers)

    async def get(self, request_id: str) -> AccessRequest | None:
        """One request; ``None`` when the cluster does not show it."""
        if not request_id:
            return None
        doing = f"reading access request {request_id}"
        wanted = types_pb2.AccessRequestFilter(ID=request_id)
        try:
            answers = await self._caller.all(
                self._auth.GetAccessRequestsV2, wanted, doing=doing, timeout=ONE_DEADLINE
            )
        except Unsupported:
            page = await self._caller.unary(
                self._auth.ListAccessRequests,
                auth_pb2.ListAccessRequestsRequest(Filter=wanted),
                doing=doing,
                timeout=ONE_DEADLINE,
            )
            answers = [*page.AccessRequests]
        return next((request for request in _furthest(answers) if request.id == request_id), None)

    async def _all_pages(self, doing: str) -> Sequence[types_pb2.AccessRequestV3]:
        found: list[types_pb2.AccessRequestV3] = []
        seen: set[str] = set()
        key = ""
        while True:
            page = await self._caller.unary(
                self._auth.ListAccessRequests,
                auth_pb2.ListAccessRequestsRequest(
                    Filter=types_pb2.AccessRequestFilter(), Limit=PAGE, StartKey=key
                ),
                doing=doing,
                timeout=PAGE_DEADLINE,
            )
            found.extend(page.AccessRequests)
            key = page.NextKey
            if not key:
                return found
            if key in seen:
                raise Rejected(f"{doing}: the pages go round in circles (at {key!r:.80})")
            seen.add(key)


def _furthest(answers: Iterable[types_pb2.AccessRequestV3]) -> list[AccessRequest]:
    found: dict[str, AccessRequest] = {}
    for answer in answers:
        request = request_from_proto(answer)
        known = found.get(request.id)
        if request.id and (known is None or request.progress > known.progress):
            found[request.id] = request
    return list(found.values())

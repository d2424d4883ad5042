"""The embedded cluster in a process of its own, and what the benches ask of it."""

from __future__ import annotations

import asyncio
import bisect
import json
import time
from datetime import timedelta
from typing import Any

from teleport_email.core.model import RequestState, Threshold
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.faults import delay
from teleport_email.sandbox.cluster.wire import field
from teleport_email.sandbox.mail.inbox import Inbox  # noqa: F401 - loaded before anything is timed

UPDATE = "/proto.AuthService/UpdatePluginData"
REASON = "The nightly job failed again and somebody has to look at the database. " * 3


class ClusterDesk:
    """People at work. Times are ``time.monotonic``, which all processes of a machine share."""

    def __init__(self) -> None:
        self.cluster = SandboxCluster(seed=1)
        self._released: dict[str, int] = {}
        """Request -> messages that its ledger tells as delivered, of those that nobody holds."""
        self._last_write = 0.0
        self._writes = 0
        self._bytes = 0
        methods = self.cluster._service._unary
        update = methods[UPDATE].handle

        def noted(request: Any, peer: Any) -> bytes:
            answer: bytes = update(request, peer)
            self._note(request.Resource, dict(request.Set))
            self.cluster._world.writes.clear()  # a long run would keep them all
            return answer

        methods[UPDATE] = methods[UPDATE]._replace(handle=noted)
        self._sort_once()

    def _sort_once(self) -> None:
        """The sandbox sorts its requests anew for each page: with 100,000 only that would be measured."""
        book = self.cluster._world.requests
        page, put, delete = book.page, book.put, book.delete
        kept: list[tuple[str, Any]] = []

        def paged(asked: Any, now: Any, *, lag: Any) -> bytes:
            if asked.Sort or asked.Descending or any(lag) or asked.Filter.ByteSize():
                return page(asked, now, lag=lag)
            if not kept:
                kept.extend((one.message.Metadata.Name, one) for one in book.all())
            start = bisect.bisect_left(kept, asked.StartKey, key=lambda pair: pair[0])
            end = start + (asked.Limit or 100)
            answer = b"".join(field(1, one.wire) for _, one in kept[start:end])
            return answer + (field(2, kept[end][0].encode()) if end < len(kept) else b"")

        def changed(method: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                kept.clear()
                return method(*args, **kwargs)

            return call

        book.page, book.put, book.delete = paged, changed(put), changed(delete)  # type: ignore[method-assign]

    def _note(self, request_id: str, changes: dict[str, str]) -> None:
        self._writes += 1
        self._bytes += sum(map(len, changes.values()))
        if text := changes.get("ledger"):
            ledger = json.loads(text)
            self._released.pop(request_id, None)
            if not ledger.get("o"):
                marks = [entry[0] for party in ledger["p"] for entry in party["m"].values()]
                self._released[request_id] = marks.count(2)
            self._last_write = time.monotonic()

    async def start(self, rtt: float = 0.0) -> dict[str, Any]:
        """Listen; how to reach it. ``rtt``: seconds that each call of plugin data takes longer."""
        await self.cluster.__aenter__()
        self.set_rtt(rtt)
        return {"addr": self.cluster.addr, "identity": self.cluster.identity(valid_for=timedelta(days=2))}

    def set_rtt(self, rtt: float) -> None:
        self.cluster.faults.clear()
        if rtt:
            for method in ("UpdatePluginData", "GetPluginData"):
                self.cluster.faults.on(method, delay(rtt), times=None)

    async def slow_down(self, rtt: float) -> None:
        """From now on calls of plugin data take so many seconds longer."""
        self.set_rtt(rtt)

    async def stop(self) -> None:
        await self.cluster.__aexit__(None, None, None)

    async def burst(
        self, count: int, roles: tuple[str, ...], pending_for: float = 3600.0
    ) -> tuple[float, list[str]]:
        """Make requests as fast as it goes: when the first was made, and their ids."""
        begun = time.monotonic()
        ids = []
        for number in range(count):
            request = await self.cluster.create(
                user=f"user{number % 300}@example.com",
                roles=roles,
                reason=REASON,
                pending_for=timedelta(seconds=pending_for),
                thresholds=(Threshold(name="two", approve=99, deny=99),),
            )
            ids.append(request.id)
            if number % 500 == 499:
                await asyncio.sleep(0)
        return begun, ids

    async def settled(self, ids: list[str], messages: int, seconds: float = 600.0) -> float:
        """When the ledgers of these requests told ``messages`` deliveries in all, and nobody held them."""
        wanted = set(ids)

        def done() -> bool:
            return (
                len(self._released) >= len(wanted)
                and wanted <= self._released.keys()
                and sum(self._released[one] for one in wanted) >= messages
            )

        await self.cluster.wait_for(done, seconds)
        return self._last_write

    async def review(self, request_id: str, author: str) -> float:
        """One approving review, which decides nothing."""
        begun = time.monotonic()
        await self.cluster.review(request_id, author, RequestState.APPROVED, "fine with me")
        return begun

    async def approve(self, request_id: str) -> float:
        """Approved by an administrator."""
        begun = time.monotonic()
        await self.cluster.approve(request_id, "yes")
        return begun

    async def delete(self, ids: list[str]) -> None:
        """All gone."""
        for one in ids:
            await self.cluster.delete(one)
            self._released.pop(one, None)

    async def publish(self, ids: list[str], count: int, pause_every: int = 500) -> float:
        """Tell the watchers ``count`` times of requests that have not changed; when that began."""
        begun = time.monotonic()
        book = self.cluster._world.requests
        for number in range(count):
            stored = book.need(ids[number % len(ids)])
            book.put(stored.message, self.cluster.now(), wire=stored.wire)
            if number % pause_every == 0:
                await asyncio.sleep(0)
        return begun

    async def drained(self) -> bool:
        """Whether the watchers' queues are empty: all events are on their way."""
        return all(watcher._queue.empty() for watcher in self.cluster._world.watchers._open)

    async def calls(self) -> dict[str, int]:
        """Calls by method so far."""
        return dict(self.cluster.calls)

    async def writes(self) -> tuple[int, int]:
        """Writes of plugin data so far, and their bytes."""
        return self._writes, self._bytes

    async def ledger(self, request_id: str) -> dict[str, str]:
        """Plugin data of one request."""
        return self.cluster.plugin_data(request_id)

    async def lay_in(self, count: int, data: dict[str, str], roles: tuple[str, ...]) -> list[str]:
        """Open requests that have all been told, with this plugin data."""
        _, ids = await self.burst(count, roles, pending_for=86400.0)
        for one in ids:
            self.cluster.put_plugin_data(one, data)
        return ids

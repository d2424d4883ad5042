"""Events to whoever watches: one queue per stream, with the faults that were asked for on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc

from teleport_email.sandbox.cluster.faults import Faults
from teleport_email.sandbox.cluster.refusal import Refusal


class Watcher:
    """One stream: the events of its kinds since it was made, in order."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self.kinds = kinds
        self._queue: asyncio.Queue[bytes | Refusal | None] = asyncio.Queue()

    def put(self, event: bytes) -> None:
        """Queue an encoded ``proto.Event``."""
        self._queue.put_nowait(event)

    def end(self, refusal: Refusal | None) -> None:
        """End the stream after what is queued: cleanly, or with a status."""
        self._queue.put_nowait(refusal)

    async def events(self) -> AsyncIterator[bytes]:
        """The events until the stream ends.

        :raises Refusal: the stream was ended with a status.
        """
        while True:
            match await self._queue.get():
                case None:
                    return
                case Refusal() as refusal:
                    raise refusal
                case event:
                    yield event


class Watchers:
    """All open streams."""

    def __init__(self) -> None:
        self._open: set[Watcher] = set()
        self.faults: Faults | None = None

    def __len__(self) -> int:
        return len(self._open)

    def add(self, kinds: frozenset[str]) -> Watcher:
        """A new stream; it sees what is published from now on."""
        watcher = Watcher(kinds)
        self._open.add(watcher)
        return watcher

    def remove(self, watcher: Watcher) -> None:
        """The stream has gone."""
        self._open.discard(watcher)

    def end(self, code: grpc.StatusCode | None = None) -> None:
        """End all streams."""
        refusal = None if code is None else Refusal(code, "watcher closed")
        for watcher in self._open:
            watcher.end(refusal)
        self._open.clear()

    def publish(self, kind: str, event: bytes) -> None:
        """Send an event on its way to every stream of its kind."""
        if self.faults is None:
            self._deliver(kind, event)
            return
        for seconds, held_kind, held in self.faults.distort(kind, event):
            if seconds:
                asyncio.get_running_loop().call_later(seconds, self._deliver, held_kind, held)
            else:
                self._deliver(held_kind, held)
        if self.faults.stream_ends_now():
            self.end()

    def _deliver(self, kind: str, event: bytes) -> None:
        for watcher in self._open:
            if kind in watcher.kinds:
                watcher.put(event)

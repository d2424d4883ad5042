"""Stand-ins behind the Protocols of ``reconcile``: plugin data, a mailer, texts and recipients, all in memory.

For tests in virtual time; those with sockets use the sandbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from virtual_time import START, clock

from teleport_email.core.decide import Audience, Due, Policy, View
from teleport_email.core.errors import ClusterError, Conflict, Unreachable
from teleport_email.core.ledger import Ledger
from teleport_email.core.ledger_json import loads
from teleport_email.core.model import (
    AccessRequest,
    Content,
    Delivered,
    Kind,
    Mail,
    RequestState,
    Review,
    SendOutcome,
    Withdrawn,
)
from teleport_email.reconciling.hold import Gate
from teleport_email.reconciling.reconcile import Outcome, Reconciler
from teleport_email.watching.store import Store

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def wall() -> datetime:
    return NOW + timedelta(seconds=clock() - START)


def request(
    state: RequestState = RequestState.PENDING, reviews: int = 0, *, key: str = "id"
) -> AccessRequest:
    made = tuple(Review(f"r{number}@example.com", RequestState.APPROVED) for number in range(reviews))
    return AccessRequest(
        key, "user@example.com", ("dev",), state, created=NOW, expires=NOW + timedelta(hours=8), reviews=made
    )


class PluginData:
    """The cluster's compare-and-swap. ``faults``: what becomes of the next writes.

    An error is raised, and nothing written; ``""`` all is well; ``"lost"`` it is written and nobody hears of
    it; ``"late"`` the caller hears that it failed, and it is written five seconds later.
    """

    def __init__(self) -> None:
        self.data: dict[str, dict[str, str]] = {}
        self.faults: deque[ClusterError | str] = deque()
        self.read_faults: deque[ClusterError | None] = deque()
        self.reads = 0
        self.writes = 0
        self.latency = 0.0

    async def read(self, request_id: str) -> Mapping[str, str]:
        self.reads += 1
        await asyncio.sleep(self.latency)
        if self.read_faults and (error := self.read_faults.popleft()) is not None:
            raise error
        return dict(self.data.get(request_id, {}))

    async def compare_and_swap(
        self,
        request_id: str,
        *,
        set: Mapping[str, str],  # noqa: A002 - the name on the wire
        expect: Mapping[str, str],
    ) -> None:
        self.writes += 1
        await asyncio.sleep(self.latency)
        fault = self.faults.popleft() if self.faults else ""
        if isinstance(fault, ClusterError):
            raise fault
        if fault == "late":
            asyncio.get_running_loop().call_later(5, self._apply_late, request_id, set, expect)
        else:
            self.apply(request_id, set, expect)
        if fault:
            raise Unreachable("no answer in time")

    def _apply_late(self, request_id: str, new: Mapping[str, str], expect: Mapping[str, str]) -> None:
        with contextlib.suppress(Conflict):
            self.apply(request_id, new, expect)

    def apply(self, request_id: str, new: Mapping[str, str], expect: Mapping[str, str]) -> None:
        now = self.data.get(request_id, {})
        if any(now.get(key, "") != value for key, value in expect.items()):
            raise Conflict("expectations not met")
        self.data[request_id] = {key: value for key, value in {**now, **new}.items() if value}

    def ledger(self, request_id: str = "id") -> Ledger:
        return loads(self.data[request_id]["ledger"])


@dataclass
class Post:
    """A mailer. ``answers``: what becomes of the next messages, by recipient; delivered by default."""

    seconds: float = 0.1
    sent: list[Mail] = field(default_factory=list)
    answers: dict[str, deque[SendOutcome | Exception]] = field(default_factory=dict)
    refusing: str = ""
    paused: str = ""
    waits: dict[str, float] = field(default_factory=dict)
    """Seconds for which recipients have to wait."""
    parked: dict[str, list[str]] = field(default_factory=dict)
    admitted: int = 0
    open: asyncio.Event | None = None
    """Where set: nobody is admitted before."""
    after_dot: float = 0.0
    """Seconds that the answer to the dot takes: nothing cuts it short."""
    hang: asyncio.Event | None = None
    """Where set: no answer to the dot before."""

    def wait(self, recipient: str, request_id: str, turn: int = 0) -> float:
        return self.waits.get(recipient, 0.0)

    def park(self, request_id: str, recipients: Mapping[str, int]) -> None:
        self.parked[request_id] = list(recipients)

    def leave(self, request_id: str) -> None:
        self.parked.pop(request_id, None)

    def admit(self) -> contextlib.AbstractAsyncContextManager[None]:
        return self._admit()

    @contextlib.asynccontextmanager
    async def _admit(self) -> AsyncIterator[None]:
        if self.open is not None:
            await self.open.wait()
        self.admitted += 1
        try:
            yield
        finally:
            self.admitted -= 1

    def answer(self, recipient: str, *outcomes: SendOutcome | Exception) -> None:
        self.answers.setdefault(recipient, deque()).extend(outcomes)

    async def send(self, mail: Mail, gate: Gate) -> SendOutcome:
        if not gate.may_begin():
            return Withdrawn("too late to begin")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.seconds):
                await asyncio.shield(gate.closed)
        if not gate.may_finish():
            return Withdrawn("too late to finish")
        waiting = self.answers.get(mail.recipient)
        outcome = waiting.popleft() if waiting else Delivered("250 ok")
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, Delivered):
            self.sent.append(mail)
        if self.hang is not None:
            await self.hang.wait()
        await asyncio.sleep(self.after_dot)
        return outcome

    async def close(self) -> None:
        return None

    @property
    def told(self) -> list[tuple[str, str]]:
        """(recipient, text), in order; the text is the kind's code and who wrote it."""
        return [(mail.recipient, mail.content.text.split()[0]) for mail in self.sent]


class Words:
    """Writes texts that name their kind and their writer."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self.prepared = 0
        self.fault: Exception | None = None

    async def prepare(self, view: View) -> Callable[[Kind, View, Ledger], Content]:
        self.prepared += 1
        if self.fault is not None:
            raise self.fault

        def render(kind: Kind, view: View, ledger: Ledger) -> Content:
            return Content("s", f"{kind.code} by {self._owner}", "", wall(), "b", "t@example.com")

        return render


class Tally:
    """What metrics would count."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[Due, SendOutcome]] = []
        self.conflicts = 0

    def sent(self, due: Due, outcome: SendOutcome, seconds: float) -> None:
        self.outcomes.append((due, outcome))

    def conflict(self) -> None:
        self.conflicts += 1


class Process:
    """One process: its store and its reconciler, over plugin data that it may share with others."""

    def __init__(
        self, data: PluginData | None = None, post: Post | None = None, *, owner: str = "one", seed: int = 1
    ) -> None:
        self.data = data or PluginData()
        self.post = post or Post()
        self.store = Store()
        self.words = Words(owner)
        self.tally = Tally()
        self.reviewers: tuple[str, ...] = ("a@example.com", "b@example.com")
        self.escalated: tuple[str, ...] = ()
        self.routed = 0
        self.policy = Policy(duty_since=NOW - timedelta(days=1))
        self.reconciler = Reconciler(
            owner=owner,
            store=self.store,
            plugin_data=self.data,
            mailer=lambda: self.post,
            router=lambda: self,
            writer=lambda: self.words,
            policy=lambda: self.policy,
            id_domain=lambda: "example.com",
            observer=self.tally,
            clock=clock,
            wall=wall,
            rng=random.Random(seed),
        )

    async def audience(self, request: AccessRequest) -> Audience:
        self.routed += 1
        return Audience(self.reviewers, escalation=self.escalated)

    def escalation(self, request: AccessRequest) -> Audience:
        return Audience(escalation=self.escalated)

    async def look(self, key: str = "id") -> Outcome:
        return await self.reconciler.reconcile(key)

    def see(self, state: RequestState = RequestState.PENDING, reviews: int = 0, *, key: str = "id") -> None:
        self.store.put(request(state, reviews, key=key))

    @property
    def memory(self) -> dict[str, int]:
        """How many keys are remembered, and where; empty where nothing is."""
        names = ("_sightings", "_leftover", "_tries", "_said", "_holds", "waits")
        return {name: size for name in names if (size := len(getattr(self.reconciler, name)))}

"""Nobody's refusal holds up anybody else: the whole way from the queue to the server, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from in_memory import PluginData, Process, wall
from virtual_time import clock, in_virtual_time

from teleport_email.core.decide import Audience
from teleport_email.core.model import AccessRequest, Declined, Delivered, Mail, SendOutcome
from teleport_email.mail.mailer import Attempt, Finding, Mailer
from teleport_email.reconciling.worker import Workers
from teleport_email.reconciling.workqueue import WorkQueue

TEAM = tuple(f"r{number}@example.com" for number in range(5))
SECONDS = 0.1
"""That the server takes for a message, and half of it for a refusal."""


class Server(Mailer):
    """A way of sending with two connections, whose server takes nothing for ``example.net``."""

    def __init__(self) -> None:
        super().__init__(clock=clock, random=random.Random(1), slots=8)
        self.connections = asyncio.Semaphore(2)
        self.refuses = True
        self.tries: list[tuple[float, str]] = []
        self.delivered: dict[str, float] = {}
        self.news = asyncio.Event()

    async def verify(self, sender: str = "") -> Sequence[Finding]:
        return []

    async def _deliver(self, mail: Mail, raw: bytes, attempt: Attempt) -> SendOutcome:
        async with self.connections:
            self._begin(attempt)
            self.tries.append((clock(), mail.recipient))
            if self.refuses and mail.recipient.endswith("@example.net"):
                await asyncio.sleep(SECONDS / 2)
                return Declined("550 5.7.1 relaying denied")
            await asyncio.sleep(SECONDS)
            attempt.commit()
            self.delivered[mail.message_id] = clock()
            self.news.set()
            return Delivered("250 ok")

    async def until(self, count: int) -> None:
        while len(self.delivered) < count:
            self.news.clear()
            await self.news.wait()

    def pauses(self) -> bool:
        return bool(self.paused)


class World(Process):
    """One process with its queue and workers; the outsiders of ``out...`` requests are refused."""

    def __init__(self, *, team: bool) -> None:
        self.server = Server()
        super().__init__(PluginData(), self.server)  # type: ignore[arg-type]
        self.data.latency = 0.05
        self.team = team
        self.queue = WorkQueue()
        self.server.wake_by(self.queue.add)
        workers = Workers(self.queue, self.reconciler, wall=wall, rng=random.Random(2))
        self.working = asyncio.create_task(workers.run())

    async def audience(self, request: AccessRequest) -> Audience:
        if not request.id.startswith("out"):
            return Audience(TEAM)
        outsider = f"{request.id}@example.net"
        return Audience((*TEAM, outsider) if self.team else (outsider,))

    def escalation(self, request: AccessRequest) -> Audience:
        return Audience()

    def open(self, key: str) -> None:
        self.see(key=key)
        self.queue.add(key)

    async def told_within(self) -> float:
        """Seconds until an ordinary request's people have their mails."""
        begun, before = clock(), len(self.server.delivered)
        self.open("ordinary")
        await self.server.until(before + len(TEAM))
        return clock() - begun

    async def end(self) -> None:
        self.queue.close()
        self.reconciler.stop()
        await self.working
        await self.server.close()


async def measured(*, outsiders: int, team: bool, quiet: float) -> float:
    world = World(team=team)
    for number in range(outsiders):
        world.open(f"out{number}")
    await asyncio.sleep(quiet)
    assert outsiders == 0 or len(world.server.tries) >= outsiders
    seconds = await world.told_within()
    await world.end()
    return seconds


@pytest.mark.parametrize("team", [True, False], ids=["among others", "alone"])
@pytest.mark.parametrize("quiet", [30.0, 600.0, 3600.0])
@in_virtual_time
async def test_fifty_who_are_refused_for_ever_hold_up_nobody(team: bool, quiet: float) -> None:
    alone = await measured(outsiders=0, team=team, quiet=quiet)
    beside = await measured(outsiders=50, team=team, quiet=quiet)
    assert beside <= 2 * alone


@in_virtual_time
async def test_what_they_cost_is_bounded() -> None:
    world = World(team=True)
    for number in range(200):
        world.open(f"out{number}")
    await asyncio.sleep(600)
    before, reads = len(world.server.tries), world.data.reads
    await asyncio.sleep(3600)
    assert len(world.server.tries) - before <= 20 * 60
    # A look reads the ledger; each recipient is looked at a few times in a quarter of an hour.
    assert world.data.reads - reads <= 200 * 4 * 4
    await world.end()


@in_virtual_time
async def test_once_repaired_all_are_told_within_a_minute() -> None:
    world = World(team=False)
    for number in range(50):
        world.open(f"out{number}")
    await asyncio.sleep(1800)
    assert world.server.pauses()
    assert world.server.delivered == {}
    world.server.refuses = False
    repaired = clock()
    await world.server.until(50)
    assert clock() - repaired <= 60
    assert not world.server.pauses()
    await world.end()


@in_virtual_time
async def test_requests_that_end_leave_no_pause_behind() -> None:
    world = World(team=False)
    world.open("out1")
    await asyncio.sleep(10)
    assert world.server.pauses()
    world.store.remove("out1")
    world.queue.add("out1")
    await asyncio.sleep(120)
    assert not world.server.pauses()
    assert world.server.waiting() == []
    await world.end()

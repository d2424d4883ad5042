"""Who is let in, in which order, and what a pause does to those who wait."""

from __future__ import annotations

import asyncio
import random

import pytest

from teleport_email.core.model import Temporary
from teleport_email.mail.admission import Admission
from teleport_email.mail.pause import Pause, Step

DOWN = Temporary("connection refused")


@pytest.fixture
def pause(clock) -> Pause:
    return Pause(clock=clock, random=random.Random(7))


class Crowd:
    """Tasks that want in, and stay until told to leave."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.inside: list[int] = []
        self._leave: dict[int, asyncio.Event] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def come(self, *numbers: int) -> None:
        for number in numbers:
            self._leave[number] = asyncio.Event()
            self._tasks[number] = asyncio.create_task(self._be(number))
        await settle()

    async def _be(self, number: int) -> None:
        async with self._admission.slot():
            self.inside.append(number)
            await self._leave[number].wait()
        self.inside.remove(number)

    async def leave(self, number: int) -> None:
        self._leave[number].set()
        await self._tasks.pop(number)
        await settle()

    async def cancel(self, number: int) -> None:
        task = self._tasks.pop(number)
        task.cancel()
        await asyncio.wait([task])
        if number in self.inside:
            self.inside.remove(number)
        await settle()

    async def end(self) -> None:
        for number in list(self._tasks):
            await self.cancel(number)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def crowd(pause):
    crowd = Crowd(Admission(pause, 2))
    yield crowd
    await crowd.end()


async def test_so_many_at_once_first_come_first_served(crowd) -> None:
    await crowd.come(1, 2, 3, 4)
    assert crowd.inside == [1, 2]
    await crowd.leave(1)
    assert crowd.inside == [2, 3]
    await crowd.leave(2)
    assert crowd.inside == [3, 4]


async def test_who_is_cancelled_gives_up_the_place(crowd) -> None:
    await crowd.come(1, 2, 3, 4)
    await crowd.cancel(3)
    await crowd.cancel(1)
    assert crowd.inside == [2, 4]


@pytest.mark.parametrize("paused", [False, True])
async def test_who_is_cancelled_in_the_moment_of_being_let_in_gives_it_on(pause, clock, paused) -> None:
    admission = Admission(pause, 1)
    crowd = Crowd(admission)
    async with admission.slot():
        await crowd.come(1, 2)
        if paused:
            pause.trip(DOWN, ends_with=Step.CONNECTED)
            clock.now += 1
    first = crowd._tasks.pop(1)  # let in by now, but it has not run yet
    first.cancel()
    await asyncio.wait([first])
    await settle()
    assert crowd.inside == [2]
    await crowd.end()


async def test_one_probe_at_a_time_while_paused(crowd, pause, clock) -> None:
    pause.trip(DOWN, ends_with=Step.CONNECTED)
    await crowd.come(1, 2, 3)
    assert crowd.inside == []
    clock.now += 1
    crowd._admission.look()
    await settle()
    assert crowd.inside == [1]
    pause.passed(Step.CONNECTED)
    await settle()
    assert crowd.inside == [1, 2]


async def test_a_probe_that_had_nothing_to_send_makes_way_for_the_next(crowd, pause, clock) -> None:
    pause.trip(DOWN, ends_with=Step.CONNECTED)
    clock.now += 1
    await crowd.come(1, 2)
    assert crowd.inside == [1]
    await crowd.leave(1)
    assert crowd.inside == [2]
    await crowd.cancel(2)
    await crowd.come(3)
    assert crowd.inside == [3]


async def test_who_waits_is_woken_when_the_probe_is_due() -> None:
    loop = asyncio.get_running_loop()
    pause = Pause(clock=loop.time, random=random.Random(7))
    admission = Admission(pause, 1)
    pause.trip(DOWN, ends_with=Step.CONNECTED, retry_after=0.05)
    async with asyncio.timeout(60), admission.slot():
        assert pause.verdict is None


async def test_when_the_mailer_closes_nobody_waits_any_more(crowd, pause) -> None:
    pause.trip(DOWN, ends_with=Step.CONNECTED)
    await crowd.come(1, 2, 3)
    crowd._admission.open_to_all()
    await settle()
    assert crowd.inside == [1, 2, 3]
    await crowd.come(4)
    assert crowd.inside == [1, 2, 3, 4]


async def test_slots_are_free_again_after_errors(pause) -> None:
    admission = Admission(pause, 1)

    async def fail() -> None:
        async with admission.slot():
            raise RuntimeError

    for _ in range(3):
        with pytest.raises(RuntimeError):
            await fail()
    async with asyncio.timeout(60), admission.slot():
        pass

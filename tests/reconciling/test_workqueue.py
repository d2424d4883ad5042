"""The races that client-go names: one worker per key, news during work, earlier deadlines, closing."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from virtual_time import START, clock, in_virtual_time

from teleport_email.reconciling.keys import ACCESS_LIST
from teleport_email.reconciling.workqueue import PATIENT_AT_ONCE, QueueClosed, WorkQueue


async def soon(queue: WorkQueue) -> str:
    """The next key, which must be there."""
    async with asyncio.timeout(0):
        return await queue.get()


async def nothing(queue: WorkQueue) -> bool:
    """Whether no key is there now."""
    waiting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    found = waiting.done()
    waiting.cancel()
    await asyncio.wait({waiting})
    return not found


@in_virtual_time
async def test_a_key_waits_once_however_often_it_is_added() -> None:
    queue = WorkQueue()
    for key in ("a", "b", "a", "a"):
        queue.add(key)
    assert queue.depth == 2
    assert [await soon(queue), await soon(queue)] == ["a", "b"]
    assert await nothing(queue)


@in_virtual_time
async def test_news_during_the_work_bring_the_key_back_once_it_has_ended() -> None:
    queue = WorkQueue()
    queue.add("a")
    assert await soon(queue) == "a"
    queue.add("a")
    queue.add("a")
    assert await nothing(queue), "one worker at a time"
    assert (queue.working, queue.depth) == (1, 1)
    queue.done("a")
    assert await soon(queue) == "a"
    queue.done("a")
    assert await nothing(queue)
    assert (queue.working, queue.depth) == (0, 0)


@in_virtual_time
async def test_a_key_without_news_is_free_after_its_work() -> None:
    queue = WorkQueue()
    queue.add("a")
    await soon(queue)
    queue.done("a")
    assert await nothing(queue)
    queue.add("a")
    assert await soon(queue) == "a"


@in_virtual_time
async def test_a_delayed_key_comes_at_its_time() -> None:
    queue = WorkQueue()
    queue.add_after("later", 60)
    queue.add_after("sooner", 5)
    assert queue.delayed == 2
    assert (queue.delayed_of(""), queue.delayed_of("no such")) == (2, 0)
    assert await queue.get() == "sooner"
    assert clock() == pytest.approx(START + 5)
    assert await queue.get() == "later"
    assert clock() == pytest.approx(START + 60)
    assert queue.delayed == 0


@pytest.mark.parametrize("delays", [(60, 5), (5, 60)])
@in_virtual_time
async def test_the_earlier_time_wins_and_the_key_comes_once(delays: tuple[float, float]) -> None:
    queue = WorkQueue()
    for delay in delays:
        queue.add_after("a", delay)
    assert queue.delayed == 1
    assert await queue.get() == "a"
    assert clock() == pytest.approx(START + 5)
    queue.done("a")
    queue.add_after("end", 1000)
    assert await queue.get() == "end", "the other timer is void"


@in_virtual_time
async def test_now_is_earlier_than_any_delay() -> None:
    queue = WorkQueue()
    queue.add_after("a", 60)
    queue.add("a")
    assert queue.delayed == 0
    assert await soon(queue) == "a"
    queue.done("a")
    queue.add_after("end", 1000)
    assert await queue.get() == "end"


@in_virtual_time
async def test_a_delay_adds_nothing_to_a_key_that_waits_already() -> None:
    queue = WorkQueue()
    queue.add("a")
    queue.add_after("a", 1)
    await soon(queue)
    queue.add("a")
    queue.add_after("a", 1)
    assert queue.delayed == 0
    queue.done("a")
    await soon(queue)


@in_virtual_time
async def test_a_timer_that_ends_during_the_work_brings_the_key_back() -> None:
    queue = WorkQueue()
    queue.add("a")
    await soon(queue)
    queue.add_after("a", 5)
    await asyncio.sleep(10)
    assert await nothing(queue)
    queue.done("a")
    assert await soon(queue) == "a"


@in_virtual_time
async def test_no_delay_is_now() -> None:
    queue = WorkQueue()
    queue.add_after("a", 0)
    queue.add_after("b", -3)
    assert [await soon(queue), await soon(queue)] == ["a", "b"]


@in_virtual_time
async def test_forget_drops_a_timer_and_nothing_else() -> None:
    queue = WorkQueue()
    queue.add_after("a", 5)
    queue.forget("a")
    queue.add_after("b", 50)
    assert await queue.get() == "b"
    queue.add("c")
    queue.forget("c")
    assert await soon(queue) == "c"


@in_virtual_time
async def test_closing_wakes_all_who_wait_and_drops_what_waits() -> None:
    queue = WorkQueue()
    waiting = [asyncio.ensure_future(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.add_after("later", 5)
    queue.close()
    for future in waiting:
        with pytest.raises(QueueClosed):
            await future
    queue.add("a")
    queue.add_after("b", 1)
    assert (queue.depth, queue.delayed) == (0, 0)
    with pytest.raises(QueueClosed):
        await queue.get()


@in_virtual_time
async def test_what_is_being_worked_on_while_closing_ends_in_peace() -> None:
    queue = WorkQueue()
    queue.add("a")
    queue.add("b")
    await soon(queue)
    queue.add("a")
    queue.close()
    assert queue.working == 1
    queue.done("a")
    assert (queue.working, queue.depth) == (0, 0)
    with pytest.raises(QueueClosed):
        await queue.get()


@in_virtual_time
async def test_a_worker_that_is_cancelled_while_it_waits_takes_no_key_along() -> None:
    queue = WorkQueue()
    waiting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    assert await soon(queue) == "a"


@in_virtual_time
async def test_every_worker_gets_a_key_when_many_come_at_once() -> None:
    queue = WorkQueue()
    waiting = [asyncio.ensure_future(queue.get()) for _ in range(5)]
    await asyncio.sleep(0)
    for key in "abcde":
        queue.add(key)
    assert sorted(await asyncio.gather(*waiting)) == list("abcde")


@in_virtual_time
async def test_timers_that_were_replaced_do_not_pile_up() -> None:
    """A request with a reminder days ahead is looked at again and again."""
    queue = WorkQueue()
    for _ in range(10_000):
        queue.add_after("a", 7 * 86400)
        queue.add("a")
        await soon(queue)
        queue.done("a")
    assert len(queue._heap) < 100
    queue.add_after("a", 60)
    assert await queue.get() == "a"
    assert clock() == pytest.approx(START + 60)


@pytest.mark.parametrize("seed", range(5))
@in_virtual_time
async def test_at_random_no_key_is_lost_and_none_is_worked_on_twice_at_once(seed: int) -> None:
    rng = random.Random(seed)
    queue = WorkQueue()
    keys = [f"key {number}" for number in range(12)]
    working: set[str] = set()
    wanted: dict[str, float] = {}  # key -> by when somebody must have begun to work on it
    looked: Counter[str] = Counter()

    async def work() -> None:
        while True:
            try:
                key = await queue.get()
            except QueueClosed:
                return
            assert key not in working
            working.add(key)
            looked[key] += 1
            wanted.pop(key, None)
            await asyncio.sleep(rng.choice([0, 0.01, 0.5]))
            working.discard(key)
            queue.done(key)

    async with asyncio.TaskGroup() as group:
        for _ in range(len(keys)):
            group.create_task(work())
        for _ in range(2000):
            key = rng.choice(keys)
            delay = rng.choice([0.0, 0.0, 0.1, 1.0, 5.0])
            wanted[key] = min(wanted.get(key, float("inf")), clock() + delay)
            queue.add_after(key, delay)
            await asyncio.sleep(rng.choice([0, 0, 0.02, 0.3]))
            late = {key for key, due in wanted.items() if clock() > due + 0.51}  # the longest work, and a bit
            assert not late
        await asyncio.sleep(10)
        assert not wanted
        assert set(looked) == set(keys)
        queue.close()


@in_virtual_time
async def test_patient_keys_come_last_and_a_few_at_once() -> None:
    queue = WorkQueue()
    patient = [f"{ACCESS_LIST}{number}" for number in range(PATIENT_AT_ONCE + 3)]
    for key in (*patient, "a"):
        queue.add(key)
    assert queue.depth == len(patient) + 1
    assert await soon(queue) == "a"
    assert [await soon(queue) for _ in range(PATIENT_AT_ONCE)] == patient[:PATIENT_AT_ONCE]
    assert await nothing(queue)
    queue.add("b")
    assert await soon(queue) == "b", "others do not wait for them"
    assert await nothing(queue)
    waiting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.add(patient[0])
    queue.done("a")
    queue.done("never begun")
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.done(patient[0])
    assert await waiting == patient[PATIENT_AT_ONCE], "whoever waits for a key gets the next of them"
    assert await nothing(queue)
    for key in patient[1:4]:
        queue.done(key)
    rest = [*patient[PATIENT_AT_ONCE + 1 :], patient[0]]
    assert [await soon(queue) for _ in rest] == rest, "news during the work bring it back behind the others"


@in_virtual_time
async def test_many_workers_and_patient_keys_all_have_their_turn() -> None:
    queue = WorkQueue()
    keys = [f"{ACCESS_LIST}{number}" for number in range(50)] + [f"r{number}" for number in range(50)]
    at_once, most, done = 0, 0, list[str]()

    async def work() -> None:
        nonlocal at_once, most
        while True:
            key = await queue.get()
            at_once += key.startswith(ACCESS_LIST)
            most = max(most, at_once)
            await asyncio.sleep(1)
            at_once -= key.startswith(ACCESS_LIST)
            done.append(key)
            queue.done(key)

    workers = [asyncio.create_task(work()) for _ in range(10)]
    for key in keys:
        queue.add_after(key, 0.5)
    await asyncio.sleep(60)
    for worker in workers:
        worker.cancel()
    assert sorted(done) == sorted(keys)
    assert most == PATIENT_AT_ONCE
    assert max(map(done.index, keys[50:])) < 80, "the others are through long before"

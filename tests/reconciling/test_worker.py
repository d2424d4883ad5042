"""What a worker makes of an outcome: forget, again later, say it once."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from in_memory import wall
from structlog.testing import capture_logs
from virtual_time import START, clock, in_virtual_time

from teleport_email.core.backoff import CLUSTER, CONTENTION, MAIL
from teleport_email.core.errors import Denied, Rejected, Unreachable, Unsupported
from teleport_email.reconciling.reconcile import Again, Done, Outcome
from teleport_email.reconciling.worker import Workers
from teleport_email.reconciling.workqueue import WorkQueue


class Script:
    """Stands in for the reconciler: each look at a key takes its next outcome, ``Done`` by default."""

    def __init__(self) -> None:
        self.outcomes: dict[str, list[Outcome | Exception]] = {}
        self.looks: dict[str, list[float]] = {}
        self.work: Callable[[str], float] = lambda key: 0.0
        self.at_once = Counter[str]()
        self.most_at_once = 0

    async def reconcile(self, key: str) -> Outcome:
        self.looks.setdefault(key, []).append(clock() - START)
        self.at_once[key] += 1
        self.most_at_once = max(self.most_at_once, self.at_once.total())
        assert self.at_once[key] == 1
        try:
            await asyncio.sleep(self.work(key))
        finally:
            self.at_once[key] -= 1
        waiting = self.outcomes.get(key)
        outcome = waiting.pop(0) if waiting else Done()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class NoJitter(random.Random):
    def random(self) -> float:
        return 0.0


@contextlib.asynccontextmanager
async def workers(script: Script, *, count: int = 4) -> AsyncIterator[tuple[WorkQueue, Workers]]:
    queue = WorkQueue()
    pool = Workers(queue, script, wall=wall, rng=NoJitter(), count=count)  # type: ignore[arg-type]
    task = asyncio.create_task(pool.run())
    try:
        yield queue, pool
    finally:
        queue.close()
        await task


def backoffs(script: Script, key: str = "id") -> list[float]:
    looks = script.looks[key]
    return [round(after - before, 3) for before, after in itertools.pairwise(looks)]


@in_virtual_time
async def test_done_is_done() -> None:
    script = Script()
    async with workers(script) as (queue, _pool):
        queue.add("id")
        await asyncio.sleep(1000)
        assert len(script.looks["id"]) == 1
        assert (queue.depth, queue.delayed, queue.working) == (0, 0, 0)


@in_virtual_time
async def test_a_key_is_woken_up_at_its_time() -> None:
    script = Script()
    async with workers(script) as (queue, _pool):
        script.outcomes["id"] = [Done(wall() + timedelta(hours=3)), Done(wall() - timedelta(hours=3))]
        queue.add("id")
        await asyncio.sleep(5 * 3600)
        assert script.looks["id"] == pytest.approx([0, 10800.5, 10801])


@in_virtual_time
async def test_again_after_so_many_seconds() -> None:
    script = Script()
    script.outcomes["id"] = [Again(8.0), Again(0), Again(8.0)]
    async with workers(script) as (queue, _pool):
        queue.add("id")
        await asyncio.sleep(100)
        assert script.looks["id"] == pytest.approx([0, 8, 8, 16])


@pytest.mark.parametrize("backoff", [MAIL, CONTENTION])
@in_virtual_time
async def test_failures_in_a_row_wait_longer_until_one_is_done(backoff: object) -> None:
    script = Script()
    again = Again(backoff=backoff)  # type: ignore[arg-type]
    script.outcomes["id"] = [again, again, again, Done(), again]
    async with workers(script) as (queue, pool):
        queue.add("id")
        await asyncio.sleep(1000)
        queue.add("id")
        await asyncio.sleep(1000)
        first = again.backoff.first
        found = backoffs(script)
        assert found[:3] == pytest.approx([first, 2 * first, 4 * first])
        assert found[4] == pytest.approx(first)
        assert not pool._failures, "nothing is remembered of what is done"


@in_virtual_time
async def test_the_wait_that_a_mail_server_asked_for_is_the_least() -> None:
    script = Script()
    script.outcomes["id"] = [Again(at_least=120.0), Again(at_least=1.0)]
    async with workers(script) as (queue, _pool):
        queue.add("id")
        await asyncio.sleep(1000)
        assert backoffs(script) == pytest.approx([120, 10])


@in_virtual_time
async def test_news_come_before_the_end_of_a_backoff() -> None:
    script = Script()
    script.outcomes["id"] = [Again(at_least=300.0)]
    async with workers(script) as (queue, _pool):
        queue.add("id")
        await asyncio.sleep(10)
        queue.add("id")
        await asyncio.sleep(1000)
        assert script.looks["id"] == pytest.approx([0, 10]), "and then not once more"


@in_virtual_time
async def test_a_failing_request_does_not_slow_others() -> None:
    script = Script()
    script.outcomes["bad"] = [Unreachable("no answer")] * 50
    async with workers(script, count=1) as (queue, _pool):
        queue.add("bad")
        for number in range(100):
            queue.add(f"good {number}")
        await asyncio.sleep(0.1)
        assert len(script.looks) == 101


@in_virtual_time
async def test_as_many_at_once_as_there_are_workers() -> None:
    script = Script()
    script.work = lambda key: 1.0
    async with workers(script, count=4) as (queue, _pool):
        for number in range(20):
            queue.add(f"id {number}")
        await asyncio.sleep(10)
        assert script.most_at_once == 4
        assert len(script.looks) == 20


# Failures -------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_cluster_that_does_not_answer_is_no_news_for_people() -> None:
    """The watch tells of the outage, once."""
    script = Script()
    script.outcomes["id"] = [Unreachable("no answer")] * 3
    with capture_logs() as lines:
        async with workers(script) as (queue, _pool):
            queue.add("id")
            await asyncio.sleep(100)
    assert backoffs(script) == pytest.approx([CLUSTER.first, 2 * CLUSTER.first, 4 * CLUSTER.first])
    assert {(line["log_level"], line["event"]) for line in lines} == {("debug", "cluster call failed")}


@in_virtual_time
async def test_a_missing_permission_is_said_once_for_all_requests() -> None:
    script = Script()
    words = 'access denied to perform action "update" on "access_plugin_data"'
    for number in range(30):
        key = f"id {number}"
        script.outcomes[key] = [Denied(f"writing plugin data of {key}: {words}")] * 5
    with capture_logs() as lines:
        async with workers(script) as (queue, pool):
            for key in script.outcomes:
                queue.add(key)
            await asyncio.sleep(100)
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert line["event"] == "permission missing"
    assert "access_plugin_data" in line["role"]
    assert len(pool._said) <= 1
    assert not pool._failures


@in_virtual_time
async def test_another_missing_permission_is_said_as_well() -> None:
    script = Script()
    script.outcomes["id"] = [
        Denied('x: access denied to perform action "update" on "access_plugin_data"'),
        Denied('x: access denied to perform action "read" on "user"'),
        Denied("x: go away"),
    ]
    with capture_logs() as lines:
        async with workers(script) as (queue, _pool):
            queue.add("id")
            await asyncio.sleep(100)
    assert [line["log_level"] for line in lines if line["event"] == "permission missing"] == ["error"] * 3


@pytest.mark.parametrize("error", [Rejected("plugin data too large"), Unsupported("no such call")])
@in_virtual_time
async def test_what_the_cluster_refuses_as_such_is_said_once_for_each_request(error: Exception) -> None:
    """It is tried again, yet nobody is told of the request until somebody does something."""
    script = Script()
    script.outcomes["id"] = [error] * 6 + [Done(), error]
    with capture_logs() as lines:
        async with workers(script) as (queue, pool):
            queue.add("id")
            await asyncio.sleep(200)
            assert len(script.looks["id"]) == 7
            assert [(line["event"], line["request"]) for line in lines if line["log_level"] == "error"] == [
                ("refused by the cluster", "id")
            ]
            assert not pool._refused, "nothing is remembered of what is done"
            queue.add("id")
            await asyncio.sleep(200)
    assert len([line for line in lines if line["log_level"] == "error"]) == 2, "worth saying again"


@in_virtual_time
async def test_a_fault_of_ours_in_one_request_does_not_end_the_work() -> None:
    script = Script()
    script.outcomes["bad"] = [RuntimeError("a fault")]
    with capture_logs() as lines:
        async with workers(script, count=1) as (queue, _pool):
            queue.add("bad")
            queue.add("good")
            await asyncio.sleep(100)
    assert script.looks["good"] == pytest.approx([0])
    assert script.looks["bad"] == pytest.approx([0, 30])
    assert [(line["log_level"], line["event"], line["request"]) for line in lines] == [
        ("error", "request failed", "bad")
    ]


# The end --------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_closing_lets_what_was_begun_end_and_begins_nothing_more() -> None:
    script = Script()
    script.work = lambda key: 10.0
    script.outcomes["id 0"] = [Again(1.0)]
    async with workers(script, count=2) as (queue, _pool):
        for number in range(5):
            queue.add(f"id {number}")
        await asyncio.sleep(1)
    assert len(script.looks) == 2
    assert clock() - START == pytest.approx(10)
    assert (queue.depth, queue.delayed, queue.working) == (0, 0, 0)


@in_virtual_time
async def test_cancelled_workers_leave_no_key_in_work() -> None:
    script = Script()
    script.work = lambda key: 1000.0
    queue = WorkQueue()
    task = asyncio.create_task(Workers(queue, script, wall=wall, rng=NoJitter()).run())  # type: ignore[arg-type]
    queue.add("id")
    await asyncio.sleep(1)
    assert queue.working == 1
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert queue.working == 0

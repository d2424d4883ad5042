"""When is listed, what a list and all ledgers together tell, and what happens when they fail."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from virtual_time import START, clock, in_virtual_time

from teleport_email.config.settings import DeliverySettings
from teleport_email.core import go_plugin
from teleport_email.core.decide import Policy
from teleport_email.core.errors import Denied, Unreachable
from teleport_email.core.ledger import LEDGER_KEY, Entry, Ledger, Mark, Party
from teleport_email.core.ledger_json import dumps
from teleport_email.core.model import AccessRequest, Kind, RequestState, Topic
from teleport_email.reconciling.workqueue import WorkQueue
from teleport_email.watching import resync
from teleport_email.watching.resync import Resync
from teleport_email.watching.store import Store

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def request(key: str = "id", *, created: datetime = NOW, **more: object) -> AccessRequest:
    return AccessRequest(key, "user", ("dev",), created=created, **more)  # type: ignore[arg-type]


def told(key: str = "id", expires: datetime | None = None) -> dict[str, str]:
    """Plugin data of a request that was announced."""
    marks = {Kind(Topic.ANNOUNCEMENT): Entry(Mark.DELIVERED, 1)}
    made = Ledger(
        nonce="00" * 16,
        domain="x.example",
        expires=int(expires.timestamp()) if expires else 0,
        parties=(Party("a@x.example", entries=marks),),
    )
    return go_plugin.write(made, {}, request(key)).after


class Cluster:
    """Answers lists; remembers when it was asked."""

    def __init__(self) -> None:
        self.requests: list[AccessRequest] = []
        self.data: dict[str, dict[str, str]] = {}
        self.lists: list[float] = []
        self.reads: list[float] = []
        self.single: list[tuple[str, float]] = []
        self.fault: Exception | None = None
        self.read_fault: Exception | None = None
        self.slow = 0.0

    async def list(self) -> list[AccessRequest]:
        self.lists.append(clock() - START)
        answer = list(self.requests)
        await asyncio.sleep(self.slow)
        if self.fault:
            raise self.fault
        return answer

    async def read(self, request_id: str) -> Mapping[str, str]:
        self.single.append((request_id, clock() - START))
        await asyncio.sleep(0.1)
        if self.read_fault:
            raise self.read_fault
        return self.data.get(request_id, {})

    async def read_all(self) -> Mapping[str, Mapping[str, str]]:
        self.reads.append(clock() - START)
        if self.read_fault:
            raise self.read_fault
        return self.data


class Told:
    """Whatever has a ledger is settled, unless it is gone."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def is_settled(self, request_id: str, data: Mapping[str, str]) -> bool:
        view = self._store.view(request_id)
        return bool(data) and view is not None and not view.gone

    def is_finished(self, request_id: str, data: Mapping[str, str]) -> bool:
        return data.get("resolution") == "EXPIRED"


class Always(random.Random):
    def random(self) -> float:
        return 0.0


class World:
    def __init__(self, *, interval: float = 600.0, catch_up: float = 168 * 3600.0) -> None:
        self.cluster = Cluster()
        self.store = Store()
        self.queue = WorkQueue()
        self.ready: list[float] = []
        self.resync = Resync(
            self.store,
            self.queue,
            Told(self.store),
            interval=lambda: interval,
            delivery=lambda: DeliverySettings(sender=""),
            policy=lambda: Policy(catch_up=catch_up),
            clock=clock,
            wall=lambda: NOW + timedelta(seconds=clock() - START),
            rng=Always(),
        )

    @contextlib.asynccontextmanager
    async def stream(self) -> AsyncIterator[asyncio.Task[None]]:
        """A connection: watching, with its lists."""
        self.resync.watching()
        job = self.resync.run(self.cluster, self.cluster, lambda: self.ready.append(clock() - START))
        task = asyncio.create_task(job)
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})
            self.resync.lost()

    async def queued(self) -> list[str]:
        found = []
        while self.queue.depth:
            found.append(await self.queue.get())
            self.queue.done(found[-1])
        return found


# Again ----------------------------------------------------------------------------------------------------


def settled_world(*keys: str) -> World:
    world = World()
    world.cluster.requests = [request(key) for key in keys]
    world.cluster.data = {key: told(key) for key in keys}
    return world


@in_virtual_time
async def test_ledgers_of_settled_requests_are_looked_at_once_an_hour_one_after_the_other() -> None:
    world = settled_world("one", "two", "three")
    async with world.stream():
        await asyncio.sleep(3500)
        assert world.cluster.single == []
        await asyncio.sleep(200)
        assert [key for key, _ in world.cluster.single] == ["one", "two", "three"]
        times = [at for _, at in world.cluster.single]
        assert times == sorted(set(times)), "never two at once"
        assert await world.queued() == [], "nothing is due for any of them"
        world.cluster.data["two"] = {}  # as it looks to these stand-ins when something is due again
        await asyncio.sleep(3600)
        assert await world.queued() == ["two"]
        assert len(world.cluster.single) == 6


@in_virtual_time
async def test_the_hour_goes_on_over_connections_and_an_unreachable_cluster_ends_the_round() -> None:
    world = settled_world("one", "two")
    async with world.stream():
        await asyncio.sleep(1800)
    async with world.stream() as task:
        world.cluster.read_fault = Unreachable("no answer in time")
        await asyncio.sleep(1900)
        assert [key for key, _ in world.cluster.single] == ["one"]
        assert not task.done()
        world.cluster.read_fault = None
        await asyncio.sleep(3600)
        assert [key for key, _ in world.cluster.single] == ["one", "one", "two"]


# When -----------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_at_once_then_twice_since_lists_lag_then_at_long_intervals() -> None:
    world = World()
    async with world.stream():
        await asyncio.sleep(1500)
    assert world.cluster.lists == pytest.approx([0, 5, 30, 630, 1230])
    assert world.ready == pytest.approx([0])
    assert world.cluster.reads == pytest.approx([0]), "all ledgers only at the start"


@in_virtual_time
async def test_ready_is_said_after_the_first_list_and_all_ledgers() -> None:
    world = World()
    world.cluster.slow = 12
    async with world.stream():
        await asyncio.sleep(11)
        assert world.ready == []
        await asyncio.sleep(2)
        assert world.ready == pytest.approx([12])


@in_virtual_time
async def test_however_often_the_stream_ends_a_first_list_comes_every_half_minute() -> None:
    world = World()
    for _ in range(120):
        async with world.stream():
            await asyncio.sleep(1)
    firsts = [at for at in world.cluster.lists if at % 30 == 0]
    assert firsts == pytest.approx([0, 30, 60, 90])
    assert world.cluster.reads == pytest.approx([0]), "no ledgers after outages of a moment"


@in_virtual_time
async def test_after_an_outage_of_minutes_all_ledgers_are_read_again() -> None:
    world = World()
    async with world.stream():
        await asyncio.sleep(100)
    await asyncio.sleep(resync.LONG_OUTAGE - 1)
    async with world.stream():
        await asyncio.sleep(100)
    assert len(world.cluster.reads) == 1
    await asyncio.sleep(resync.LONG_OUTAGE + 1)
    async with world.stream():
        await asyncio.sleep(1)
    assert len(world.cluster.reads) == 2


@in_virtual_time
async def test_while_one_is_missing_the_second_look_comes_a_minute_later() -> None:
    world = World()
    world.store.put(request())
    async with world.stream():
        await asyncio.sleep(100)
        assert world.cluster.lists == pytest.approx([0, 5, 30, 91])
        view = world.store.view("id")
        assert view is not None
        assert view.gone
        await asyncio.sleep(400)
        assert len(world.cluster.lists) == 4


# What -----------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_what_may_be_behind_is_queued_and_what_is_told_is_not() -> None:
    world = World()
    world.cluster.requests = [request("told"), request("new")]
    world.cluster.data = {"told": told("told")}
    async with world.stream():
        await asyncio.sleep(1)
        assert await world.queued() == ["new"]
        world.store.settle("new", world.store.version("new"))
        await asyncio.sleep(100)
        assert await world.queued() == []


@in_virtual_time
async def test_expired_while_we_were_away() -> None:
    world = World()
    world.cluster.data = {
        "over": told("over", NOW - HOUR),
        "perhaps": told("perhaps"),
        "finished": told("finished") | {"resolution": "EXPIRED"},
    }
    async with world.stream():
        await asyncio.sleep(6)
        assert await world.queued() == ["over"]
        await asyncio.sleep(100)
        assert "perhaps" in await world.queued(), "missing twice, a minute apart"
        assert world.store.version("finished") == 0


@in_virtual_time
async def test_a_ledger_that_cannot_be_read_is_looked_at_for_what_it_is() -> None:
    world = World()
    world.cluster.data = {"broken": {LEDGER_KEY: "?"}}
    async with world.stream():
        await asyncio.sleep(100)
        assert "broken" in await world.queued()


# On duty --------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_on_duty_since_the_first_watch() -> None:
    world = World()
    assert world.resync.duty_since is None
    async with world.stream():
        await asyncio.sleep(10)
    async with world.stream():
        await asyncio.sleep(10)
    assert world.resync.duty_since == NOW


@pytest.mark.parametrize(
    ("catch_up", "since"), [(168 * 3600.0, NOW - 3 * HOUR), (7200.0, NOW - 2 * HOUR), (0.0, NOW)]
)
@in_virtual_time
async def test_on_duty_since_the_oldest_request_that_was_told(catch_up: float, since: datetime) -> None:
    world = World(catch_up=catch_up)
    world.cluster.requests = [
        request("told", created=NOW - 3 * HOUR),
        request("later", created=NOW - HOUR),
        request("not told", created=NOW - 5 * HOUR),
    ]
    world.cluster.data = {key: told(key) for key in ("told", "later")} | {
        "not told": {"user": "of the Go plugin"}
    }
    async with world.stream():
        await asyncio.sleep(0)
        await asyncio.sleep(1)
    assert world.resync.duty_since == since


@in_virtual_time
async def test_what_was_looked_at_before_we_knew_our_duty_is_looked_at_again() -> None:
    """Made while we were away, approved between the beginning of the stream and the end of the first list: a
    worker finds that it is not ours to tell, as far as it knows then.
    """
    world = World()
    world.cluster.slow = 10
    world.cluster.requests = [
        request("told", created=NOW - 2 * HOUR),
        request("made while away", created=NOW - HOUR),
    ]
    world.cluster.data = {"told": told("told")}
    async with world.stream():
        await asyncio.sleep(5)
        approved = request("made while away", created=NOW - HOUR, state=RequestState.APPROVED)
        world.store.put(approved)
        world.store.settle(approved.id, world.store.version(approved.id))
        await asyncio.sleep(6)
        assert world.resync.duty_since == NOW - 2 * HOUR
        assert await world.queued() == ["made while away"]


# Failures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["fault", "read_fault"])
@in_virtual_time
async def test_a_first_list_that_fails_is_made_up_for_with_all_ledgers(which: str) -> None:
    """Or nobody would ever look for what expired while we were away."""
    world = World()
    world.cluster.data = {"over": told("over", NOW - HOUR)}
    setattr(world.cluster, which, Unreachable("the stream ended"))
    async with world.stream() as task:
        await asyncio.wait({task})
        assert isinstance(task.exception(), Unreachable)
    assert world.ready == []
    setattr(world.cluster, which, None)
    async with world.stream():
        await asyncio.sleep(36)
        assert await world.queued() == ["over"]
        assert world.ready == pytest.approx([30])


@in_virtual_time
async def test_a_stream_too_short_for_a_list_does_not_hide_a_long_outage() -> None:
    world = World()
    async with world.stream():
        await asyncio.sleep(100)
    await asyncio.sleep(400)
    world.cluster.data = {"over": told("over", NOW - HOUR)}
    async with world.stream():
        pass
    async with world.stream():
        await asyncio.sleep(35)
        assert await world.queued() == ["over"]


@in_virtual_time
async def test_a_later_list_that_fails_ends_the_connection() -> None:
    world = World()
    async with world.stream() as task:
        await asyncio.sleep(100)
        world.cluster.fault = Unreachable("no answer in time")
        await asyncio.wait({task})
        assert isinstance(task.exception(), Unreachable)


@in_virtual_time
async def test_without_the_permission_to_read_all_ledgers_each_is_asked_for() -> None:
    world = World()
    world.cluster.requests = [request()]
    world.cluster.read_fault = Denied("access denied")
    with capture_logs() as lines:
        async with world.stream():
            await asyncio.sleep(1)
            assert await world.queued() == ["id"]
            assert world.ready
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["plugin data not readable"]


@in_virtual_time
async def test_a_strange_time_in_a_ledger_harms_nobody() -> None:
    world = World()
    strange = dumps(Ledger(nonce="00" * 16)).replace('"w"', '"e":999999999999999,"w"')
    world.cluster.data = {"strange": {LEDGER_KEY: strange}, "over": told("over", NOW - HOUR)}
    async with world.stream():
        await asyncio.sleep(6)
        assert await world.queued() == ["over"]


@in_virtual_time
async def test_what_was_known_by_its_ledger_alone_is_forgotten_with_it() -> None:
    world = World()
    for round_ in range(5):
        world.cluster.data = {f"{round_}/{number}": told(expires=NOW - HOUR) for number in range(100)}
        async with world.stream():
            await asyncio.sleep(40)
            for key in await world.queued():
                world.store.settle(key, world.store.version(key))
        await asyncio.sleep(resync.LONG_OUTAGE + 1)
    assert len(world.store) == 0
    assert len(world.resync._expiries) <= 100


@in_virtual_time
async def test_many_are_taken_in_without_stopping_everybody_else() -> None:
    world = World()
    world.cluster.requests = [request(f"id {number}") for number in range(2000)]
    turns = 0

    async def somebody_else() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(somebody_else())
    world.resync.watching()
    await world.resync.once(world.cluster, world.cluster)
    other.cancel()
    assert turns >= 2000 / resync.BREATHE_EVERY
    assert world.queue.depth == 2000

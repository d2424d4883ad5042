"""The pool's bookkeeping, with connections that do what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from teleport_email.core.model import AccountFault, Temporary
from teleport_email.mail.smtp.pool import OpenFailed, Pool

REFUSED = Temporary("421 too many connections")


class Connection:
    def __init__(self, server: Server) -> None:
        self._server = server
        self.on_lost: Callable[[], None] = lambda: None
        self.rested = False
        self.alive = True
        self.messages = 0
        self.said_goodbye = False

    def abort(self) -> None:
        if self.alive:
            self.alive = False
            self._server.standing.discard(self)

    async def quit(self) -> None:
        self.said_goodbye = True
        await asyncio.sleep(0)
        self.abort()

    def cut(self) -> None:
        self.abort()
        self.on_lost()


class Server:
    """Where connections are opened: takes ``room`` of them; others fail with ``fault``."""

    def __init__(self) -> None:
        self.room = 100
        self.fault: Exception = OpenFailed(REFUSED)
        self.standing: set[Connection] = set()
        self.opened: list[Connection] = []
        self.tried = 0
        self.opening = 0
        self.most_opening = 0
        self.failures: list[Temporary | AccountFault] = []

    async def open(self) -> Connection:
        self.tried += 1
        self.opening += 1
        self.most_opening = max(self.most_opening, self.opening)
        try:
            await asyncio.sleep(0)
            if len(self.standing) >= self.room:
                raise self.fault
        finally:
            self.opening -= 1
        connection = Connection(self)
        self.standing.add(connection)
        self.opened.append(connection)
        return connection


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def pool(server, clock):
    pool = Pool(server.open, size=4, messages_per_connection=3, clock=clock, failed=server.failures.append)
    yield pool
    await pool.close()
    assert server.standing == set()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def take_all(pool: Pool[Connection], count: int) -> list[Connection]:
    """So many at once, as after a while in which the server took them."""
    pool._growth.limit = max(pool._growth.limit, min(count, pool._growth._ceiling))
    return list(await asyncio.gather(*(pool.take() for _ in range(count))))


async def test_a_connection_is_reused_and_the_warmest_first(pool, server) -> None:
    first, second = await take_all(pool, 2)
    pool.give_back(first)
    pool.give_back(second)
    assert await pool.take() is second
    assert server.tried == 2
    pool.give_back(second)


async def test_it_begins_with_one_and_opens_the_others_once_that_stands(pool, server) -> None:
    waiting = [asyncio.create_task(pool.take()) for _ in range(8)]
    while not server.standing:
        assert server.tried <= 1
        await asyncio.sleep(0)
    await settle()
    assert len(server.standing) == 4
    assert server.tried == 4
    for task in waiting:
        pool.give_back(await task, took=0.1)
    assert server.tried == 4


async def test_one_that_nobody_waits_for_opens_no_others(pool, server) -> None:
    pool.prepare()
    await settle()
    connection = await pool.take()
    pool.give_back(connection, took=0.1)
    assert (server.tried, pool.limit) == (1, 1)


async def test_a_message_without_an_answer_holds_up_nobody_else(pool, server, clock) -> None:
    connections = await take_all(pool, 3)
    pool._growth._slow, pool._growth.limit = True, 3  # answers got slower with four
    waiting = asyncio.create_task(pool.take())
    await settle()
    assert not waiting.done()
    clock.now += 5
    pool._tick()
    for connection in (*connections, await waiting):
        pool.give_back(connection)
    assert server.tried == 4


async def test_when_it_is_calm_there_is_one_and_a_burst_begins_with_one(pool, server, clock) -> None:
    connections = await take_all(pool, 4)
    for connection in connections:
        pool.give_back(connection)
    clock.now += 30
    pool._tick()
    await settle()
    assert server.standing == set()
    assert pool.limit == 1


async def test_no_more_than_its_size_and_first_come_first_served(pool, server) -> None:
    connections = await take_all(pool, 4)
    waiting = [asyncio.create_task(pool.take()) for _ in range(2)]
    await settle()
    assert server.tried == 4
    pool.give_back(connections[0])
    assert await waiting[0] is connections[0]
    assert not waiting[1].done()
    pool.give_back(connections[1])
    assert await waiting[1] is connections[1]
    for connection in connections:
        pool.give_back(connection)


async def test_after_its_share_of_messages_a_connection_leaves_politely(pool, server) -> None:
    connection = await pool.take()
    connection.messages = 3
    pool.give_back(connection)
    assert await pool.take() is not connection
    assert connection.said_goodbye
    pool.give_back(server.opened[1])


async def test_a_leaving_connection_counts_until_it_is_gone(server, clock) -> None:
    pool = Pool(server.open, size=1, messages_per_connection=1, clock=clock, failed=server.failures.append)
    server.room = 1
    for _ in range(5):
        connection = await pool.take()
        connection.messages = 1
        pool.give_back(connection)
    assert server.failures == []
    await pool.close()


async def test_when_nothing_stands_all_who_wait_are_told(pool, server) -> None:
    server.room = 0
    results = await asyncio.gather(*(pool.take() for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, OpenFailed) and result.outcome is REFUSED for result in results)
    assert server.tried == 1
    assert server.failures == [REFUSED]
    server.room = 100
    assert pool.limit == 1
    connections = await take_all(pool, 4)  # the outage said nothing about how many it takes
    assert len(set(connections)) == 4
    for connection in connections:
        pool.give_back(connection)


async def test_with_fewer_than_wanted_everybody_is_served_by_those_there_are(pool, server, clock) -> None:
    server.room = 2
    pool._growth.limit = 4
    tasks = [asyncio.create_task(pool.take()) for _ in range(6)]
    served = []
    while len(served) < 6:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            tasks.remove(task)
            served.append(task.result())
            pool.give_back(task.result())
    assert len(server.standing) == 2
    assert pool.limit == 2
    assert server.failures == []
    tried = server.tried
    connections = await take_all(pool, 2)
    asyncio_task = asyncio.create_task(pool.take())
    await settle()
    assert server.tried == tried  # not before its time
    clock.now += 5
    server.room = 3
    pool._tick()
    third = await asyncio_task
    assert pool.limit == 3
    for connection in (*connections, third):
        pool.give_back(connection)


async def test_growing_in_vain_is_tried_less_and_less_often(pool, server, clock) -> None:
    server.room = 1
    pool._growth.limit = 4
    first = await pool.take()
    waiting = asyncio.create_task(pool.take())
    await settle()
    assert pool.limit == 1
    tried = server.tried
    expected = 5.0
    for _ in range(8):
        clock.now += expected - 0.1
        pool._tick()
        await settle()
        assert server.tried == tried
        clock.now += 0.1
        pool._tick()
        await settle()
        tried += 1
        assert server.tried == tried
        assert pool.limit == 1
        expected = min(expected * 2, 300)
    pool.give_back(first)
    pool.give_back(await waiting)


async def test_a_server_that_complains_gets_one_less(pool, server) -> None:
    connections = await take_all(pool, 4)
    waiting = asyncio.create_task(pool.take())
    await settle()
    pool.crowded()
    pool.drop(connections.pop())
    await settle()
    assert pool.limit == 3
    assert server.tried == 4  # none in its place
    pool.give_back(connections[0])
    assert await waiting is connections[0]
    for connection in connections:
        pool.give_back(connection)
    assert pool.standing == 3  # what stands may stay


async def test_idle_connections_are_closed_by_the_clock_that_never_stops(pool, server, clock) -> None:
    connection = await pool.take()
    pool.give_back(connection)
    clock.now += 30
    pool._tick()
    await settle()
    assert connection.said_goodbye
    assert pool.standing == 0


async def test_lost_while_idle_is_forgotten(pool, server) -> None:
    connection = await pool.take()
    pool.give_back(connection)
    connection.cut()
    assert pool.standing == 0
    assert await pool.take() is not connection
    pool.give_back(server.opened[1])


async def test_given_back_dead_makes_room_for_who_waits(pool, server) -> None:
    connections = await take_all(pool, 4)
    waiting = asyncio.create_task(pool.take())
    await settle()
    connections[0].cut()
    pool.give_back(connections[0])
    assert await waiting is server.opened[4]
    for connection in (*connections[1:], server.opened[4]):
        pool.give_back(connection)


async def test_cancelled_while_waiting_loses_no_connection(pool, server) -> None:
    connections = await take_all(pool, 4)
    waiting = [asyncio.create_task(pool.take()) for _ in range(3)]
    await settle()
    waiting[0].cancel()
    pool.give_back(connections[0])  # for the second
    waiting[1].cancel()  # in the very moment
    await settle()
    assert await waiting[2] is connections[0]
    for connection in connections:
        pool.give_back(connection)


async def test_preparing_opens_one_that_is_there_when_it_is_needed(pool, server) -> None:
    pool.prepare()
    pool.prepare()
    await settle()
    assert server.tried == 1
    pool.prepare()
    await settle()
    assert server.tried == 1
    connection = await pool.take()
    assert connection.rested
    pool.give_back(connection)


async def test_an_unexpected_fault_reaches_who_waits(pool, server) -> None:
    server.room = 0
    server.fault = RuntimeError("a bug")
    with pytest.raises(RuntimeError):
        await pool.take()
    assert server.failures == []


async def test_closing_stops_what_is_opening(server, clock) -> None:
    pool = Pool(server.open, size=4, messages_per_connection=3, clock=clock, failed=server.failures.append)
    pool.prepare()
    await asyncio.sleep(0)
    await pool.close()
    assert server.standing == set()
    assert server.opening == 0

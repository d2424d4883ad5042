"""Every fault of the cluster, on the whole way from the stream to the mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import grpc
import pytest

from teleport_email.core import decide
from teleport_email.core.model import RequestState
from teleport_email.sandbox.cluster import faults
from teleport_email.sandbox.mail.script import Wait
from teleport_email.watching import resync

pytestmark = pytest.mark.usefixtures("hasty")


async def live(world: Any, count: int = 6) -> Sequence[str]:
    """Requests from their making to their approval, one step after another; their ids."""
    made = [await world.cluster.create(roles=["dba"], reason=f"number {number}") for number in range(count)]
    for request in made:
        await world.cluster.review(request.id, "bob@example.com", RequestState.APPROVED, "fine")
        await asyncio.sleep(0)  # events of one request may overtake another's work
    return [request.id for request in made]


async def assert_all_told(world: Any, ids: Sequence[str]) -> None:
    """Each of the two recipients has one whole thread per request: whatever was seen late, nothing is missing."""

    def whole(address: str, request_id: str) -> bool:
        kinds = [
            mail.message_id.partition(".")[0]
            for mail in world.inbox.to(address)
            if request_id in mail.subject
        ]
        return kinds in (["a", "r1", "A"], ["aA1"])

    def complete(_: Any) -> bool:
        return all(whole(to, one) for to in ("dba@example.com", "ops@example.com") for one in ids)

    await world.inbox.until(complete, timeout=60)
    await world.told(*ids)
    world.assert_once()


async def test_streams_that_end_after_each_event(world: Any) -> None:
    await world.start()
    world.cluster.faults.events.end_streams_every = 1
    await assert_all_told(world, await live(world))


async def test_streams_that_end_all_the_time_do_not_make_lists_all_the_time(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resync, "LIST_SPACING", 30.0)
    await world.start()
    for _ in range(10):
        before = world.cluster.calls["WatchEvents"]
        world.cluster.faults.end_streams()
        await world.cluster.wait_for(lambda before=before: world.cluster.calls["WatchEvents"] > before)
    assert world.cluster.calls["ListAccessRequests"] <= 3, "the first list, and a follow-up or two"


async def test_a_server_that_restarts_in_the_middle(world: Any) -> None:
    await world.start()
    ids = await live(world)
    for _ in range(3):
        world.cluster.cut()
        calls = world.cluster.calls["WatchEvents"]
        await world.cluster.wait_for(lambda calls=calls: world.cluster.calls["WatchEvents"] > calls)
    await assert_all_told(world, ids)


async def test_a_cluster_out_of_reach_for_many_leases(world: Any) -> None:
    running = await world.start()
    before = await world.cluster.create(roles=["dba"])
    await world.told(before.id, mails=2)
    world.cluster.faults.unreachable = True
    await running.until(lambda: running.daemon.link.status.problem)
    ids = await live(world)
    await asyncio.sleep(1.5)  # longer than a lease: whatever was held has run out
    world.cluster.faults.unreachable = False
    await assert_all_told(world, ids)
    await world.cluster.approve(before.id)
    await world.told(before.id)
    await world.inbox.until(
        lambda box: [m for m in box.messages if before.id in m.subject][-1].message_id[0] == "A"
    )


async def test_mails_accepted_while_the_cluster_is_away_are_recorded_when_it_is_back(world: Any) -> None:
    """The dot was answered, the record could not be written: it is kept in mind, and nothing goes twice."""
    world.inbox.faults.on("DOT", Wait(0.3))
    running = await world.start()
    request = await world.cluster.create(roles=["dba"])
    await world.inbox.until(lambda box: box.commands["DOT"] == 2)
    world.cluster.faults.unreachable = True
    await world.inbox.wait_for(2)
    await running.until(lambda: running.daemon.link.status.problem)
    await asyncio.sleep(1.5)
    world.cluster.faults.unreachable = False
    await world.told(request.id)
    await running.settled()
    assert len(world.inbox.messages) == 2
    world.assert_once()


async def test_events_that_come_twice_or_late_or_in_any_order(world: Any) -> None:
    await world.start()
    world.cluster.faults.events.double_chance = 0.5
    world.cluster.faults.events.delay = (0.0, 0.5)
    await assert_all_told(world, await live(world))


async def test_events_in_reverse_order(world: Any) -> None:
    await world.start()
    world.cluster.faults.events.reverse = 6
    ids = await live(world)
    world.cluster.faults.events.reverse = 0
    await world.cluster.create()  # lets go what is held back
    await assert_all_told(world, ids)


async def test_events_that_get_lost_are_made_up_for_by_the_next_list(world: Any) -> None:
    await world.start()
    world.cluster.faults.events.drop = 12
    ids = await live(world)
    await assert_all_told(world, ids)


async def test_lists_that_lag_behind_never_undo_what_events_told(world: Any) -> None:
    await world.start()
    world.cluster.faults.lists.age = timedelta(seconds=0.5)  # 12 s at full length
    world.cluster.faults.events.end_streams_every = 3  # so that there are many lists
    ids = await live(world)
    await assert_all_told(world, ids)
    for one in ids:
        await world.cluster.delete(one)
    await asyncio.sleep(0.5)
    assert not [mail for mail in world.inbox.messages if mail.message_id.startswith("X")]


async def test_a_list_that_lags_misses_a_request_which_is_not_gone_for_that(world: Any) -> None:
    running = await world.start()
    world.cluster.faults.lists.age = timedelta(seconds=30)
    request = await world.cluster.create()
    await world.told(request.id, mails=1)
    lists = world.cluster.calls["ListAccessRequests"]
    world.cluster.faults.end_streams()
    await world.cluster.wait_for(lambda: world.cluster.calls["ListAccessRequests"] > lists)
    world.cluster.faults.lists.age = timedelta(0)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=2)
    assert world.kinds("all@example.com") == ["a", "A"]
    await running.settled()


# Writes of the ledger ---------------------------------------------------------------------------------

WRITE = "UpdatePluginData"


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(faults.fail(), id="fail"),
        pytest.param(faults.fail(grpc.StatusCode.DEADLINE_EXCEEDED), id="time out"),
        pytest.param(faults.conflict(), id="lose the compare"),
        pytest.param(faults.lose_answer(), id="are applied without an answer"),
        pytest.param(faults.hang(carried_out=True), id="are applied and hang"),
        pytest.param(faults.hang(carried_out=False), id="hang"),
        pytest.param(faults.late(0.2), id="come late"),
    ],
)
async def test_ledger_writes_that(world: Any, action: faults.Action) -> None:
    """A third of all writes: a mail that was accepted is recorded all the same, since its sender lives."""
    world.cluster.faults.randomly(WRITE, 0.33, action)
    await world.start()
    ids = await live(world, 3)
    await assert_all_told(world, ids)


async def test_a_compare_that_is_always_lost_means_no_mail_and_no_storm(world: Any) -> None:
    world.cluster.faults.on(WRITE, faults.conflict(), times=None)
    await world.start()
    request = await world.cluster.create()
    await world.cluster.wait_for(lambda: world.cluster.calls[WRITE] >= 5)
    assert world.inbox.messages == [], "no claim, no mail"
    calls = world.cluster.calls[WRITE]
    await asyncio.sleep(1.0)
    # A second here is 25 of the real ones; its backoff is 5 s then, so some ten writes would be due.
    assert world.cluster.calls[WRITE] - calls <= 30
    world.cluster.faults.clear()
    await world.told(request.id, mails=1)
    world.assert_once()


async def test_records_that_always_fail_after_a_delivery_do_not_send_it_again(world: Any) -> None:
    world.inbox.faults.on("DOT", Wait(0.2))
    running = await world.start()
    request = await world.cluster.create()
    await world.inbox.until(lambda box: box.commands["DOT"] == 1)
    world.cluster.faults.on(WRITE, faults.fail(), times=None)
    await world.inbox.wait_for(1)
    await asyncio.sleep(3.0)  # more than two leases
    assert len(world.inbox.messages) == 1
    world.cluster.faults.clear()
    await world.told(request.id)
    await running.settled()
    world.assert_once()


async def test_reads_of_the_ledger_that_fail(world: Any) -> None:
    world.cluster.faults.randomly("GetPluginData", 0.5, faults.fail())
    await world.start()
    await assert_all_told(world, await live(world, 3))


async def test_nothing_is_sent_of_a_request_that_was_over_when_the_program_was_installed(world: Any) -> None:
    over = await world.cluster.create()
    await world.cluster.approve(over.id)
    running = await world.start(delivery={"catch_up": 0.0})
    await running.settled()
    assert decide.Policy().catch_up > 0
    assert world.inbox.messages == []
    assert world.cluster.calls[WRITE] == 0

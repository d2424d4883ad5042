"""A wall clock that is an hour off, or jumps: intervals are those of the boot clock, and nothing gets lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from teleport_email.core.model import RequestState
from teleport_email.daemon import service

pytestmark = pytest.mark.usefixtures("hasty")

HOUR = timedelta(hours=1)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Set the daemon's wall clock ahead (or back) of the cluster's."""
    ahead = [timedelta(0)]
    monkeypatch.setattr(service, "wall_clock", lambda: datetime.now(UTC) + ahead[0])

    def set_it(by: timedelta) -> None:
        ahead[0] = by

    return set_it


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["ahead", "back"])
async def test_a_clock_an_hour_off_from_the_start(world: Any, set_clock: Any, by: timedelta) -> None:
    set_clock(by)
    long_valid = world.cluster.identity(not_before=datetime.now(UTC) - 2 * HOUR, valid_for=timedelta(days=1))
    world.cluster.write_identity(world.identity.parent, long_valid)
    running = await world.start()
    request = await world.cluster.create(pending_for=timedelta(minutes=30))
    await world.told(request.id, mails=1)
    await world.cluster.review(request.id, "bob@example.com", RequestState.APPROVED)
    await world.told(request.id, mails=3)
    await running.settled()
    assert world.kinds("all@example.com") == ["a", "r1", "A"]


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["ahead", "back"])
async def test_a_clock_that_jumps_in_the_middle(world: Any, set_clock: Any, by: timedelta) -> None:
    world.inbox.faults.greylist = 0.2
    await world.start()
    await world.start()
    requests = [await world.cluster.create(roles=["dba"]) for _ in range(5)]
    await world.inbox.until(lambda box: box.commands["RCPT"] >= 3)
    set_clock(by)
    ids = [request.id for request in requests]
    await world.told(*ids, mails=10)
    for one in ids:
        await world.cluster.deny(one)
    await world.told(*ids, mails=20)
    world.assert_once()


async def test_a_clock_ahead_does_not_make_a_request_expire_that_a_list_lacks(
    world: Any, set_clock: Any
) -> None:
    """A list that lags lacks the newest request; by a clock that is ahead its time is over."""
    set_clock(HOUR)
    running = await world.start()
    world.cluster.faults.lists.age = timedelta(seconds=2)
    for _ in range(3):
        request = await world.cluster.create(pending_for=timedelta(minutes=30))
        await running.until(lambda request=request: running.daemon.store.version(request.id))
        lists = len(world.said(" listed "))
        world.cluster.faults.end_streams()
        await running.until(lambda lists=lists: len(world.said(" listed ")) > lists)
        await world.told(request.id)
        await world.cluster.approve(request.id)
        # Where the stream was just opening, a later list tells it.
        await world.inbox.until(lambda box: box.messages[-1].message_id[0] == "A", timeout=60)
    assert [mail.message_id.partition(".")[0] for mail in world.inbox.messages] == ["a", "A"] * 3


async def test_a_clock_ahead_does_not_keep_from_telling_what_was_resolved_at_once(
    world: Any, set_clock: Any
) -> None:
    """Seen pending by ourselves, approved before anybody could be told: ours to tell, whatever our clock says."""
    set_clock(HOUR)
    running = await world.start()
    await world.inbox.stop_listening()
    request = await world.cluster.create()
    await running.until(lambda: running.daemon.mailer.paused)
    other = await world.cluster.create()
    await running.until(lambda: running.daemon.store.version(other.id))
    await world.cluster.approve(other.id)
    await running.until(lambda: running.daemon.store.version(other.id) > 1)
    await world.inbox.listen_again()
    await world.told(request.id, other.id, mails=2)

"""What happens while no daemon runs is told afterwards, as far as the cluster still shows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from teleport_email.core.model import RequestState, Threshold

pytestmark = pytest.mark.usefixtures("hasty")

TWICE = (Threshold(name="two", approve=2, deny=2),)
APPROVED, DENIED = RequestState.APPROVED, RequestState.DENIED


async def down(world: Any, *, count: int = 1, thresholds: Any = TWICE) -> list[str]:
    """Requests that were announced, and a daemon that has gone since; their ids."""
    running = await world.start()
    made = [await world.cluster.create(reason=f"number {n}", thresholds=thresholds) for n in range(count)]
    ids = [request.id for request in made]
    await world.told(*ids, mails=count)
    await running.stop()
    return ids


async def test_each_review_is_told_one_by_one(world: Any) -> None:
    [told] = await down(world)
    await world.cluster.review(told, "bob@example.com", APPROVED, "good")
    await world.cluster.review(told, "carol@example.com", DENIED, "hm")
    await world.cluster.review(told, "dora@example.com", APPROVED, "well")
    await world.start()
    await world.told(told, mails=5)
    assert world.kinds("all@example.com") == ["a", "r1", "r2", "r3", "A"]


async def test_only_the_last_state_of_an_announced_request_can_be_told(world: Any) -> None:
    [told] = await down(world)
    await world.cluster.approve(told)
    await world.cluster.deny(told, "after all")
    await world.start()
    await world.told(told, mails=2)
    assert world.kinds("all@example.com") == ["a", "D"]


async def test_made_and_resolved_is_one_message(world: Any) -> None:
    await down(world)
    for reviewer, end in (("approve", "aA"), ("deny", "aD")):
        request = await world.cluster.create(reason=reviewer)
        await getattr(world.cluster, reviewer)(request.id)
        before = world.inbox.received
        running = await world.start()
        await world.told(request.id, mails=before + 1)
        assert world.kinds("all@example.com")[-1] == end
        await running.stop()


async def test_deleted_and_expired_requests_end_their_threads(world: Any) -> None:
    deleted, expired, approved = await down(world, count=3)
    await world.cluster.approve(approved)
    await world.cluster.delete(deleted)
    await world.cluster.expire(expired)
    unseen = await world.cluster.create(reason="made and removed unseen")
    await world.cluster.delete(unseen.id)
    running = await world.start()
    await world.inbox.wait_for(6)
    await world.told(deleted, expired, approved)
    await running.settled()
    assert sorted(world.kinds("all@example.com")) == ["A", "X", "X", "a", "a", "a"]
    assert not any(unseen.id in mail.subject for mail in world.inbox.messages), "nobody can know of it"


async def test_a_request_that_expired_by_itself_ends_its_thread(world: Any) -> None:
    [told] = await down(world)
    world.cluster.advance(timedelta(hours=2))
    assert world.cluster.get(told) is None
    await world.start()
    await world.told(told, mails=2)
    assert world.kinds("all@example.com") == ["a", "X"]


async def test_resolved_and_gone_without_our_seeing_it_resolved_is_told_as_expired(world: Any) -> None:
    [told] = await down(world)
    await world.cluster.approve(told)
    await world.cluster.delete(told)
    await world.start()
    await world.told(told, mails=2)
    assert world.kinds("all@example.com") == ["a", "X"]


async def test_a_request_older_than_catch_up_stays_untold(world: Any) -> None:
    now = world.cluster.now()
    await world.cluster.create(reason="old", created=now - timedelta(hours=3), pending_for=timedelta(hours=9))
    young = await world.cluster.create(
        reason="young", created=now - timedelta(hours=1), pending_for=timedelta(hours=9)
    )
    running = await world.start(delivery={"catch_up": 2 * 3600.0})
    await world.told(young.id, mails=1)
    await running.settled()
    assert [young.id in mail.subject for mail in world.inbox.messages] == [True]


async def test_a_second_start_tells_nothing_anew(world: Any) -> None:
    ids = await down(world, count=5)
    for one in ids[:2]:
        await world.cluster.approve(one)
    running = await world.start()
    await world.told(*ids, mails=7)
    await running.stop()
    again = await world.start()
    await again.settled()
    assert len(world.inbox.messages) == 7

"""Real signals to a real process in the middle of its work."""

from __future__ import annotations

import asyncio
import random
import signal
from typing import Any

from teleport_email.daemon import service
from teleport_email.sandbox.mail.script import Silence, Wait

RECIPIENTS = 5


async def burst(place: Any, count: int) -> list[str]:
    return [
        (await place.cluster.create(user="alice", reason=f"number {number}")).id for number in range(count)
    ]


async def test_kills_in_a_burst_of_a_hundred_requests_lose_nothing(place: Any) -> None:
    """SIGKILL again and again. What the dead ones had claimed waits for their leases, all at the same time."""
    rng = random.Random(20)
    place.inbox.faults.on("DOT", Wait(0.002))
    ids = await burst(place, 100)
    kills = 0
    for _ in range(4):
        daemon = await place.start()
        target = min(RECIPIENTS * 100 - 50, place.inbox.received + rng.randrange(20, 110))
        await place.inbox.wait_for(target, timeout=60)
        await daemon.kill()
        kills += 1
    await place.start()
    await place.told(*ids, timeout=120)
    assert len({key[:2] for key in place.counts()}) == 100 * RECIPIENTS
    # Twins only of what a kill met between its dot and its record: two connections, and what a record gathers.
    assert place.twins() <= kills * 30


async def test_the_share_of_a_killed_replica_is_taken_over(place: Any) -> None:
    """In real time, with the constants as they are: when, to the second, is a matter of tests/reconciling."""
    first = await place.start()
    await place.start()
    place.inbox.faults.on("RCPT", Wait(3600))  # whoever claims stands there, and renews its claim
    ids = await burst(place, 6)
    await place.cluster.wait_for(
        lambda: all("ledger" in place.cluster.plugin_data(one) for one in ids), timeout=60
    )
    await first.kill()
    place.inbox.faults.clear()
    await place.inbox.drop_connections()
    await place.told(*ids, timeout=100)
    assert len(place.inbox.messages) == 6 * RECIPIENTS
    assert place.twins() == 0


async def test_sigterm_in_a_burst_ends_in_time_and_hands_over(place: Any) -> None:
    place.inbox.faults.on("DOT", Wait(0.02))
    daemon = await place.start()
    ids = await burst(place, 40)
    await place.inbox.wait_for(30)
    daemon.process.send_signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert place.inbox.received < 40 * RECIPIENTS, "else nothing was interrupted"
    place.inbox.faults.clear()
    await place.start()
    await place.told(*ids, timeout=60)  # no lease to wait for
    assert len(place.counts()) == 40 * RECIPIENTS
    assert place.twins() == 0


async def test_sigterm_ends_in_time_though_a_dot_has_no_answer(place: Any) -> None:
    place.inbox.faults.on("DOT", Silence(keep=True))
    daemon = await place.start()
    await burst(place, 3)
    await place.inbox.wait_for(2)
    daemon.process.send_signal(signal.SIGTERM)
    assert await daemon.ended() == 0


async def test_a_second_sigterm_ends_at_once(place: Any) -> None:
    place.inbox.faults.on("DOT", Silence())
    daemon = await place.start()
    await burst(place, 1)
    await place.inbox.until(lambda box: box.commands["DOT"] > 0)
    daemon.process.send_signal(signal.SIGTERM)
    await daemon.says("stopping")
    daemon.process.send_signal(signal.SIGTERM)
    assert await daemon.ended(timeout=service.DRAIN) == -signal.SIGTERM, "it did not wait for the drain"


async def test_sighup_under_load_changes_over_without_losing_or_doubling(place: Any) -> None:
    place.inbox.faults.on("DOT", Wait(0.01))
    daemon = await place.start()
    ids = await burst(place, 30)
    for number in range(5):
        await place.inbox.wait_for((number + 1) * 20)
        daemon.process.send_signal(signal.SIGHUP)
        await daemon.says("configuration reloaded", number + 1)
    await place.told(*ids)
    assert len(place.counts()) == 30 * RECIPIENTS
    assert place.twins() == 0
    daemon.process.send_signal(signal.SIGTERM)
    assert await daemon.ended() == 0


async def test_a_machine_that_stands_still_for_a_moment(place: Any) -> None:
    """SIGSTOP in the middle, shorter than a lease: nothing but a delay."""
    daemon = await place.start()
    ids = await burst(place, 10)
    await place.inbox.wait_for(5)
    daemon.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(2)
    daemon.process.send_signal(signal.SIGCONT)
    await place.told(*ids)
    assert len(place.counts()) == 10 * RECIPIENTS
    assert place.twins() == 0

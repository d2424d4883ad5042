"""Stopping in the middle of work: what can end ends, what cannot is handed back, and the bound holds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from teleport_email.daemon import service
from teleport_email.sandbox.mail.script import Silence, Wait

pytestmark = pytest.mark.usefixtures("hasty")

FIVE = tuple(f"r{number}@example.com" for number in range(5))


async def test_a_stop_in_a_burst_hands_everything_back(world: Any) -> None:
    """No claim is left behind: the next daemon needs to wait for no lease, and nothing comes twice."""
    world.inbox.faults.on("DOT", Wait(0.05))
    running = await world.start(role_to_recipients={"*": FIVE})
    requests = [await world.cluster.create() for _ in range(20)]
    await world.inbox.wait_for(7)
    await running.stop()
    held = [one.id for one in requests if world.ledger(one.id).owner]
    assert held == []
    assert world.inbox.received < 100, "else nothing was interrupted"
    world.inbox.faults.clear()
    await world.start(role_to_recipients={"*": FIVE})
    await world.told(*(request.id for request in requests), mails=100)
    world.assert_once()
    assert world.said("claim taken over") == []


async def test_a_dot_without_an_answer_does_not_hold_up_the_stop(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "DRAIN", 0.3)
    monkeypatch.setattr(service, "LAST_CALL", 0.2)
    monkeypatch.setattr(service, "GIVE_UP", 0.2)
    world.inbox.faults.on("DOT", Silence(keep=True), times=1)
    running = await world.start()
    request = await world.cluster.create()
    await world.inbox.wait_for(1)
    async with asyncio.timeout(60):
        await running.stop()
    assert world.said("stopped")[-1].endswith("all_recorded=False")
    await world.inbox.drop_connections()
    await world.start()
    await world.told(request.id, mails=2)
    world.assert_twins()


async def test_a_stop_while_the_cluster_is_away(world: Any) -> None:
    world.inbox.faults.on("DOT", Wait(0.2))
    running = await world.start()
    request = await world.cluster.create()
    await world.inbox.until(lambda box: box.commands["DOT"] == 1)
    world.cluster.faults.unreachable = True
    await world.inbox.wait_for(1)
    async with asyncio.timeout(60):
        await running.stop()
    world.cluster.faults.unreachable = False
    await world.start()
    await world.told(request.id, mails=2)
    world.assert_twins()

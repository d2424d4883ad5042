"""Several daemons on one cluster: still exactly once, and the share of a dead one is taken over."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from msgspec import structs

from teleport_email.core.model import RequestState
from teleport_email.sandbox.mail.script import Wait
from teleport_email.sandbox.mail.smtp_faults import Reply
from teleport_email.teleport import session
from teleport_email.watching import resync

FIVE = tuple(f"r{number}@example.com" for number in range(5))


async def assert_threads(world: Any, ids: list[str], addresses: tuple[str, ...]) -> None:
    for request_id in ids:
        for address in addresses:
            kinds = [
                m.message_id.partition(".")[0] for m in world.inbox.to(address) if request_id in m.subject
            ]
            assert kinds in (["a", "r1", "A"], ["aA1"])


async def test_three_daemons_tell_a_burst_once(world: Any) -> None:
    """With the lease at its full length: where the loop stands still for a whole lease after a dot, one may come twice.

    A loaded machine does that to a lease of a second, in which three daemons, the cluster and the mail server have
    one loop between them.
    """
    for _ in range(3):
        await world.start(role_to_recipients={"*": FIVE})
    requests = [await world.cluster.create(reason=f"number {number}") for number in range(20)]
    ids = [request.id for request in requests]
    await world.told(*ids, mails=100, timeout=120)
    for one in ids:
        await world.cluster.review(one, "bob@example.com", RequestState.APPROVED)
    await world.told(*ids, mails=300, timeout=120)
    world.assert_once()
    assert not world.said("claim taken over")
    await assert_threads(world, ids, FIVE)


@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize("seed", range(3))
async def test_kills_in_the_middle_of_a_burst_are_made_up_for(world: Any, seed: int) -> None:
    """Whatever the dead one had claimed is taken over; only what it had sent unrecorded comes as a twin."""
    rng = random.Random(seed)
    world.inbox.faults.on("DOT", Wait(0.01))
    alive = [await world.start(role_to_recipients={"*": FIVE}) for _ in range(3)]
    requests = [await world.cluster.create(reason=f"number {number}") for number in range(15)]
    for victim in rng.sample(alive, 2):
        await world.inbox.wait_for(world.inbox.received + rng.randrange(1, 15))
        await victim.kill()
    await world.start(role_to_recipients={"*": FIVE})
    ids = [request.id for request in requests]
    await world.told(*ids, timeout=60)
    kinds = {(mail.to, mail.subject) for mail in world.inbox.messages}
    assert len(kinds) == 75
    world.assert_twins()
    assert len(world.inbox.messages) <= 75 + 2 * 10, "twins: no more than what was under way at a kill"


@pytest.mark.usefixtures("hasty")
async def test_a_daemon_cut_off_from_the_cluster_stops_before_another_takes_over(world: Any) -> None:
    """It may not begin, and not finish, what is not surely its own any more."""
    world.inbox.faults.on("RCPT", Wait(1.0), times=2)  # its messages stand before their dots meanwhile
    first = await world.start()
    request = await world.cluster.create(roles=["dba"])
    await world.inbox.until(lambda box: box.commands["RCPT"] == 2)
    first.daemon.link._connection = None  # cut off, and nothing tells it so
    await world.start()
    await world.told(request.id, mails=2)
    await asyncio.sleep(1.0)
    world.assert_once()
    assert world.said("claim taken over")
    assert [mail for mail in world.said("message withdrawn") if request.id in mail]


@pytest.mark.usefixtures("hasty")
async def test_a_claim_of_a_dead_daemon_is_looked_at_a_few_times_a_lease(world: Any) -> None:
    world.inbox.faults.on("RCPT", Reply(451, "4.0.0 later"))
    first = await world.start()
    request = await world.cluster.create()
    await world.cluster.wait_for(lambda: world.ledger(request.id).owner)
    await first.kill()
    data = world.cluster.plugin_data(request.id)
    if not world.ledger(request.id).owner:
        pytest.fail("the claim was given back")
    world.inbox.faults.clear()
    reads = world.cluster.calls["GetPluginData"]
    await world.start()
    await world.told(request.id, mails=1)
    assert data != world.cluster.plugin_data(request.id)
    assert world.cluster.calls["GetPluginData"] - reads <= 16


async def test_idle_daemons_cost_a_ping_each_and_a_list_now_and_then(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked per request: with nothing due, no ledger is read, whatever number of requests is open.

    At full length that is a ping each 20 s and a list each 7.5 to 10 minutes per daemon.
    """
    settings = world.settings()
    running = [await world.start() for _ in range(3)]
    ids = [(await world.cluster.create()).id for _ in range(30)]
    await world.told(*ids, mails=30)
    for one in running:
        await one.settled()
        await one.stop()
    assert settings.teleport.resync_interval == 600.0
    # The waits are those of the loop's clock: shortened, an hour's worth of idling passes in seconds.
    monkeypatch.setitem(session.Session.__init__.__kwdefaults__, "ping_interval", 0.2)
    quick = world.settings()
    quick = structs.replace(quick, teleport=structs.replace(quick.teleport, resync_interval=0.5))
    monkeypatch.setattr(resync, "FOLLOW_UPS", ())
    for _ in range(3):
        await world.start(quick)
    before = world.cluster.calls.copy()
    lists = before["ListAccessRequests"]
    await world.cluster.wait_for(lambda: world.cluster.calls["ListAccessRequests"] >= lists + 9)
    during = world.cluster.calls - before
    assert set(during) <= {"Ping", "ListAccessRequests"}
    assert during["Ping"] <= 9 * 5
    assert len(world.inbox.messages) == 30

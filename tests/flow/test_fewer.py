"""Fewer messages by choice: on the whole way, over reloads and restarts, and back to the Go plugin."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from teleport_email.core.ledger import Mark
from teleport_email.core.model import RequestState, Threshold, User

pytestmark = pytest.mark.usefixtures("hasty")

ALL, DBA, OPS, BOB = "all@example.com", "dba@example.com", "ops@example.com", "bob@example.com"
MANY = (Threshold(approve=9, deny=9),)
TWO = (Threshold(approve=2, deny=1),)
APPROVED = RequestState.APPROVED


async def reloaded(running: Any, **delivery: Any) -> None:
    """The same daemon with other choices."""
    await running.reload(delivery=structs.replace(running.settings.delivery, **delivery))


async def passed(world: Any, request_id: str, address: str, *codes: str) -> None:
    """Until these reviews are written down as passed."""
    await world.marked(request_id, address, Mark.PASSED, *codes)


def version(world: Any, request_id: str) -> str:
    return str(world.cluster.plugin_data(request_id)["ledger"][:6])


async def test_the_end_tells_the_review_that_decides(world: Any) -> None:
    await world.start(delivery={"merge_deciding_review": True})
    request = await world.cluster.create(roles=["dba"], thresholds=TWO)
    await world.told(request.id, mails=2)
    await world.cluster.review(request.id, BOB, APPROVED, "first")
    await world.told(request.id, mails=4)
    assert version(world, request.id) == '{"v":1', "nothing was merged yet"
    await world.cluster.review(request.id, "carol@example.com", APPROVED, "second, and enough")
    await world.told(request.id, mails=6)
    for address in (DBA, OPS):
        assert world.kinds(address) == ["a", "r1", "A"]
        assert "second, and enough" in world.inbox.to(address)[-1].text
    assert version(world, request.id) == '{"v":2'
    assert world.cluster.plugin_data(request.id)["reviews_count"] == "2"


async def test_without_the_choice_each_review_is_told_and_the_ledger_is_of_version_1(world: Any) -> None:
    await world.start()
    request = await world.cluster.create(roles=["dba"])
    await world.told(request.id, mails=2)
    await world.cluster.review(request.id, DBA, APPROVED, "fine")
    await world.told(request.id, mails=6)
    assert world.kinds(DBA) == world.kinds(OPS) == ["a", "r1", "A"]
    assert version(world, request.id) == '{"v":1'


async def test_nobody_is_told_of_their_own_review_by_address_or_by_the_name_that_was_looked_up(
    world: Any,
) -> None:
    world.cluster.put_user(User("carol", traits={"email": ("carol@example.com",)}))
    world.cluster.put_user(User("dan", traits={"email": (OPS,)}))  # an address of the file: nobody knows
    running = await world.start(delivery={"skip_own_review": True})
    request = await world.cluster.create(roles=["dba"], suggested_reviewers=["carol"], thresholds=MANY)
    await world.told(request.id, mails=3)
    for number, author in enumerate((DBA, "carol", "dan")):
        await world.cluster.review(request.id, author, APPROVED)
        await world.told(request.id, mails=5 + 2 * number + (author == "dan"))
    await running.settled()
    assert world.kinds(DBA) == ["a", "r2", "r3"]
    assert world.kinds("carol@example.com") == ["a", "r1", "r3"]
    assert world.kinds(OPS) == ["a", "r1", "r2", "r3"]
    await reloaded(running, skip_own_review=False)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=13)
    assert world.kinds(DBA)[-1] == world.kinds("carol@example.com")[-1] == "A"
    world.assert_once()


async def test_an_own_review_alone_is_written_down_and_no_mail(world: Any) -> None:
    running = await world.start(delivery={"skip_own_review": True})
    request = await world.cluster.create(thresholds=MANY)
    await world.told(request.id, mails=1)
    await world.cluster.review(request.id, ALL, APPROVED)
    await passed(world, request.id, ALL, "r1")
    await running.settled()
    assert world.kinds(ALL) == ["a"]
    assert world.cluster.plugin_data(request.id)["reviews_count"] == "1"


async def test_what_was_quiet_stays_so_and_what_comes_then_is_told(world: Any) -> None:
    """Off, on and off again; and over a restart."""
    running = await world.start()
    request = await world.cluster.create(thresholds=MANY)
    await world.told(request.id, mails=1)
    await world.cluster.review(request.id, BOB, APPROVED)
    await world.told(request.id, mails=2)
    await reloaded(running, quiet_reviews=True)
    await world.cluster.review(request.id, "carol@example.com", APPROVED, "unheard")
    await passed(world, request.id, ALL, "r2")
    assert not world.ledger(request.id).owner
    await running.settled()
    await reloaded(running, quiet_reviews=False)
    await running.stop()
    again = await world.start()
    await again.settled()
    assert world.kinds(ALL) == ["a", "r1"]
    await world.cluster.review(request.id, "dan@example.com", APPROVED)
    await world.told(request.id, mails=3)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=4)
    assert world.kinds(ALL) == ["a", "r1", "r3", "A"]
    assert "unheard" in world.inbox.messages[-1].text, "the end shows it all the same"
    assert world.cluster.plugin_data(request.id)["reviews_count"] == "3"
    world.assert_once()


async def test_quiet_in_the_threads_of_the_go_plugin(world: Any) -> None:
    """It has no ledger of ours yet; going back, it finds the review counted."""
    request = await world.cluster.create(thresholds=MANY)
    threads = f"{ALL}/2026-11-22 12:00:00 +0000 UTC/go@example.com"
    data = {"user": request.user, "roles": "dev", "email_threads": threads}
    world.cluster.put_plugin_data(request.id, data)
    await world.cluster.review(request.id, BOB, APPROVED)
    running = await world.start(delivery={"quiet_reviews": True})
    await passed(world, request.id, ALL, "r1")
    await running.settled()
    assert world.inbox.messages == []
    assert world.cluster.plugin_data(request.id)["reviews_count"] == "1"
    assert world.cluster.plugin_data(request.id)["email_threads"] == threads
    await reloaded(running, quiet_reviews=False)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=1)
    assert world.kinds(ALL) == ["A"]
    assert world.inbox.messages[0].references == ("go@example.com",)


async def test_several_daemons_pass_a_review_once(world: Any) -> None:
    several = [await world.start(delivery={"quiet_reviews": True}) for _ in range(3)]
    request = await world.cluster.create(roles=["dba"], thresholds=MANY)
    await world.told(request.id, mails=2)
    await world.cluster.review(request.id, BOB, APPROVED)
    await passed(world, request.id, DBA, "r1")
    await passed(world, request.id, OPS, "r1")
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=4)
    for running in several:
        await running.settled()
    assert world.kinds(DBA) == world.kinds(OPS) == ["a", "A"]
    world.assert_once()

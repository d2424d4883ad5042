"""From the stream to the mailbox: the life cycles on the compatibility page, over SMTP."""

from __future__ import annotations

from typing import Any

from teleport_email.core.model import AccessList, RequestState


async def test_announcement_review_and_approval_in_one_thread(world: Any) -> None:
    await world.start()
    request = await world.cluster.create(
        user="myuser@example.com",
        roles=["editor"],
        reason="Fix the build",
        suggested_reviewers=["alice@example.com", "bob"],
    )
    await world.inbox.wait_for(2)
    await world.cluster.review(request.id, "alice@example.com", RequestState.APPROVED, "looks good")
    await world.inbox.wait_for(6)
    for address in ("all@example.com", "alice@example.com"):
        mails = world.inbox.to(address)
        assert [mail.subject for mail in mails] == [f"demo.example.com Role Request {request.id}"] * 3
        assert "Status: ⏳ PENDING" in mails[0].text
        assert "alice@example.com reviewed the request at" in mails[1].text
        assert "Status: ✅ APPROVED" in mails[2].text
        assert len({mail.message_id for mail in mails}) == 3
        assert len({mail.references for mail in mails}) == 1
        assert "Link: https://proxy.example.com/web/requests/" + request.id in mails[0].text


async def test_denial_of_a_request_for_two_roles(world: Any) -> None:
    await world.start()
    request = await world.cluster.create(roles=["dba", "dev"])
    await world.inbox.wait_for(3)
    await world.cluster.deny(request.id, "not today")
    await world.inbox.wait_for(6)
    for address in ("all@example.com", "dba@example.com", "ops@example.com"):
        assert "Status: ❌ DENIED (not today)" in world.inbox.to(address)[-1].text


async def test_expiry_is_told_once(world: Any) -> None:
    running = await world.start()
    request = await world.cluster.create()
    await world.inbox.wait_for(1)
    await world.cluster.expire(request.id)
    await world.inbox.wait_for(2)
    assert "Status: ⌛ EXPIRED" in world.inbox.messages[-1].text
    await running.settled()
    assert len(world.inbox.messages) == 2


async def test_promotion(world: Any) -> None:
    await world.start()
    request = await world.cluster.create()
    await world.inbox.wait_for(1)
    await world.cluster.promote(request.id, AccessList("eng", "Engineering"))
    await world.inbox.wait_for(lambda mails: any("PROMOTED" in mail.text for mail in mails))


async def test_a_denial_may_follow_an_approval(world: Any) -> None:
    running = await world.start()
    request = await world.cluster.create()
    await world.inbox.wait_for(1)
    await world.cluster.approve(request.id, "ok")
    await world.inbox.wait_for(2)
    await world.cluster.deny(request.id, "changed my mind")
    await world.inbox.wait_for(3)
    await world.cluster.delete(request.id)
    await running.settled()
    assert len(world.inbox.messages) == 3, "a resolved request that goes away is not told as expired"


async def test_what_happened_while_the_daemon_was_down_is_told(world: Any) -> None:
    first = await world.start()
    told = await world.cluster.create(user="bob@example.com", reason="before")
    expired = await world.cluster.create(reason="to expire")
    await world.inbox.wait_for(2)
    await first.stop()
    await world.cluster.review(told.id, "alice@example.com", RequestState.APPROVED)
    await world.cluster.create(reason="made while down")
    resolved = await world.cluster.create(reason="made and denied while down")
    await world.cluster.deny(resolved.id, "no")
    await world.start()
    await world.inbox.wait_for(2 + 2 + 1 + 1)
    texts = [mail.text for mail in world.inbox.messages]
    assert sum("made and denied while down" in text for text in texts) == 1
    assert any("❌ DENIED (no)" in text and "made and denied while down" in text for text in texts)
    assert expired.id


async def test_a_first_installation_tells_nobody_what_is_over(world: Any) -> None:
    over = await world.cluster.create(reason="long ago")
    await world.cluster.approve(over.id)
    running = await world.start()
    await world.cluster.create(reason="fresh")
    await world.inbox.wait_for(1)
    await running.settled()
    assert [over.id in mail.subject for mail in world.inbox.messages] == [False]

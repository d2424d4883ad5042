"""Giving up ends a message, never a recipient: on the whole way from the stream to the mailbox."""

from __future__ import annotations

from typing import Any

import pytest

from teleport_email.core import go_plugin
from teleport_email.core.ledger import Mark
from teleport_email.core.model import Kind, RequestState, Threshold
from teleport_email.sandbox.mail.smtp_faults import Reply

pytestmark = pytest.mark.usefixtures("hasty")

DBA, OPS = "dba@example.com", "ops@example.com"
UNKNOWN = Reply(550, "5.1.1 <ops@example.com>: no such user here")


async def given_up(world: Any, request_id: str, code: str, address: str = OPS) -> None:
    """Until the message to the one who is refused is recorded as given up."""
    await world.marked(request_id, address, Mark.GIVEN_UP, code)


async def test_a_refused_recipient_is_tried_again_with_the_next_message(world: Any) -> None:
    refusal = world.inbox.faults.on("RCPT", UNKNOWN, recipient=OPS)
    await world.start()
    many = (Threshold(approve=9, deny=9),)
    request = await world.cluster.create(roles=["dba"], reason="Fix the nightly build", thresholds=many)
    await world.told(request.id, mails=1)
    await given_up(world, request.id, "a")
    await world.cluster.review(request.id, "r1@example.com", RequestState.APPROVED, "good idea")
    await given_up(world, request.id, "a1")
    refusal.remove()
    await world.cluster.review(request.id, "r2@example.com", RequestState.DENIED, "rather not")
    await world.told(request.id, mails=4)
    assert world.kinds(DBA) == ["a", "r1", "r2"]
    assert world.kinds(OPS) == ["a2"], "all so far in one"
    text = world.inbox.to(OPS)[0].text
    assert "Fix the nightly build" in text
    assert "good idea" in text
    assert "rather not" in text
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=6)
    assert world.kinds(OPS) == ["a2", "A"], "the thread goes on"
    world.assert_once()
    assert '"v":1,' in world.cluster.plugin_data(request.id)["ledger"]


async def test_a_refused_recipient_hears_of_the_resolution_at_least(world: Any) -> None:
    refusal = world.inbox.faults.on("RCPT", UNKNOWN, recipient=OPS)
    await world.start()
    request = await world.cluster.create(roles=["dba"])
    await given_up(world, request.id, "a")
    refusal.remove()
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=3)
    assert world.kinds(DBA) == ["a", "A"]
    assert world.kinds(OPS) == ["aA"]


async def test_where_nothing_comes_later_nobody_is_tried_again(world: Any) -> None:
    refusal = world.inbox.faults.on("RCPT", UNKNOWN, recipient=OPS)
    running = await world.start()
    request = await world.cluster.create(roles=["dba"])
    await given_up(world, request.id, "a")
    await running.settled()
    asked = refusal.used
    running.signals.reload()
    await running.until(lambda: running.daemon.observer.reloads[True])
    await running.settled()
    assert refusal.used == asked


async def test_what_was_brought_back_is_sent_by_a_daemon_that_is_reloaded(world: Any) -> None:
    """As ``retry`` leaves it when it cannot send itself."""
    refusal = world.inbox.faults.on("RCPT", UNKNOWN, recipient=OPS)
    running = await world.start()
    request = await world.cluster.create(roles=["dba"])
    await given_up(world, request.id, "a")
    await running.settled()
    refusal.remove()
    before = world.ledger(request.id)
    data = world.cluster.plugin_data(request.id)
    write = go_plugin.write(before.brought_back([(OPS, False)]), data, request)
    world.cluster.put_plugin_data(request.id, data | dict(write.set))
    running.signals.reload()
    await world.told(request.id, mails=2)
    assert world.kinds(OPS) == ["a"]
    party = before.party(OPS)
    assert world.inbox.to(OPS)[0].message_id != before.message_id(request.id, party, Kind.parse("a"))
    world.assert_once()


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("MAIL", Reply(550, "5.7.1 sender not allowed")),
        ("RCPT", Reply(550, "5.1.8 Sender address rejected: Domain not found")),
        ("DOT", Reply(554, "5.2.252 SendAsDenied")),
    ],
)
async def test_a_sender_that_is_refused_is_repaired_in_the_configuration(
    world: Any, step: str, reply: Reply
) -> None:
    """What nobody has yet goes out as the new sender."""
    refusal = world.inbox.faults.on(step, reply)
    running = await world.start()
    request = await world.cluster.create(roles=["dba"])
    await running.until(lambda: refusal.used >= 2)
    running.settings = world.settings(delivery={"sender": "allowed@example.com"})
    running.signals.reload()
    await running.until(lambda: running.daemon.observer.reloads[True])
    seen = refusal.used
    await running.until(lambda: refusal.used >= seen + 3)  # by now by holds that began after the reload
    refusal.remove()
    await world.told(request.id, mails=2)
    assert {mail.envelope_from for mail in world.inbox.messages} == {"allowed@example.com"}
    assert {mail.header("From") for mail in world.inbox.messages} == {"allowed@example.com"}
    world.assert_once()

"""Mails for those who asked: every choice, their own thread, and the one ledger for it all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from teleport_email.core.model import AccessList, User

pytestmark = pytest.mark.usefixtures("hasty")

ZOE = "zoe@example.com"
ALL = frozenset({"received", "approved", "promoted", "denied", "expired", "ended"})


async def approve(world: Any, request_id: str) -> None:
    await world.cluster.approve(request_id, "for a day")


async def approve_and_end(world: Any, request_id: str) -> None:
    await world.cluster.approve(request_id)
    await world.cluster.wait_for(lambda: world.ledger(request_id).state.value == "APPROVED")
    await world.told(request_id)
    await world.cluster.expire(request_id)


async def deny(world: Any, request_id: str) -> None:
    await world.cluster.deny(request_id, "not on Fridays")


async def promote(world: Any, request_id: str) -> None:
    await world.cluster.promote(request_id, AccessList("eng", "Engineering"))


async def expire(world: Any, request_id: str) -> None:
    await world.cluster.expire(request_id)


STORIES: dict[str, tuple[Callable[[Any, str], Any], list[tuple[str, str]]]] = {
    "approved": (
        approve,
        [("Your Role Request was received:", "Not decided yet"), ("Your Role Request was approved:", "✅ APPROVED (for a day)")],
    ),
    "ended": (
        approve_and_end,
        [
            ("Your Role Request was received:", "Not decided yet"),
            ("Your Role Request was approved:", "✅ APPROVED"),
            ("The access that this Role Request gave you has ended:", "Ended"),
        ],
    ),
    "denied": (
        deny,
        [("Your Role Request was received:", "Not decided yet"), ("Your Role Request was denied:", "❌ DENIED (not on Fridays)")],
    ),
    "promoted": (
        promote,
        [
            ("Your Role Request was received:", "Not decided yet"),
            ("Your Role Request was promoted to an access list:", "📋 PROMOTED"),
        ],
    ),
    "expired": (
        expire,
        [
            ("Your Role Request was received:", "Not decided yet"),
            ("Nobody decided your Role Request in time, or it was deleted:", "⌛ EXPIRED"),
        ],
    ),
}  # fmt: skip


def said(world: Any, address: str = ZOE) -> list[tuple[str, str]]:
    """First line and state of each mail that speaks to the requester."""
    mails = [mail for mail in world.inbox.to(address) if "because you asked for access" in mail.text]
    return [(mail.text.splitlines()[0], status(mail.text)) for mail in mails]


def status(text: str) -> str:
    [line] = [line for line in text.splitlines() if line.startswith(("Status: ", "State: "))]
    return line.partition(": ")[2]


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("only", [False, True], ids=["all", "only this"])
async def test_every_choice(world: Any, story: str, only: bool) -> None:
    end, expected = STORIES[story]
    chosen = frozenset({story}) if only else ALL
    running = await world.start(delivery={"notify_requester": chosen})
    request = await world.cluster.create(user=ZOE, roles=["dba"])
    await world.inbox.wait_for(2 if only else 3)
    await world.told(request.id)
    await end(world, request.id)
    wanted = expected[-1:] if only else expected
    await world.inbox.until(lambda _: len(said(world)) >= len(wanted))
    await running.settled()
    assert said(world) == wanted
    mails = world.inbox.to(ZOE)
    assert len({mail.references for mail in mails}) == 1
    assert {mail.subject for mail in mails} == {f"demo.example.com Role Request {request.id}"}
    assert not {mail.references for mail in mails} & {
        mail.references for mail in world.inbox.to("dba@example.com")
    }
    world.assert_once()


async def test_what_is_not_chosen_is_not_told(world: Any) -> None:
    running = await world.start(delivery={"notify_requester": frozenset({"denied"})})
    request = await world.cluster.create(user=ZOE)
    await world.told(request.id, mails=1)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=2)
    await world.cluster.expire(request.id)
    await running.settled()
    assert world.inbox.to(ZOE) == []


async def test_the_first_mail_says_who_was_asked(world: Any) -> None:
    await world.start(delivery={"notify_requester": ALL})
    await world.cluster.create(user=ZOE, roles=["dba"])
    await world.inbox.wait_for(3)
    [received] = world.inbox.to(ZOE)
    assert "2 people have been asked to review it." in received.text
    assert "Told: dba@example.com, ops@example.com" in received.text


async def test_a_requester_who_is_also_a_reviewer_gets_both_in_two_threads(world: Any) -> None:
    running = await world.start(
        delivery={"notify_requester": ALL}, role_to_recipients={"*": (ZOE, "all@example.com")}
    )
    request = await world.cluster.create(user=ZOE)
    await world.told(request.id, mails=3)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=6)
    await running.settled()
    world.assert_once()
    mails = world.inbox.to(ZOE)
    as_requester = [mail for mail in mails if "because you asked for access" in mail.text]
    as_reviewer = [mail for mail in mails if "because you review access requests" in mail.text]
    assert (len(as_requester), len(as_reviewer)) == (2, 2)
    threads = {mail.references for mail in as_requester} | {mail.references for mail in as_reviewer}
    assert len(threads) == 2


async def test_a_requester_who_may_not_review_their_own_request_hears_of_it_all_the_same(world: Any) -> None:
    await world.start(
        delivery={"notify_requester": ALL, "skip_requester": True},
        role_to_recipients={"*": (ZOE, "all@example.com")},
    )
    request = await world.cluster.create(user=ZOE)
    await world.told(request.id, mails=2)
    assert [said(world), len(world.inbox.to(ZOE))] == [[STORIES["denied"][1][0]], 1]


async def test_a_restart_tells_the_requester_nothing_twice(world: Any) -> None:
    world.cluster.put_user(User("zoe", traits={"email": (ZOE,)}))
    running = await world.start(delivery={"notify_requester": ALL})
    request = await world.cluster.create(user="zoe")
    await world.told(request.id, mails=2)
    await running.kill()
    await world.cluster.approve(request.id)
    running = await world.start(delivery={"notify_requester": ALL})
    await world.told(request.id, mails=4)
    await running.stop()
    world.cluster.delete_user("zoe")  # their address is in the ledger
    await world.cluster.expire(request.id)
    running = await world.start(delivery={"notify_requester": ALL})
    await world.inbox.wait_for(5)
    await running.settled()
    assert said(world) == [(line, text) for line, text in STORIES["ended"][1]]
    world.assert_once()


async def test_a_requester_whose_trait_names_a_stranger_is_not_mailed(world: Any) -> None:
    world.cluster.put_user(User("eve", traits={"email": ("eve@evil.example",)}))
    delivery = {"notify_requester": ALL, "allowed_domains": ("example.com",)}
    running = await world.start(delivery=delivery)
    request = await world.cluster.create(user="eve")
    await world.told(request.id, mails=1)
    await running.settled()
    assert [mail.to for mail in world.inbox.messages] == ["all@example.com"]
    [line] = world.said("requester not told")
    assert "delivery.allowed_domains" in line


async def test_a_requester_without_an_address_is_said_and_keeps_nobody_else_from_being_told(
    world: Any,
) -> None:
    running = await world.start(delivery={"notify_requester": ALL})
    request = await world.cluster.create(user="nobody-knows")
    await world.told(request.id, mails=1)
    await running.settled()
    [line] = world.said("requester not told")
    assert request.id in line
    assert "warning" in line.lower()

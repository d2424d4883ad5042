"""One reminder to those who were told, at most once, whatever stops and starts in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from teleport_email.core.model import AccessMonitoringRule, RequestState, Threshold
from teleport_email.sandbox.mail.smtp_faults import Silence

pytestmark = pytest.mark.usefixtures("hasty")

HOUR = 3600.0
TEN_MINUTES = {"remind_before_expiry": (600.0,)}
ALMOST_OVER = timedelta(minutes=55)
"""Ahead of a request's creation: less than ten minutes before the end of its hour."""


async def announced(world: Any) -> str:
    """A request that was announced by a daemon that has stopped since."""
    running = await world.start(delivery=TEN_MINUTES)
    request = await world.cluster.create(roles=["dba"])
    await world.told(request.id, mails=2)
    await running.stop()
    return str(request.id)


async def test_a_daemon_that_runs_wakes_up_for_it(world: Any) -> None:
    running = await world.start(delivery={"remind_before_expiry": (HOUR - 2,)})
    request = await world.cluster.create(user="zoe@example.com", pending_for=timedelta(seconds=HOUR))
    await world.told(request.id, mails=2)
    await running.settled()
    first, reminder = world.inbox.to("all@example.com")
    assert world.kinds("all@example.com") == ["a", "m"]
    assert reminder.text.startswith("This Role Request is still waiting for a decision:\n")
    assert "Without a decision it expires at " in reminder.text
    assert (reminder.header("Importance"), first.header("Importance")) == ("High", "")
    assert reminder.references == first.references
    assert reminder.subject == first.subject
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=3)
    assert world.kinds("all@example.com") == ["a", "m", "A"]


async def test_one_reminder_over_restarts(world: Any, set_clock: Any) -> None:
    request_id = await announced(world)
    set_clock(ALMOST_OVER)
    running = await world.start(delivery=TEN_MINUTES)
    await world.told(request_id, mails=4)
    await running.stop()
    for by in (ALMOST_OVER, ALMOST_OVER + timedelta(minutes=2)):
        set_clock(by)
        again = await world.start(delivery=TEN_MINUTES)
        await again.settled()
        await again.stop()
    for address in ("dba@example.com", "ops@example.com"):
        assert world.kinds(address) == ["a", "m"]
    world.assert_once()


async def test_one_reminder_by_several_daemons(world: Any, set_clock: Any) -> None:
    request_id = await announced(world)
    set_clock(ALMOST_OVER)
    several = [await world.start(delivery=TEN_MINUTES) for _ in range(3)]
    await world.told(request_id, mails=4)
    for running in several:
        await running.settled()
    world.assert_once()


async def test_a_reminder_cut_off_by_a_crash_comes_again_as_the_same_message(
    world: Any, set_clock: Any
) -> None:
    request_id = await announced(world)
    set_clock(ALMOST_OVER)
    world.inbox.faults.on("DOT", Silence(keep=True))
    running = await world.start(delivery=TEN_MINUTES)
    await world.inbox.wait_for(3)
    await running.kill()
    world.inbox.faults.clear()
    await world.inbox.drop_connections()
    set_clock(ALMOST_OVER + timedelta(minutes=1))
    await world.start(delivery=TEN_MINUTES)
    await world.told(request_id)
    world.assert_twins()
    assert {mail.message_id[0] for mail in world.inbox.messages} == {"a", "m"}


async def test_what_is_decided_needs_no_reminder(world: Any, set_clock: Any) -> None:
    request_id = await announced(world)
    await world.cluster.approve(request_id)
    set_clock(ALMOST_OVER)
    running = await world.start(delivery=TEN_MINUTES)
    await world.told(request_id, mails=4)
    await running.settled()
    assert world.kinds("dba@example.com") == ["a", "A"]


async def test_those_who_were_told_are_reminded_whatever_the_rules_say_now(
    world: Any, set_clock: Any
) -> None:
    running = await world.start(delivery=TEN_MINUTES)
    two = (Threshold(name="two", approve=2, deny=1),)
    request = await world.cluster.create(thresholds=two)
    await world.told(request.id, mails=1)
    await world.cluster.review(request.id, "bob@example.com", RequestState.APPROVED)
    await world.told(request.id, mails=2)
    await running.stop()
    rule = AccessMonitoringRule("new", ("access_request",), "true", "email", ("carol@example.com",))
    world.cluster.put_rule(rule)
    set_clock(ALMOST_OVER)
    running = await world.start(delivery=TEN_MINUTES)
    await world.told(request.id, mails=3)
    await running.settled()
    assert world.kinds("all@example.com") == ["a", "r1", "m"]
    assert "bob@example.com approved" in world.inbox.messages[-1].text
    assert "2 needed, 1 given, 1 missing" in world.inbox.messages[-1].text


SEVERAL = {"remind_before_expiry": (1200.0, 600.0)}


async def test_several_reminders_each_once_and_at_a_catch_up_the_latest_alone(
    world: Any, set_clock: Any
) -> None:
    request_id = await announced(world)
    set_clock(timedelta(minutes=45))
    running = await world.start(delivery=SEVERAL)
    await world.told(request_id, mails=4)
    await running.stop()
    other = await world.cluster.create(roles=["dev"])  # told at once: it is made too late for the first
    set_clock(ALMOST_OVER)
    running = await world.start(delivery=SEVERAL)
    await world.told(request_id, mails=7)
    await running.settled()
    await running.stop()
    again = await world.start(delivery=TEN_MINUTES)  # one alone, as told
    await again.settled()
    for address in ("dba@example.com", "ops@example.com"):
        assert world.kinds(address) == ["a", "m20", "m10"]
    assert world.kinds("all@example.com") == ["a"]
    assert '"v":2' in world.cluster.plugin_data(request_id)["ledger"]
    assert '"v":1' in world.cluster.plugin_data(other.id)["ledger"]
    world.assert_once()

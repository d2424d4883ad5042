"""No dead ends: who else is told when nobody decides, whatever stops, starts and is switched in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from teleport_email.config.settings import EscalationSettings
from teleport_email.core.ledger import Mark
from teleport_email.core.model import RequestState, Threshold
from teleport_email.sandbox.mail.smtp_faults import Reply, Silence

pytestmark = pytest.mark.usefixtures("hasty")

DBA, OPS, LEAD = "dba@example.com", "ops@example.com", "lead@example.com"
MANY = (Threshold(approve=9, deny=9),)
HALF_AN_HOUR = EscalationSettings(after=1800.0, role_to_recipients={"dba": (LEAD, OPS)})
SOON = structs.replace(HALF_AN_HOUR, after=1.0)
LATER = timedelta(minutes=31)


async def announced(world: Any, **made: Any) -> str:
    """A request that was announced to two by a daemon that has stopped since."""
    running = await world.start()
    request = await world.cluster.create(roles=["dba"], thresholds=MANY, **made)
    await world.told(request.id, mails=2)
    await running.stop()
    return str(request.id)


async def test_a_daemon_that_runs_wakes_up_for_it_and_the_thread_goes_on(world: Any) -> None:
    await world.start(escalation=SOON, delivery={"skip_own_review": True})
    request = await world.cluster.create(
        user="zoe@example.com", roles=["dba"], reason="Fix the build", thresholds=MANY
    )
    await world.told(request.id, mails=3)
    [mail] = world.inbox.to(LEAD)
    assert world.kinds(LEAD) == ["e"]
    assert mail.text.startswith("Nobody has decided this Role Request, so you are asked as well:\n")
    assert "Fix the build" in mail.text
    assert f"\nNo review yet: {DBA}, {OPS}\n" in mail.text
    assert (mail.header("Importance"), mail.header("In-Reply-To")) == ("High", "")
    assert mail.references == world.inbox.to(DBA)[0].references
    await world.cluster.review(request.id, DBA, RequestState.APPROVED)
    await world.told(request.id, mails=5)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=8)
    assert world.kinds(LEAD) == ["e", "r1", "A"]
    assert world.kinds(DBA) == ["a", "A"]
    world.assert_once()
    assert world.cluster.plugin_data(request.id)["ledger"].startswith('{"v":2')
    assert LEAD in world.cluster.plugin_data(request.id)["email_threads"], "the Go plugin can carry it on"


async def test_it_covers_the_reviews_so_far_and_names_who_has_written_none(
    world: Any, set_clock: Any
) -> None:
    request_id = await announced(world)
    await world.cluster.review(request_id, OPS, RequestState.APPROVED, "good idea")
    set_clock(LATER)
    await world.start(escalation=HALF_AN_HOUR)
    await world.told(request_id, mails=5)
    assert world.kinds(LEAD) == ["e1"]
    text = world.inbox.to(LEAD)[0].text
    assert "good idea" in text
    assert f"\nNo review yet: {DBA}\n" in text
    await world.cluster.review(request_id, "x@example.com", RequestState.APPROVED)
    await world.told(request_id, mails=8)
    assert world.kinds(LEAD) == ["e1", "r2"]


async def test_once_over_restarts_and_by_several_daemons(world: Any, set_clock: Any) -> None:
    request_id = await announced(world)
    set_clock(LATER)
    several = [await world.start(escalation=HALF_AN_HOUR) for _ in range(3)]
    await world.told(request_id, mails=3)
    for running in several:
        await running.settled()
        await running.stop()
    again = await world.start(escalation=HALF_AN_HOUR)
    await again.settled()
    assert world.kinds(LEAD) == ["e"]
    world.assert_once()


async def test_cut_off_by_a_crash_it_comes_again_as_the_same_message(world: Any, set_clock: Any) -> None:
    request_id = await announced(world)
    set_clock(LATER)
    world.inbox.faults.on("DOT", Silence(keep=True))
    running = await world.start(escalation=HALF_AN_HOUR)
    await world.inbox.wait_for(3)
    await running.kill()
    world.inbox.faults.clear()
    await world.inbox.drop_connections()
    await world.start()  # switched off meanwhile: what was attempted stays due
    await world.told(request_id)
    world.assert_twins()
    assert set(world.kinds(LEAD)) == {"e"}


@pytest.mark.parametrize("why", ["approved", "denied by one", "nearly over", "no line for its roles"])
async def test_otherwise_nobody_else_is_told(world: Any, set_clock: Any, why: str) -> None:
    request_id = await announced(world)
    chosen, mails = HALF_AN_HOUR, 4
    match why:
        case "approved":
            await world.cluster.approve(request_id)
        case "denied by one":
            await world.cluster.review(request_id, DBA, RequestState.DENIED)
        case "no line for its roles":
            chosen, mails = structs.replace(chosen, role_to_recipients={"web": (LEAD,)}), 2
        case "nearly over":
            mails = 2
    set_clock(timedelta(minutes=56) if why == "nearly over" else LATER)
    running = await world.start(escalation=chosen)
    await world.told(request_id, mails=mails)
    await running.settled()
    assert world.kinds(LEAD) == []
    assert world.cluster.plugin_data(request_id)["ledger"].startswith('{"v":1')


async def test_switched_on_by_a_reload_an_older_request_is_escalated_now(world: Any, set_clock: Any) -> None:
    set_clock(LATER)
    running = await world.start()
    request = await world.cluster.create(roles=["dba"], thresholds=MANY)
    await world.told(request.id, mails=2)
    assert '"v":1' in world.cluster.plugin_data(request.id)["ledger"]
    for escalation, mails in ((HALF_AN_HOUR, 3), (EscalationSettings(), 3), (HALF_AN_HOUR, 3)):
        await running.reload(escalation=escalation)
        await world.told(request.id, mails=mails)
        await running.settled()
    assert world.kinds(LEAD) == ["e"]
    assert world.kinds(OPS) == ["a"], "was told before"


async def test_whoever_refuses_it_is_tried_again_with_the_next_message(world: Any, set_clock: Any) -> None:
    request_id = await announced(world)
    set_clock(LATER)
    unknown = Reply(550, "5.1.1 <lead@example.com>: no such user here")
    refusal = world.inbox.faults.on("RCPT", unknown, recipient=LEAD)
    await world.start(escalation=HALF_AN_HOUR)
    await world.marked(request_id, LEAD, Mark.GIVEN_UP, "e")
    refusal.remove()
    await world.cluster.review(request_id, "x@example.com", RequestState.APPROVED)
    await world.told(request_id, mails=5)
    assert world.kinds(LEAD) == ["e1"]


async def test_in_the_threads_of_the_go_plugin(world: Any, set_clock: Any) -> None:
    request = await world.cluster.create(roles=["dba"], thresholds=MANY)
    threads = f"{DBA}/2026-11-22 12:00:00 +0000 UTC/go@example.com"
    world.cluster.put_plugin_data(
        request.id, {"user": request.user, "roles": "dba", "email_threads": threads}
    )
    set_clock(LATER)
    await world.start(escalation=HALF_AN_HOUR)
    await world.told(request.id, mails=2)
    assert (world.kinds(LEAD), world.kinds(OPS), world.kinds(DBA)) == (["e"], ["a"], [])
    written = world.cluster.plugin_data(request.id)["email_threads"]
    assert written.startswith(threads)
    assert LEAD in written

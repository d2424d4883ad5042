"""Owners of Access Lists, reminded once of each step: the real cluster, daemon and mail server."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from msgspec import structs

from teleport_email.commands import explain_list
from teleport_email.config.settings import AccessListSettings
from teleport_email.core import go_plugin
from teleport_email.core.audits import owner_id
from teleport_email.core.ledger import Ledger, Mark
from teleport_email.core.model import User
from teleport_email.daemon import service
from teleport_email.reconciling.keys import ACCESS_LIST
from teleport_email.reconciling.workqueue import PATIENT_AT_ONCE
from teleport_email.render.audit_data import MOST_LISTS
from teleport_email.sandbox.cluster.faults import fail, hang, lose_answer
from teleport_email.sandbox.mail.script import Silence, Wait
from teleport_email.sandbox.mail.smtp_faults import Reply
from teleport_email.watching import audit_poll

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
ON = AccessListSettings(enabled=True)
ANN, BOB = "ann@example.com", "bob@example.com"
LIMIT = 60.0


class Clock:
    """The wall clock of the daemons."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(service, "wall_clock", clock)
    return clock


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll at once after a connection, owners looked at at once after a poll, lists always read again."""
    for name, value in (("FIRST", 0.02), ("SPACING", 0.0), ("SPREAD", 0.02), ("FRESH", -1.0)):
        monkeypatch.setattr(audit_poll, name, value)


class Owners:
    """What the tests do again and again."""

    def __init__(self, world: Any, clock: Clock) -> None:
        self.world = world
        self.clock = clock

    async def start(self, **changes: Any) -> Any:
        running = await self.world.start(**({"access_lists": ON} | changes))
        await self.looked(running)
        return running

    async def looked(self, running: Any) -> None:
        """Until a poll has ended, and nobody is or will be looked at before another step begins."""
        queue, loop = running.daemon.queue, asyncio.get_running_loop()

        def is_over() -> bool:
            reminders = running.daemon.lists.reminders
            soon = [at for at in queue._due.values() if at < loop.time() + 300]
            return reminders.poll.ended_at is not None and not (soon or queue.depth or queue.working)

        await running.until(is_over, LIMIT)

    async def poll(self, running: Any) -> None:
        poll = running.daemon.lists.reminders.poll
        poll.ended_at = None
        poll.at_once()
        await self.looked(running)

    async def later(self, running: Any, by: timedelta) -> None:
        """So much later, by all clocks, what was seen so far again."""
        self.clock.ahead += by
        self.world.cluster.advance(by)
        await self.poll(running)

    def list(self, title: str, *owners: str, due: timedelta = 10 * DAY, **more: Any) -> str:
        at = (self.clock() + due).replace(microsecond=0)
        values = {"members": ("carol",), "owners": owners, "title": title, "due": at} | more
        return str(self.world.cluster.access_lists.create(**values))

    def told(self, address: str) -> list[list[str]]:
        """The titles in each mail to somebody."""
        return [
            re.findall(r"^Access List: (.*)$", mail.text, re.MULTILINE)
            for mail in self.world.inbox.to(address)
        ]

    def ledger(self, address: str) -> Ledger:
        return go_plugin.read(self.world.cluster.plugin_data(owner_id(address), kind="access_list"))


@pytest.fixture
async def owners(world: Any, clock: Clock) -> Owners:
    return Owners(world, clock)


# Who gets what ----------------------------------------------------------------------------------------


async def test_each_owner_gets_one_mail_with_all_lists_that_are_due(world: Any, owners: Owners) -> None:
    world.cluster.put_user(User("bob", traits={"email": (BOB,)}))
    owners.list("Production", ANN, "bob", roles=("prod-admin",))
    owners.list("Staging", ANN, due=3 * DAY)
    owners.list("Far away", ANN, BOB, due=200 * DAY)
    owners.list("Nobody in it", ANN, members=())
    owners.list(
        "Nested",
        owners=(),
        due=11 * DAY,
        owner_lists=(owners.list("Team", BOB, due=300 * DAY, members=(ANN,)),),
    )
    running = await owners.start()
    assert owners.told(ANN) == [["Staging", "Production", "Nested"]]
    assert owners.told(BOB) == [["Production"]]
    assert world.inbox.received == 2
    [mail] = world.inbox.to(BOB)
    assert "prod-admin" in mail.text
    assert mail.header("X-Teleport-Kind") == "access_list_review"
    now = running.daemon.look().reviews
    assert (now.open, now.overdue) == (3, 0)
    assert running.daemon.look().line().endswith(", 0 open, 0 waiting"), "the next step is a week away"
    assert running.daemon.observer.messages["access_list_review", "delivered"] == 2
    ledger = owners.ledger(ANN)
    assert ledger.owner == "", "released"
    await owners.poll(running)
    assert world.inbox.received == 2


async def test_owners_who_cannot_be_told_are_named_and_the_fallback_stands_in(
    world: Any, owners: Owners
) -> None:
    owners.list("Production", "nobody-knows", "eve@other.example")
    await owners.start(
        delivery={"allowed_domains": ("example.com",), "fallback_recipient": "sec@example.com"}
    )
    assert owners.told("sec@example.com") == [["Production"]]
    [mail] = world.inbox.to("sec@example.com")
    assert "None of its owners can be told by mail." in mail.text
    assert "you own" not in mail.text
    [line] = world.said("no owner to remind")
    assert "nobody-knows" in line
    assert "delivery.allowed_domains" in line


async def test_weekly_before_the_date_and_daily_after_in_one_thread(world: Any, owners: Owners) -> None:
    owners.list("Production", ANN, due=10 * DAY)
    running = await owners.start()
    mails = []
    for _ in range(13):
        await owners.later(running, DAY)
        mails.append(len(world.inbox.to(ANN)))
    # Opened four days ago: the second week begins in three days; the date is in ten.
    assert mails == [1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 4, 5, 6]
    received = world.inbox.to(ANN)
    assert len({mail.subject for mail in received}) == 1
    assert len({mail.references[0] for mail in received}) == 1
    assert len({mail.message_id for mail in received}) == 6
    states = [mail.header("X-Teleport-State") for mail in received]
    assert states[:2] == ["DUE", "DUE"]
    assert states[-1] == "OVERDUE"


async def test_a_step_that_begins_between_two_polls_is_told_in_time(
    world: Any, owners: Owners, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners.list("Production", ANN, due=timedelta(seconds=7))
    running = await world.start(access_lists=ON)
    await world.inbox.wait_for(2, LIMIT)
    assert running.daemon.lists.reminders.poll.ended_at is not None
    assert world.cluster.calls["ListAccessLists"] == 1
    world.assert_once()
    assert owners.told(ANN) == [["Production"], ["Production"]]


async def test_a_new_list_in_the_step_of_another_gets_a_mail_of_its_own(world: Any, owners: Owners) -> None:
    owners.list("Production", ANN)
    running = await owners.start()
    owners.list("Staging", ANN, due=9 * DAY)
    await owners.poll(running)
    assert owners.told(ANN) == [["Production"], ["Staging"]]
    await owners.later(running, WEEK)
    assert sorted(owners.told(ANN)[2]) == ["Production", "Staging"]


# What was reviewed ------------------------------------------------------------------------------------


async def test_what_was_reviewed_is_not_reminded_of(world: Any, owners: Owners) -> None:
    name = owners.list("Production", ANN)
    owners.list("Staging", ANN)
    running = await owners.start()
    world.cluster.access_lists.review(name)
    await owners.later(running, WEEK)
    assert owners.told(ANN)[1:] == [["Staging"]]


async def test_what_was_reviewed_since_the_poll_is_not_reminded_of(
    world: Any, owners: Owners, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_a_while(poll: audit_poll.AuditPoll, keys: Collection[str]) -> None:
        for key in keys:
            poll._queue.add_after(key, 2.0)

    monkeypatch.setattr(audit_poll.AuditPoll, "_spread", in_a_while)
    name = owners.list("Production", ANN, BOB)
    running = await world.start(access_lists=ON)
    await running.until(lambda: running.daemon.lists.reminders.poll.ended_at is not None, LIMIT)
    world.cluster.access_lists.review(name)
    await owners.looked(running)
    assert world.inbox.received == 0
    assert world.cluster.plugin_data(owner_id(ANN), kind="access_list") == {}


@pytest.mark.usefixtures("hasty")
async def test_what_was_reviewed_while_the_mail_server_was_down_is_not_reminded_of(
    world: Any, owners: Owners
) -> None:
    name = owners.list("Production", ANN)
    owners.list("Staging", ANN, BOB)
    await world.inbox.stop_listening()
    running = await world.start(access_lists=ON)
    await running.until(lambda: running.daemon.lists.reminders.poll.ended_at is not None, LIMIT)
    await running.until(lambda: world.said("sending paused"), LIMIT)
    world.cluster.access_lists.review(name)
    await world.inbox.listen_again()
    await world.inbox.wait_for(2, LIMIT)
    await owners.looked(running)
    assert owners.told(ANN) == [["Staging"]]
    assert owners.told(BOB) == [["Staging"]]


@pytest.mark.usefixtures("hasty")
async def test_all_reviewed_while_the_mail_server_was_down_there_is_no_mail(
    world: Any, owners: Owners
) -> None:
    name = owners.list("Production", ANN)
    await world.inbox.stop_listening()
    running = await world.start(access_lists=ON)
    await running.until(lambda: world.said("sending paused"), LIMIT)
    world.cluster.access_lists.review(name)
    await world.inbox.listen_again()
    await owners.poll(running)
    assert world.inbox.received == 0
    assert owners.ledger(ANN).owner == ""


# Exactly once -----------------------------------------------------------------------------------------


async def test_a_restart_tells_nobody_again(world: Any, owners: Owners) -> None:
    owners.list("Production", ANN, BOB)
    running = await owners.start()
    await running.stop()
    await owners.start()
    await owners.start(delivery={"sender": "other@example.com"})
    assert (owners.told(ANN), owners.told(BOB)) == ([["Production"]], [["Production"]])
    writes = Counter(write.kind for write in world.cluster.writes)
    assert writes["access_list"] == 4, "two claims, two records"


async def test_several_replicas_send_one_mail(world: Any, owners: Owners) -> None:
    people = [f"p{number}@example.com" for number in range(8)]
    for number in range(24):
        owners.list(f"List {number}", people[number % 8], people[(number + 1) % 8])
    replicas = [await world.start(access_lists=ON) for _ in range(3)]
    for running in replicas:
        await owners.looked(running)
    for by in (WEEK, WEEK, DAY):
        owners.clock.ahead += by
        world.cluster.advance(by)
        await asyncio.gather(*(owners.poll(running) for running in replicas))
    world.assert_once()
    assert {len(world.inbox.to(address)) for address in people} == {4}
    assert not world.said("claim taken over")


@pytest.mark.usefixtures("brisk")
async def test_killed_between_the_dot_and_the_record_the_owner_gets_a_twin_at_most(
    world: Any, owners: Owners
) -> None:
    owners.list("Production", ANN)
    world.inbox.faults.on("DOT", Silence(keep=True), times=1)
    running = await world.start(access_lists=ON)
    await world.inbox.wait_for(1, LIMIT)
    await running.kill()
    owners.list("Staging", ANN)
    running = await owners.start()
    await world.inbox.wait_for(2, LIMIT)
    await running.until(lambda: owners.ledger(ANN).owner == "", LIMIT)
    await owners.poll(running)
    assert owners.told(ANN) == [["Production"], ["Production"], ["Staging"]]
    first, second, third = world.inbox.to(ANN)
    assert first.raw == second.raw, "the same message, which mail systems drop"
    assert third.message_id != first.message_id


@pytest.mark.usefixtures("hasty")
async def test_a_claim_whose_answer_was_lost_is_found_again(world: Any, owners: Owners) -> None:
    owners.list("Production", ANN)
    world.cluster.faults.on("UpdatePluginData", lose_answer(), times=1)
    await owners.start()
    assert owners.told(ANN) == [["Production"]]
    world.assert_once()


@pytest.mark.usefixtures("hasty")
async def test_a_stop_in_the_middle_hands_everything_back(world: Any, owners: Owners) -> None:
    people = [f"p{number}@example.com" for number in range(30)]
    for address in people:
        owners.list(f"List of {address}", address)
    running = await world.start(access_lists=ON)
    await world.inbox.wait_for(3, LIMIT)
    await running.stop()
    assert not [one for one in people if owners.ledger(one).owner]
    await owners.start()
    assert all(len(world.inbox.to(address)) == 1 for address in people)


async def test_a_stop_begins_no_more_of_one_list_s_reminders(world: Any, owners: Owners) -> None:
    world.cluster.faults.only_for_lists = True
    people = [f"p{number}@example.com" for number in range(60)]
    owners.list("Production", *people)
    world.inbox.faults.on("DOT", Wait(0.1))
    running = await world.start(access_lists=ON)
    await world.inbox.wait_for(2, LIMIT)
    polling = running.daemon.lists.reminders._polling
    await running.stop()
    assert polling.cancelled()
    assert world.said("stopped")[-1].endswith("all_recorded=True")
    assert world.inbox.received < 60, "else nothing was interrupted"
    world.inbox.faults.clear()
    await owners.start()
    assert {len(world.inbox.to(address)) for address in people} == {1}


@pytest.mark.usefixtures("hasty")
async def test_a_stop_cuts_off_what_has_no_end(
    world: Any, owners: Owners, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DRAIN", "LAST_CALL", "GIVE_UP"):
        monkeypatch.setattr(service, name, 0.3)
    owners.list("Production", ANN)
    world.inbox.faults.on("DATA", Silence(), times=1)
    running = await world.start(access_lists=ON)
    await world.inbox.until(lambda box: box.commands["DATA"] == 1)
    async with asyncio.timeout(LIMIT):
        await running.stop()
    assert world.inbox.received == 0
    await owners.start()
    await world.inbox.wait_for(1, LIMIT)
    world.assert_once()


@pytest.mark.usefixtures("hasty")
async def test_what_the_cluster_refuses_is_said_of_the_owner(world: Any, owners: Owners) -> None:
    owners.list("Production", ANN)
    refuse = fail(grpc.StatusCode.INVALID_ARGUMENT, "no such field")
    world.cluster.faults.on("UpdatePluginData", refuse, times=1)
    running = await world.start(access_lists=ON)
    await world.inbox.wait_for(1, LIMIT)
    [line] = world.said("refused by the cluster")
    assert f"owner={ANN}" in line
    assert running.daemon.lists.about("id") == {"request": "id"}


@pytest.mark.usefixtures("hasty")
async def test_who_is_refused_is_given_up_for_the_step_and_tried_in_the_next(
    world: Any, owners: Owners
) -> None:
    owners.list("Production", ANN, BOB)
    world.inbox.faults.on("RCPT", Reply(550, "5.1.1 no such user"), recipient=ANN)
    running = await owners.start()
    await owners.poll(running)
    assert (owners.told(ANN), owners.told(BOB)) == ([], [["Production"]])
    ledger = owners.ledger(ANN)
    [party] = ledger.parties
    assert [entry.mark for entry in party.entries.values()] == [Mark.GIVEN_UP]
    world.inbox.faults.clear()
    await owners.later(running, WEEK)
    assert owners.told(ANN) == [["Production"]]


# Requests come first ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("hasty")
async def test_reads_that_hang_keep_no_request_waiting(world: Any, owners: Owners) -> None:
    for number in range(60):
        owners.list(f"List {number}", f"p{number}@example.com")
    world.cluster.faults.on("GetAccessList", hang(carried_out=False), times=None)
    running = await world.start(access_lists=ON)
    await running.until(lambda: world.cluster.calls["GetAccessList"] >= PATIENT_AT_ONCE, LIMIT)
    request = await world.cluster.create()
    await world.told(request.id)
    assert world.kinds("all@example.com") == ["a"]
    assert world.inbox.received == 1, "the owners' mails still wait for the lists"
    world.cluster.faults.clear()


@pytest.mark.usefixtures("brisk")
async def test_a_slow_mail_server_has_slots_left_for_requests(world: Any, owners: Owners) -> None:
    for number in range(60):
        owners.list(f"List {number}", f"p{number}@example.com")
    held = world.inbox.faults.on(
        "DOT", Silence(), times=None, recipient=lambda address: address.startswith("p")
    )
    running = await world.start(access_lists=ON)
    await running.until(lambda: running.daemon.queue.working == PATIENT_AT_ONCE, LIMIT)
    request = await world.cluster.create()
    await world.told(request.id)
    assert [mail.to for mail in world.inbox.messages] == ["all@example.com"]
    held.remove()


# Clusters that have it otherwise -----------------------------------------------------------------------


async def test_a_cluster_without_access_lists_is_a_word_in_the_log(world: Any, owners: Owners) -> None:
    world.cluster.faults.unimplemented.add("ListAccessLists")
    running = await world.start(access_lists=ON)
    await running.until(lambda: world.said("no Access Lists in this cluster"), LIMIT)
    request = await world.cluster.create()
    await world.told(request.id, mails=1)
    assert not [line for line in world.said("") if " WARNING " in line or " ERROR " in line]
    assert running.daemon.look().obstacles() == ()
    assert world.cluster.calls["ListAccessLists"] == 1


@pytest.mark.parametrize("world", [12], indirect=True)
async def test_a_cluster_from_before_access_lists(world: Any, owners: Owners) -> None:
    running = await world.start(access_lists=ON)
    await running.until(lambda: world.said("no Access Lists in this cluster"), LIMIT)
    request = await world.cluster.create()
    await world.told(request.id, mails=1)


@pytest.mark.parametrize("world", [15], indirect=True)
async def test_a_cluster_that_tells_neither_members_nor_owners_of_owners(world: Any, owners: Owners) -> None:
    team = owners.list("Team", BOB, due=300 * DAY, members=(ANN,))
    owners.list("Production", BOB, owner_lists=(team,), members=())
    await owners.start()
    assert (owners.told(ANN), owners.told(BOB)) == ([], [["Production"]]), (
        "without members as far as is known"
    )


async def test_a_missing_permission_is_said_with_the_lines_and_requests_go_on(
    world: Any, owners: Owners
) -> None:
    owners.list("Production", ANN)
    world.cluster.faults.denied.add("access_list")
    running = await world.start(access_lists=ON)
    await running.until(lambda: world.said("Access Lists not readable"), LIMIT)
    [line] = world.said("Access Lists not readable")
    assert "resources: [access_list]" in line
    request = await world.cluster.create()
    await world.told(request.id, mails=1)
    assert running.daemon.look().obstacles() == ()
    world.cluster.faults.denied.clear()
    await owners.poll(running)
    assert owners.told(ANN) == [["Production"]]


@pytest.mark.parametrize("lost", ["permission", "calls"])
async def test_what_cannot_be_read_any_more_is_not_reminded_of(world: Any, owners: Owners, lost: str) -> None:
    """It may have been reviewed since, and nobody would stop the reminders."""
    owners.list("Production", ANN)
    running = await owners.start()
    reminders = running.daemon.lists.reminders
    if lost == "permission":
        world.cluster.faults.denied.add("access_list")
    else:
        world.cluster.faults.unimplemented |= {"ListAccessLists", "GetAccessList"}
    reminders.poll.at_once()
    key = ACCESS_LIST + owner_id(ANN)
    await running.until(lambda: reminders.board.names(key) == (), LIMIT)
    owners.clock.ahead += WEEK
    world.cluster.faults.denied.clear()
    running.daemon.queue.add(key)
    await owners.looked(running)
    assert owners.told(ANN) == [["Production"]]


async def test_where_the_cluster_keeps_data_for_lists_alone_each_list_has_a_mail(
    world: Any, owners: Owners
) -> None:
    world.cluster.faults.only_for_lists = True
    first = owners.list("Production", ANN, BOB)
    owners.list("Staging", ANN)
    running = await owners.start()
    assert sorted(owners.told(ANN)) == [["Production"], ["Staging"]]
    assert owners.told(BOB) == [["Production"]]
    assert len(world.said("one mail per Access List")) == 1
    await owners.poll(running)
    await running.stop()
    running = await owners.start()
    assert world.inbox.received == 3
    world.cluster.access_lists.review(first)
    await owners.later(running, WEEK)
    assert (len(owners.told(ANN)), len(owners.told(BOB))) == (3, 1)


async def test_owners_that_are_lists_where_the_cluster_does_not_resolve_them(
    world: Any, owners: Owners
) -> None:
    team = owners.list("Team", BOB, due=300 * DAY, members=(ANN,))
    owners.list("Production", BOB, owner_lists=(team,))
    world.cluster.faults.on("GetAccessListOwners", fail(grpc.StatusCode.INTERNAL), times=None)
    await owners.start()
    assert (owners.told(ANN), owners.told(BOB)) == ([], [["Production"]])


@pytest.mark.usefixtures("hasty")
async def test_a_connection_that_is_lost_in_a_poll_disturbs_nobody(world: Any, owners: Owners) -> None:
    owners.list("Production", ANN)
    world.cluster.faults.on("ListAccessLists", fail(), times=1)
    running = await world.start(access_lists=ON)
    await running.until(lambda: world.cluster.calls["ListAccessLists"] >= 1, LIMIT)
    assert running.daemon.look().obstacles() == ()
    await owners.poll(running)
    assert owners.told(ANN) == [["Production"]]


# Off, on, reload -----------------------------------------------------------------------------------------


async def test_off_nothing_is_asked_or_kept_and_a_reload_switches(world: Any, owners: Owners) -> None:
    owners.list("Production", ANN)
    running = await world.start()
    await running.reload()
    assert world.cluster.calls["ListAccessLists"] == 0
    assert running.daemon.lists.reminders is None
    assert running.daemon.look().reviews is None
    assert running.daemon.lists.reconcilers == {}
    running.settings = structs.replace(running.settings, access_lists=ON)
    running.signals.reload()
    await running.until(lambda: running.daemon.lists.reminders, LIMIT)
    await owners.looked(running)
    assert owners.told(ANN) == [["Production"]]
    owners.list("Staging", ANN)
    await running.reload(access_lists=AccessListSettings())
    asked = world.cluster.calls["ListAccessLists"]
    assert running.daemon.queue.delayed == 0
    running.daemon.lists.listed()
    await running.reload()
    assert world.cluster.calls["ListAccessLists"] == asked
    assert owners.told(ANN) == [["Production"]]
    running.settings = structs.replace(running.settings, access_lists=ON)
    running.signals.reload()
    await running.until(lambda: len(world.inbox.to(ANN)) == 2, LIMIT)
    await owners.looked(running)
    assert owners.told(ANN) == [["Production"], ["Staging"]]


@pytest.mark.usefixtures("hasty")
async def test_switched_off_what_was_not_sent_yet_never_is(world: Any, owners: Owners) -> None:
    owners.list("Production", ANN)
    await world.inbox.stop_listening()
    running = await world.start(access_lists=ON)
    await running.until(lambda: world.said("sending paused"), LIMIT)
    await running.reload(access_lists=AccessListSettings())
    await world.inbox.listen_again()
    request = await world.cluster.create()
    await world.told(request.id, mails=1)
    await running.settled()
    assert owners.told(ANN) == []
    assert owners.ledger(ANN).owner == ""


async def test_switched_off_and_on_with_a_reminder_under_way_a_stop_still_hands_it_back(
    world: Any, owners: Owners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "DRAIN", 0.2)
    owners.list("Production", ANN)
    held = world.inbox.faults.on("RCPT", Silence(), times=None)
    running = await world.start(access_lists=ON)
    await running.until(lambda: owners.ledger(ANN).owner, LIMIT)
    for settings in (AccessListSettings(), ON, AccessListSettings(), ON):
        before = running.daemon.observer.reloads[True]
        running.settings = structs.replace(running.settings, access_lists=settings)
        running.signals.reload()
        await running.until(lambda before=before: running.daemon.observer.reloads[True] > before, LIMIT)
    await running.stop()
    assert owners.ledger(ANN).owner == ""
    held.remove()
    await world.inbox.drop_connections()
    await owners.start()
    assert owners.told(ANN) == [["Production"]]


def test_off_nothing_of_it_is_loaded() -> None:
    code = "import sys, teleport_email.daemon.service; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert "teleport_email.daemon.service" in loaded
    assert not {
        name for name in loaded if re.search(r"\.(reminders|audit_poll|access_lists|accesslist_pb2)$", name)
    }


async def test_lists_without_members_come_with_a_reload(world: Any, owners: Owners) -> None:
    owners.list("Empty", ANN, members=())
    running = await owners.start()
    assert owners.told(ANN) == []
    running.settings = structs.replace(
        running.settings, access_lists=AccessListSettings(enabled=True, skip_without_members=False)
    )
    running.signals.reload()
    await world.inbox.wait_for(1, LIMIT)
    assert owners.told(ANN) == [["Empty"]]


# Scale ---------------------------------------------------------------------------------------------------


async def test_five_thousand_lists_and_two_hundred_owners(
    world: Any, owners: Owners, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page per hundred lists, a look-up per owner, two writes per mail; no list is read more than once for a claim."""
    monkeypatch.setattr(audit_poll, "FRESH", 60.0)
    monkeypatch.setattr(audit_poll, "SPREAD", 1.0)
    for number in range(200):
        world.cluster.put_user(User(f"u{number}", traits={"email": (f"u{number}@example.com",)}))
    for number in range(5000):
        due = 10 * DAY if number < 2500 else 200 * DAY
        owners.list(f"List {number}", f"u{number % 200}", f"u{(number + 1) % 200}", due=due)
    before = Counter(world.cluster.calls)
    running = await world.start(access_lists=ON)
    await owners.looked(running)
    calls = Counter(world.cluster.calls) - before
    assert world.inbox.received == 200
    assert calls["ListAccessLists"] == 50
    assert calls["UsersService/GetUser"] == 200
    assert calls["UpdatePluginData"] == 400
    assert calls["GetAccessList"] == 0
    assert calls["GetPluginData"] <= 401
    for number in range(200):
        [mail] = world.inbox.to(f"u{number}@example.com")
        theirs = [one for one in range(2500) if number in (one % 200, (one + 1) % 200)]
        assert mail.text.count("\nAccess List: ") == min(len(theirs), MOST_LISTS)
    assert len(running.daemon.lists.reminders.board._lists) == 2500
    asked = Counter(world.cluster.calls)
    await owners.poll(running)
    calls = Counter(world.cluster.calls) - asked
    assert (calls["ListAccessLists"], calls["GetPluginData"], calls["UpdatePluginData"]) == (50, 200, 0)
    assert world.inbox.received == 200


# What explain says of it ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("hasty")
async def test_explain_says_what_everybody_was_told_and_what_is_next(
    world: Any, owners: Owners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_list, "wall_clock", owners.clock)
    name = owners.list("Production", ANN, BOB)
    world.inbox.faults.on("RCPT", Reply(550, "5.1.1 no such user"), recipient=BOB)
    running = await owners.start()

    async def told() -> dict[str, tuple[list[str], str]]:
        explained = await explain_list.ask(running.settings, name)
        found = {one.address: ([each.status for each in one.told], one.now) for one in explained.recipients}
        assert all(one["address"] in found for one in explained.as_json()["recipients"])
        return found

    found = await told()
    assert found[ANN][0] == ["delivered"]
    assert found[BOB][0] == ["given up"]
    assert all(now.startswith("told in this step; next ") for _, now in found.values())
    owners.clock.ahead += WEEK
    found = await told()
    assert {now for _, now in found.values()} == {"due now"}
    await owners.poll(running)
    found = await told()
    assert found[ANN][0] == ["delivered", "delivered"]
    lines = list(explain_list.lines(await explain_list.ask(running.settings, name)))
    assert any("given up" in line and "5.1.1 no such user" in line for line in lines)


async def test_explain_of_a_reminder_that_perhaps_arrived(world: Any, owners: Owners) -> None:
    name = owners.list("Production", ANN)
    world.inbox.faults.on("DOT", Silence(keep=True), times=1)
    running = await world.start(access_lists=ON)
    await world.inbox.wait_for(1, LIMIT)
    [one] = (await explain_list.ask(running.settings, name)).recipients
    assert [each.status for each in one.told] == ["perhaps sent"]
    assert one.now == "sent again, as the same message: nobody knows whether it arrived"
    await world.inbox.drop_connections()


async def test_explain_where_the_cluster_keeps_data_for_lists_alone(world: Any, owners: Owners) -> None:
    world.cluster.faults.only_for_lists = True
    name = owners.list("Production", ANN)
    running = await owners.start()
    [one] = (await explain_list.ask(running.settings, name)).recipients
    assert [each.status for each in one.told] == ["delivered"]
    assert one.now.startswith("told in this step; next ")


async def test_after_several_reminders_within_a_day_the_next_one_gathers(
    world: Any, owners: Owners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_list, "wall_clock", owners.clock)
    running = await owners.start()
    names = []
    for number in range(6):
        names.append(owners.list(f"List {number}", ANN))
        await owners.poll(running)
    assert owners.told(ANN) == [["List 0"], ["List 1"], ["List 2"], ["List 3"]]
    [one] = (await explain_list.ask(running.settings, names[4])).recipients
    assert (one.told, one.now.partition(";")[0]) == ((), "due, after several reminders within a day")
    await owners.later(running, timedelta(hours=3, minutes=1))
    assert sorted(owners.told(ANN)[4]) == ["List 4", "List 5"]

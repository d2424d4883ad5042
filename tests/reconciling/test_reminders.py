"""Reminders of Access List reviews through the same reconciler and workers as requests."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from in_memory import NOW, PluginData, Post, Process, Tally, wall
from structlog.testing import capture_logs
from virtual_time import clock, in_virtual_time

from teleport_email.core.audits import DAY, WEEK, Audit, owner_id
from teleport_email.core.claim import LEASE, Render
from teleport_email.core.decide import Policy
from teleport_email.core.errors import ClusterError, Denied, NotFound, Rejected, Unreachable
from teleport_email.core.ledger import Ledger
from teleport_email.core.model import Content, Kind, Refused, Temporary
from teleport_email.core.owing import View
from teleport_email.core.reminding import NoRouting, ReminderView, audits_of, view_of
from teleport_email.reconciling.keys import ACCESS_LIST, about
from teleport_email.reconciling.reconcile import Again, Done, Outcome, Reconciler
from teleport_email.reconciling.worker import Workers
from teleport_email.reconciling.workqueue import WorkQueue
from teleport_email.watching.link import AccessListData

ANN = "ann@example.com"
KEY = ACCESS_LIST + owner_id(ANN)
OPEN = Audit("one", NOW + WEEK, NOW - DAY)
"""Its window has opened a day before the tests begin."""
OTHER = Audit("two", NOW + WEEK, NOW - DAY)


class Board:
    """What is known of the lists, by key."""

    def __init__(self) -> None:
        self.audits: dict[str, tuple[Audit, ...]] = {KEY: (OPEN,)}
        self.versions: dict[str, int] = {}
        self.settled: list[str] = []

    def view(self, key: str) -> ReminderView | None:
        audits = self.audits.get(key)
        return None if audits is None else view_of(key, (ANN,), audits)

    def is_new(self, key: str) -> bool:
        return False

    def is_remembered(self, key: str) -> bool:
        return key in self.audits

    def version(self, key: str) -> int:
        return self.versions.get(key, 0)

    def settle(self, key: str, version: int) -> None:
        self.settled.append(key)

    def put(self, *audits: Audit, key: str = KEY) -> None:
        self.audits[key] = audits
        self.versions[key] = self.version(key) + 1


class Texts:
    """Writes texts that name their lists and their writer."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    async def prepare(self, view: View) -> Render:
        def render(kind: Kind, view: View, ledger: Ledger) -> Content:
            names = ",".join(one.list_name for one in audits_of(view, ledger, kind))
            return Content("s", f"{names} by {self._owner}", "", wall(), "b", "t@example.com")

        return render


class Reminding:
    """One process's reminders, over plugin data that it may share with others."""

    def __init__(
        self, data: PluginData | None = None, post: Post | None = None, *, owner: str = "one", seed: int = 1
    ) -> None:
        self.data = data or PluginData()
        self.post = post or Post()
        self.board = Board()
        self.refreshed: list[str] = []
        self.refreshing: Callable[[], ClusterError | None] = lambda: None
        self.vanished: list[tuple[str, str]] = []
        self.reconciler = Reconciler(
            owner=owner,
            store=self.board,
            plugin_data=AccessListData(lambda: cast("Any", SimpleNamespace(access_list_data=self.data))),
            mailer=lambda: self.post,
            router=NoRouting,
            writer=lambda: Texts(owner),
            policy=Policy,
            id_domain=lambda: "example.com",
            observer=Tally(),
            clock=clock,
            wall=wall,
            rng=random.Random(seed),
            refresh=self.refresh,
            vanished=lambda key, error: self.vanished.append((key, str(error))),
            about=self.about,
        )

    async def refresh(self, key: str) -> None:
        self.refreshed.append(key)
        await asyncio.sleep(0.1)
        if (error := self.refreshing()) is not None:
            raise error

    def about(self, key: str) -> Mapping[str, str]:
        return {"owner": ANN}

    async def look(self, key: str = KEY) -> Outcome:
        return await self.reconciler.reconcile(key)

    @property
    def told(self) -> list[str]:
        return [mail.content.text for mail in self.post.sent]

    @property
    def ledger(self) -> Ledger:
        return self.data.ledger(owner_id(ANN))


@in_virtual_time
async def test_an_owner_is_reminded_once_in_a_step_and_woken_for_the_next() -> None:
    one = Reminding()
    assert await one.look() == Done(NOW + 6 * DAY)
    assert one.told == ["one by one"]
    assert one.data.data.keys() == {owner_id(ANN)}, "by the resource, not by the key of the queue"
    assert one.ledger.owner == ""
    assert one.board.settled == [KEY]
    assert await one.look() == Done(NOW + 6 * DAY)
    assert len(one.told) == 1
    await asyncio.sleep(6 * 86400)
    assert await one.look() == Done(NOW + WEEK)
    assert one.told == ["one by one"] * 2


@in_virtual_time
async def test_what_was_reviewed_since_the_last_poll_is_not_told() -> None:
    one = Reminding()
    one.board.put(OPEN, OTHER)
    one.refreshing = lambda: one.board.put(OTHER)
    await one.look()
    assert one.told == ["two by one"]


@in_virtual_time
async def test_what_was_reviewed_while_it_waited_for_the_mailer_is_not_told() -> None:
    one = Reminding()
    one.post.open = asyncio.Event()
    looking = asyncio.create_task(one.look())
    await asyncio.sleep(3600)
    assert one.refreshed == []
    one.refreshing = one.board.put
    one.post.open.set()
    assert await looking == Done()
    assert one.refreshed == [KEY]
    assert one.told == []
    assert one.data.writes == 0, "nothing was claimed"


@in_virtual_time
async def test_what_was_reviewed_while_the_mail_server_was_down_is_not_told() -> None:
    one = Reminding()
    one.post.answer(ANN, Temporary("421 down"))
    assert isinstance(await one.look(), Again)
    one.refreshing = one.board.put
    assert await one.look() == Done()
    assert one.told == []


@in_virtual_time
async def test_a_list_that_cannot_be_read_again_is_told_as_it_was_known() -> None:
    one = Reminding()
    one.refreshing = lambda: Denied("no")
    await one.look()
    assert one.told == ["one by one"]


@in_virtual_time
async def test_nothing_is_read_again_for_what_was_told() -> None:
    one = Reminding()
    await one.look()
    await one.look()
    assert one.refreshed == [KEY]


@in_virtual_time
async def test_of_two_processes_one_reminds() -> None:
    data, post = PluginData(), Post()
    data.latency = 0.01
    both = [Reminding(data, post, owner=name, seed=seed) for seed, name in enumerate(("one", "two"))]
    await asyncio.gather(*(one.look() for one in both))
    for one in both:
        await asyncio.sleep(10)
        await one.look()
    assert len(post.sent) == 1


@in_virtual_time
async def test_a_dead_process_is_taken_over_with_the_same_mail() -> None:
    data, post = PluginData(), Post()
    one, two = (Reminding(data, post, owner=name, seed=seed) for seed, name in enumerate(("one", "two")))
    post.hang = asyncio.Event()
    dead = asyncio.create_task(one.look())
    await asyncio.sleep(1)
    dead.cancel()
    post.hang.set()
    two.board.put(OPEN, OTHER)
    await two.look()
    await asyncio.sleep(LEASE + 1)
    with capture_logs() as lines:
        await two.look()
    assert [line["owner"] for line in lines if line["event"] == "claim taken over"] == [ANN]
    first, second, third = post.sent
    assert (first.message_id, first.content) == (second.message_id, second.content)
    assert third.content.text == "two by two"


@in_virtual_time
async def test_no_line_in_the_log_takes_an_owner_for_a_request() -> None:
    one = Reminding()
    one.board.put(OPEN, OTHER)
    one.post.answer(ANN, Temporary("421"), Refused("550"))
    one.data.faults.extend(["", Unreachable("x")])
    with capture_logs() as lines:
        for _ in range(3):
            await one.look()
        one.data.data[owner_id(ANN)]["ledger"] = "x"
        await one.look()
    events = {line["event"]: line for line in lines}
    assert {"message deferred", "message refused", "ledger write not confirmed", "ledger unreadable"} <= set(
        events
    )
    assert events["message refused"]["lists"] == "2"
    for line in lines:
        assert "request" not in str(line)
        assert line["owner"] == ANN


@in_virtual_time
async def test_a_cluster_that_has_no_place_for_owners_is_told_of_once() -> None:
    one = Reminding()
    one.data.faults.append(NotFound("access list not found"))
    with capture_logs() as lines:
        assert isinstance(await one.look(), Done)
    assert one.vanished == [(KEY, "access list not found")]
    assert [line for line in lines if line["log_level"] != "debug"] == []
    assert one.told == []


@in_virtual_time
async def test_an_owner_who_is_no_longer_known_is_forgotten() -> None:
    one = Reminding()
    del one.board.audits[KEY]
    assert await one.look() == Done()
    assert one.data.writes == 0


# Beside requests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("01a20409-a917", {"request": "01a20409-a917"}),
        (KEY, {"owner": owner_id(ANN)}),
        ("access_list/ops", {"access_list": "ops"}),
    ],
)
def test_what_a_line_is_about(key: str, fields: dict[str, str]) -> None:
    assert about(key) == fields


@in_virtual_time
async def test_workers_give_each_key_to_whom_it_belongs() -> None:
    requests, reminders = Process(), Reminding()
    queue = WorkQueue()
    workers = Workers(
        queue,
        requests.reconciler,
        wall=wall,
        rng=random.Random(1),
        others={ACCESS_LIST: reminders.reconciler},
    )
    working = asyncio.create_task(workers.run())
    requests.see()
    queue.add("id")
    queue.add(KEY)
    await asyncio.sleep(5)
    assert [recipient for recipient, _ in requests.post.told] == ["a@example.com", "b@example.com"]
    assert reminders.told == ["one by one"]
    await asyncio.sleep(10 * 86400)
    assert len(reminders.told) == 1 + 1 + 4, "woken for each step, without a poll"
    queue.close()
    await working


@in_virtual_time
async def test_faults_of_reminders_are_said_as_such() -> None:
    one = Reminding()
    faults: list[Exception] = [Rejected("too large"), RuntimeError("ours")]

    async def fail(key: str) -> None:
        raise faults.pop(0)

    one.data.read = fail  # type: ignore[assignment,method-assign]
    queue = WorkQueue()
    workers = Workers(
        queue,
        Process().reconciler,
        wall=wall,
        rng=random.Random(1),
        others={ACCESS_LIST: one.reconciler},
        about=one.about,
    )
    working = asyncio.create_task(workers.run())
    with capture_logs() as lines:
        queue.add(KEY)
        await asyncio.sleep(10)
    assert [line["event"] for line in lines] == ["refused by the cluster", "reminders failed"]
    assert [line["owner"] for line in lines] == [ANN, ANN]
    queue.close()
    await working


@in_virtual_time
async def test_told_to_stop_it_ends_what_is_under_way_and_records_it() -> None:
    one = Reminding()
    one.post.after_dot = 30.0
    looking = asyncio.create_task(one.look())
    await asyncio.sleep(1)
    one.reconciler.stop()
    one.reconciler.abandon()
    await looking
    assert one.told == ["one by one"]
    two = Reminding(one.data, one.post, owner="two")
    assert await two.look() == Done(NOW + 6 * DAY)
    assert one.told == ["one by one"]


@in_virtual_time
async def test_told_to_stop_while_it_waits_for_the_mailer_it_claims_nothing() -> None:
    one = Reminding()
    one.post.open = asyncio.Event()
    looking = asyncio.create_task(one.look())
    await asyncio.sleep(1)
    one.reconciler.stop()
    assert await looking == Again(0)
    assert one.data.writes == 0
    assert timedelta(seconds=clock() - 1_000_000) < timedelta(seconds=2)

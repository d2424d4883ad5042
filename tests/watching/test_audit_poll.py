"""When Access Lists are asked for, what is kept of them, and what happens when asking fails."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from virtual_time import START, clock, in_virtual_time

from teleport_email.config.settings import AccessListSettings, DeliverySettings
from teleport_email.core.audits import Audit, ListOwner, OwnedList, owner_id
from teleport_email.core.errors import Denied, NotFound, Rejected, Unreachable, Unsupported
from teleport_email.reconciling.keys import ACCESS_LIST
from teleport_email.reconciling.workqueue import WorkQueue
from teleport_email.routing import owners
from teleport_email.routing.route import Route
from teleport_email.watching import audit_poll
from teleport_email.watching.audit_poll import AuditPoll
from teleport_email.watching.audits import AuditBoard

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ANN = ACCESS_LIST + owner_id("ann@example.com")
BOB = ACCESS_LIST + owner_id("bob@example.com")


def wall() -> datetime:
    return NOW + timedelta(seconds=clock() - START)


def owned(
    name: str, *people: str, due: datetime = NOW + DAY, lists: Sequence[str] = (), **more: Any
) -> OwnedList:
    audit = Audit(list_name=name, due=due, opens=due - 14 * DAY, **more)
    users = tuple(ListOwner(f"{one}@example.com" if "@" not in one else one) for one in people)
    return OwnedList(audit, users + tuple(ListOwner(one, is_list=True) for one in lists))


class Cluster:
    """Access Lists; remembers when it was asked for what."""

    def __init__(self, *lists: OwnedList) -> None:
        self.lists = {one.audit.list_name: one for one in lists}
        self.page = 2
        self.polls: list[float] = []
        self.reads: list[str] = []
        self.resolved: list[str] = []
        self.at_once = self.most_at_once = 0
        self.fault: Exception | None = None
        self.fault_at = 0
        """The page that fails."""
        self.get_fault: Exception | None = None
        self.owners_fault: Exception | None = None
        self.slow = self.slow_page = 0.0

    async def pages(self) -> AsyncIterator[list[OwnedList]]:
        self.polls.append(clock() - START)
        lists = list(self.lists.values())
        for number, begin in enumerate(range(0, max(1, len(lists)), self.page)):
            await asyncio.sleep(self.slow_page)
            if self.fault and number == self.fault_at:
                raise self.fault
            yield lists[begin : begin + self.page]

    async def get(self, name: str) -> OwnedList | None:
        self.reads.append(name)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.slow)
        self.at_once -= 1
        if self.get_fault:
            raise self.get_fault
        return self.lists.get(name)

    async def owners(self, name: str) -> tuple[ListOwner, ...]:
        self.resolved.append(name)
        if self.owners_fault:
            raise self.owners_fault
        return (ListOwner("ann@example.com"), ListOwner("bob@example.com"))


class Parts:
    def __init__(self, *lists: OwnedList, **delivery: Any) -> None:
        self.cluster = Cluster(*lists)
        self.board, self.queue = AuditBoard(), WorkQueue()
        self.settings = AccessListSettings(enabled=True)
        delivery_settings = DeliverySettings(sender="teleport@example.com", **delivery)

        async def find(owned_by: Sequence[ListOwner]) -> Route:
            return owners.reminded(owned_by, delivery_settings, {})

        self.is_connected = True
        self.poll = AuditPoll(
            self.board,
            self.queue,
            self.connection,
            find,
            lambda: self.settings,
            clock=clock,
            wall=wall,
            rng=random.Random(1),
        )

    def connection(self) -> Cluster:
        if not self.is_connected:
            raise Unreachable("not connected")
        return self.cluster

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.poll.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def open(self) -> dict[str, list[str]]:
        return {key: list(self.board.names(key)) for key in self.board.all_keys() if self.board.names(key)}

    async def looks(self) -> dict[str, float]:
        """When each owner is looked at, within what a poll spreads them over."""
        begun, found = clock(), {}
        while clock() < begun + audit_poll.SPREAD:
            try:
                async with asyncio.timeout(begun + audit_poll.SPREAD - clock()):
                    key = await self.queue.get()
            except TimeoutError:
                break
            found[key] = clock() - begun
            self.queue.done(key)
        return found


@in_virtual_time
async def test_the_first_poll_is_half_a_minute_after_a_connection_and_then_every_three_hours() -> None:
    parts = Parts(owned("a", "ann"))
    async with parts.running():
        await asyncio.sleep(3600)
        assert parts.cluster.polls == [], "nothing is asked for without a connection"
        parts.poll.connected()
        await asyncio.sleep(48 * 3600)
    first, *others = parts.cluster.polls
    assert 22.5 <= first - 3600 <= 30
    gaps = [later - earlier for earlier, later in itertools.pairwise([first, *others])]
    assert len(gaps) >= 15
    assert all(0.75 * 3 * 3600 <= gap <= 3 * 3600 for gap in gaps)
    assert len(set(gaps)) == len(gaps), "jittered"


@in_virtual_time
async def test_connections_that_come_often_ask_seldom_and_one_that_comes_late_asks_soon() -> None:
    parts = Parts(owned("a", "ann"))
    async with parts.running():
        for _ in range(240):
            parts.poll.connected()
            await asyncio.sleep(15)
        assert 5 <= len(parts.cluster.polls) <= 7, "an hour with four connections a minute"
        await asyncio.sleep(3600)
        before = clock() - START
        parts.poll.connected()
        await asyncio.sleep(31)
    assert before + 22 <= parts.cluster.polls[-1] <= before + 30


@in_virtual_time
async def test_a_reload_asks_at_once() -> None:
    parts = Parts(owned("a", "ann"))
    async with parts.running():
        parts.poll.connected()
        await asyncio.sleep(60)
        parts.poll.at_once()
        await asyncio.sleep(1)
        assert len(parts.cluster.polls) == 2


@in_virtual_time
async def test_hundreds_of_owners_are_looked_at_within_a_minute_and_one_at_once() -> None:
    people = [f"p{number}" for number in range(300)]
    parts = Parts(*(owned(f"list {one}", one) for one in people))
    await parts.poll.once()
    looks = sorted((await parts.looks()).values())
    assert len(looks) == 300
    assert looks[0] < 2
    assert looks[-1] > 58
    assert max(later - earlier for earlier, later in itertools.pairwise(looks)) < 3
    parts = Parts(owned("a", "ann"))
    await parts.poll.once()
    assert (await parts.looks())[ANN] <= audit_poll.EACH


@in_virtual_time
async def test_kept_is_what_is_open_or_opens_before_another_poll_is_through() -> None:
    parts = Parts(
        owned("open", "ann"),
        owned("overdue", "ann", due=NOW - DAY),
        owned("soon", "ann", due=NOW + 14 * DAY + timedelta(hours=4)),
        owned("far", "ann", due=NOW + 15 * DAY),
        owned("empty", "ann", members=0, member_lists=0),
        owned("nested", "ann", members=0, member_lists=1),
        owned("untold", "ann", members=0),
    )
    await parts.poll.once()
    assert parts.open == {ANN: ["overdue", "nested", "open", "untold", "soon"]}
    parts.settings = AccessListSettings(enabled=True, skip_without_members=False)
    await parts.poll.once()
    assert "empty" in parts.open[ANN]


@in_virtual_time
async def test_a_list_that_is_an_owner_is_resolved_by_the_cluster() -> None:
    parts = Parts(
        owned("plain", "ann"), owned("nested", "eve", lists=["team"]), owned("other", lists=["team"])
    )
    await parts.poll.once()
    assert parts.cluster.resolved == ["nested", "other"]
    assert parts.open[BOB] == ["nested", "other"]
    parts.cluster.owners_fault = Denied("no")
    with capture_logs() as logs:
        await parts.poll.once()
    assert parts.cluster.resolved == ["nested", "other", "nested"], (
        "who is refused once does not go on asking"
    )
    assert parts.open == {ANN: ["plain"], ACCESS_LIST + owner_id("eve@example.com"): ["nested"]}
    [error] = [line for line in logs if line["event"] == "no owner to remind"]
    assert (error["list"], "did not name" in error["skipped"]) == ("other", True)


@in_virtual_time
async def test_no_answer_about_owners_counts_only_where_there_is_a_connection() -> None:
    parts = Parts(owned("nested", "eve", lists=["team"]))
    parts.cluster.owners_fault = Unreachable("internal error")
    await parts.poll.once()
    assert parts.open == {ACCESS_LIST + owner_id("eve@example.com"): ["nested"]}
    parts.cluster.owners_fault = None
    await parts.poll.once()
    assert set(parts.open) == {ANN, BOB}
    parts.cluster.owners_fault = parts.cluster.get_fault = Unreachable("away")
    with pytest.raises(Unreachable):
        await parts.poll.once()
    assert set(parts.open) == {ANN, BOB}


@in_virtual_time
async def test_who_cannot_be_told_is_said_once_for_each_review() -> None:
    parts = Parts(owned("a", "ann", "eve@other.example"), allowed_domains=("example.com",))
    with capture_logs() as logs:
        await parts.poll.once()
        await parts.poll.once()
    [line] = [line for line in logs if line["event"] == "owner not reminded"]
    assert line["list"] == "a"
    assert "eve@other.example (owner: the domain is not in delivery.allowed_domains)" in line["skipped"]
    parts.cluster.lists["a"] = owned("a", "eve@other.example", due=NOW + 2 * DAY)
    with capture_logs() as logs:
        await parts.poll.once()
    [line] = [line for line in logs if line["event"] == "no owner to remind"]
    assert "no delivery.fallback_recipient is set" in line["error"]


@in_virtual_time
async def test_when_thousands_of_lists_have_nobody_to_tell_the_first_are_named() -> None:
    parts = Parts(
        *(owned(f"{number:03}", "eve@other.example") for number in range(100)), allowed_domains=("x.org",)
    )
    with capture_logs() as logs:
        await parts.poll.once()
        await parts.poll.once()
    said = [line for line in logs if line["log_level"] != "debug"]
    assert [line["list"] for line in said[:-1]] == [f"{number:03}" for number in range(audit_poll.MOST_SAID)]
    assert said[-1]["event"] == "owners of more lists not reminded"
    assert said[-1]["lists"] == 100 - audit_poll.MOST_SAID


@in_virtual_time
async def test_a_poll_that_is_cut_short_changes_nothing_and_is_tried_again() -> None:
    parts = Parts(*(owned(name, "ann") for name in "abcdef"))
    async with parts.running():
        parts.poll.connected()
        await asyncio.sleep(40)
        assert parts.open == {ANN: list("abcdef")}
        ended = parts.poll.ended_at
        for name in "abc":
            del parts.cluster.lists[name]
        parts.cluster.fault, parts.cluster.fault_at = Unreachable("away"), 1
        with capture_logs() as logs:
            parts.poll.at_once()
            await asyncio.sleep(1)
            assert parts.open == {ANN: list("abcdef")}
            assert parts.poll.ended_at == ended
            await asyncio.sleep(4 * 3600)
        assert len(parts.cluster.polls) > 8, "with a backoff of at most half an hour"
        assert len(parts.cluster.polls) < 30
        [line] = [line for line in logs if line["log_level"] != "debug"]
        assert (line["event"], line["log_level"]) == ("Access Lists not read", "warning")
        parts.cluster.fault = None
        await asyncio.sleep(1800)
        assert parts.open == {ANN: list("def")}


@in_virtual_time
async def test_what_moves_between_pages_counts_as_it_came_last() -> None:
    parts = Parts()

    async def pages() -> AsyncIterator[list[OwnedList]]:
        yield [owned("a", "ann"), owned("b", "ann")]
        yield [owned("a", "ann", due=NOW + 300 * DAY)]

    parts.cluster.pages = pages  # type: ignore[method-assign]
    await parts.poll.once()
    assert parts.open == {ANN: ["b"]}


@in_virtual_time
async def test_a_cluster_without_access_lists_is_asked_once_for_each_connection() -> None:
    parts = Parts()
    parts.cluster.fault = Unsupported("unknown service")
    with capture_logs() as logs:
        async with parts.running():
            parts.poll.connected()
            await asyncio.sleep(24 * 3600)
            assert len(parts.cluster.polls) == 1
            parts.poll.connected()
            await asyncio.sleep(24 * 3600)
            assert len(parts.cluster.polls) == 2
            parts.cluster.fault = None
            parts.poll.connected()
            await asyncio.sleep(6 * 3600)
            assert len(parts.cluster.polls) >= 4, "it was upgraded"
    said = [line for line in logs if line["log_level"] != "debug"]
    assert [(line["event"], line["log_level"]) for line in said] == [
        ("no Access Lists in this cluster", "info")
    ]


@in_virtual_time
async def test_a_missing_permission_is_said_once_with_the_lines_of_the_role() -> None:
    parts = Parts(owned("a", "ann"))
    parts.cluster.fault = Denied('access denied to perform action "list" on "access_list"')
    with capture_logs() as logs:
        async with parts.running():
            parts.poll.connected()
            await asyncio.sleep(24 * 3600)
            assert len(parts.cluster.polls) > 6, "it may be granted at any time"
            parts.cluster.fault = None
            await asyncio.sleep(3 * 3600)
    [line] = [line for line in logs if line["log_level"] != "debug"]
    assert (line["event"], line["log_level"]) == ("Access Lists not readable", "warning")
    assert "- resources: [access_list]" in line["role"]
    assert parts.open == {ANN: ["a"]}
    parts.cluster.fault = Denied('access denied to perform action "list" on "access_list"')
    with capture_logs() as logs:
        async with parts.running():
            parts.poll.connected()
            await asyncio.sleep(3600)
    assert [line["event"] for line in logs] == ["Access Lists not readable"], "taken away again, that is news"


@in_virtual_time
async def test_a_fault_of_ours_ends_nothing() -> None:
    parts = Parts(owned("a", "ann"))
    parts.cluster.fault = ZeroDivisionError("ours")
    with capture_logs() as logs:
        async with parts.running():
            parts.poll.connected()
            await asyncio.sleep(40)
            parts.cluster.fault = None
            await asyncio.sleep(40)
    assert parts.open == {ANN: ["a"]}
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["Access Lists not read"]


# Reading again before a claim ------------------------------------------------------------------------


@in_virtual_time
async def test_before_a_claim_lists_are_read_again_unless_that_was_just_done() -> None:
    parts = Parts(owned("a", "ann", "bob"), owned("b", "ann"))
    await parts.poll.once()
    await parts.poll.refresh(ANN)
    assert parts.cluster.reads == []
    await parts.looks()
    del parts.cluster.lists["a"]
    parts.cluster.lists["b"] = owned("b", "ann", due=NOW + 90 * DAY)
    await parts.poll.refresh(ANN)
    assert parts.cluster.reads == ["a", "b"]
    assert parts.open == {}
    assert list(await parts.looks()) == [BOB], "whom else it concerns is looked at, too"
    await parts.poll.refresh(ANN)
    assert parts.cluster.reads == ["a", "b"]


@in_virtual_time
async def test_of_a_poll_and_a_claim_at_once_the_later_reading_counts() -> None:
    parts = Parts(*(owned(name, "ann") for name in "abcd"))
    await parts.poll.once()
    parts.cluster.slow_page = 10.0  # the first page has a and b
    polling = asyncio.create_task(parts.poll.once())
    await asyncio.sleep(15)
    del parts.cluster.lists["a"]
    del parts.cluster.lists["d"]
    parts.cluster.lists["b"] = owned("b", "ann", due=NOW + 3 * DAY)
    await parts.poll.refresh(ANN)
    await polling
    assert parts.open == {ANN: ["c", "b"]}, "what the poll saw of a, b and d was older"
    parts.cluster.slow_page = 0.0
    parts.cluster.slow = 8.0
    before = dict(parts.cluster.lists)
    await asyncio.sleep(60)
    refreshing = asyncio.create_task(parts.poll.refresh(ANN))

    async def get(name: str) -> OwnedList | None:
        await asyncio.sleep(8)
        return before[name]

    parts.cluster.get = get  # type: ignore[method-assign]
    await asyncio.sleep(4)
    del parts.cluster.lists["c"]
    await parts.poll.once()
    await refreshing
    assert parts.open == {ANN: ["b"]}, "and here what the claim saw"


@pytest.mark.parametrize("fault", [Unreachable("away"), Rejected("odd"), Denied("no"), Unsupported("old")])
def test_what_cannot_be_read_again_stands_as_it_was(fault: Exception) -> None:
    @in_virtual_time
    async def scenario() -> None:
        parts = Parts(owned("a", "ann"))
        await parts.poll.once()
        await asyncio.sleep(60)
        parts.cluster.get_fault = fault
        await parts.poll.refresh(ANN)
        await parts.poll.refresh(ANN)
        assert parts.open == {ANN: ["a"]}
        assert len(parts.cluster.reads) == (1 if isinstance(fault, Unsupported) else 2)
        parts.is_connected = False
        await parts.poll.refresh(ANN)
        assert parts.open == {ANN: ["a"]}

    scenario()


@in_virtual_time
async def test_of_hundreds_of_lists_the_most_urgent_are_read_again_a_few_at_once() -> None:
    parts = Parts(
        *(owned(f"{number:03}", "ann", due=NOW + DAY + number * timedelta(hours=1)) for number in range(300))
    )
    await parts.poll.once()
    await asyncio.sleep(60)
    parts.cluster.slow = 0.01
    await parts.poll.refresh(ANN)
    assert sorted(parts.cluster.reads) == [f"{number:03}" for number in range(audit_poll.MOST_READ)]
    assert parts.cluster.most_at_once == audit_poll.AT_ONCE


@in_virtual_time
async def test_a_cluster_that_is_slow_to_read_again_holds_nobody_up() -> None:
    parts = Parts(owned("a", "ann"))
    await parts.poll.once()
    await asyncio.sleep(60)
    parts.cluster.slow, begun = 3600.0, clock()
    await parts.poll.refresh(ANN)
    assert clock() - begun == audit_poll.READ_WITHIN
    assert parts.open == {ANN: ["a"]}
    parts.cluster.slow, begun = 0.0, clock()
    await parts.poll.refresh(ANN)
    assert clock() == begun, "nor does it hold up the next ones again and again"
    assert len(parts.cluster.reads) == 1
    await asyncio.sleep(audit_poll.READ_PAUSE)
    await parts.poll.refresh(ANN)
    assert len(parts.cluster.reads) == 2


@in_virtual_time
async def test_on_the_strength_of_what_was_known_a_day_ago_nobody_is_reminded() -> None:
    parts = Parts(owned("a", "ann"), owned("b", "ann"))
    async with parts.running():
        parts.poll.connected()
        await asyncio.sleep(60)
        parts.cluster.fault = Rejected("listing Access Lists: no (INTERNAL)")
        await asyncio.sleep(audit_poll.STALE)
        await parts.poll.refresh(ANN)
        assert parts.open == {ANN: ["a", "b"]}, "what is read again counts, whatever becomes of the polls"
        parts.cluster.get_fault = Rejected("reading Access List a: no (INTERNAL)")
        await asyncio.sleep(audit_poll.STALE - 10)
        await parts.poll.refresh(ANN)
        assert parts.open == {ANN: ["a", "b"]}
        await asyncio.sleep(20)
        await parts.poll.refresh(ANN)
        assert parts.open == {}
        parts.cluster.fault = None
        await asyncio.sleep(audit_poll.RETRY.cap)
        assert parts.open == {ANN: ["a", "b"]}


@pytest.mark.parametrize(
    "fault", [Denied("listing Access Lists: no"), Unsupported("listing Access Lists: no")]
)
def test_who_may_read_no_lists_any_more_reminds_of_none(fault: Exception) -> None:
    @in_virtual_time
    async def scenario() -> None:
        parts = Parts(owned("a", "ann"))
        async with parts.running():
            parts.poll.connected()
            await asyncio.sleep(60)
            assert parts.open == {ANN: ["a"]}
            await parts.looks()
            parts.cluster.fault = fault
            parts.poll.at_once()
            await asyncio.sleep(1)
            assert parts.open == {}
            assert set(await parts.looks()) == {ANN}, "a claim that was left behind is given back"

    scenario()


# Plugin data for lists alone --------------------------------------------------------------------------


@in_virtual_time
async def test_where_owners_have_no_plugin_data_each_list_has_its_own_reminder() -> None:
    parts = Parts(owned("a", "ann", "bob"), owned("b", "ann"))
    await parts.poll.once()
    await parts.looks()
    with capture_logs() as logs:
        parts.poll.vanished(ANN, NotFound("no such list"))
        parts.poll.vanished(BOB, NotFound("no such list"))  # who was looked at meanwhile
    assert [(line["event"], line["log_level"]) for line in logs] == [("one mail per Access List", "info")]
    assert set(await parts.looks()) == {ACCESS_LIST + "a", ACCESS_LIST + "b"}
    await parts.poll.once()
    assert set(parts.board.all_keys()) == {ACCESS_LIST + "a", ACCESS_LIST + "b"}
    with capture_logs() as logs:
        parts.poll.vanished(ACCESS_LIST + "a", NotFound("gone"))
    assert [(line["event"], line["access_list"]) for line in logs] == [
        ("Access List gone before it was told", "a")
    ]
    assert parts.board.per_list

"""The stream that is kept open: what is said of outages, when it connects again, how one connection follows another.

In virtual time against a scripted session; the last part against the embedded cluster.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import grpc
import pytest
from in_memory import NOW, wall
from structlog.testing import capture_logs
from virtual_time import START, clock, in_virtual_time

from teleport_email.config.settings import DeliverySettings, TeleportSettings
from teleport_email.core.decide import Policy
from teleport_email.core.errors import (
    Denied,
    IdentityError,
    IdentityExpired,
    IdentityNotYetValid,
    TeleportEmailError,
    Unreachable,
    Unsupported,
)
from teleport_email.core.model import AccessMonitoringRule, AccessRequest, ClusterInfo, RequestState
from teleport_email.reconciling.workqueue import WorkQueue
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.permissions import MINIMAL
from teleport_email.teleport.calls.events import (
    RequestGone,
    RequestPut,
    RuleGone,
    RulePut,
    WatchEvent,
    WatchStarted,
)
from teleport_email.teleport.session import Session
from teleport_email.watching import watch
from teleport_email.watching.link import Link
from teleport_email.watching.resync import Resync
from teleport_email.watching.store import Store
from teleport_email.watching.watch import REQUESTS, RULES, RuleBook, Watch

BOTH = frozenset({REQUESTS, RULES})


def request(key: str = "id", state: RequestState = RequestState.PENDING) -> AccessRequest:
    return AccessRequest(key, "user", ("dev",), state, created=NOW)


def rule(name: str) -> AccessMonitoringRule:
    return AccessMonitoringRule(name, ("access_request",), "true", "email", ("x@example.com",))


class Connection:
    """One scripted connection. ``end`` with an error ends its stream."""

    def __init__(self, script: Script, number: int) -> None:
        self.script = script
        self.number = number
        self.cluster = ClusterInfo("demo.example.com", server_version="17.0.0")
        self.way = "TLS"
        self.identity = SimpleNamespace(not_before=NOW, not_after=script.not_after, user="bot")
        self.requests = self.plugin_data = self.users = self.resources = self.rules = self
        self.events: asyncio.Queue[WatchEvent | TeleportEmailError] = asyncio.Queue()
        self.pulse: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.renew = False
        self.closed = 0

    async def watch(self, kinds: Sequence[str]) -> AsyncGenerator[WatchEvent, None]:
        assert set(kinds) == BOTH
        if self.script.watch_fault is not None:
            raise self.script.watch_fault
        yield WatchStarted(self.script.kinds)
        while True:
            event = await self.events.get()
            if isinstance(event, TeleportEmailError):
                raise event
            yield event

    async def keep_alive(self) -> NoReturn:
        await self.pulse
        raise AssertionError

    async def read_all(self) -> dict[str, dict[str, str]]:
        return {}

    def renew_due(self, now: datetime) -> bool:
        return self.renew

    async def close(self) -> None:
        self.closed += 1


class RuleList:
    """``connection.rules``: apart from the requests, for both have a ``list``."""

    def __init__(self, script: Script) -> None:
        self.script = script

    async def list(self) -> list[AccessMonitoringRule]:
        if self.script.rules_fault is not None:
            raise self.script.rules_fault
        return [rule("listed")]


class RequestList:
    def __init__(self, script: Script) -> None:
        self.script = script

    async def list(self) -> list[AccessRequest]:
        self.script.lists += 1
        if self.script.list_fault is not None:
            raise self.script.list_fault
        return list(self.script.requests)


class Script:
    """The session: each ``connect`` takes the next fault, or makes a connection."""

    identity = None

    def __init__(self) -> None:
        self.faults: deque[TeleportEmailError | None] = deque()
        self.tries: list[float] = []
        self.connections: list[Connection] = []
        self.kinds: frozenset[str] | None = BOTH
        self.watch_fault: TeleportEmailError | None = None
        self.list_fault: TeleportEmailError | None = None
        self.rules_fault: TeleportEmailError | None = None
        self.requests: list[AccessRequest] = []
        self.lists = 0
        self.not_after = NOW + timedelta(days=365)

    async def connect(self) -> Connection:
        self.tries.append(clock() - START)
        await asyncio.sleep(0.01)
        if self.faults and (fault := self.faults.popleft()) is not None:
            raise fault
        made = Connection(self, len(self.connections))
        made.requests = RequestList(self)  # type: ignore[assignment]
        made.rules = RuleList(self)  # type: ignore[assignment]
        self.connections.append(made)
        return made


class NoJitter(random.Random):
    def random(self) -> float:
        return 0.0


class NothingKnown:
    def is_settled(self, request_id: str, data: object) -> bool:
        return False

    def is_finished(self, request_id: str, data: object) -> bool:
        return False


class Running:
    def __init__(self, script: Script, *, refresh: float = 0.0, fail_fast: bool = False) -> None:
        self.script = script
        self.store, self.queue, self.link = Store(), WorkQueue(), Link()
        self.books: list[list[str]] = []
        self.ready = self.reconnected = 0
        resync = Resync(
            self.store,
            self.queue,
            NothingKnown(),
            interval=lambda: 600.0,
            delivery=lambda: DeliverySettings(sender=""),
            policy=lambda: Policy(catch_up=3600.0),
            clock=clock,
            wall=wall,
            rng=NoJitter(),
        )
        self.watch = Watch(
            session=script,  # type: ignore[arg-type]
            link=self.link,
            store=self.store,
            queue=self.queue,
            resync=resync,
            rules=RuleBook(lambda rules: self.books.append(sorted(rule.name for rule in rules))),
            refresh_interval=refresh,
            fail_fast=fail_fast,
            clock=clock,
            wall=wall,
            rng=NoJitter(),
            ready=self._on_ready,
            reconnected=self._on_reconnected,
        )

    def _on_ready(self) -> None:
        self.ready += 1

    def _on_reconnected(self) -> None:
        self.reconnected += 1

    async def __aenter__(self) -> Running:
        self.task = asyncio.create_task(self.watch.run())
        await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})

    @property
    def now(self) -> Connection:
        return self.script.connections[-1]

    async def send(self, *events: WatchEvent | TeleportEmailError) -> None:
        for event in events:
            self.now.events.put_nowait(event)
        await asyncio.sleep(0.001)

    async def queued(self) -> list[str]:
        found = []
        while self.queue.depth:
            found.append(await self.queue.get())
            self.queue.done(found[-1])
        return found


def said(lines: list[Any], *levels: str) -> list[tuple[str, str]]:
    return [
        (line["log_level"], line["event"])
        for line in lines
        if line["log_level"] in (levels or ("info", "warning", "error"))
    ]


# Events ---------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_events_feed_the_store_and_the_queue() -> None:
    async with Running(Script()) as running:
        await running.send(RequestPut(request("one")), RequestPut(request("two")))
        assert await running.queued() == ["one", "two"]
        await running.send(RequestPut(request("one")))
        assert await running.queued() == [], "the same again is no news"
        await running.send(
            RequestPut(request("one", RequestState.APPROVED)), RequestGone("two"), RequestGone("three")
        )
        assert await running.queued() == ["one", "two", "three"]
        assert running.ready == 1


@in_virtual_time
async def test_rules_are_read_before_any_request_and_follow_the_events() -> None:
    async with Running(Script()) as running:
        assert running.books == [["listed"]]
        await running.send(RulePut(rule("new")), RuleGone("listed"), RuleGone("never heard of"))
        assert running.books == [["listed"], ["listed", "new"], ["new"]]
        await running.send(Unreachable("ended"))
        await asyncio.sleep(5)
        assert running.books[-1] == ["listed"], "a new connection has all of them anew"


@in_virtual_time
async def test_what_is_listed_is_looked_at() -> None:
    script = Script()
    script.requests = [request("listed")]
    async with Running(script) as running:
        assert await running.queued() == ["listed"]
        assert running.link.status.listed


# Outages --------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_an_outage_is_said_once_and_so_is_its_end() -> None:
    script = Script()
    with capture_logs() as lines:
        async with Running(script) as running:
            script.faults.extend([Unreachable("connection refused")] * 8)
            await running.send(Unreachable("the cluster ended the stream"))
            await asyncio.sleep(300)
            assert running.link.status.problem == ""
            assert (running.ready, running.reconnected) == (2, 1)
    assert said(lines) == [
        ("info", "connected"),
        ("info", "stream ended"),
        ("warning", "connection to the cluster lost"),
        ("info", "connected again"),
    ]
    assert next(line for line in lines if line["event"] == "connected again")["after_seconds"] > 60


@in_virtual_time
async def test_another_reason_during_an_outage_is_said_as_well() -> None:
    script = Script()
    with capture_logs() as lines:
        async with Running(script) as running:
            script.faults.extend(
                [Unreachable("refused"), Unreachable("refused"), Unreachable("no such host")]
            )
            await running.send(Unreachable("ended"))
            await asyncio.sleep(100)
    reasons = [line["error"] for line in lines if line["event"] == "connection to the cluster lost"]
    assert reasons == ["refused", "no such host"]


@in_virtual_time
async def test_a_stream_that_ends_now_and_then_is_no_warning() -> None:
    with capture_logs() as lines:
        async with Running(Script()) as running:
            for _ in range(5):
                await running.send(Unreachable("the cluster ended the stream"))
                await asyncio.sleep(60)
            assert len(running.script.connections) == 6
            assert [one.closed > 0 for one in running.script.connections] == [True] * 5 + [False]
    assert said(lines, "warning", "error") == []


@in_virtual_time
async def test_trying_again_waits_longer_and_longer_and_begins_anew_after_health() -> None:
    script = Script()
    async with Running(script) as running:
        script.faults.extend([Unreachable("refused")] * 12)
        await running.send(Unreachable("ended"))
        await asyncio.sleep(400)
        waits = [
            round(after - before) for before, after in zip(script.tries[1:], script.tries[2:], strict=False)
        ]
        assert waits[-3:] == [30, 30, 30]
        assert waits == sorted(waits)
        tries = len(script.tries)
        await running.send(Unreachable("ended"))
        await asyncio.sleep(0.6)
        assert len(script.tries) == tries + 1, "at once, nearly: it had been well"


@in_virtual_time
async def test_streams_that_end_at_once_all_the_time_are_no_storm() -> None:
    script = Script()
    script.watch_fault = Unreachable("the cluster ended the stream")
    async with Running(script):
        await asyncio.sleep(600)
        assert len(script.tries) < 30
        assert all(one.closed for one in script.connections)


@in_virtual_time
async def test_a_ping_without_an_answer_ends_the_connection() -> None:
    async with Running(Script()) as running:
        first = running.now
        first.pulse.set_exception(Unreachable("no sign of life"))
        await asyncio.sleep(5)
        assert running.now is not first
        assert first.closed


@in_virtual_time
async def test_during_an_outage_calls_fail_at_once_and_the_reason_is_shown() -> None:
    script = Script()
    async with Running(script) as running:
        script.faults.extend([Unreachable("connection refused")] * 50)
        await running.send(Unreachable("ended"))
        await asyncio.sleep(5)
        assert running.link.status.problem == "connection refused"
        with pytest.raises(Unreachable):
            await running.link.read("id")


@in_virtual_time
async def test_fail_fast_raises_what_ended_the_connection() -> None:
    async with Running(Script(), fail_fast=True) as running:
        await running.send(Unreachable("the cluster ended the stream"))
        with pytest.raises(Unreachable, match="ended the stream"):
            await running.task


# Permissions ----------------------------------------------------------------------------------------------


@in_virtual_time
async def test_without_the_kind_of_rules_recipients_come_from_the_file() -> None:
    script = Script()
    script.kinds = frozenset({REQUESTS})
    with capture_logs() as lines:
        async with Running(script) as running:
            for _ in range(3):
                await running.send(Unreachable("ended"))
                await asyncio.sleep(60)
            assert running.books == []
    (line,) = [line for line in lines if line["log_level"] == "warning"]
    assert line["event"] == "access monitoring rules not readable"
    assert "access_monitoring_rule" in line["role"]


@in_virtual_time
async def test_an_old_server_that_does_not_tell_the_kinds_is_asked_for_rules() -> None:
    script = Script()
    script.kinds = None
    async with Running(script) as running:
        assert running.books == [["listed"]]


@in_virtual_time
async def test_rules_that_may_not_be_listed_are_no_reason_to_give_up() -> None:
    script = Script()
    script.rules_fault = Denied('x: access denied to perform action "list" on "access_monitoring_rule"')
    with capture_logs() as lines:
        async with Running(script) as running:
            assert running.ready == 1
    assert said(lines, "warning", "error") == [("warning", "access monitoring rules not readable")]


@in_virtual_time
async def test_a_missing_permission_is_said_once_with_the_lines_of_the_role() -> None:
    script = Script()
    script.list_fault = Denied('listing: access denied to perform action "list" on "access_request"')
    with capture_logs() as lines:
        async with Running(script) as running:
            await asyncio.sleep(450)
            assert running.ready == 0
    denied = [line for line in lines if line["event"] == "permission missing"]
    assert len(denied) == 1
    assert "access_request" in denied[0]["role"]
    [again] = [line for line in lines if line["event"] == "requests not watched"]
    assert (again["log_level"], again["since_minutes"]) == ("error", 5)
    assert "access_request" in again["error"]
    assert again["role"] == denied[0]["role"]


@in_virtual_time
async def test_a_watch_that_never_stands_is_said_again_every_few_minutes() -> None:
    script = Script()
    script.watch_fault = Denied('watching: access denied to perform action "read" on "access_request"')
    with capture_logs() as lines:
        async with Running(script) as running:
            await asyncio.sleep(1000)
            assert 'on "access_request"' in running.link.status.problem
            script.watch_fault = None
            await asyncio.sleep(1000)
    assert said(lines, "warning", "error") == [
        ("warning", "permission missing"),
        *[("error", "requests not watched")] * 3,
    ]


@in_virtual_time
async def test_trouble_that_is_over_is_forgotten() -> None:
    script = Script()
    with capture_logs() as lines:
        async with Running(script) as running:
            for _ in range(5):
                script.faults.extend([Unreachable("connection refused")] * 9)
                await running.send(Unreachable("ended"))
                await asyncio.sleep(250)
    assert "requests not watched" not in [event for _, event in said(lines)]


@in_virtual_time
async def test_a_server_too_old_for_rules_is_no_missing_permission() -> None:
    script = Script()
    script.kinds = frozenset({REQUESTS})
    script.rules_fault = Unsupported("listing access monitoring rules: unknown service")
    with capture_logs() as lines:
        async with Running(script) as running:
            await running.send(Unreachable("ended"))
            await asyncio.sleep(60)
            assert (running.books, running.ready) == ([[], []], 2)
    assert said(lines, "warning", "error") == []
    assert [event for _, event in said(lines)].count("no access monitoring rules") == 1


@in_virtual_time
async def test_another_missing_permission_is_said_too() -> None:
    """Somebody adds the first line to the role, and then the second one is missing."""
    script = Script()
    script.kinds = frozenset({RULES})
    with capture_logs() as lines:
        async with Running(script) as running:
            await asyncio.sleep(100)
            script.kinds = BOTH
            script.list_fault = Denied('listing: access denied to perform action "list" on "access_request"')
            await asyncio.sleep(100)
            assert running.ready == 0
    denied = [line["error"] for line in lines if line["event"] == "permission missing"]
    assert len(denied) == 2
    assert "listing" in denied[1]


@in_virtual_time
async def test_a_permission_lost_again_after_all_was_well_is_said_again() -> None:
    script = Script()
    words = 'listing: access denied to perform action "list" on "access_request"'
    with capture_logs() as lines:
        async with Running(script) as running:
            for _ in range(2):
                script.list_fault = Denied(words)
                await running.send(Unreachable("ended"))
                await asyncio.sleep(200)
                script.list_fault = None
                await asyncio.sleep(200)
            assert running.ready >= 2
    assert len([line for line in lines if line["event"] == "permission missing"]) == 2


# Identities -----------------------------------------------------------------------------------------------


@in_virtual_time
async def test_an_identity_that_nothing_renews_ends_the_watch_at_the_start() -> None:
    script = Script()
    script.faults.append(IdentityExpired("expired at noon (3 h ago)"))
    async with Running(script) as running:
        with pytest.raises(IdentityExpired):
            await running.task


@in_virtual_time
async def test_a_clock_that_was_not_set_is_waited_for() -> None:
    script = Script()
    script.faults.extend([IdentityNotYetValid("not valid before noon")] * 3)
    async with Running(script) as running:
        await asyncio.sleep(300)
        assert running.ready == 1


@in_virtual_time
async def test_what_is_still_expired_once_the_clock_is_believed_ends_the_watch() -> None:
    script = Script()
    script.faults.extend(
        [IdentityNotYetValid("expired, if the clock is right"), IdentityExpired("expired at noon")]
    )
    async with Running(script) as running:
        with pytest.raises(IdentityExpired):
            await asyncio.wait_for(running.task, 300)


@in_virtual_time
async def test_one_that_is_renewed_is_waited_for_aloud() -> None:
    script = Script()
    script.faults.extend([IdentityExpired("expired at noon")] * 5)
    with capture_logs() as lines:
        async with Running(script, refresh=60.0) as running:
            await asyncio.sleep(60)
            assert running.ready == 1
    assert said(lines) == [("error", "waiting for a new identity"), ("info", "connected again")]


@in_virtual_time
async def test_one_that_goes_bad_later_is_tried_for_ever() -> None:
    """There is a stream no more, but a person may put a good one in place: no restart is needed."""
    script = Script()
    async with Running(script) as running:
        script.faults.extend([IdentityError("half written")] * 20)
        await running.send(Unreachable("ended"))
        await asyncio.sleep(2000)
        assert running.reconnected == 1


@in_virtual_time
async def test_the_end_of_a_certificate_is_told_seven_days_one_day_and_one_hour_before() -> None:
    script = Script()
    script.not_after = NOW + timedelta(days=10)
    with capture_logs() as lines:
        async with Running(script) as running:
            told: list[float] = []
            for _ in range(10 * 24 * 4):
                before = len(lines)
                await asyncio.sleep(900)
                if any(line["event"] == "identity ends soon" for line in lines[before:]):
                    told.append((script.not_after - wall()).total_seconds() / 3600)
                if len(told) == 2:
                    await running.send(Unreachable("ended"))  # a new connection has nothing new to say
            assert told == pytest.approx([168, 24, 1], abs=0.3)


@in_virtual_time
async def test_a_new_connection_does_not_tell_again_of_the_same_end() -> None:
    script = Script()
    script.not_after = NOW + timedelta(hours=5)
    with capture_logs() as lines:
        async with Running(script) as running:
            for _ in range(20):
                await asyncio.sleep(120)
                await running.send(Unreachable("ended"))
            script.not_after = NOW + timedelta(hours=6)
            await asyncio.sleep(120)
            await running.send(Unreachable("ended"))
            await asyncio.sleep(120)
    assert len([line for line in lines if line["event"] == "identity ends soon"]) == 2, (
        "once for each certificate"
    )


@pytest.fixture
def in_this_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time does not wait for threads."""

    async def at_once(job: Any, *args: Any) -> Any:
        return job(*args)

    monkeypatch.setattr(asyncio, "to_thread", at_once)


@pytest.mark.usefixtures("in_this_thread")
@in_virtual_time
async def test_an_identity_that_nothing_has_renewed_is_told_of_when_its_life_is_nearly_over() -> None:
    script = Script()
    script.not_after = NOW + timedelta(hours=1)
    with capture_logs() as lines:
        async with Running(script, refresh=10.0) as running:
            await asyncio.sleep(49 * 60)
            assert said(lines, "warning", "error") == []
            await asyncio.sleep(2 * 60)
            assert said(lines, "warning", "error") == [("warning", "identity ends soon")]
            await asyncio.sleep(15 * 60)
            await running.send(Unreachable("ended"))
    assert [line["event"] for line in lines if "action" in line and "tbot" in line["action"]] == [
        "identity ends soon",
        "identity expired",
    ]


@in_virtual_time
async def test_a_cluster_that_was_never_reached_is_not_called_lost() -> None:
    script = Script()
    script.faults.extend([Unreachable("refused")] * 3)
    with capture_logs() as lines:
        async with Running(script):
            await asyncio.sleep(60)
    assert said(lines) == [("warning", "cluster not reached"), ("info", "connected again")]


@pytest.mark.usefixtures("in_this_thread")
@in_virtual_time
async def test_a_renewal_watches_before_it_lets_go_and_loses_no_event() -> None:
    script = Script()
    with capture_logs() as lines:
        async with Running(script, refresh=10.0) as running:
            first = running.now
            first.renew = True
            script.faults.append(Unreachable("refused just now"))
            await asyncio.sleep(15)
            assert running.now is first, "the old one stays until a new one stands"
            assert not first.closed
            await running.send(RequestPut(request("on the old one")))
            async with asyncio.timeout(60):
                while running.now is first:
                    await asyncio.sleep(0.001)
            running.now.events.put_nowait(RequestPut(request("on the new one")))
            await asyncio.sleep(1)
            assert first.closed
            assert running.link.status.problem == ""
            assert {"on the old one", "on the new one"} <= set(await running.queued())
    assert said(lines) == [
        ("info", "connected"),
        ("warning", "renewal of the connection failed"),
        ("info", "connection renewed"),
    ]


@pytest.mark.usefixtures("in_this_thread")
@in_virtual_time
async def test_a_stream_that_ends_while_its_successor_connects_leaves_nothing_open() -> None:
    script = Script()
    async with Running(script, refresh=10.0) as running:
        first = running.now
        first.renew = True
        await asyncio.sleep(9.905)  # the successor is just being connected
        first.events.put_nowait(Unreachable("ended"))
        await asyncio.sleep(30)
        assert running.link.status.problem == ""
        assert [one.closed > 0 for one in script.connections[:-1]] == [True] * (len(script.connections) - 1)


@in_virtual_time
async def test_cancelled_it_closes_what_is_open() -> None:
    script = Script()
    running = Running(script, refresh=10.0)
    async with running:
        pass
    assert [one.closed > 0 for one in script.connections] == [True]
    assert len(asyncio.all_tasks()) == 1


# With a real cluster --------------------------------------------------------------------------------------


class Real(Running):
    """Over mutual TLS, in real time."""

    def __init__(self, cluster: SandboxCluster, identity: Path, **options: Any) -> None:
        super().__init__(Script(), **options)
        self.watch._session = Session(
            TeleportSettings(addr=cluster.addr, identity=identity),
            "email",
            environ={},
            now=lambda: datetime.now(UTC),
            clock_set=lambda: True,
        )

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(60):
            while not condition():
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.005)


@pytest.fixture
async def cluster() -> AsyncIterator[SandboxCluster]:
    async with SandboxCluster() as made:
        yield made


async def test_a_server_of_old_is_watched_and_listed(cluster: SandboxCluster, tmp_path: Path) -> None:
    cluster.faults.be_old()
    await cluster.create()
    async with Real(cluster, cluster.write_identity(tmp_path)) as running:
        await running.until(lambda: running.ready)
        assert len(running.store) == 1
        await cluster.create()
        await running.until(lambda: len(running.store) == 2)
        assert cluster.calls["GetAccessRequestsV2"] >= 1


async def test_a_server_that_knows_no_rules_at_all(cluster: SandboxCluster, tmp_path: Path) -> None:
    cluster.faults.be_old()
    cluster.faults.unimplemented.add("ListAccessMonitoringRules")
    async with Real(cluster, cluster.write_identity(tmp_path)) as running:
        await running.until(lambda: running.ready)
        assert running.books == [[]]


async def test_the_permissions_of_the_setup_guide_suffice(cluster: SandboxCluster, tmp_path: Path) -> None:
    identity = cluster.write_identity(tmp_path, cluster.identity(permissions=MINIMAL))
    with capture_logs() as lines:
        async with Real(cluster, identity) as running:
            await running.until(lambda: running.ready)
            await cluster.create()
            await running.until(lambda: len(running.store) == 1)
    assert ("warning", "access monitoring rules not readable") in said(lines)


async def test_without_the_permission_to_watch_it_says_so(cluster: SandboxCluster, tmp_path: Path) -> None:
    identity = cluster.write_identity(
        tmp_path, cluster.identity(permissions={"access_plugin_data": {"update"}})
    )
    with capture_logs() as lines:
        async with Real(cluster, identity) as running:
            await running.until(lambda: any(line["event"] == "permission missing" for line in lines))
            assert running.ready == 0
    assert "access_request" in next(line for line in lines if line["event"] == "permission missing")["role"]


@pytest.mark.parametrize("code", [None, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL])
async def test_streams_that_the_server_ends_are_opened_again(
    cluster: SandboxCluster, tmp_path: Path, code: grpc.StatusCode | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "CLUSTER", watch.CLUSTER.__class__(first=0.01, cap=0.02))
    async with Real(cluster, cluster.write_identity(tmp_path)) as running:
        await running.until(lambda: running.ready)
        for turn in range(5):
            cluster.faults.end_streams(code)
            await running.until(lambda turn=turn: running.reconnected == turn + 1)
        await cluster.create()
        await running.until(lambda: len(running.store) == 1)
        assert cluster.watchers == 1

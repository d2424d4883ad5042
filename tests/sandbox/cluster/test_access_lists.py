"""The Access Lists of the embedded cluster, as this program's own calls see them over mutual TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from teleport_email.config.settings import TeleportSettings
from teleport_email.core.audits import ListOwner, owner_id
from teleport_email.core.errors import Conflict, Denied, NotFound, Rejected, Unreachable, Unsupported
from teleport_email.sandbox.cluster.access_lists import next_audit_date
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.faults import lose_answer
from teleport_email.sandbox.cluster.permissions import MINIMAL
from teleport_email.sandbox.cluster.refusal import Refusal
from teleport_email.teleport._proto import accesslist_pb2
from teleport_email.teleport.session import Connection, Session

DUE = datetime(2026, 12, 1, tzinfo=UTC)
LIST = "access_list"
TWO_WEEKS = timedelta(weeks=2)
OWNER = owner_id("alice@example.com")


def wall_clock() -> datetime:
    return datetime.now(UTC)


async def connected(cluster: SandboxCluster, tmp_path, **options) -> Connection:
    identity = cluster.write_identity(tmp_path, cluster.identity(**options))
    settings = TeleportSettings(addr=cluster.addr, identity=identity)
    return await Session(settings, "email", environ={}, now=wall_clock, clock_set=lambda: True).connect()


@pytest.fixture
async def connection(cluster, tmp_path) -> AsyncIterator[Connection]:
    async with await connected(cluster, tmp_path) as made:
        yield made


async def names(connection: Connection) -> list[str]:
    return [owned.audit.list_name async for page in connection.access_lists.pages() for owned in page]


# Lists ----------------------------------------------------------------------------------------------


async def test_a_list_comes_as_it_was_made(cluster, connection):
    cluster.access_lists.create(
        "oncall",
        title="On call",
        description="Who is woken up",
        owners=["alice@example.com"],
        owner_lists=["leads"],
        due=DUE,
        notify_before=timedelta(days=3),
        members=["bob", "carol"],
        member_lists=["night"],
        roles=["prod"],
    )
    owned = await connection.access_lists.get("oncall")
    assert owned is not None
    audit = owned.audit
    assert (audit.due, audit.opens) == (DUE, DUE - timedelta(days=3))
    assert (audit.title, audit.description, audit.roles) == ("On call", "Who is woken up", ("prod",))
    assert (audit.members, audit.member_lists) == (2, 1)
    assert owned.owners == (ListOwner("alice@example.com"), ListOwner("leads", is_list=True))
    [[listed]] = [page async for page in connection.access_lists.pages()]
    assert listed == owned


async def test_pages_of_a_hundred(cluster, connection):
    made = [cluster.access_lists.create(f"list-{number:03}", due=DUE) for number in range(205)]
    assert [len(page) async for page in connection.access_lists.pages()] == [100, 100, 5]
    assert await names(connection) == made


async def test_a_review_moves_the_date_on(cluster, connection):
    name = cluster.access_lists.create(due=datetime(2026, 8, 31, tzinfo=UTC), months=6, day_of_month=31)
    assert cluster.access_lists.review(name) == datetime(2027, 2, 28, tzinfo=UTC)
    owned = await connection.access_lists.get(name)
    assert owned is not None
    assert owned.audit.due == datetime(2027, 2, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "months", "day", "after"),
    [
        (datetime(2026, 11, 27, 13, 5), 1, 1, datetime(2026, 12, 1)),
        (datetime(2026, 12, 15), 1, 15, datetime(2027, 1, 15)),
        (datetime(2026, 12, 1), 12, 1, datetime(2027, 12, 1)),
        (datetime(2027, 11, 30), 3, 31, datetime(2028, 2, 29)),
        (datetime(2026, 3, 1), 0, 0, datetime(2026, 3, 1)),
    ],
)
def test_the_next_audit_date(before, months, day, after):
    assert next_audit_date(before.replace(tzinfo=UTC), months, day) == after.replace(tzinfo=UTC)


async def test_what_is_deleted_is_gone(cluster, connection):
    name = cluster.access_lists.create(due=DUE)
    cluster.access_lists.delete(name)
    assert await connection.access_lists.get(name) is None
    assert await names(connection) == []
    with pytest.raises(Refusal, match=f'access_list "{name}" doesn\'t exist'):
        cluster.access_lists.delete(name)
    with pytest.raises(NotFound, match="doesn't exist"):
        await connection.access_lists.owners(name)


async def test_static_lists_have_no_audits(cluster, connection):
    name = cluster.access_lists.create(due=DUE, type="static")
    assert await names(connection) == []
    with pytest.raises(Refusal, match="has no audits"):
        cluster.access_lists.review(name)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"owners": ()}, "owners are missing"),
        ({"months": 2}, "recurrence frequency is an invalid value: 2"),
        ({"day_of_month": 2}, "day of month is an invalid value: 2"),
        ({"name": "taken"}, 'access_list "taken" already exists'),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, words):
    lists = SandboxCluster(seed=1).access_lists
    lists.create("taken")
    with pytest.raises(Refusal, match=words):
        lists.create(**wrong)
    assert [each.header.metadata.name for each in lists.list()] == ["taken"]
    lists.create("taken", title="new", replace=True)
    assert [each.spec.title for each in lists.list()] == ["new"]


async def test_lists_that_own_lists_are_resolved_also_in_circles(cluster, connection):
    lists = cluster.access_lists
    lists.create("leads", members=["dave"], member_lists=["managers"])
    lists.create("managers", members=["erin", "alice@example.com"], member_lists=["leads"])
    lists.create("oncall", owners=["alice@example.com"], owner_lists=["leads", "leads", "nowhere"])
    assert await connection.access_lists.owners("oncall") == (
        ListOwner("alice@example.com"),
        ListOwner("dave"),
        ListOwner("erin"),
    )


async def test_a_community_cluster_has_none(tmp_path):
    async with (
        SandboxCluster(advanced_workflows=False) as cluster,
        await connected(cluster, tmp_path) as connection,
    ):
        cluster.access_lists.create()
        assert not await connection.access_lists.exist()
        with pytest.raises(Unsupported, match=r"unknown service teleport\.accesslist\.v1\.AccessListService"):
            await names(connection)
        assert await connection.access_list_data.read(OWNER) == {}


async def test_an_old_cluster_has_none_and_no_data_for_them(tmp_path):
    async with SandboxCluster(version="12.4.35") as cluster, await connected(cluster, tmp_path) as connection:
        assert not await connection.access_lists.exist()
        with pytest.raises(Rejected, match='unsupported resource kind "access_list"'):
            await connection.access_list_data.read(OWNER)


async def test_before_lists_owned_lists(tmp_path):
    async with SandboxCluster(version="15.5.4") as cluster, await connected(cluster, tmp_path) as connection:
        cluster.access_lists.create("oncall", members=["bob"])
        owned = await connection.access_lists.get("oncall")
        assert owned is not None
        assert (owned.audit.members, owned.audit.member_lists) == (None, None)
        with pytest.raises(Unsupported, match="unknown method GetAccessListOwners"):
            await connection.access_lists.owners("oncall")


async def test_without_permission(cluster, tmp_path):
    cluster.access_lists.create("oncall", due=DUE)
    async with await connected(cluster, tmp_path, permissions=MINIMAL) as connection:
        lists = connection.access_lists
        with pytest.raises(
            Denied, match=r'perform action "list" on "access_list", .*"read" on "access_list"'
        ):
            await lists.exist()
        for call in (lists.get("oncall"), lists.owners("oncall")):
            with pytest.raises(Denied, match='"read" on "access_list"'):
                await call


async def test_the_preset_role_may_read_lists(cluster, tmp_path):
    cluster.access_lists.create("oncall", due=DUE)
    async with await connected(cluster, tmp_path, roles=["access-plugin-preset"]) as connection:
        assert await names(connection) == ["oncall"]


async def test_faults_are_for_these_calls_too(cluster, connection):
    cluster.access_lists.create("oncall", due=DUE)
    for method in ("ListAccessLists", "GetAccessList", "GetAccessListOwners"):
        cluster.faults.on(method, lose_answer())
    for call in (
        names(connection),
        connection.access_lists.get("oncall"),
        connection.access_lists.owners("oncall"),
    ):
        with pytest.raises(Unreachable, match="the answer was lost"):
            await call
    cluster.faults.denied.add(LIST)
    with pytest.raises(Denied):
        await names(connection)
    cluster.faults.denied.clear()
    cluster.faults.unimplemented.add("GetAccessList")
    with pytest.raises(Unsupported):
        await connection.access_lists.get("oncall")
    assert await names(connection) == ["oncall"]


async def test_a_change_wakes_who_waits(cluster):
    lists = cluster.access_lists

    def reviewed() -> bool:
        message = lists.get("oncall")
        return message is not None and message.spec.audit.next_audit_date.ToDatetime(tzinfo=UTC) > DUE

    waiting = asyncio.create_task(cluster.wait_for(reviewed, timeout=10))
    lists.create("oncall", due=DUE)
    lists.review("oncall")
    await waiting


async def test_a_list_is_taken_as_it_is(cluster, connection):
    message = accesslist_pb2.AccessList()
    message.header.metadata.name = "bare"
    cluster.access_lists.put(message)
    assert await connection.access_lists.get("bare") is None
    assert [page async for page in connection.access_lists.pages()] == [[]]


# Plugin data ----------------------------------------------------------------------------------------


async def test_data_of_a_list_and_of_a_request_stay_apart(cluster, connection):
    request = await cluster.create()
    data, list_data = connection.plugin_data, connection.access_list_data
    await data.compare_and_swap(request.id, {"key": "of the request"}, {"key": ""})
    await list_data.compare_and_swap(request.id, {"key": "of the list"}, {"key": ""})
    assert await data.read(request.id) == {"key": "of the request"}
    assert await list_data.read(request.id) == {"key": "of the list"}
    assert await data.read_all() == {request.id: {"key": "of the request"}}
    assert await list_data.read_all() == {request.id: {"key": "of the list"}}
    assert cluster.plugin_data(request.id) == {"key": "of the request"}
    assert cluster.all_plugin_data(kind=LIST) == {request.id: {"key": "of the list"}}
    assert [write.kind for write in cluster.writes] == ["access_request", LIST]


async def test_data_needs_no_such_list_unless_the_switch_says_so(cluster, connection):
    data = connection.access_list_data
    await data.compare_and_swap(OWNER, {"key": "1"}, {"key": ""})
    with pytest.raises(Conflict, match=f"writing plugin data of access_list {OWNER}: expectations not met"):
        await data.compare_and_swap(OWNER, {"key": "2"}, {"key": ""})
    cluster.faults.only_for_lists = True
    with pytest.raises(NotFound, match=f'access_list "{OWNER}" doesn\'t exist'):
        await data.compare_and_swap(OWNER, {"key": "2"}, {"key": "1"})
    cluster.access_lists.create("oncall")
    await data.compare_and_swap("oncall", {"key": "1"}, {"key": ""})
    assert (cluster.plugin_data("oncall", kind=LIST), cluster.writes[-2].applied) == ({"key": "1"}, False)
    cluster.faults.clear()
    await data.compare_and_swap(OWNER, {"key": "2"}, {"key": "1"})


async def test_data_lives_for_two_weeks_after_each_write(tmp_path):
    clock = datetime(2026, 11, 27, tzinfo=UTC)
    second = timedelta(seconds=1)
    async with (
        SandboxCluster(now=lambda: clock) as cluster,
        await connected(cluster, tmp_path) as connection,
    ):
        data = connection.access_list_data
        await data.compare_and_swap(OWNER, {"key": "1"}, {})
        cluster.put_plugin_data("other", {"key": "1"}, kind=LIST)
        cluster.advance(TWO_WEEKS - second)
        await data.compare_and_swap(OWNER, {"key": "2"}, {"key": "1"})
        cluster.advance(second)
        assert await data.read_all() == {OWNER: {"key": "2"}}
        with pytest.raises(Conflict):
            await data.compare_and_swap(OWNER, {"key": "3"}, {"key": "1"})  # which prolongs nothing
        cluster.advance(TWO_WEEKS - 2 * second)
        assert await data.read(OWNER) == {"key": "2"}
        cluster.advance(second)
        assert await data.read(OWNER) == {}


@pytest.mark.parametrize(
    ("permissions", "reads", "writes"),
    [
        ({LIST: {"list", "read"}}, True, False),
        ({"access_plugin_data": {"list", "read"}}, True, False),
        ({"access_request": {"list", "read", "update"}}, False, False),
        ({LIST: {"read", "update"}}, False, True),
        ({"access_plugin_data": {"update"}}, False, True),
    ],
)
async def test_who_may_read_and_write_it(cluster, tmp_path, permissions, reads, writes):
    async with await connected(cluster, tmp_path, permissions=permissions) as connection:
        data = connection.access_list_data
        for call, allowed in (
            (data.read(OWNER), reads),
            (data.compare_and_swap(OWNER, {"key": "1"}, {}), writes),
        ):
            if allowed:
                await call
            else:
                with pytest.raises(Denied, match='on "access_plugin_data"'):
                    await call


async def test_an_unknown_kind_is_refused(cluster):
    with pytest.raises(Refusal, match='unsupported resource kind "node"') as refused:
        cluster.plugin_data("a", kind="node")
    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT

"""The embedded cluster as its clients see it: calls over a real connection, in Teleport's order of things."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from teleport_email.core.model import AccessList, AccessMonitoringRule, RequestState, ResourceID, User
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.refusal import Refusal
from teleport_email.teleport._proto import auth_pb2, types_pb2, users_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport._proto.users_pb2_grpc import UsersServiceStub

BOTH = ("access_request", "access_monitoring_rule")


def watch(channel, *kinds, partial=True):
    asked = auth_pb2.Watch(
        Kinds=[types_pb2.WatchKind(Kind=kind) for kind in kinds], AllowPartialSuccess=partial
    )
    return AuthServiceStub(channel).WatchEvents(asked)


def write(request_id, changes, expect=None, plugin="email"):
    return types_pb2.PluginDataUpdateParams(
        Kind="access_request", Resource=request_id, Plugin=plugin, Set=changes, Expect=expect or {}
    )


async def refused(call) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    return refusal.value.code(), refusal.value.details()


async def test_a_watcher_sees_what_happens_after_its_init_and_nothing_before(cluster, connect):
    before = await cluster.create(user="early")
    stream = watch(connect(cluster), *BOTH)
    assert (await stream.read()).Type == auth_pb2.INIT
    after = await cluster.create(user="late")
    await cluster.delete(before.id)
    put, gone = await stream.read(), await stream.read()
    assert put.AccessRequest.Metadata.Name == after.id
    assert (gone.Type, gone.ResourceHeader.Metadata.Name) == (auth_pb2.DELETE, before.id)
    stream.cancel()


async def test_only_the_kinds_granted_are_watched(cluster, connect):
    stream = watch(connect(cluster, permissions={"access_monitoring_rule": {"read"}}), *BOTH)
    init = await stream.read()
    assert [kind.Kind for kind in init.WatchStatus.Spec.Kinds] == ["access_monitoring_rule"]
    await cluster.create()
    cluster.put_rule(AccessMonitoringRule("rule"))
    assert (await stream.read()).AccessMonitoringRule.metadata.name == "rule"
    stream.cancel()


async def test_a_watch_without_any_permission_is_refused(cluster, connect):
    channel = connect(cluster, permissions={})
    code, _ = await refused(watch(channel, *BOTH).read())
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert cluster.watchers == 0


async def test_requests_expire_by_themselves_and_their_plugin_data_an_hour_after_the_access(connect):
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    async with SandboxCluster(now=lambda: clock[0]) as cluster:
        auth = AuthServiceStub(connect(cluster))
        request = await cluster.create(pending_for=timedelta(hours=1), access_for=timedelta(hours=4))
        await auth.UpdatePluginData(write(request.id, {"a": "1"}))
        clock[0] += timedelta(hours=1)
        assert not (await auth.ListAccessRequests(auth_pb2.ListAccessRequestsRequest())).AccessRequests

        await auth.UpdatePluginData(write(request.id, {"a": "2"}, {"a": "1"}))
        assert cluster.plugin_data(request.id) == {"a": "2"}
        clock[0] += timedelta(hours=4, microseconds=-1)
        asked = types_pb2.PluginDataFilter(Kind="access_request", Resource=request.id, Plugin="email")
        assert (await auth.GetPluginData(asked)).PluginData
        clock[0] += timedelta(microseconds=1)
        assert not (await auth.GetPluginData(asked)).PluginData
        code, _ = await refused(auth.UpdatePluginData(write(request.id, {"a": "3"})))
        assert code is grpc.StatusCode.NOT_FOUND


async def test_a_pending_request_expires_while_nobody_calls(cluster, connect):
    stream = watch(connect(cluster), "access_request")
    await stream.read()
    request = await cluster.create(pending_for=timedelta(milliseconds=50))
    assert (await stream.read()).AccessRequest.Metadata.Name == request.id
    gone = await asyncio.wait_for(stream.read(), 60)
    assert gone.ResourceHeader.Metadata.Name == request.id
    stream.cancel()


async def test_advancing_the_clock_expires_what_is_due(cluster):
    short = await cluster.create(pending_for=timedelta(hours=1))
    long = await cluster.create(pending_for=timedelta(hours=3))
    cluster.advance(timedelta(hours=2))
    assert [request.id for request in cluster.list()] == [long.id]
    assert cluster.get(short.id) is None


async def test_an_approval_lengthens_the_life_of_a_request_to_that_of_the_access(cluster):
    request = await cluster.create(pending_for=timedelta(hours=1), access_for=timedelta(hours=8))
    approved = await cluster.approve(request.id)
    assert approved.expires == approved.access_expires
    cluster.advance(timedelta(hours=2))
    assert cluster.get(request.id) is not None


async def test_promotion_names_the_access_list(cluster):
    request = await cluster.create()
    promoted = await cluster.promote(request.id, AccessList("dba-1", "Database people"), "for good")
    assert promoted.state is RequestState.PROMOTED
    assert promoted.access_list == AccessList("dba-1", "Database people")
    assert promoted.reviews[0].access_list == AccessList("dba-1", "Database people")


async def test_pages_follow_one_another_without_gap_or_overlap(cluster, connect):
    made = [(await cluster.create(user=f"user{number}")).id for number in range(25)]
    auth = AuthServiceStub(connect(cluster))
    seen, key, pages = [], "", 0
    while True:
        page = await auth.ListAccessRequests(auth_pb2.ListAccessRequestsRequest(Limit=10, StartKey=key))
        seen += [request.Metadata.Name for request in page.AccessRequests]
        pages += 1
        if not (key := page.NextKey):
            break
    assert (seen, pages) == (made, 3), "in order of creation"
    huge = auth_pb2.ListAccessRequestsRequest(Limit=16_001)
    assert (await refused(auth.ListAccessRequests(huge)))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_filters(cluster, connect):
    pending = await cluster.create(user="a", reason="Fix THE build")
    denied = await cluster.create(user="b")
    await cluster.deny(denied.id)
    auth = AuthServiceStub(connect(cluster))

    async def found(**filters):
        asked = auth_pb2.ListAccessRequestsRequest(Filter=types_pb2.AccessRequestFilter(**filters))
        return [one.Metadata.Name for one in (await auth.ListAccessRequests(asked)).AccessRequests]

    assert await found(State=types_pb2.DENIED) == [denied.id]
    assert await found(User="a") == [pending.id]
    assert await found(ID=denied.id) == [denied.id]
    assert await found(SearchKeywords=["the build"]) == [pending.id]
    assert await found(ID="none") == []


async def test_ten_thousand_requests_and_their_ledgers_come_in_one_go(cluster, connect):
    for number in range(10_000):
        request = await cluster.create(user=f"user{number}")
        cluster.put_plugin_data(request.id, {"ledger": "x" * 500})
    auth = AuthServiceStub(connect(cluster))
    async with asyncio.timeout(60):
        page = await auth.ListAccessRequests(auth_pb2.ListAccessRequestsRequest(Limit=10_000))
        data = await auth.GetPluginData(types_pb2.PluginDataFilter(Kind="access_request", Plugin="email"))
    assert (len(page.AccessRequests), len(data.PluginData)) == (10_000, 10_000)


async def test_writes_are_counted_and_kept_with_their_outcome(cluster, connect):
    request = await cluster.create()
    auth = AuthServiceStub(connect(cluster))
    await auth.UpdatePluginData(write(request.id, {"a": "1"}, {"a": ""}))
    await refused(auth.UpdatePluginData(write(request.id, {"a": "2"}, {"a": "other"})))
    assert [(one.set, one.expect, one.applied, one.user) for one in cluster.writes] == [
        ({"a": "1"}, {"a": ""}, True, "access-plugin"),
        ({"a": "2"}, {"a": "other"}, False, "access-plugin"),
    ]
    assert cluster.calls["UpdatePluginData"] == 2


async def test_plugin_data_of_another_kind_is_refused(cluster, connect):
    auth = AuthServiceStub(connect(cluster))
    asked = types_pb2.PluginDataUpdateParams(Kind="node", Resource="x", Plugin="email", Set={"a": "1"})
    assert await refused(auth.UpdatePluginData(asked)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        'unsupported resource kind "node"',
    )


async def test_roles_hold_from_the_next_call_on(cluster, connect):
    auth = AuthServiceStub(connect(cluster, roles=("plugin",)))
    listing = auth_pb2.ListAccessRequestsRequest()
    code, details = await refused(auth.ListAccessRequests(listing))
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert details.count("access denied to perform action") == 2
    cluster.put_role("plugin", {"access_request": {"list", "read"}})
    await auth.ListAccessRequests(listing)


async def test_users_by_the_old_call_and_by_the_new_one(cluster, connect):
    cluster.put_user(User("alice", ("dev",), {"email": ("alice@example.com",)}))
    channel = connect(cluster)
    old = await AuthServiceStub(channel).GetUser(auth_pb2.GetUserRequest(Name="alice"))
    new = await UsersServiceStub(channel).GetUser(users_pb2.GetUserRequest(name="alice"))
    assert old == new.user
    assert list(old.Spec.Traits.Values["email"].Values) == ["alice@example.com"]
    nobody = AuthServiceStub(channel).GetUser(auth_pb2.GetUserRequest(Name="nobody"))
    assert await refused(nobody) == (grpc.StatusCode.NOT_FOUND, 'user "nobody" not found')
    assert (cluster.calls["GetUser"], cluster.calls["UsersService/GetUser"]) == (2, 1)


async def test_resources_are_found_by_their_names(cluster, connect):
    cluster.put_node("uuid-1", "db-one")
    cluster.put_node('uu"id-2', "db-two")
    cluster.put_node("uuid-3", "db-three")
    auth = AuthServiceStub(connect(cluster))
    expression = r'resource.metadata.name == "uuid-1" || resource.metadata.name == "uu\"id-2"'
    asked = auth_pb2.ListResourcesRequest(ResourceType="node", Limit=10, PredicateExpression=expression)
    found = await auth.ListResources(asked)
    assert sorted(one.Node.Spec.Hostname for one in found.Resources) == ["db-one", "db-two"]


async def test_requested_resources_and_annotations_go_over_the_wire(cluster, connect):
    await cluster.create(
        roles=(),
        resources=[ResourceID("demo.example.com", "node", "uuid-1", "sub")],
        annotations={"team": ["blue", "green"]},
    )
    auth = AuthServiceStub(connect(cluster))
    [request] = (await auth.ListAccessRequests(auth_pb2.ListAccessRequestsRequest())).AccessRequests
    assert request.Spec.RequestedResourceIDs[0].SubResourceName == "sub"
    assert list(request.Spec.SystemAnnotations.Values["team"].Values) == ["blue", "green"]


async def test_what_makes_no_sense_is_refused(cluster):
    with pytest.raises(Refusal, match="at least one role or resource"):
        await cluster.create(roles=())
    with pytest.raises(Refusal, match="no access request matching"):
        await cluster.approve("unknown")
    with pytest.raises(Refusal, match="not found"):
        await cluster.delete("unknown")
    with pytest.raises(Refusal, match="doesn't exist"):
        cluster.delete_rule("unknown")


async def test_waiting_ends_when_the_condition_holds_or_the_time_is_over(cluster, connect):
    auth = AuthServiceStub(connect(cluster))
    waiting = asyncio.ensure_future(cluster.wait_for(lambda: cluster.calls["Ping"] == 2))
    await auth.Ping(auth_pb2.PingRequest())
    assert not waiting.done()
    await auth.Ping(auth_pb2.PingRequest())
    await asyncio.wait_for(waiting, 60)
    with pytest.raises(TimeoutError):
        await cluster.wait_for(lambda: False, timeout=0.01)


async def test_state_survives_an_outage_on_the_same_port(cluster, connect):
    request = await cluster.create()
    auth = AuthServiceStub(connect(cluster))
    await auth.UpdatePluginData(write(request.id, {"a": "1"}))
    addr = cluster.addr
    cluster.stop()
    assert (await refused(auth.Ping(auth_pb2.PingRequest())))[0] is grpc.StatusCode.UNAVAILABLE
    cluster.start()
    assert cluster.addr == addr
    await auth.Ping(auth_pb2.PingRequest(), wait_for_ready=True, timeout=60)
    assert cluster.plugin_data(request.id) == {"a": "1"}
    assert cluster.all_plugin_data() == {request.id: {"a": "1"}}


async def test_a_port_that_is_taken_is_an_error_at_once(cluster):
    with pytest.raises(OSError, match="in use"):
        async with SandboxCluster(port=cluster.port):
            pass


async def test_the_same_seed_makes_the_same_ids():
    def now():
        return datetime(2026, 1, 1, tzinfo=UTC)

    ids = []
    for _ in range(2):
        async with SandboxCluster(seed=5, now=now) as cluster:
            ids.append([(await cluster.create()).id for _ in range(3)])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3


async def test_a_written_identity_is_private_and_replaced_in_place(cluster, tmp_path):
    path = cluster.write_identity(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    inode, first = path.stat().st_ino, path.read_bytes()
    cluster.write_identity(tmp_path)
    assert path.stat().st_ino == inode
    assert path.read_bytes() != first

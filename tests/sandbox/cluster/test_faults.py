"""Each fault does what it says, to the calls it is meant for, and no longer than asked."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import grpc
import pytest

from teleport_email.sandbox.cluster import faults
from teleport_email.sandbox.cluster.faults import Faults
from teleport_email.sandbox.cluster.refusal import Refusal
from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport._proto.rules_pb2 import (
    ListAccessMonitoringRulesRequest,
    ListAccessMonitoringRulesWithFilterRequest,
)
from teleport_email.teleport._proto.rules_pb2_grpc import AccessMonitoringRulesServiceStub
from teleport_email.teleport._proto.users_pb2 import GetUserRequest
from teleport_email.teleport._proto.users_pb2_grpc import UsersServiceStub

PING = auth_pb2.PingRequest()
LIST = auth_pb2.ListAccessRequestsRequest()
WATCH = auth_pb2.Watch(Kinds=[types_pb2.WatchKind(Kind="access_request")])


@pytest.fixture
def auth(cluster, connect) -> AuthServiceStub:
    return AuthServiceStub(connect(cluster))


def write(request_id: str, value: str) -> types_pb2.PluginDataUpdateParams:
    return types_pb2.PluginDataUpdateParams(
        Kind="access_request", Resource=request_id, Plugin="email", Set={"a": value}
    )


async def code_of(call) -> grpc.StatusCode | None:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return None


async def ids(auth: AuthServiceStub) -> list[str]:
    return [one.Metadata.Name for one in (await auth.ListAccessRequests(LIST)).AccessRequests]


# Calls ----------------------------------------------------------------------------------------------


async def test_a_script_is_taken_in_order_and_then_all_is_well(cluster, auth):
    cluster.faults.on("Ping", faults.fail(grpc.StatusCode.INTERNAL), times=2)
    cluster.faults.on("Ping", faults.fail(grpc.StatusCode.ABORTED))
    codes = [await code_of(auth.Ping(PING)) for _ in range(4)]
    assert codes == [grpc.StatusCode.INTERNAL, grpc.StatusCode.INTERNAL, grpc.StatusCode.ABORTED, None]
    assert cluster.calls["Ping"] == 4


async def test_a_standing_fault_stays_until_it_is_cleared(cluster, auth):
    cluster.faults.on("Ping", faults.fail(), times=None)
    assert {await code_of(auth.Ping(PING)) for _ in range(5)} == {grpc.StatusCode.UNAVAILABLE}
    assert await code_of(auth.ListAccessRequests(LIST)) is None
    cluster.faults.clear()
    assert await code_of(auth.Ping(PING)) is None


async def test_an_answer_lost_is_a_write_done(cluster, auth):
    request = await cluster.create()
    cluster.faults.on("UpdatePluginData", faults.lose_answer())
    assert await code_of(auth.UpdatePluginData(write(request.id, "1"))) is grpc.StatusCode.UNAVAILABLE
    assert cluster.plugin_data(request.id) == {"a": "1"}


@pytest.mark.parametrize("carried_out", [True, False])
async def test_a_call_that_hangs_runs_into_its_deadline(cluster, auth, carried_out):
    request = await cluster.create()
    cluster.faults.on("UpdatePluginData", faults.hang(carried_out=carried_out))
    code = await code_of(auth.UpdatePluginData(write(request.id, "1"), timeout=0.2))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert cluster.plugin_data(request.id) == ({"a": "1"} if carried_out else {})


async def test_a_late_write_lands_after_the_caller_was_told_otherwise(cluster, auth):
    request = await cluster.create()
    cluster.faults.on("UpdatePluginData", faults.late(0.05))
    assert await code_of(auth.UpdatePluginData(write(request.id, "1"))) is grpc.StatusCode.UNAVAILABLE
    assert cluster.plugin_data(request.id) == {}
    await cluster.wait_for(lambda: cluster.plugin_data(request.id) == {"a": "1"}, timeout=60)


async def test_a_conflict_changes_nothing(cluster, auth):
    request = await cluster.create()
    cluster.faults.on("UpdatePluginData", faults.conflict(), times=None)
    for _ in range(3):
        code = await code_of(auth.UpdatePluginData(write(request.id, "1")))
        assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert (cluster.plugin_data(request.id), cluster.writes) == ({}, [])


async def test_a_delayed_call_is_answered_in_the_end(cluster, auth):
    cluster.faults.on("Ping", faults.delay(0.1))
    assert await code_of(auth.Ping(PING, timeout=0.01)) is grpc.StatusCode.DEADLINE_EXCEEDED
    cluster.faults.on("Ping", faults.delay(0.05))
    assert await code_of(auth.Ping(PING, timeout=60)) is None


async def test_streams_can_be_refused_and_slow_too(cluster, auth):
    cluster.faults.on("WatchEvents", faults.fail(grpc.StatusCode.RESOURCE_EXHAUSTED))
    assert await code_of(auth.WatchEvents(WATCH).read()) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert cluster.watchers == 0
    cluster.faults.on("WatchEvents", faults.hang(carried_out=False))
    assert await code_of(auth.WatchEvents(WATCH, timeout=0.1).read()) is grpc.StatusCode.DEADLINE_EXCEEDED
    cluster.faults.on("GetAccessRequestsV2", faults.delay(0.01))
    assert await auth.GetAccessRequestsV2(types_pb2.AccessRequestFilter()).read() is grpc.aio.EOF


async def test_any_function_can_be_a_fault(cluster, auth):
    request = await cluster.create()

    async def other_writer_first(asked, carry_out):
        cluster.put_plugin_data(asked.Resource, {"a": "theirs"})
        return carry_out()

    cluster.faults.on("UpdatePluginData", other_writer_first)
    asked = write(request.id, "ours")
    asked.Expect["a"] = ""
    assert await code_of(auth.UpdatePluginData(asked)) is grpc.StatusCode.FAILED_PRECONDITION
    assert cluster.plugin_data(request.id) == {"a": "theirs"}


def nothing_ends(_code: object) -> None:
    raise AssertionError


async def test_chance_follows_the_seed():
    async def outcomes(seed: int) -> str:
        some = Faults(rng=random.Random(seed), _end_streams=nothing_ends)
        some.randomly("Ping", 0.5, faults.fail())
        story = ""
        for _ in range(40):
            try:
                await some.next_action("Ping")(None, bytes)
                story += "."
            except Refusal:
                story += "x"
        return story

    first = await outcomes(1)
    assert first == await outcomes(1) != await outcomes(2)
    assert 5 < first.count("x") < 35


# Kinds of server ------------------------------------------------------------------------------------


async def test_an_old_server(cluster, connect):
    channel = connect(cluster)
    auth, rules = AuthServiceStub(channel), AccessMonitoringRulesServiceStub(channel)
    cluster.faults.be_old()
    stream = auth.WatchEvents(WATCH)
    init = await stream.read()
    assert init.Type == auth_pb2.INIT
    assert not init.HasField("WatchStatus")
    stream.cancel()
    for call in (
        auth.ListAccessRequests(LIST),
        UsersServiceStub(channel).GetUser(GetUserRequest(name="x")),
        rules.ListAccessMonitoringRulesWithFilter(ListAccessMonitoringRulesWithFilterRequest()),
    ):
        assert await code_of(call) is grpc.StatusCode.UNIMPLEMENTED
    await rules.ListAccessMonitoringRules(ListAccessMonitoringRulesRequest())
    request = await cluster.create()
    found = [one.Metadata.Name async for one in auth.GetAccessRequestsV2(types_pb2.AccessRequestFilter())]
    assert found == [request.id]
    assert cluster.calls["ListAccessRequests"] == 1, "calls that were refused count too"


async def test_a_server_without_paged_lists_and_without_streamed_ones(cluster, auth):
    cluster.faults.unimplemented = {"ListAccessRequests", "GetAccessRequestsV2"}
    stream = auth.GetAccessRequestsV2(types_pb2.AccessRequestFilter())
    assert await code_of(stream.read()) is grpc.StatusCode.UNIMPLEMENTED


async def test_a_new_server(cluster, auth):
    cluster.faults.be_new()
    code = await code_of(auth.GetUser(auth_pb2.GetUserRequest(Name="x")))
    assert code is grpc.StatusCode.UNIMPLEMENTED


async def test_denied_kinds(cluster, auth):
    cluster.faults.denied = {"access_monitoring_rule"}
    kinds = [types_pb2.WatchKind(Kind=kind) for kind in ("access_request", "access_monitoring_rule")]
    stream = auth.WatchEvents(auth_pb2.Watch(Kinds=kinds, AllowPartialSuccess=True))
    init = await stream.read()
    assert [kind.Kind for kind in init.WatchStatus.Spec.Kinds] == ["access_request"]
    stream.cancel()
    cluster.faults.denied.add("access_request")
    assert await code_of(auth.ListAccessRequests(LIST)) is grpc.StatusCode.PERMISSION_DENIED


async def test_unreachable_and_reachable_again(cluster, auth):
    await auth.Ping(PING)
    cluster.faults.unreachable = True
    assert await code_of(auth.Ping(PING)) is grpc.StatusCode.UNAVAILABLE
    cluster.faults.clear()
    assert not cluster.faults.unreachable
    await auth.Ping(PING, wait_for_ready=True, timeout=60)


# Lists ----------------------------------------------------------------------------------------------


async def test_lists_lag_by_changes_or_by_age(cluster, auth):
    first = await cluster.create()
    cluster.advance(timedelta(seconds=10))
    second = await cluster.create()
    assert await ids(auth) == [first.id, second.id]
    cluster.faults.lists.changes = 1
    assert await ids(auth) == [first.id]
    cluster.faults.lists.changes = 0
    cluster.faults.lists.age = timedelta(seconds=5)
    assert await ids(auth) == [first.id]
    cluster.advance(timedelta(seconds=5))
    assert await ids(auth) == [first.id, second.id]


# Events ---------------------------------------------------------------------------------------------


@pytest.fixture
async def stream(cluster, auth):
    opened = auth.WatchEvents(WATCH)
    await opened.read()
    yield opened
    opened.cancel()


async def users(stream, count: int) -> list[str]:
    async with asyncio.timeout(60):
        return [(await stream.read()).AccessRequest.Spec.User for _ in range(count)]


async def make(cluster, names: str) -> None:
    for name in names:
        await cluster.create(user=name)


async def test_events_dropped_and_doubled(cluster, stream):
    cluster.faults.events.drop = 2
    cluster.faults.events.double = 1
    await make(cluster, "abcd")
    assert await users(stream, 3) == ["c", "c", "d"]


async def test_events_in_reverse_order(cluster, stream):
    cluster.faults.events.reverse = 3
    await make(cluster, "abcdef")
    assert await users(stream, 6) == ["c", "b", "a", "f", "e", "d"]


async def test_what_is_held_back_comes_with_the_next_event_once_all_is_well(cluster, stream):
    cluster.faults.events.reverse = 5
    await make(cluster, "ab")
    cluster.faults.clear()
    await make(cluster, "c")
    assert await users(stream, 3) == ["a", "b", "c"]


async def test_delayed_events_overtake_one_another_but_all_arrive(cluster, stream):
    cluster.faults.events.delay = (0.0, 0.1)
    names = "abcdefghijklmnop"
    await make(cluster, names)
    arrived = await users(stream, len(names))
    assert sorted(arrived) == list(names)
    assert arrived != list(names), "with this seed"


async def test_streams_end_when_told_and_after_so_many_events(cluster, auth, stream):
    await make(cluster, "a")
    cluster.faults.end_streams()
    assert await users(stream, 1) == ["a"]
    assert await stream.read() is grpc.aio.EOF
    again = auth.WatchEvents(WATCH)
    await again.read()
    cluster.faults.events.end_streams_every = 2
    await make(cluster, "bcd")
    # One event has passed before: the second, the fourth ... end the streams.
    assert (await users(again, 1)) == ["b"]
    assert await again.read() is grpc.aio.EOF
    await cluster.wait_for(lambda: cluster.watchers == 0)


async def test_streams_can_end_with_a_status(cluster, stream):
    cluster.faults.end_streams(grpc.StatusCode.UNAVAILABLE)
    assert await code_of(stream.read()) is grpc.StatusCode.UNAVAILABLE


async def test_events_by_chance(cluster, stream):
    cluster.faults.events.drop_chance = 0.3
    cluster.faults.events.double_chance = 0.3
    names = [f"user{number}" for number in range(100)]
    for name in names:
        await cluster.create(user=name)
    cluster.faults.clear()
    await cluster.create(user="end")
    arrived: list[str] = []
    async with asyncio.timeout(60):
        while (user := (await stream.read()).AccessRequest.Spec.User) != "end":
            arrived.append(user)
    assert 50 < len(set(arrived)) < 95
    assert len(arrived) > len(set(arrived))
    assert arrived == sorted(arrived, key=names.index)

"""Calls: deadlines, the bound on what is in flight, cancellation, and what errors become."""

import asyncio
from contextlib import aclosing

import grpc
import pytest

from teleport_email.core.errors import Denied, Rejected, Unreachable
from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport.calls.call import Caller, TolerantChannel

PING = auth_pb2.PingRequest()


@pytest.fixture
def auth(channel):
    return AuthServiceStub(TolerantChannel(channel))


@pytest.fixture
def caller():
    return Caller(lambda: None)


async def test_answers(raw, auth, caller):
    raw.answer("Ping", auth_pb2.PingResponse(ClusterName="demo"))
    answer = await caller.unary(auth.Ping, PING, doing="pinging", timeout=60)
    assert answer.ClusterName == "demo"


async def test_the_servers_words_arrive(raw, auth, caller):
    raw.refuse("Ping", grpc.StatusCode.PERMISSION_DENIED, "access denied to you")
    with pytest.raises(Denied, match=r"^pinging: access denied to you$"):
        await caller.unary(auth.Ping, PING, doing="pinging", timeout=60)


async def test_no_answer_in_time(raw, auth, caller):
    async def never(request):
        await asyncio.Event().wait()
        yield b""

    raw.handle("Ping", never)
    with pytest.raises(Unreachable, match="pinging: no answer in time"):
        await caller.unary(auth.Ping, PING, doing="pinging", timeout=0.1)


async def test_a_server_that_cancels_does_not_cancel_us(raw, auth, caller):
    raw.refuse("Ping", grpc.StatusCode.CANCELLED, "go away")
    with pytest.raises(Unreachable, match="pinging: go away"):
        await caller.unary(auth.Ping, PING, doing="pinging", timeout=60)


async def test_cancelling_the_task_cancels_the_call(raw, auth, caller):
    began, ended = asyncio.Event(), asyncio.Event()

    async def slow(request):
        began.set()
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            ended.set()

    raw.handle("Ping", slow)
    task = asyncio.create_task(caller.unary(auth.Ping, PING, doing="pinging", timeout=30))
    await asyncio.wait_for(began.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(ended.wait(), 60)


async def test_closing_the_channel_ends_calls_as_unreachable(raw, auth, caller, channel):
    """grpcio raises CancelledError for this, which would silently end the task that made the call."""
    began = asyncio.Event()

    async def slow(request):
        began.set()
        await asyncio.Event().wait()
        yield b""

    raw.handle("Ping", slow)
    task = asyncio.create_task(caller.unary(auth.Ping, PING, doing="pinging", timeout=30))
    await asyncio.wait_for(began.wait(), 60)
    await channel.close()
    with pytest.raises(Unreachable):
        await task
    with pytest.raises(Unreachable):
        await caller.unary(auth.Ping, PING, doing="pinging", timeout=60)


async def test_the_relays_own_reason_is_told(raw, auth):
    fault = OSError("no route to host")
    caller = Caller(lambda: fault)
    raw.refuse("Ping", grpc.StatusCode.UNAVAILABLE, "connection reset by peer")
    with pytest.raises(Unreachable, match="pinging: no route to host") as caught:
        await caller.unary(auth.Ping, PING, doing="pinging", timeout=60)
    assert caught.value.__cause__ is fault
    raw.refuse("Ping", grpc.StatusCode.PERMISSION_DENIED, "an answer came all the same")
    with pytest.raises(Denied, match="an answer came"):
        await caller.unary(auth.Ping, PING, doing="pinging", timeout=60)


async def test_calls_at_once_are_bounded_and_all_are_made(raw, auth):
    caller = Caller(lambda: None, at_once=7)
    release = asyncio.Event()
    full = asyncio.Event()

    async def slow(request):
        if raw.open == 7:
            full.set()
        await release.wait()
        yield auth_pb2.PingResponse(ClusterName="demo").SerializeToString()

    raw.handle("Ping", slow)
    async with asyncio.TaskGroup() as tasks:
        calls = [
            tasks.create_task(caller.unary(auth.Ping, PING, doing="pinging", timeout=30)) for _ in range(40)
        ]
        await asyncio.wait_for(full.wait(), 60)
        release.set()
    assert [call.result().ClusterName for call in calls] == ["demo"] * 40
    assert raw.most_open == 7


async def test_waiting_for_a_place_counts_as_time_but_urgent_calls_do_not_wait(raw, auth):
    caller = Caller(lambda: None, at_once=1)
    began = asyncio.Event()

    async def slow(request):
        began.set()
        await asyncio.Event().wait()
        yield b""

    raw.handle("GetUser", slow)
    raw.answer("Ping", auth_pb2.PingResponse(ClusterName="demo"))
    blocking = asyncio.create_task(
        caller.unary(auth.GetUser, auth_pb2.GetUserRequest(Name="x"), doing="reading", timeout=30)
    )
    await asyncio.wait_for(began.wait(), 60)
    with pytest.raises(Unreachable, match="too many calls at once"):
        await caller.unary(auth.Ping, PING, doing="pinging", timeout=0.05)
    answer = await caller.unary(auth.Ping, PING, doing="pinging", timeout=60, urgent=True)
    assert answer.ClusterName == "demo"
    blocking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await blocking
    assert (await caller.unary(auth.Ping, PING, doing="pinging", timeout=60)).ClusterName == "demo"


async def test_bytes_that_are_no_message(raw, auth, caller):
    raw.answer("Ping", b"\x0a\xff")
    with pytest.raises(Rejected, match="pinging: the answer cannot be understood"):
        await caller.unary(auth.Ping, PING, doing="pinging", timeout=60)


async def test_a_text_that_is_not_utf8(raw, auth, caller):
    raw.answer("Ping", b"\x0a\x03a\xffb")
    answer = await caller.unary(auth.Ping, PING, doing="pinging", timeout=60)
    assert answer.ClusterName == "a\ufffdb"


async def test_all_answers_of_a_stream(raw, auth, caller):
    answers = [types_pb2.AccessRequestV3(Kind=str(number)) for number in range(3)]
    raw.answer("GetAccessRequestsV2", *answers)
    found = await caller.all(
        auth.GetAccessRequestsV2, types_pb2.AccessRequestFilter(), doing="listing", timeout=60
    )
    assert found == answers
    raw.answer("GetAccessRequestsV2", *answers, refusal=(grpc.StatusCode.UNAVAILABLE, "cache reset"))
    with pytest.raises(Unreachable, match="listing: cache reset"):
        await caller.all(
            auth.GetAccessRequestsV2, types_pb2.AccessRequestFilter(), doing="listing", timeout=60
        )


async def test_a_stream_passes_over_what_it_cannot_decode_and_ends_with_the_servers(raw, auth, caller):
    good = auth_pb2.Event(Type=auth_pb2.PUT)
    raw.answer("WatchEvents", good, b"\x72\xff", good)
    async with aclosing(caller.stream(auth.WatchEvents, auth_pb2.Watch(), doing="watching")) as stream:
        assert [event async for event in stream] == [good, good]


async def test_closing_a_stream_ends_the_call_at_the_server(raw, auth, caller):
    ended = asyncio.Event()

    async def forever(request):
        try:
            yield auth_pb2.Event().SerializeToString()
            await asyncio.Event().wait()
        finally:
            ended.set()

    raw.handle("WatchEvents", forever)
    async with aclosing(caller.stream(auth.WatchEvents, auth_pb2.Watch(), doing="watching")) as stream:
        assert await anext(stream) == auth_pb2.Event()
        assert not ended.is_set()
    await asyncio.wait_for(ended.wait(), 60)

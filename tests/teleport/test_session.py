"""Sessions and connections, over the real relay and dialer, against a gRPC server behind mutual TLS."""

import asyncio
import gc
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from teleport_email.config.settings import TeleportSettings
from teleport_email.core.errors import (
    Denied,
    IdentityError,
    IdentityExpired,
    IdentityNotYetValid,
    Unreachable,
)
from teleport_email.core.model import ClusterInfo, RequestState
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.front.ca import Authorities
from teleport_email.teleport import session as session_module
from teleport_email.teleport._proto import auth_pb2
from teleport_email.teleport.calls.events import RequestGone, RequestPut, WatchStarted
from teleport_email.teleport.connect.credentials import load
from teleport_email.teleport.session import Session

KINDS = ("access_request", "access_monitoring_rule")


def now() -> datetime:
    return datetime.now(UTC)


def session(settings: TeleportSettings, **options) -> Session:
    return Session(settings, "email", environ={}, now=now, **({"clock_set": lambda: True} | options))


async def never(request):
    await asyncio.Event().wait()
    yield b""


async def test_connect_tells_who_and_where_we_are(raw_auth):
    async with await session(raw_auth.settings).connect() as connection:
        assert connection.cluster == ClusterInfo(
            "demo.example.com", "17.0.0", "proxy.example.com:443", advanced_access_workflows=True
        )
        assert (connection.identity.user, connection.identity.cluster) == (
            "access-plugin",
            "demo.example.com",
        )
        assert connection.way == "TLS"


async def test_a_ping_renews_what_is_known_of_the_cluster(raw, raw_auth):
    async with await session(raw_auth.settings).connect() as connection:
        raw.answer("Ping", auth_pb2.PingResponse(ClusterName="demo.example.com", ServerVersion="18.0.0"))
        assert (await connection.ping()).server_version == "18.0.0"
        assert connection.cluster.server_version == "18.0.0"


async def test_an_answer_larger_than_grpcs_own_limit(raw, raw_auth):
    seq = auth_pb2.PluginDataSeq()
    for number in range(600):
        item = seq.PluginData.add()
        item.Metadata.Name = f"request-{number}"
        item.Spec.Entries["email"].Data["ledger"] = "x" * 10_000
    assert seq.ByteSize() > 4 * 1024 * 1024
    raw.answer("GetPluginData", seq)
    async with await session(raw_auth.settings).connect() as connection:
        assert len(await connection.plugin_data.read_all()) == 600


# What can be wrong with a connection ----------------------------------------------------------------


async def test_nobody_listens(raw_auth):
    await raw_auth.stop()
    with pytest.raises(Unreachable, match=f"127.0.0.1:{raw_auth.port}"):
        await session(raw_auth.settings).connect()


async def test_no_identity_and_an_expired_one(raw_auth):
    (raw_auth.directory / "identity").unlink()
    with pytest.raises(IdentityError, match=r"/identity"):
        await session(raw_auth.settings).connect()
    raw_auth.write_identity(since=timedelta(hours=2), valid=-timedelta(hours=1))
    with pytest.raises(IdentityExpired, match="expired at"):
        await session(raw_auth.settings).connect()
    with pytest.raises(IdentityNotYetValid, match="nothing has set it"):
        await session(raw_auth.settings, clock_set=lambda: False).connect()


async def test_a_certificate_that_the_cluster_refuses(raw_auth, tmp_path):
    """With TLS 1.3 the refusal comes after the handshake: gRPC would say that a connection was reset."""
    async with SandboxCluster() as cluster:
        settings = TeleportSettings(addr=cluster.addr, identity=cluster.write_identity(tmp_path))
        trusted = load(settings).ca_pem
        raw_auth.write_identity(authorities=Authorities("demo.example.com", now()), more_authorities=trusted)
        with pytest.raises(
            IdentityError, match=r"does not accept the certificate of access-plugin \(unknown ca"
        ):
            await session(settings).connect()


async def test_a_cluster_that_does_not_answer(raw, raw_auth):
    raw.handle("Ping", never)
    with pytest.raises(Unreachable, match="no answer in time"):
        await session(raw_auth.settings, ping_deadline=0.2).connect()


async def test_a_ping_that_is_refused(raw, raw_auth):
    raw.refuse("Ping", grpc.StatusCode.PERMISSION_DENIED, "user is locked")
    with pytest.raises(Denied, match="user is locked"):
        await session(raw_auth.settings).connect()


async def test_cancelling_connect_leaves_nothing(raw, raw_auth):
    began = asyncio.Event()

    async def slow(request):
        began.set()
        await asyncio.Event().wait()
        yield b""

    raw.handle("Ping", slow)
    tasks = asyncio.all_tasks()
    connecting = asyncio.create_task(session(raw_auth.settings).connect())
    await asyncio.wait_for(began.wait(), 60)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    async with asyncio.timeout(60):
        while raw.open:
            await asyncio.sleep(0.01)
    assert {task.get_name() for task in asyncio.all_tasks() - tasks if "relay" in task.get_name()} == set()


async def test_the_server_goes_away(raw, raw_auth):
    async with await session(raw_auth.settings).connect() as connection:
        raw.handle("WatchEvents", never)
        watching = asyncio.create_task(anext(connection.watch(KINDS)))
        async with asyncio.timeout(60):
            while not raw.open:
                await asyncio.sleep(0.01)
        await raw_auth.stop()
        with pytest.raises(Unreachable, match="watching the cluster's events: "):
            await watching
        with pytest.raises(Unreachable, match="sign of life: ") as caught:
            await connection.ping()
        assert "unix:" not in str(caught.value)
        assert "No such file" not in str(caught.value)


async def test_after_close_calls_end_as_unreachable(raw, raw_auth):
    connection = await session(raw_auth.settings).connect()
    raw.handle("ListAccessRequests", never)
    listing = asyncio.create_task(connection.requests.list())
    async with asyncio.timeout(60):
        while not raw.open:
            await asyncio.sleep(0.01)
    await connection.close()
    with pytest.raises(Unreachable):
        await listing
    with pytest.raises(Unreachable):
        await connection.ping()
    await connection.close()


# Keeping alive and renewing -------------------------------------------------------------------------


async def test_keep_alive_pings_until_there_is_no_answer(raw, raw_auth):
    answers = 0
    answer = raw.handlers["/proto.AuthService/Ping"]

    async def four_answers(request):
        nonlocal answers
        answers += 1
        async for message in answer(request) if answers <= 4 else never(request):
            yield message

    raw.handle("Ping", four_answers)
    async with await session(
        raw_auth.settings, ping_interval=0.02, ping_deadline=0.5
    ).connect() as connection:
        with pytest.raises(Unreachable, match="no answer in time"):
            async with asyncio.timeout(60):
                await connection.keep_alive()
    assert answers == 5  # one by connect


async def test_renewal_is_due_only_for_a_new_identity_and_near_the_end(raw_auth):
    end = raw_auth.write_identity(since=timedelta(minutes=1), valid=timedelta(minutes=59))
    async with await session(raw_auth.settings).connect() as connection:
        assert not connection.renew_due(end - timedelta(seconds=1))  # the same file
        raw_auth.write_identity(valid=timedelta(hours=2))
        assert not connection.renew_due(end - timedelta(minutes=21))
        assert connection.renew_due(end - timedelta(minutes=19, seconds=59))
        assert connection.renew_due(end + timedelta(minutes=1))


async def test_the_last_five_minutes_of_a_short_life(raw_auth):
    end = raw_auth.write_identity(since=timedelta(), valid=timedelta(minutes=9))
    async with await session(raw_auth.settings).connect() as connection:
        raw_auth.write_identity(valid=timedelta(minutes=20))
        assert not connection.renew_due(end - timedelta(minutes=5, seconds=1))
        assert connection.renew_due(end - timedelta(minutes=4, seconds=59))


async def test_new_authorities_are_reason_enough(raw_auth):
    async with await session(raw_auth.settings).connect() as connection:
        more = Authorities("demo.example.com", now()).host.pem
        raw_auth.write_identity(more_authorities=more)
        assert connection.renew_due(now())


async def test_a_file_that_cannot_be_used_changes_nothing(raw_auth):
    end = raw_auth.write_identity()
    path = raw_auth.directory / "identity"
    near = end - timedelta(minutes=1)
    async with await session(raw_auth.settings).connect() as connection:
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        assert not connection.renew_due(near)
        path.unlink()
        assert not connection.renew_due(near)
        raw_auth.write_identity(valid=timedelta(minutes=30))  # ends before the one in use
        assert not connection.renew_due(end - timedelta(minutes=35))
        raw_auth.write_identity(since=timedelta(hours=3), valid=-timedelta(hours=1))
        assert not connection.renew_due(near)


async def test_each_connection_reads_the_identity_afresh(raw_auth):
    one = session(raw_auth.settings)
    async with await one.connect() as first:
        raw_auth.write_identity(user="bot-plugin")
        async with await one.connect() as second:
            assert (first.identity.user, second.identity.user) == ("access-plugin", "bot-plugin")
            await first.ping()
            await second.ping()
        await first.ping()  # the old one stays until it is closed itself


# Watching -------------------------------------------------------------------------------------------


async def test_a_stream_that_does_not_begin(raw, raw_auth, monkeypatch):
    monkeypatch.setattr(session_module, "INIT_DEADLINE", 0.1)
    raw.handle("WatchEvents", never)
    async with await session(raw_auth.settings).connect() as connection:
        with pytest.raises(Unreachable, match="did not begin in time"):
            await anext(connection.watch(KINDS))
        raw.answer("WatchEvents", auth_pb2.Event(Type=auth_pb2.PUT))
        with pytest.raises(Unreachable, match="did not begin as it should"):
            await anext(connection.watch(KINDS))
        raw.answer("WatchEvents")
        with pytest.raises(Unreachable, match="did not begin as it should"):
            await anext(connection.watch(KINDS))


async def test_a_stream_that_the_server_ends(raw, raw_auth):
    raw.answer("WatchEvents", auth_pb2.Event())
    async with await session(raw_auth.settings).connect() as connection:
        events = connection.watch(KINDS)
        assert await anext(events) == WatchStarted(None)
        with pytest.raises(Unreachable, match="the cluster ended the stream"):
            await anext(events)


async def test_no_kind_is_permitted(raw, raw_auth, recorded):
    raw.replay(recorded("watch: kind not permitted, no partial success"))
    async with await session(raw_auth.settings).connect() as connection:
        with pytest.raises(Denied, match='"read" on "access_monitoring_rule"'):
            await anext(connection.watch(KINDS))


async def test_a_long_silence_after_the_beginning_is_no_fault(raw, raw_auth, monkeypatch):
    monkeypatch.setattr(session_module, "INIT_DEADLINE", 0.05)
    go_on = asyncio.Event()

    async def later(request):
        yield auth_pb2.Event().SerializeToString()
        await go_on.wait()
        event = auth_pb2.Event(Type=auth_pb2.PUT)
        event.AccessRequest.Metadata.Name = "request"
        yield event.SerializeToString()

    raw.handle("WatchEvents", later)
    async with await session(raw_auth.settings).connect() as connection:
        events = connection.watch(KINDS)
        await anext(events)
        asyncio.get_running_loop().call_later(0.2, go_on.set)
        put = await asyncio.wait_for(anext(events), 60)
        assert isinstance(put, RequestPut)
        await events.aclose()


# Against the embedded cluster -----------------------------------------------------------------------


async def test_a_requests_life_on_the_embedded_cluster(tmp_path):
    async with SandboxCluster() as cluster:
        settings = TeleportSettings(addr=cluster.addr, identity=cluster.write_identity(tmp_path))
        async with (
            await session(settings).connect() as connection,
            aclosing(connection.watch(KINDS)) as events,
        ):
            assert await anext(events) == WatchStarted(frozenset(KINDS))
            made = await cluster.create(user="myuser@example.com", roles=["editor"], reason="Fix it")
            put = await asyncio.wait_for(anext(events), 60)
            assert isinstance(put, RequestPut)
            assert put.request == made

            await connection.plugin_data.compare_and_swap(made.id, {"ledger": "x"}, {"ledger": ""})
            assert await connection.plugin_data.read(made.id) == {"ledger": "x"}
            assert await connection.plugin_data.read_all() == {made.id: {"ledger": "x"}}

            await cluster.deny(made.id, reason="no")
            denied = await asyncio.wait_for(anext(events), 60)
            assert isinstance(denied, RequestPut)
            assert (denied.request.state, denied.request.resolve_reason) == (RequestState.DENIED, "no")
            assert [request.state for request in await connection.requests.list()] == [RequestState.DENIED]

            await cluster.delete(made.id)
            while not isinstance(event := await asyncio.wait_for(anext(events), 60), RequestGone):
                pass
            assert event.id == made.id


async def test_many_connections_leave_nothing_behind(raw_auth):
    """Descriptors, tasks and sockets' directories: as many after fifty connections as after five."""
    one = session(raw_auth.settings)

    async def connect(times: int) -> tuple[int, set[str]]:
        for _ in range(times):
            async with await one.connect() as connection:
                await connection.ping()
        gc.collect()
        return sum(1 for _ in Path("/proc/self/fd").iterdir()), {
            task.get_name() for task in asyncio.all_tasks()
        }

    descriptors, tasks = await connect(5)
    after, tasks_after = await connect(50)
    assert after <= descriptors + 3
    assert not any("relay" in name for name in tasks | tasks_after)
    assert len(tasks_after) <= len(tasks) + 2

"""The door: who is let in, and how connections end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.front.ca import SERVER_NAME
from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub


def client_context(tmp_path, credentials, *, alpn=("h2",), certificate=True):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=credentials.authorities.decode())
    context.set_alpn_protocols(list(alpn))
    if certificate:
        path = tmp_path / "client.pem"
        path.write_bytes(credentials.key + credentials.certificate)
        context.load_cert_chain(path)
    return context


async def first_bytes(cluster, context) -> bytes:
    """What the server says first: its HTTP/2 settings if it lets us in. Raises what the connection ends with."""
    reader, writer = await asyncio.open_connection(
        cluster.host, cluster.port, ssl=context, server_hostname=SERVER_NAME
    )
    try:
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        return await asyncio.wait_for(reader.read(9), 60)
    finally:
        writer.transport.abort()


async def test_tls_1_3_with_teleports_alpn_is_let_in(cluster, tmp_path):
    alpn = [f"teleport-auth@{b'demo.example.com'.hex()}.teleport.cluster.local", "h2"]
    context = client_context(tmp_path, cluster.credentials(), alpn=alpn)
    assert len(await first_bytes(cluster, context)) == 9
    _, writer = await asyncio.open_connection(
        cluster.host, cluster.port, ssl=context, server_hostname="any.teleport.cluster.local"
    )
    session = writer.get_extra_info("ssl_object")
    assert (session.version(), session.selected_alpn_protocol()) == ("TLSv1.3", "h2")
    writer.transport.abort()


async def test_older_tls_is_refused(cluster, tmp_path):
    context = client_context(tmp_path, cluster.credentials())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        await first_bytes(cluster, context)


async def test_without_h2_nobody_is_let_in(cluster, tmp_path):
    context = client_context(tmp_path, cluster.credentials(), alpn=["http/1.1"])
    with contextlib.suppress(OSError):
        assert await first_bytes(cluster, context) == b""
    await cluster.wait_for(lambda: len(cluster.handshake_faults) == 1)
    assert "h2" in cluster.handshake_faults[-1]


async def test_without_a_certificate_nobody_is_let_in(cluster, tmp_path):
    context = client_context(tmp_path, cluster.credentials(), certificate=False)
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
        await first_bytes(cluster, context)
    await cluster.wait_for(lambda: len(cluster.handshake_faults) == 1)
    assert "did not return a certificate" in cluster.handshake_faults[-1]


async def test_a_certificate_of_another_cluster_or_time_is_refused(cluster, tmp_path):
    async with SandboxCluster() as other:
        stranger = other.credentials()
    month = timedelta(days=30)
    expired = cluster.credentials(not_before=datetime.now(UTC) - month, valid_for=timedelta(days=1))
    for credentials, alert in ((stranger, "UNKNOWN_CA"), (expired, "CERTIFICATE_EXPIRED")):
        context = client_context(tmp_path, credentials)
        context.load_verify_locations(cadata=cluster.ca.host.pem.decode())
        with pytest.raises(ssl.SSLError, match=alert):
            await first_bytes(cluster, context)


async def test_the_inner_server_serves_nobody_who_did_not_come_through_the_door(cluster):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{cluster._front.inner_port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await AuthServiceStub(channel).Ping(auth_pb2.PingRequest())
    assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_silent_cluster_answers_nothing_and_then_everything(cluster, connect):
    auth = AuthServiceStub(connect(cluster))
    await auth.Ping(auth_pb2.PingRequest())
    cluster.fall_silent()
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await auth.Ping(auth_pb2.PingRequest(), timeout=0.2)
    assert refusal.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    cluster.start()
    await auth.Ping(auth_pb2.PingRequest(), timeout=60)


async def test_a_new_connection_to_a_silent_cluster_gets_no_answer(cluster, connect):
    cluster.fall_silent()
    with socket.create_connection((cluster.host, cluster.port), timeout=1):
        auth = AuthServiceStub(connect(cluster))
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await auth.Ping(auth_pb2.PingRequest(), timeout=0.2, wait_for_ready=True)
    assert refusal.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_cutting_ends_the_streams_and_lets_new_ones_in(cluster, connect):
    channel = connect(cluster)
    asked = auth_pb2.Watch(Kinds=[types_pb2.WatchKind(Kind="access_request")])
    stream = AuthServiceStub(channel).WatchEvents(asked)
    await stream.read()
    assert cluster.watchers == 1
    cluster.cut()
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await stream.read()
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
    await cluster.wait_for(lambda: cluster.watchers == 0)
    await AuthServiceStub(connect(cluster)).Ping(auth_pb2.PingRequest())


async def test_an_ipv6_address(connect):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        cluster = SandboxCluster(host="::1")
        async with cluster:
            assert cluster.addr == f"[::1]:{cluster.port}"
            answer = await AuthServiceStub(connect(cluster)).Ping(auth_pb2.PingRequest())
            assert answer.RemoteAddr.startswith("[::1]:")
    except OSError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")


async def test_many_connections_at_once_and_none_left_behind(cluster, connect):
    channels = [connect(cluster) for _ in range(30)]
    await asyncio.gather(*(AuthServiceStub(one).Ping(auth_pb2.PingRequest()) for one in channels))
    assert len(cluster._front._peers) == 30
    for one in channels:
        await one.close()
    async with asyncio.timeout(60):
        await asyncio.gather(*cluster._front._connections)
    assert cluster._front._peers == {}
    assert cluster._front._streams == set()

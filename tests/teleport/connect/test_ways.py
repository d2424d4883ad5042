"""The whole way, gRPC included: a session with the embedded cluster through whatever stands in between."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime

import pytest

from teleport_email.config.settings import TeleportSettings
from teleport_email.core.errors import Unreachable
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.front.gateways import ConnectProxy, Proxy
from teleport_email.sandbox.mail.mail_certificates import MailAuthority
from teleport_email.teleport.calls.events import RequestPut, WatchStarted
from teleport_email.teleport.session import Session


def session(addr, identity, environ=None):
    settings = TeleportSettings(addr=addr, identity=identity)
    return Session(
        settings, "email", environ=environ or {}, now=lambda: datetime.now(UTC), clock_set=lambda: True
    )


@pytest.mark.parametrize("http_proxy", [False, True], ids=["", "http-proxy"])
@pytest.mark.parametrize("gate", ["auth", "proxy", "balancer-rfc", "balancer-broken"])
async def test_watch_list_and_write(tmp_path, gate, http_proxy):
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(SandboxCluster())
        identity = cluster.write_identity(tmp_path)
        public = MailAuthority("public CA")
        (tmp_path / "public.pem").write_bytes(public.ca_pem)
        environ = {"SSL_CERT_FILE": str(tmp_path / "public.pem")}
        addr, way = cluster.addr, "TLS"
        if gate != "auth":
            host, _, port = cluster.addr.rpartition(":")
            kind, _, masking = gate.partition("-")
            proxy = Proxy(
                (host, int(port)),
                cluster.name,
                authority=public,
                routes_tls=kind == "proxy",
                upgrade=masking or "rfc",
                ping_every=2,
            )
            addr = (await stack.enter_async_context(proxy)).addr
            way = "TLS" if kind == "proxy" else "TLS in a WebSocket"
        if http_proxy:
            proxy_server = await stack.enter_async_context(ConnectProxy(credentials=("u", "p")))
            environ["HTTPS_PROXY"] = f"http://u:p@{proxy_server.addr}"
            way += f", through the HTTP proxy {proxy_server.addr}"
        connection = await stack.enter_async_context(await session(addr, identity, environ).connect())
        assert connection.way == way
        assert connection.cluster.name == cluster.name
        events = await stack.enter_async_context(aclosing(connection.watch(["access_request"])))
        assert isinstance(await asyncio.wait_for(anext(events), 60), WatchStarted)
        made = [await cluster.create(user="alice", roles=["dev"], reason="because " * 500) for _ in range(40)]
        seen = [await asyncio.wait_for(anext(events), 60) for _ in made]
        assert {event.request.id for event in seen if isinstance(event, RequestPut)} == {
            one.id for one in made
        }
        assert {one.id for one in await connection.requests.list()} == {one.id for one in made}
        await connection.plugin_data.compare_and_swap(made[0].id, {"x": "y"}, {"x": ""})
        assert await connection.plugin_data.read(made[0].id) == {"x": "y"}


class Listening(Proxy):
    """Notes what it is called by those who come."""

    async def _special(self, path, headers, reader, writer):
        self.called.append(headers["host"])
        return await super()._special(path, headers, reader, writer)


@pytest.mark.parametrize("http_proxy", ["", "http", "https"])
@pytest.mark.parametrize("gate", ["proxy", "balancer"])
async def test_a_dot_at_the_end_of_a_name_is_for_dns_only(tmp_path, monkeypatch, gate, http_proxy):
    loop = asyncio.get_running_loop()
    resolve, asked, sni = loop.getaddrinfo, [], []

    def look_up(host, *more, **options):
        asked.append(host)
        return resolve("127.0.0.1" if host.endswith(".") else host, *more, **options)

    monkeypatch.setattr(loop, "getaddrinfo", look_up)
    public = MailAuthority("public CA")
    (tmp_path / "public.pem").write_bytes(public.ca_pem)
    environ = {"SSL_CERT_FILE": str(tmp_path / "public.pem")}
    async with SandboxCluster() as cluster, AsyncExitStack() as stack:
        host, _, port = cluster.addr.rpartition(":")
        proxy = Listening(
            (host, int(port)),
            cluster.name,
            authority=public,
            names=("proxy.example.test",),
            routes_tls=gate == "proxy",
        )
        proxy.called = []
        proxy._context.sni_callback = lambda _socket, name, _context: sni.append(name)
        await stack.enter_async_context(proxy)
        if http_proxy:
            tunnels = ConnectProxy(
                tls=public if http_proxy == "https" else None,
                names=("gate.example.test",),
                hosts={"proxy.example.test": "127.0.0.1"},
            )
            if http_proxy == "https":
                tunnels._context.sni_callback = lambda _socket, name, _context: sni.append(name)
            await stack.enter_async_context(tunnels)
            environ["HTTPS_PROXY"] = f"{http_proxy}://gate.example.test.:{tunnels.port}"
        dialling = session(f"proxy.example.test.:{proxy.port}", cluster.write_identity(tmp_path), environ)
        async with await dialling.connect() as connection:
            assert (await connection.ping()).name == cluster.name
        if http_proxy:
            assert set(tunnels.tunnels) == {f"proxy.example.test:{proxy.port}"}
    names = {name for name in asked if name != "127.0.0.1"}
    assert names == {"gate.example.test." if http_proxy else "proxy.example.test."}
    if gate == "balancer":
        assert set(proxy.called) == {f"proxy.example.test:{proxy.port}"}
    # Every TLS to the cluster itself asks for the one name that its certificates have.
    wanted = {"proxy.example.test", "teleport.cluster.local"} if gate == "balancer" else set()
    assert set(sni) == wanted | ({"gate.example.test"} if http_proxy == "https" else set())


async def test_a_closed_websocket_is_a_lost_connection(tmp_path):
    public = MailAuthority("public CA")
    (tmp_path / "public.pem").write_bytes(public.ca_pem)
    async with SandboxCluster() as cluster:
        host, _, port = cluster.addr.rpartition(":")
        async with Proxy((host, int(port)), cluster.name, authority=public, routes_tls=False) as proxy:
            dialling = session(
                proxy.addr, cluster.write_identity(tmp_path), {"SSL_CERT_FILE": str(tmp_path / "public.pem")}
            )
            async with (
                await dialling.connect() as connection,
                aclosing(connection.watch(["access_request"])) as events,
            ):
                await asyncio.wait_for(anext(events), 60)
                await proxy.websockets[0].close(1012, "restart")
                with pytest.raises(Unreachable, match="closed the WebSocket"):
                    await asyncio.wait_for(anext(events), 60)
            async with await dialling.connect() as connection:
                assert (await connection.ping()).name == cluster.name
            assert len(proxy.websockets) == 2


async def test_reconnecting_leaks_nothing(tmp_path):
    """A thousand times, with gRPC's channels, TLS, a stream and all."""
    async with SandboxCluster() as cluster:
        again = session(cluster.addr, cluster.write_identity(tmp_path))

        def count():
            descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
            return descriptors, len(asyncio.all_tasks()), len(os.listdir("/proc/self/task"))  # noqa: PTH208

        before = (0, 0, 0)
        for turn in range(1000):
            async with (
                await again.connect() as connection,
                aclosing(connection.watch(["access_request"])) as events,
            ):
                assert isinstance(await asyncio.wait_for(anext(events), 60), WatchStarted)
            if turn == 20:
                await asyncio.sleep(0.1)
                before = count()
        async with asyncio.timeout(60):
            while any(
                now > then + slack for now, then, slack in zip(count(), before, (2, 0, 2), strict=True)
            ):
                await asyncio.sleep(0.02)

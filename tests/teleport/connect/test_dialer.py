"""Every way into a cluster, and every way to miss it, against real servers on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from datetime import timedelta

import pytest

from teleport_email.core.errors import IdentityError, Unreachable
from teleport_email.sandbox.front.gateways import ConnectProxy, PlainServer, Proxy, Silence, Website
from teleport_email.sandbox.mail.mail_certificates import MailAuthority
from teleport_email.teleport.connect import dialer as dialer_module
from teleport_email.teleport.connect import handshake, route
from teleport_email.teleport.connect.address import Address
from teleport_email.teleport.connect.dialer import Dialer


@pytest.fixture(scope="module")
def public() -> MailAuthority:
    return MailAuthority("public CA")


@pytest.fixture
def trusting(public, tmp_path):
    """An environment in which the system trusts the public CA."""
    path = tmp_path / "public.pem"
    path.write_bytes(public.ca_pem)
    return {"SSL_CERT_FILE": str(path), "SSL_CERT_DIR": str(tmp_path / "none")}


async def echo(dialer, identity, size=10):
    """Dial, and have ``size`` bytes come back."""
    reader, writer = await dialer.dial(identity)
    data = bytes(range(256)) * (size // 256 + 1)
    try:
        async with asyncio.timeout(60):
            writer.write(data)
            assert await reader.readexactly(len(data)) == data
    finally:
        writer.transport.abort()


async def refused(dialer, identity):
    with pytest.raises((Unreachable, IdentityError)) as caught:
        await dialer.dial(identity)
    return caught.value


def front(auth, public, **kw):
    return Proxy((auth.host, auth.port), auth.cluster, authority=public, **kw)


# straight to the Auth Service


async def test_auth_service_directly(auth, identity):
    dialer = Dialer(auth.addr, {})
    assert dialer.way == ""
    await echo(dialer, identity, 100_000)
    assert dialer.way == "TLS"
    assert auth.sessions == ["h2"]


@pytest.mark.parametrize("key_type", ["rsa", "ed25519"])
async def test_any_kind_of_key(auth, load_identity, key_type):
    await echo(Dialer(auth.addr, {}), load_identity(auth.identity_file(key_type=key_type)))


async def test_long_cluster_name(make_auth, load_identity):
    """Teleport's own clients put the name's hex into the SNI, where a label may have 63 characters only."""
    name = "a-cluster-with-a-name-of-sixty-three-characters.in.example.com.x"[:63]
    async with make_auth(name) as auth, front(auth, MailAuthority()) as proxy:
        identity = load_identity(auth.identity_file())
        assert identity.cluster == name
        await echo(Dialer(auth.addr, {}), identity)
        await echo(Dialer(proxy.addr, {}), identity)
        assert proxy.routed == 1


async def test_ipv6(make_auth, load_identity):
    async with make_auth(host="::1") as auth:
        assert auth.addr.startswith("[::1]:")
        await echo(Dialer(auth.addr, {}), load_identity(auth.identity_file()))


async def test_name_with_several_addresses(auth, identity):
    """localhost is ::1 and 127.0.0.1; only one of them is listening."""
    await echo(Dialer(f"localhost:{auth.port}", {}), identity)


async def test_next_address_when_one_refuses_and_it_is_remembered(auth, identity):
    dialer = Dialer(f"127.0.0.1:{closed_port()},{auth.addr}", {})
    await echo(dialer, identity)
    assert repr(dialer).startswith(f"Dialer({auth.addr}, ")


async def test_next_address_while_one_is_silent(auth, identity, monkeypatch):
    monkeypatch.setattr(dialer_module, "STAGGER", 0.05)
    async with Silence() as silence:
        await echo(Dialer(f"{silence.addr},{auth.addr}", {}), identity)
        assert silence.accepted == 1


async def test_all_addresses_fail_with_all_reasons(auth, identity):
    async with PlainServer() as plain:
        port = closed_port()
        error = str(await refused(Dialer(f"127.0.0.1:{port},{plain.addr}", {}), identity))
    assert f"127.0.0.1:{port} refused" in error
    assert f"{plain.addr} does not speak TLS" in error


def closed_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# through a Proxy


@pytest.mark.parametrize("tls_routing_enabled", [True, False], ids=["multiplex", "separate"])
async def test_proxy_routes_tls(auth, identity, public, tls_routing_enabled):
    async with front(auth, public, tls_routing_enabled=tls_routing_enabled) as proxy:
        dialer = Dialer(proxy.addr, {})
        await echo(dialer, identity, 1_000_000)
        assert dialer.way == "TLS"
        assert proxy.routed == 1
        assert proxy.requests == []


@pytest.mark.parametrize("masking", ["rfc", "broken"])
@pytest.mark.parametrize("size", [10, 200, 70_000, 3_000_000])
async def test_load_balancer_that_ends_tls(auth, identity, public, trusting, masking, size):
    async with front(auth, public, routes_tls=False, upgrade=masking) as proxy:
        dialer = Dialer(proxy.addr, trusting)
        await echo(dialer, identity, size)
        assert dialer.way == "TLS in a WebSocket"
        assert auth.sessions == ["h2"]


@pytest.mark.parametrize("masking", ["rfc", "broken"])
async def test_fragments_and_pings_in_between(auth, identity, public, trusting, masking):
    async with front(auth, public, routes_tls=False, upgrade=masking, fragment=99, ping_every=3) as proxy:
        await echo(Dialer(proxy.addr, trusting), identity, 50_000)
        (peer,) = proxy.websockets
        assert peer.pongs[:2] == [b"ping 3", b"ping 6"]


@pytest.mark.parametrize(
    "how",
    [{"alpn": ("http/1.1",)}, {"alpn": ("h2", "http/1.1")}, {"at_most": "1.2"}],
    ids=["http1", "h2", "tls12"],
)
async def test_load_balancers_of_all_kinds(auth, identity, public, trusting, how):
    async with front(auth, public, routes_tls=False, **how) as proxy:
        await echo(Dialer(proxy.addr, trusting), identity)
        assert len(proxy.websockets) == 1


async def test_the_way_is_remembered(auth, identity, public, trusting):
    async with front(auth, public, routes_tls=False) as proxy:
        dialer = Dialer(proxy.addr, trusting)
        await echo(dialer, identity)
        first = proxy.accepted
        await echo(dialer, identity)
        assert proxy.accepted == first + 1
    await refused(dialer, identity)
    assert dialer._upgrade == {}  # what worked once does not any more: looked at again


async def test_close_frame_is_a_lost_connection(auth, identity, public, trusting):
    async with front(auth, public, routes_tls=False) as proxy:
        reader, writer = await Dialer(proxy.addr, trusting).dial(identity)
        await proxy.websockets[0].close(1001, "moving")
        with pytest.raises(ConnectionResetError, match=r"closed the WebSocket \(code 1001, 'moving'\)"):
            await asyncio.wait_for(reader.read(), 60)
        writer.transport.abort()


@pytest.mark.parametrize(
    ("value", "way"), [("yes", "TLS in a WebSocket"), ("no", "TLS"), ("{}=1", "TLS in a WebSocket")]
)
async def test_user_decides_about_the_upgrade(auth, identity, public, trusting, value, way):
    async with front(auth, public) as proxy:
        dialer = Dialer(
            proxy.addr, trusting | {"TELEPORT_TLS_ROUTING_CONN_UPGRADE": value.format(proxy.addr)}
        )
        await echo(dialer, identity)
        assert dialer.way == way
        assert len(proxy.websockets) == (way != "TLS")


async def test_user_forbids_the_upgrade(auth, identity, public, trusting):
    async with front(auth, public, routes_tls=False) as proxy:
        environ = trusting | {"TELEPORT_TLS_ROUTING_CONN_UPGRADE": "false"}
        error = str(await refused(Dialer(proxy.addr, environ), identity))
        assert "a certificate for localhost" in error
        assert proxy.websockets == []


# through an HTTP proxy


@pytest.mark.parametrize("credentials", [None, ("me", "pass:w@rd")], ids=["open", "password"])
async def test_http_proxy(auth, identity, credentials):
    async with ConnectProxy(credentials=credentials, hosts={"auth.invalid": "127.0.0.1"}) as http:
        user = "me:pass%3Aw%40rd@" if credentials else ""
        dialer = Dialer(f"auth.invalid:{auth.port}", {"HTTPS_PROXY": f"http://{user}{http.addr}"})
        await echo(dialer, identity, 100_000)
        assert dialer.way == f"TLS, through the HTTP proxy {http.addr}"
        assert http.tunnels == [f"auth.invalid:{auth.port}"]


async def test_https_proxy_before_a_load_balancer(auth, identity, public, trusting):
    """TLS three times over: to the proxy, to the load balancer, to the Auth Service."""
    async with front(auth, public, routes_tls=False) as proxy, ConnectProxy(tls=public) as http:
        dialer = Dialer(proxy.addr, trusting | {"HTTPS_PROXY": f"https://{http.addr}"})
        await echo(dialer, identity, 1_000_000)
        assert dialer.way == f"TLS in a WebSocket, through the HTTP proxy {http.addr}"


async def test_no_proxy(auth, identity):
    async with ConnectProxy() as http:
        environ = {"HTTPS_PROXY": f"http://{http.addr}", "NO_PROXY": "127.0.0.0/8"}
        await echo(Dialer(auth.addr, environ), identity)
        assert http.accepted == 0


@pytest.mark.parametrize(
    ("kw", "user", "words"),
    [
        ({"credentials": ("a", "b")}, "", "asks for a user name and password (407)"),
        ({"credentials": ("a", "b")}, "a:hunter2@", "refuses the user name and password"),
        ({"refuse": 403}, "", "its rules forbid it (403)"),
        ({}, "", "cannot reach that address itself (502)"),
    ],
)
async def test_http_proxy_refuses(identity, kw, user, words):
    async with ConnectProxy(**kw) as http:
        error = await refused(
            Dialer(f"127.0.0.1:{closed_port()}", {"HTTPS_PROXY": f"http://{user}{http.addr}"}), identity
        )
    assert words in str(error)
    assert "hunter2" not in str(error) + repr(error) + repr(error.__cause__) + repr(error.__context__)


@pytest.mark.parametrize(
    "url", ["socks5://u:hunter2@127.0.0.1:1", "http://u:hunter2@127.0.0.1:99999", "http://"]
)
async def test_http_proxy_that_is_none(auth, identity, url):
    error = await refused(Dialer(auth.addr, {"HTTPS_PROXY": url}), identity)
    assert "HTTPS_PROXY" in str(error)
    assert "hunter2" not in str(error)


async def test_http_proxy_that_speaks_no_http(identity):
    async with Silence() as silence:
        silence_addr = silence.addr
    error = await refused(Dialer("auth.invalid:3025", {"HTTPS_PROXY": silence_addr}), identity)
    assert f"the HTTP proxy {silence_addr} refused the connection" in str(error)


# wrong addresses


async def test_not_tls(identity):
    async with PlainServer() as plain:
        error = await refused(Dialer(plain.addr, {}), identity)
    assert f"{plain.addr} does not speak TLS" in str(error)


async def test_closes_without_a_word(identity):
    async def close(_reader, writer):
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with server:
        addr = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        error = str(await refused(Dialer(addr, {}), identity))
    assert "closes the connection during the TLS handshake" in error
    assert "does not speak TLS" in error


async def test_tls_but_not_teleport(identity, public, trusting):
    async with Website(authority=public) as site:
        error = str(await refused(Dialer(site.addr, trusting), identity))
        assert f"{site.addr} speaks TLS but is not Teleport" in error
        assert site.requests == ["GET /webapi/connectionupgrade", "GET /webapi/find"]


async def test_tls_that_nobody_trusts(identity, trusting):
    async with Website(authority=MailAuthority("someone")) as site:
        error = str(await refused(Dialer(site.addr, trusting), identity))
    assert "a certificate for localhost" in error
    assert "issued by" in error
    assert "SSL_CERT_FILE" in error


async def test_certificate_file_that_is_not_there(identity, public, tmp_path):
    async with Website(authority=public) as site:
        error = str(await refused(Dialer(site.addr, {"SSL_CERT_FILE": str(tmp_path / "x.pem")}), identity))
    assert "x.pem cannot be used: No such file" in error


async def test_auth_service_of_another_cluster(make_auth, identity):
    async with make_auth("other.example.com") as other:
        error = str(await refused(Dialer(other.addr, {}), identity))
    assert "belongs to the Teleport cluster 'other.example.com'" in error
    assert "for the cluster 'demo.example.com'" in error


@pytest.mark.parametrize("routes_tls", [True, False])
async def test_proxy_of_another_cluster(make_auth, identity, public, trusting, routes_tls):
    async with make_auth("other.example.com") as other, front(other, public, routes_tls=routes_tls) as proxy:
        error = str(await refused(Dialer(proxy.addr, trusting), identity))
    assert "belongs to the Teleport cluster 'other.example.com'" in error
    assert "for the cluster 'demo.example.com'" in error


async def test_same_name_other_authorities(make_auth, identity):
    async with make_auth() as again:
        error = await refused(Dialer(again.addr, {}), identity)
    assert isinstance(error, IdentityError)
    assert "before the CAs were rotated" in str(error)


async def test_old_proxy_without_the_upgrade(auth, identity, public, trusting):
    async with front(auth, public, routes_tls=False, upgrade=None, version="12.4.1") as proxy:
        error = str(await refused(Dialer(proxy.addr, trusting), identity))
    assert "is a Teleport Proxy (version 12.4.1) without the connection upgrade (it answered 404)" in error


async def test_clock_that_is_off(make_auth, load_identity):
    async with make_auth(certificate_from=timedelta(days=2)) as auth:
        error = str(await refused(Dialer(auth.addr, {}), load_identity(auth.identity_file())))
    assert "this machine's clock says" in error
    assert "is the clock right" in error


async def test_unknown_name(identity):
    error = str(await refused(Dialer("no-such-host.invalid:3025", {}), identity))
    assert "the name no-such-host.invalid" in error


async def test_refused(identity):
    port = closed_port()
    error = str(await refused(Dialer(f"localhost:{port}", {}), identity))
    assert f"localhost:{port} refused the connection" in error


async def test_silent_server(identity, monkeypatch):
    monkeypatch.setattr(handshake, "HANDSHAKE_LIMIT", 0.3)
    async with Silence() as silence:
        error = str(await refused(Dialer(silence.addr, {}), identity))
    assert "takes connections but did not answer TLS" in error
    assert "timed out" in error


async def test_no_answer_at_all(identity, monkeypatch):
    """A listener whose queue is full drops what comes, as many firewalls do."""
    monkeypatch.setattr(route, "OPEN_LIMIT", 0.3)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        error = str(await refused(Dialer(f"127.0.0.1:{listener.getsockname()[1]}", {}), identity))
    assert "did not take a connection" in error
    assert "timed out" in error


def test_limits_leave_time_for_the_explanation():
    """Each failure is explained within 15 s: connecting, handshake and one look at the certificate."""
    assert route.OPEN_LIMIT + handshake.HANDSHAKE_LIMIT + handshake.EXPLAIN_LIMIT < 15
    assert dialer_module.LIMIT < 15


async def test_cancelling_leaves_nothing(identity):
    async with Silence() as silence:
        task = asyncio.create_task(Dialer(silence.addr, {}).dial(identity))
        async with asyncio.timeout(60):
            while not silence.heard:
                await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# deeper in


async def test_other_authorities_behind_a_load_balancer(make_auth, identity, public, trusting):
    async with make_auth() as again, front(again, public, routes_tls=False) as proxy:
        error = str(await refused(Dialer(proxy.addr, trusting), identity))
    assert "upgrades to a WebSocket, but the certificate in it was not issued by the CAs in" in error


async def test_auth_service_gone_behind_a_load_balancer(identity, public, trusting):
    gone = Proxy(("127.0.0.1", closed_port()), identity.cluster, authority=public, routes_tls=False)
    async with gone as proxy:
        error = str(await refused(Dialer(proxy.addr, trusting), identity))
    assert "upgrades to a WebSocket, but then" in error
    assert "closes the connection during the TLS handshake" in error


async def test_http_proxy_that_is_another_server(identity):
    async def greet(_reader, writer):
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        proxy = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        error = str(await refused(Dialer("auth.invalid:3025", {"HTTPS_PROXY": proxy}), identity))
    assert f"the HTTP proxy {proxy} does not behave as one" in error
    assert "check HTTPS_PROXY" in error


async def test_silent_http_proxy(identity, monkeypatch):
    monkeypatch.setattr(route, "OPEN_LIMIT", 0.3)
    async with Silence() as silence:
        error = str(await refused(Dialer("auth.invalid:3025", {"HTTPS_PROXY": silence.addr}), identity))
    assert f"the HTTP proxy {silence.addr} gave no answer" in error


async def test_everything_takes_too_long(identity, monkeypatch):
    monkeypatch.setattr(dialer_module, "LIMIT", 0.2)
    async with Silence() as silence:
        error = str(await refused(Dialer(silence.addr, {}), identity))
    assert f"no connection with {silence.addr} within" in error


@pytest.mark.parametrize(
    ("exc", "words"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "try again"), "DNS gives no answer just now"),
        (
            socket.gaierror(socket.EAI_NONAME, "unknown"),
            "the name h is not known: check teleport.addr and DNS",
        ),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no route to it from here"),
        (OSError(errno.ETIMEDOUT, "Connection timed out"), "timed out"),
        (OSError(errno.EMFILE, "Too many open files"), "no file descriptor left"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "h:1: Connection reset by peer"),
    ],
)
def test_reasons(exc, words):
    assert words in route.Route(Address("h", 1))._reason(exc)


def test_a_name_that_is_called_proxy_is_the_clusters_own():
    nobody = socket.gaierror(socket.EAI_NONAME, "unknown")
    assert "check teleport.addr" in route.Route(Address("proxy.corp", 443))._reason(nobody)

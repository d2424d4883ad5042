"""The relay: private, honest about what went wrong, and gone without a trace."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from teleport_email.core.errors import Unreachable
from teleport_email.teleport.connect import relay as relay_module
from teleport_email.teleport.connect.dialer import Dialer
from teleport_email.teleport.connect.private_directory import PrivateDirectory
from teleport_email.teleport.connect.relay import Relay


class Far:
    """A plain server whose behaviour is a coroutine function of reader and writer."""

    def __init__(self, serve):
        self.serve = serve
        self.writers = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.handle, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()

    async def handle(self, reader, writer):
        self.writers.append(writer)
        await self.serve(reader, writer)

    def dial(self):
        return asyncio.open_connection("127.0.0.1", self.port)


async def echo(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.write(b"the end")
    writer.close()


def connect(relay):
    return asyncio.open_unix_connection(relay.target.removeprefix("unix:"))


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A private directory whose path leaves room for a socket's name, wherever pytest keeps its own."""
    with tempfile.TemporaryDirectory(prefix="r-") as path:
        yield Path(path)


async def test_both_ways_and_the_end_of_one_half(short_path):
    async with Far(echo) as far, Relay(far.dial, directory=short_path) as relay:
        reader, writer = await connect(relay)
        writer.write(b"x" * 1_000_000)
        assert await reader.readexactly(1_000_000) == b"x" * 1_000_000
        writer.write_eof()  # the far side still speaks
        assert await reader.read() == b"the end"
        writer.close()
    assert relay.last_error is None


async def test_private_and_gone_once_connected(short_path):
    async with Far(echo) as far, Relay(far.dial, directory=short_path) as relay:
        path = Path(relay.target.removeprefix("unix:"))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        _, writer = await connect(relay)
        await until(lambda: not path.exists())
        assert list(short_path.iterdir()) == []
        writer.close()


async def test_goes_where_systemd_says(short_path, monkeypatch):
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{short_path}:/elsewhere")
    async with Relay(never) as relay:
        assert relay.target.startswith(f"unix:{short_path}/")
    assert list(short_path.iterdir()) == []


async def never():
    raise AssertionError("nobody connects here")


async def test_a_path_too_long_for_a_socket_is_passed_over(short_path, monkeypatch):
    deep = short_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(deep))
    async with Relay(never) as relay:
        assert str(deep) not in relay.target
    with pytest.raises(Unreachable, match=r"path too long for a socket.*RUNTIME_DIRECTORY"):
        await Relay(never, directory=deep).__aenter__()


async def test_nowhere_to_write(short_path):
    with pytest.raises(Unreachable, match=r"No such file or directory.*make one writable"):
        await Relay(never, directory=short_path / "none").__aenter__()


async def test_the_dials_own_reason_is_kept_and_the_next_try_may_succeed(short_path):
    reasons = [Unreachable("the moon is in the way")]

    async with Far(echo) as far:

        async def dial():
            if reasons:
                raise reasons.pop()
            return await far.dial()

        async with Relay(dial, directory=short_path) as relay:
            reader, writer = await connect(relay)
            assert await reader.read() == b""
            writer.close()
            assert str(relay.last_error) == "the moon is in the way"
            reader, writer = await connect(relay)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            assert relay.last_error is None
            writer.close()


async def test_only_this_process(short_path):
    dialled = []

    async def dial():
        dialled.append(1)
        raise Unreachable("no")

    async with Relay(dial, directory=short_path) as relay:
        code = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); sys.exit(len(s.recv(1)))"
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, relay.target.removeprefix("unix:")
        )
        assert await asyncio.wait_for(other.wait(), 60) == 0
        assert dialled == []
        _, writer = await connect(relay)
        await until(lambda: dialled)
        writer.close()


async def test_back_pressure(short_path):
    """A far side that reads nothing stops the near side after the buffers, not after memory."""
    stop = asyncio.Event()

    async def hold(_reader, _writer):
        _reader._transport.pause_reading()
        await stop.wait()

    async with Far(hold) as far, Relay(far.dial, directory=short_path) as relay:
        with socket.socket(socket.AF_UNIX) as near:
            near.setblocking(False)
            await asyncio.get_running_loop().sock_connect(near, relay.target.removeprefix("unix:"))
            sent = 0
            with contextlib.suppress(TimeoutError):
                while sent < 50_000_000:
                    async with asyncio.timeout(0.5):
                        await asyncio.get_running_loop().sock_sendall(near, bytes(1 << 20))
                    sent += 1 << 20
            assert sent < 50_000_000
        stop.set()


@pytest.mark.parametrize("size", [5_000_000])
async def test_over_tls(auth, identity, short_path, size):
    dialer = Dialer(auth.addr, {})
    async with Relay(lambda: dialer.dial(identity), directory=short_path) as relay:
        reader, writer = await connect(relay)
        data = os.urandom(size)
        task = asyncio.create_task(reader.readexactly(size))
        writer.write(data)
        assert await asyncio.wait_for(task, 60) == data
        writer.close()
        await until(lambda: auth.ended == 1)


async def test_closing_ends_the_far_side_at_once(auth, identity, short_path):
    """gRPC closes its socket altogether: no lingering for a half that nobody reads."""
    dialer = Dialer(auth.addr, {})
    async with Relay(lambda: dialer.dial(identity), directory=short_path) as relay:
        _, writer = await connect(relay)
        await until(lambda: auth.sessions)
        writer.close()
        async with asyncio.timeout(relay_module.LINGER / 2):
            await until(lambda: auth.ended == 1)


async def test_half_closed_over_tls_lingers_for_a_while_only(auth, identity, short_path, monkeypatch):
    monkeypatch.setattr(relay_module, "LINGER", 0.2)
    dialer = Dialer(auth.addr, {})
    async with Relay(lambda: dialer.dial(identity), directory=short_path) as relay:
        reader, writer = await connect(relay)
        writer.write(b"ping")
        writer.write_eof()
        assert await reader.read() == b"ping"
        await until(lambda: auth.ended == 1)
        writer.close()


async def test_a_broken_connection_keeps_its_reason(make_auth, load_identity, short_path):
    """With TLS 1.3 the server refuses our certificate after the handshake: the relay hears of it."""
    auth, other = make_auth(), make_auth()
    stranger = other.identity_file().replace(other.authorities.host.pem, auth.authorities.host.pem)
    identity = load_identity(stranger)

    def refuse(listener):  # asyncio's own servers go away without sending the alert
        sock, _ = listener.accept()
        with sock, contextlib.suppress(ssl.SSLError):
            auth.context().wrap_socket(sock, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = asyncio.create_task(asyncio.to_thread(refuse, listener))
        dialer = Dialer(f"127.0.0.1:{listener.getsockname()[1]}", {})
        async with Relay(lambda: dialer.dial(identity), directory=short_path) as relay:
            reader, writer = await connect(relay)
            assert await reader.read() == b""
            writer.close()
            await server
            assert isinstance(relay.last_error, ssl.SSLError)
            assert "ALERT_UNKNOWN_CA" in relay.last_error.reason


async def test_leaving_cuts_what_is_open(auth, identity, short_path):
    dialer = Dialer(auth.addr, {})
    async with Relay(lambda: dialer.dial(identity), directory=short_path) as relay:
        reader, writer = await connect(relay)
        await until(lambda: auth.sessions)
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()
    await until(lambda: auth.ended == 1)


async def test_leaving_while_dialling(short_path):
    begun = asyncio.Event()

    async def dial():
        begun.set()
        await asyncio.Event().wait()

    async with Relay(dial, directory=short_path) as relay:
        reader, writer = await connect(relay)
        await begun.wait()
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()
    assert list(short_path.iterdir()) == []


async def test_a_thousand_connections_leak_nothing(short_path):
    async with Far(echo) as far:
        tasks = files = 0
        for turn in range(1000):
            async with Relay(far.dial, directory=short_path) as relay:
                reader, writer = await connect(relay)
                writer.write(b"hello")
                assert await reader.readexactly(5) == b"hello"
                writer.close()
            if turn == 20:
                await until(lambda: len(asyncio.all_tasks()) <= 2)
                gc.collect()
                tasks, files = len(asyncio.all_tasks()), len(list(Path("/proc/self/fd").iterdir()))
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        await until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= files)
    assert list(short_path.iterdir()) == []


async def test_tls_connections_leak_nothing(auth, identity, short_path):
    dialer = Dialer(auth.addr, {})
    files = 0
    for turn in range(60):
        async with Relay(lambda: dialer.dial(identity), directory=short_path) as relay:
            reader, writer = await connect(relay)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.close()
        if turn == 5:
            await until(lambda: auth.ended == 6)
            files = len(list(Path("/proc/self/fd").iterdir()))
    await until(lambda: auth.ended == 60)
    await until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= files)


# what a killed process leaves


def test_directories_of_the_living_stay_and_of_the_dead_go(short_path):
    code = (
        "import sys, time; from pathlib import Path; from teleport_email.teleport.connect.private_directory import *\n"
        "held = PrivateDirectory.create(Path(sys.argv[1])); (held.path / 's').touch(); print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(short_path)], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        (short_path / "teleport-email-relay-not-ours").write_text("a file, no directory of ours")
        PrivateDirectory.create(short_path).remove()
        assert len(list(short_path.iterdir())) == 2
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
        other.stdout.close()
    PrivateDirectory.create(short_path).remove()
    assert [path.name for path in short_path.iterdir()] == ["teleport-email-relay-not-ours"]


def test_what_the_dead_leave_under_a_groups_directory_goes_too(short_path):
    short_path.chmod(0o2770)  # as an emptyDir of Kubernetes with fsGroup
    left = short_path / "teleport-email-relay-left"
    left.mkdir(mode=0o700)
    assert left.stat().st_mode & 0o2000
    PrivateDirectory.create(short_path).remove()
    assert list(short_path.iterdir()) == []


def test_several_in_one_process(short_path):
    one, two = PrivateDirectory.create(short_path), PrivateDirectory.create(short_path)
    assert one.path.exists()
    two.remove()
    one.remove()
    one.remove()
    assert list(short_path.iterdir()) == []

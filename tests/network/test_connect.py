"""TCP to a name: the first of its addresses that answers, and no socket left open whatever comes between."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Iterator

import pytest

from teleport_email.network import connect as connecting
from teleport_email.network.connect import connect


@pytest.fixture
def listening() -> Iterator[int]:
    """A port that takes connections and never looks at them."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield server.getsockname()[1]


def resolved(monkeypatch, *addresses: tuple[str, int]) -> None:
    async def getaddrinfo(*_args: object, **_kwargs: object) -> list[connecting.AddressInfo]:
        return [
            (
                socket.AF_INET6 if ":" in host else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (host, port, 0, 0) if ":" in host else (host, port),
            )
            for host, port in addresses
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


async def test_a_connected_socket(listening) -> None:
    with await connect("localhost", listening) as sock:
        assert sock.getpeername()[1] == listening
        assert sock.getblocking() is False


async def test_the_next_address_where_one_refuses(monkeypatch, listening) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, but not listening: refuses
        refusing = nobody.getsockname()
        resolved(monkeypatch, refusing, ("127.0.0.1", listening))
        with await connect("example.com", 1) as sock:
            assert sock.getpeername() == ("127.0.0.1", listening)
        resolved(monkeypatch, refusing, refusing)
        with pytest.raises(ConnectionRefusedError):
            await connect("example.com", 1)


async def test_the_next_address_beside_one_that_does_not_answer(monkeypatch, listening) -> None:
    loop = asyncio.get_running_loop()
    begun = []

    async def sock_connect(sock: socket.socket, address: tuple[str, int]) -> None:
        begun.append(sock)
        if address == ("127.0.0.1", 1):
            await loop.create_future()
        sock.setblocking(True)
        sock.connect(address)

    monkeypatch.setattr(loop, "sock_connect", sock_connect)
    resolved(monkeypatch, ("127.0.0.1", 1), ("127.0.0.1", listening))
    with await connect("example.com", 1) as sock:
        assert sock.getpeername() == ("127.0.0.1", listening)
    assert [one.fileno() for one in begun] == [-1, -1]


async def test_both_families_in_turns(monkeypatch) -> None:
    asked = []

    async def refuse(sock: socket.socket, address: tuple[object, ...]) -> None:
        asked.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", refuse)
    resolved(monkeypatch, ("::1", 1), ("::2", 1), ("127.0.0.1", 1), ("127.0.0.2", 1))
    with pytest.raises(ConnectionRefusedError):
        await connect("example.com", 1)
    assert asked == ["::1", "127.0.0.1", "::2", "127.0.0.2"]


async def test_a_name_that_is_not_known() -> None:
    with pytest.raises(socket.gaierror):
        await connect("nobody.invalid", 25)


async def test_whenever_it_is_cancelled_no_socket_stays_open(monkeypatch, listening) -> None:
    opened = []

    class Remembered(socket.socket):
        def __init__(self, *args: int) -> None:
            super().__init__(*args)
            opened.append(self)

    monkeypatch.setattr(socket, "socket", Remembered)
    resolved(monkeypatch, ("127.0.0.1", listening), ("127.0.0.1", listening))
    finished = 0
    for steps in range(20):
        connecting = asyncio.create_task(connect("example.com", 1))
        for _ in range(steps):
            await asyncio.sleep(0)
        connecting.cancel()
        try:
            sock = await connecting
        except asyncio.CancelledError:
            assert [one for one in opened if one.fileno() >= 0] == []
        else:
            finished += 1
            sock.close()
    gc.collect()  # an open one would be told here
    assert 0 < finished < 20
    assert len(opened) >= 15

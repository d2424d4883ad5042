"""sd_notify on a real datagram socket."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from teleport_email.daemon.systemd import Notifier


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(5)
        yield listening


@pytest.fixture
def notifier(receiver: socket.socket, tmp_path: Path) -> Iterator[Callable[..., Notifier]]:
    made = []

    def make(address: str = "", **environ: str) -> Notifier:
        path = address or str(tmp_path / "notify")
        receiver.bind("\0" + path[1:] if path.startswith("@") else path)
        made.append(Notifier({"NOTIFY_SOCKET": path} | environ, monotonic_ns=lambda: 123_456_789))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_every_message_is_one_datagram(notifier: Callable[..., Notifier], receiver: socket.socket) -> None:
    systemd = notifier()
    systemd.ready("watching demo.example.com\n3 open")
    systemd.status("0 waiting")
    systemd.reloading()
    systemd.ready()
    systemd.watchdog()
    systemd.stopping("finishing 2 messages")
    assert [receiver.recv(1000).decode() for _ in range(6)] == [
        "READY=1\nSTATUS=watching demo.example.com 3 open",
        "STATUS=0 waiting",
        "RELOADING=1\nMONOTONIC_USEC=123456",
        "READY=1",
        "WATCHDOG=1",
        "STOPPING=1\nSTATUS=finishing 2 messages",
    ]


def test_abstract_sockets_too(notifier: Callable[..., Notifier], receiver: socket.socket) -> None:
    notifier(f"@teleport-email-test-{os.getpid()}").ready()
    assert receiver.recv(1000) == b"READY=1"


def test_the_real_clock_is_the_monotonic_one(receiver: socket.socket, tmp_path: Path) -> None:
    receiver.bind(str(tmp_path / "notify"))
    systemd = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    systemd.reloading()
    systemd.close()
    usec = int(receiver.recv(1000).decode().partition("MONOTONIC_USEC=")[2])
    assert abs(usec - time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000) < 60_000_000


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "relative", "/nowhere/notify"])
def test_nobody_listening_is_no_fault(address: str) -> None:
    systemd = Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    systemd.ready()
    systemd.reloading()
    systemd.close()
    if not address.startswith("/"):
        assert systemd.watchdog_interval is None


def test_a_full_queue_blocks_nobody(notifier: Callable[..., Notifier], receiver: socket.socket) -> None:
    systemd = notifier()
    for _ in range(5000):
        systemd.status("x" * 1000)
    assert receiver.recv(2000).startswith(b"STATUS=x")


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdogs_interval(environ: dict[str, str], interval: float | None) -> None:
    assert Notifier({"NOTIFY_SOCKET": "/x"} | environ).watchdog_interval == interval

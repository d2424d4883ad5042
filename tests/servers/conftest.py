"""Real mail servers, one at a time, in a network that has nothing but ``lo``: ``make test-servers``."""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from flow.conftest import hasty, world  # noqa: F401 - fixtures
from servers.exim import Exim
from servers.mail_servers import MailServer, Rules
from servers.opensmtpd import OpenSmtpd
from servers.postfix import Postfix

_SIOCSIFFLAGS = 0x8914
_UP, _LOOPBACK, _RUNNING = 0x1, 0x8, 0x40


@pytest.fixture(scope="session", autouse=True)
def loopback() -> None:
    """No mail can leave, and no port is taken: refuses to run in the machine's own network."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    interfaces = {line.partition(":")[0].strip() for line in lines}
    if interfaces != {"lo"}:
        pytest.exit("these tests run in a network of their own only: make test-servers", returncode=4)
    with socket.socket() as sock:
        fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _UP | _LOOPBACK | _RUNNING))


SERVERS: dict[str, type[MailServer]] = {"postfix": Postfix, "exim": Exim, "opensmtpd": OpenSmtpd}


@pytest.fixture(params=list(SERVERS))
async def server(request: pytest.FixtureRequest) -> AsyncIterator[MailServer]:
    """Each of them, taking everything."""
    running = SERVERS[request.param]()
    await running.start(Rules())
    yield running
    await running.stop()

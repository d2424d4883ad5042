"""The whole way, from the cluster to what Postfix, Exim and OpenSMTPD have delivered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from servers.mail_servers import INSIDE, OUTSIDE, PORTS, MailServer, Rules

from teleport_email.core.model import RequestState, Threshold
from teleport_email.mail.smtp import login

pytestmark = pytest.mark.usefixtures("hasty")

BURST = 40
PATIENCE = 90.0


def kinds(mails: Sequence[EmailMessage], to: str) -> list[str]:
    """Codes of the kinds that one recipient has."""
    ids = [mail["Message-ID"] for mail in mails if to in str(mail["To"])]
    return sorted(one.strip("<>").partition(".")[0] for one in ids)


def assert_once(mails: Sequence[EmailMessage], *, twins: bool = False) -> None:
    """No message twice; or, where a server was killed, no two different ones."""
    if twins:
        bodies = {
            (str(mail["Message-ID"]), str(mail["Date"]), mail.as_string().partition("\n\n")[2])
            for mail in mails
        }
        assert len(bodies) == len({str(mail["Message-ID"]) for mail in mails})
    else:
        counts = Counter(str(mail["Message-ID"]) for mail in mails)
        assert [one for one, count in counts.items() if count > 1] == []


async def requests(world: Any, count: int) -> list[str]:
    """Ids of so many new requests, each of which one recipient is told of."""
    return [(await world.cluster.create(reason=f"number {number}")).id for number in range(count)]


@pytest.mark.parametrize("way", PORTS)
async def test_a_life_cycle(world: Any, server: MailServer, way: Any) -> None:
    running = await world.start(mailer=server.settings(way))
    findings = await running.daemon.mailer.verify("teleport@example.com", f"dba@{INSIDE}")
    assert [found for found in findings if not found.good or found.odd] == []
    assert {"sender", "recipient", "size", "login"} <= {found.subject for found in findings}
    many = (Threshold(approve=9, deny=9),)
    request = await world.cluster.create(roles=["dba"], reason="déjà vu\n.\n..", thresholds=many)
    await server.until(2)
    await world.cluster.review(request.id, "zoe@example.com", RequestState.DENIED, "rather not")
    await server.until(4)
    await world.cluster.approve(request.id, "go on")
    await world.told(request.id, timeout=PATIENCE)
    mails = await server.until(6)
    assert kinds(mails, f"dba@{INSIDE}") == kinds(mails, f"ops@{INSIDE}") == ["A", "a", "r1"]
    for address in (f"dba@{INSIDE}", f"ops@{INSIDE}"):
        thread = sorted(
            (mail for mail in mails if address in str(mail["To"])),
            key=lambda mail: parsedate_to_datetime(str(mail["Date"])),
        )
        assert [str(mail["Message-ID"])[1:3] for mail in thread] == ["a.", "r1", "A."]
    assert len({mail["References"] for mail in mails}) == 1
    assert_once(mails)


@pytest.mark.parametrize("way", PORTS)
async def test_a_burst(world: Any, server: MailServer, way: Any) -> None:
    await world.start(mailer=server.settings(way))
    ids = await requests(world, BURST)
    await world.told(*ids, timeout=PATIENCE)
    assert_once(await server.until(BURST))


@pytest.mark.parametrize(
    ("server", "mechanism"),
    [
        *(("postfix", name) for name in ("PLAIN", "LOGIN", "CRAM-MD5")),
        *(("exim", name) for name in ("PLAIN", "LOGIN", "CRAM-MD5")),
        *(("opensmtpd", name) for name in ("PLAIN", "LOGIN")),  # it knows no other, and offers always both
    ],
    indirect=["server"],
)
async def test_each_way_to_log_in(
    world: Any, server: MailServer, mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "mechanisms" in server.can:
        await server.change(Rules(mechanisms=(mechanism,)))
    else:
        monkeypatch.setattr(login, "_BY_PASSWORD", (mechanism,))
    running = await world.start(mailer=server.settings("starttls"))
    findings = await running.daemon.mailer.verify()
    assert f"as me by {mechanism}" in [found.detail for found in findings]
    [request] = await requests(world, 1)
    await world.told(request, timeout=PATIENCE)
    assert_once(await server.until(1))


async def test_a_sender_that_is_refused_and_then_is_not(world: Any, server: MailServer) -> None:
    await server.change(Rules(sender="teleport@example.com"))
    running = await world.start(mailer=server.settings("starttls"))
    ids = await requests(world, 5)
    await running.until(lambda: running.daemon.mailer.paused)
    assert server.mails() == []
    *_, found = await running.daemon.mailer.verify("teleport@example.com", f"all@{INSIDE}")
    assert not found.good
    await server.change(Rules())
    await world.told(*ids, timeout=PATIENCE)
    assert_once(await server.until(5))


async def test_a_name_that_is_refused_in_helo_and_then_is_not(world: Any, server: MailServer) -> None:
    await server.change(Rules(helo="bad.example.com"))
    running = await world.start(mailer=server.settings("starttls", helo_hostname="bad.example.com"))
    ids = await requests(world, 5)
    await running.until(lambda: running.daemon.mailer.paused)
    *_, found = await running.daemon.mailer.verify("teleport@example.com", f"all@{INSIDE}")
    assert not found.good
    await server.change(Rules())
    await world.told(*ids, timeout=PATIENCE)
    assert_once(await server.until(5))


async def test_three_connections(world: Any, server: MailServer) -> None:
    """OpenSMTPD limits no client's connections: there it is ten."""
    await server.change(Rules(connections=3 if "connections" in server.can else 0))
    running = await world.start(mailer=server.settings("starttls", max_connections=10))
    ids = await requests(world, BURST)
    await world.told(*ids, timeout=PATIENCE)
    assert_once(await server.until(BURST))
    assert running.daemon.mailer.connection_limit <= (3 if "connections" in server.can else 10)


async def test_so_many_messages_on_a_connection(world: Any, server: MailServer) -> None:
    """Postfix has no such limit."""
    await server.change(Rules(messages=3 if "messages" in server.can else 0))
    await world.start(mailer=server.settings("starttls"))
    ids = await requests(world, BURST)
    await world.told(*ids, timeout=PATIENCE)
    assert_once(await server.until(BURST))


async def test_a_restart_in_the_middle_of_a_burst(world: Any, server: MailServer) -> None:
    await world.start(mailer=server.settings("starttls"))
    making = asyncio.create_task(requests(world, BURST))
    await server.until(5)
    await server.change(Rules())
    await world.told(*await making, timeout=PATIENCE)
    mails = await server.until(BURST)
    assert len({mail["Message-ID"] for mail in mails}) == BURST
    assert_once(mails, twins=True)


async def test_insufficient_system_storage_for_a_while(world: Any, server: MailServer) -> None:
    await server.change(Rules(full=True))
    await world.start(mailer=server.settings("starttls"))
    ids = await requests(world, 5)
    await world.cluster.wait_for(lambda: world.said("452"), PATIENCE)
    assert server.mails() == []
    await server.change(Rules())
    await world.told(*ids, timeout=PATIENCE)
    assert_once(await server.until(5))


async def test_relaying_that_is_refused_and_then_allowed(world: Any, server: MailServer) -> None:
    """Nobody else waits meanwhile, and it is told once it can be."""
    await server.change(Rules(relay=False))
    roles = {"*": (f"all@{INSIDE}",), "dba": (f"dba@{INSIDE}", f"reviewer@{OUTSIDE}")}
    running = await world.start(mailer=server.settings("starttls"), role_to_recipients=roles)
    with_outsider = await world.cluster.create(roles=["dba"])
    await server.until(1)
    [other] = await requests(world, 1)
    await world.told(other, timeout=PATIENCE)
    assert len(await server.until(2)) == 2
    assert not running.daemon.mailer.paused
    await server.change(Rules())
    await world.told(with_outsider.id, timeout=PATIENCE)
    mails = await server.until(3)
    assert kinds(mails, f"reviewer@{OUTSIDE}") == ["a"]
    assert_once(mails)

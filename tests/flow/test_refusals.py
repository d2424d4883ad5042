"""Whatever a mail server refuses for good, unless it names the mailbox: once it is repaired, all is delivered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from teleport_email.core.ledger import Mark
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.smtp_faults import Reply

pytestmark = pytest.mark.usefixtures("hasty")

REPLIES = json.loads((Path(__file__).parents[1] / "data" / "smtp-replies.json").read_text())["replies"]
FIVE = tuple(f"r{number}@example.com" for number in range(5))
REPAIRED = ("nothing", "a reload", "a restart", "an approval")


def reply(row: dict[str, str]) -> Reply:
    """As the server says it; what it would fold into lines is one here."""
    return Reply(int(row["reply"][:3]), " ".join(row["reply"][4:].split("\n")))


def named(row: dict[str, str]) -> str:
    return f"{row['step']} {row['reply'][:32]}"


@pytest.mark.parametrize("row", [one for one in REPLIES if one["verdict"] != "given up"], ids=named)
async def test_every_reply_but_those_that_name_the_mailbox_is_waited_out(
    world: Any, row: dict[str, str]
) -> None:
    """Three requests, five recipients: refused, repaired, and repaired by or followed by something more."""
    then = REPAIRED[REPLIES.index(row) % len(REPAIRED)]
    options = {"AUTH": {"passwords": {"me": "secret"}}, "STARTTLS": {"tls": "starttls"}}
    async with Inbox(**options.get(row["step"], {})) as inbox:
        settings = world.settings(mailer=inbox.settings(), role_to_recipients={"*": FIVE})
        rule = inbox.faults.on(row["step"], reply(row))
        running = await world.start(settings)
        requests = [await world.cluster.create() for _ in range(3)]
        pauses = row["verdict"] != "temporary" or row["step"] in ("AUTH", "EHLO", "STARTTLS")
        await running.until(lambda: running.daemon.mailer.paused if pauses else rule.used >= 15)
        assert inbox.received == 0
        rule.remove()
        if then == "a restart":
            await running.stop()
            await world.start(settings)
        elif then == "a reload":
            running.signals.reload()
        elif then == "an approval":
            for request in requests:
                await world.cluster.approve(request.id)
        await world.cluster.wait_for(
            lambda: all(_all_delivered(world, request.id) for request in requests), 30
        )
        world.assert_once(inbox.messages)
        for address in FIVE:
            kinds = world.kinds(address, inbox)
            assert len([kind for kind in kinds if kind[0] == "a"]) == 3
        assert not world.said("message refused")
        assert bool(world.said("sending paused")) == pauses


def _all_delivered(world: Any, request_id: str) -> bool:
    """Everybody has begun a thread, and nothing was given up."""
    if not world.is_told(request_id):
        return False
    parties = world.ledger(request_id).parties
    marks = [entry.mark for party in parties for entry in party.entries.values()]
    return (
        len(parties) == len(FIVE)
        and all(party.announcement for party in parties)
        and set(marks) == {Mark.DELIVERED}
    )

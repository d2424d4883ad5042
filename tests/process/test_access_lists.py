"""Reminders of Access Lists by the installed command: a real process, real signals, a real cluster and inbox."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from teleport_email.core import go_plugin
from teleport_email.core.audits import owner_id

PATIENCE = 120.0
ANN, BOB = "ann@example.com", "bob@example.com"


def is_recorded(place: Any, address: str) -> bool:
    ledger = go_plugin.read(place.cluster.plugin_data(owner_id(address), kind="access_list"))
    return ledger.exists and not ledger.owner


async def reminded(place: Any, daemon: Any, address: str) -> None:
    """Look through the lists now: a reload does that, the first time by itself is in half a minute."""
    daemon.process.send_signal(signal.SIGHUP)
    await place.cluster.wait_for(lambda: is_recorded(place, address), PATIENCE)


async def test_reminded_once_across_a_kill_and_explained(place: Any) -> None:
    due = datetime.now(UTC) + timedelta(days=10)
    create = place.cluster.access_lists.create
    name = create(title="Production", owners=[ANN], members=["carol"], due=due)
    create(title="Staging", owners=[ANN], members=["carol"], due=due)
    daemon = await place.start()
    await reminded(place, daemon, ANN)
    await daemon.says("message delivered")
    [line] = [line for line in daemon.log.read_text().splitlines() if "message delivered" in line]
    assert f"owner={ANN} lists=2 " in line
    assert 'kind="access list review"' in line
    await daemon.kill()

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "teleport_email", "explain", "--access-list", name,
        "-c", str(place.sandbox.configuration), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert b"    delivered " in out
    assert b"told in this step; next " in out

    daemon = await place.start()
    create(title="New", owners=[BOB], members=["carol"], due=due)
    await reminded(place, daemon, BOB)
    daemon.process.send_signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert [mail.to for mail in place.inbox.messages] == [ANN, BOB]
    assert place.twins() == 0

"""What it costs to do nothing: processor time and wake-ups at rest, and events with nothing due.

    python bench/idle.py [--seconds 60] [--events 50000]

The floor of taking events in is a client that decodes the same stream and does nothing with it.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from cluster_desk import ClusterDesk
from mail_sink import Sink
from parts import TICKS, Daemon, Remote, Report, remotes, running

from teleport_email.config.settings import TeleportSettings
from teleport_email.teleport.session import Session


async def floor(reach: dict[str, Any], cluster: Remote, ids: list[str], count: int) -> float:
    """Seconds to decode as many events."""
    from datetime import UTC, datetime

    with tempfile.TemporaryDirectory() as directory:
        identity = Path(directory) / "identity"
        identity.touch(0o600)
        identity.write_bytes(reach["identity"])
        settings = TeleportSettings(addr=reach["addr"], identity=identity)
        session = Session(
            settings, "email", environ={}, now=lambda: datetime.now(UTC), clock_set=lambda: True
        )
        async with await session.connect() as connection:
            events = connection.watch(["access_request"])
            await anext(events)
            begun = time.monotonic()
            cluster.begin("publish", ids, count)
            for _ in range(count):
                await anext(events)
            took = time.monotonic() - begun
            await asyncio.to_thread(cluster.end)
            await events.aclose()
            return took


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--save", default="", help="add the results to this file")
    options = parser.parse_args()
    report = Report("doing nothing", "what|value|unit|ratio", options.save)
    with remotes(Remote(ClusterDesk), Remote(Sink, tls=True)) as (cluster, mail):
        reach = (cluster.ask("start"), mail.ask("start"))
        roles = {"*": ["one@example.com"]}
        with running(Daemon(*reach, roles)) as daemon:
            # Past the lists that follow the first one, 5 and 30 s after it.
            time.sleep(min(options.seconds, 32.0))
            cpu, begun = daemon.cpu(), time.monotonic()
            all_woken, own_woken = daemon.wakeups(), daemon.wakeups(own=True)
            time.sleep(options.seconds)
            seconds = time.monotonic() - begun
            share = (daemon.cpu() - cpu) / seconds * 100
            report.row("processor at rest", share, "%", share / 100)
            report.row(
                "wake-ups of the loop", (daemon.wakeups(own=True) - own_woken) / seconds, "a second", ""
            )
            report.row("of all threads", (daemon.wakeups() - all_woken) / seconds, "a second", "")
            report.row("threads", daemon.threads(), "", "")
        with running(Daemon(*reach, roles)) as daemon:
            _, ids = cluster.ask("burst", 200, ("dev",))
            cluster.ask("settled", ids, 200)
            time.sleep(0.5)
            cpu = daemon.cpu()
            begun = cluster.ask("publish", ids, options.events)
            # An event that matters, behind all the others, tells when they are through.
            _, last = cluster.ask("burst", 1, ("dev",))
            seconds = cluster.ask("settled", last, 1) - begun
            cpu = max(daemon.cpu() - cpu, 1 / TICKS)  # a few events take less than can be told
        bare = asyncio.run(floor(reach[0], cluster, ids, options.events))
        report.row("events taken in", options.events / seconds, "a second", seconds / bare)
        report.row("the same, by processor", options.events / cpu, "a second", "")
        report.row("floor: decoding alone", options.events / bare, "a second", 1.0)
    report.done()


if __name__ == "__main__":
    main()

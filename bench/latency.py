"""From the event to the mail at the server, over a warm and a cold connection, in round trips.

    python bench/latency.py [--delay 30] [--count 40] [--cold-count 8]

One request after the other, one recipient each. Cluster and mail server are both ``--delay`` away. The
floor is a client that does nothing but that one message: warm over a connection that stands (MAIL, RCPT,
DATA: 3 round trips until the server has it), cold from the TCP connection on.

What the daemon must do first is to claim, one round trip to the cluster; a cold connection is opened
meanwhile. Cold: the daemon has just been started. Its own time is that between the event being read and MAIL
being written, over a warm connection, without what went by while the cluster was asked.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import aiosmtplib
from cluster_desk import ClusterDesk
from mail_sink import Sink
from parts import PASSWORD, Daemon, Remote, Report, remotes, running

CALM = 0.1
"""Seconds after a request was deleted until the daemon has nothing left to do for it."""


async def floor(where: dict[str, Any], raw: bytes, count: int, *, warm: bool) -> list[float]:
    """When each message was begun, one after the other."""
    context = ssl.create_default_context(cadata=where["ca_pem"].decode())
    starts = []
    client: aiosmtplib.SMTP | None = None
    for number in range(count + warm):
        if client is None:
            starts.append(time.monotonic())
            client = aiosmtplib.SMTP(
                hostname=where["host"],
                port=where["port"],
                use_tls=True,
                tls_context=context,
                username="bench",
                password=PASSWORD,
                local_hostname="bench.example.com",
            )
            await client.connect()
        elif warm and number:
            starts.append(time.monotonic())
        await client.sendmail("teleport@example.com", ["f@example.com"], raw)
        if not warm:
            await client.quit()
            client = None
    return starts[warm:]


def spread(values: list[float]) -> list[float]:
    """p50, p95, p99."""
    ordered = sorted(values)
    return [ordered[min(len(ordered) - 1, round(len(ordered) * part))] for part in (0.5, 0.95, 0.99)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--delay", type=float, default=30.0, help="milliseconds")
    parser.add_argument("--count", type=int, default=40, help="messages over a warm connection")
    parser.add_argument("--cold-count", type=int, default=8)
    parser.add_argument("--save", default="", help="add the results to this file")
    options = parser.parse_args()
    rtt = options.delay / 1000
    title = f"event to mail at the server, {options.delay:g} ms to both, TLS + AUTH"
    report = Report(title, "what|p50 ms|p95 ms|p99 ms|p50 in RTT|ratio", options.save)
    with remotes(Remote(ClusterDesk), Remote(Sink, tls=True)) as (cluster, mail):
        reach = (cluster.ask("start", rtt), mail.ask("start"))
        roles = {"*": ["one@example.com"]}
        mail.ask("reset", rtt)

        def one() -> float:
            seen = len(mail.ask("seen"))
            begun, ids = cluster.ask("burst", 1, ("dev",))
            cluster.ask("settled", ids, 1)
            taken = mail.ask("seen")[seen][0] - begun
            cluster.ask("delete", ids)
            return float(taken)

        cold = []
        for _ in range(options.cold_count):
            with running(Daemon(*reach, roles)):
                cold.append(one())
        with running(Daemon(*reach, roles, messages_per_connection=10_000)) as daemon:
            one()
            warm = [one() for _ in range(options.count)]
            assert daemon.lines("message deferred") == 0
        with tempfile.TemporaryDirectory() as place:
            times = Path(place, "times")
            program = (str(Path(__file__).with_name("own_daemon.py")), str(times))
            with running(Daemon(*reach, roles, program=program, messages_per_connection=10_000)):
                for _ in range(options.count + 1):
                    one()
                    time.sleep(CALM)
            spent = [tuple(map(float, line.split())) for line in times.read_text().splitlines()[1:]]
        raw = mail.ask("sample")
        for name, ours, is_warm in (("warm", warm, True), ("cold", cold, False)):
            mail.ask("reset", rtt)
            starts = asyncio.run(floor(reach[1], raw, len(ours), warm=is_warm))
            arrived = [at for at, _ in mail.ask("seen")][is_warm:]
            bare = [at - begun for at, begun in zip(arrived, starts, strict=True)]
            half = statistics.median(bare)
            report.row(f"{name}: floor", *(value * 1000 for value in spread(bare)), half / rtt, 1.0)
            middle = statistics.median(ours)
            report.row(
                f"{name}: ours", *(value * 1000 for value in spread(ours)), middle / rtt, middle / half
            )
        report.row("event to MAIL", *spread([whole for whole, _ in spent]), "", "")
        report.row("of its own", *spread([whole - called for whole, called in spent]), "", "")
    report.done()


if __name__ == "__main__":
    main()

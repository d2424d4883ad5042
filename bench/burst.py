"""A burst of requests through watch, claim, render, send and record, against a bare loop that only sends.

    python bench/burst.py [--requests 200] [--recipients 5] [--delays 0,10,30] [--rounds 3] [--clear]

The daemon is a process as operators run it; it has just started and no connection to the mail server
stands. Cluster and mail server are processes too. The clock runs from the making of the first request to
the answer to the last message ("sent"), and to the write after which no ledger is held any more
("recorded"). The floor sends as many copies of the same message over as many connections, with as many
messages on each, TLS and login included, MAIL, RCPT and DATA in one packet. All by default as the program
has it by default. The sides take turns; the ratio is that of the medians, "recorded" against the floor's
end. Processor time is less noisy than the clock on a machine that others use too, so it is shown as well.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import gc
import statistics
import time

from cluster_desk import ClusterDesk
from floor import bare_loop, smtp_source, smtp_source_run
from mail_inbox import InboxServer
from mail_sink import Sink
from parts import Daemon, Remote, Report, remotes, running

ROLE = "dba"


def burst(
    cluster: Remote,
    mail: Remote,
    reach: tuple[dict, dict],
    *,
    requests: int,
    people: list[str],
    connections: int,
    per_connection: int,
    delay: float,
    limit: int = 0,
    profile: str = "",
) -> tuple[float, float, float, float]:
    """One burst: seconds until sent, until recorded, the daemon's processor seconds, its peak memory."""
    roles = {"*": ["one@example.com"], ROLE: people}
    daemon = Daemon(
        *reach,
        roles,
        wrapper=tuple(profile.split()) if profile else (),
        max_connections=connections,
        messages_per_connection=per_connection,
    )
    with running(daemon):
        mail.ask("reset", delay, limit)
        before = daemon.cpu()
        mail.begin("until", requests * len(people))
        begun, ids = cluster.ask("burst", requests, (ROLE,))
        sent = mail.end() - begun
        recorded = cluster.ask("settled", ids, requests * len(people)) - begun
        cpu = daemon.cpu() - before
        peak = daemon.peak()
        seen = mail.ask("seen")
        assert len(seen) == requests * len(people), f"{len(seen)} messages came"
    cluster.ask("delete", ids)
    return sent, recorded, cpu, peak


def floor(
    mail: Remote,
    where: dict,
    raw: bytes,
    count: int,
    connections: int,
    delay: float,
    per_connection: int = 10,
) -> tuple[float, float]:
    """Seconds, and processor seconds."""
    mail.ask("reset", delay)
    gc.collect()
    before = time.process_time()
    seconds = asyncio.run(
        bare_loop(
            where,
            [(f"r{number % 5}@example.com", raw) for number in range(count)],
            connections,
            per_connection,
        )
    )
    assert mail.ask("until", count, 1.0)
    return seconds, time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--recipients", type=int, default=5)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--per-connection", type=int, default=10, help="messages_per_connection, of both")
    parser.add_argument("--delays", default="0,10,30", help="milliseconds, separated by commas")
    parser.add_argument("--cluster-delay", type=float, default=0.0, help="milliseconds, of plugin data calls")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clear", action="store_true", help="neither TLS nor login")
    parser.add_argument("--limit", type=int, default=0, help="connections that the server allows")
    parser.add_argument("--one-by-one", action="store_true", help="the sink offers no PIPELINING")
    parser.add_argument("--inbox", action="store_true", help="the sandbox's inbox in place of the sink")
    parser.add_argument("--profile", default="", help="command to put in front of the daemon's")
    parser.add_argument("--save", default="", help="add the results to this file")
    options = parser.parse_args()

    people = [f"p{number}@example.com" for number in range(options.recipients)]
    count = options.requests * len(people)
    tls = "clear text" if options.clear else "TLS + AUTH"
    title = f"burst of {options.requests} requests x {len(people)}, {options.connections} connections, {tls}"
    if options.limit:
        title += f", server allows {options.limit}"
    if options.cluster_delay:
        title += f", cluster {options.cluster_delay:g} ms away"
    if options.per_connection != 10:
        title += f", {options.per_connection} messages per connection"
    columns = "delay ms|floor s|sent s|recorded s|ratio|floor cpu s|cpu s|cpu ratio|peak MB"
    if options.inbox:
        title += ", a full server"
    if options.one_by_one:
        title += ", no PIPELINING"
    server = functools.partial(Sink, pipelining=not options.one_by_one)
    source = smtp_source() if options.clear else ""
    report = Report(title, columns + ("|smtp-source s|ratio" if source else ""), options.save)
    with remotes(
        Remote(ClusterDesk), Remote(InboxServer if options.inbox else server, tls=not options.clear)
    ) as (cluster, mail):
        reach = (cluster.ask("start", options.cluster_delay / 1000), mail.ask("start"))
        settings = {
            "people": people,
            "connections": options.connections,
            "per_connection": options.per_connection,
            "profile": options.profile,
        }
        burst(cluster, mail, reach, requests=3, delay=0.0, **settings)  # warms up, and gives the sample
        raw = mail.ask("sample")
        at_once = min(options.connections, options.limit or options.connections)
        for delay in (float(text) / 1000 for text in options.delays.split(",")):
            rounds = []
            for _ in range(options.rounds):
                bare = floor(mail, reach[1], raw, count, at_once, delay, options.per_connection)
                ours = burst(
                    cluster,
                    mail,
                    reach,
                    requests=options.requests,
                    delay=delay,
                    limit=options.limit,
                    **settings,
                )
                other = smtp_source_run(reach[1], count, len(raw), at_once) if source else 0.0
                rounds.append((*bare, *ours, other))
            bare_s, bare_cpu, sent, recorded, cpu, peak, other_s = (
                statistics.median(column) for column in zip(*rounds, strict=True)
            )
            values = [
                delay * 1000,
                bare_s,
                sent,
                recorded,
                recorded / bare_s,
                bare_cpu,
                cpu,
                cpu / bare_cpu,
                peak,
            ]
            report.row(*values, *((other_s, recorded / other_s) if source else ()))
        if options.limit and not options.inbox:
            print(f"{mail.ask('connections')}: nothing was lost")
    report.done()


if __name__ == "__main__":
    main()

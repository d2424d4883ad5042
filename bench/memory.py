"""Memory: at rest, after many requests, with many open, and whether it grows over a long run.

    python bench/memory.py [--requests 10000] [--events 100000]

Resident memory (RSS) of the daemon's process against that of ``python -c pass``. "At rest": ready, and
``--settle`` seconds later. The long run makes requests, reviews, approves and deletes them, with events in
between that change nothing, as many as ``--events`` in all; the slope is fitted to the second half of the
samples.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import subprocess
import sys
import time

from cluster_desk import ClusterDesk
from mail_sink import Sink
from parts import Daemon, Remote, Report, remotes, running


def bare_rss() -> float:
    """Of an interpreter that does nothing, MB."""
    program = "print(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS')))"
    return int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout) / 1024


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def slope(points: list[tuple[int, float]]) -> float:
    """MB per 100,000 events, by least squares."""
    xs, ys = zip(*points, strict=True)
    line = statistics.linear_regression(xs, ys)
    return line.slope * 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--settle", type=float, default=3.0, help="seconds until memory at rest is read")
    parser.add_argument("--save", default="", help="add the results to this file")
    options = parser.parse_args()
    bare = bare_rss()
    report = Report("memory", "what|RSS MB|ratio to python -c pass", options.save)
    report.row("python -c pass", bare, 1.0)
    with remotes(Remote(ClusterDesk), Remote(Sink, tls=True)) as (cluster, mail):
        reach = (cluster.ask("start"), mail.ask("start"))
        roles = {"*": ["one@example.com"]}

        def note(what: str, daemon: Daemon) -> float:
            rss = daemon.rss()
            report.row(what, rss, rss / bare)
            return rss

        with running(Daemon(*reach, roles)) as daemon:
            time.sleep(options.settle)
            note("at rest", daemon)
        with running(Daemon(*reach, roles), "--diag-addr", f"127.0.0.1:{free_port()}") as daemon:
            time.sleep(options.settle)
            note("at rest, with diagnostics", daemon)

        with running(Daemon(*reach, roles, max_connections=10, messages_per_connection=10_000)) as daemon:
            # After many requests, told and gone.
            done, block = 0, min(500, options.requests)
            while done < options.requests:
                _, ids = cluster.ask("burst", block, ("dev",))
                cluster.ask("settled", ids, block)
                cluster.ask("delete", ids)
                time.sleep(0.2)
                done += block
            time.sleep(options.settle)
            note(f"after {done:,} requests", daemon)

        with running(Daemon(*reach, roles, max_connections=10, messages_per_connection=10_000)) as daemon:
            _, ids = cluster.ask("burst", options.requests, ("dev",), 86400.0)
            cluster.ask("settled", ids, options.requests)
            time.sleep(options.settle)
            rss = note(f"{options.requests:,} open", daemon)
            cluster.ask("delete", ids)

        with running(Daemon(*reach, roles, max_connections=10, messages_per_connection=10_000)) as daemon:
            samples: list[tuple[int, float]] = []
            events, block = 0, 100
            while events < options.events:
                _, ids = cluster.ask("burst", block, ("dev",))
                cluster.ask("settled", ids, block)
                for one in ids:
                    cluster.ask("review", one, "r@example.com")
                    cluster.ask("approve", one)
                cluster.ask("settled", ids, 3 * block)
                cluster.ask("publish", ids, 16 * block)
                cluster.ask("delete", ids)
                events += 20 * block
                samples.append((events, daemon.rss()))
            course = samples[:: max(1, len(samples) // 50)]
            rss = note(f"after {events:,} events", daemon)
            half = samples[len(samples) // 2 :]
            if len(half) > 1:
                growth = slope(half)
                report.row("growth, MB per 100,000 events", growth, growth / rss)
    report.done()
    long_run = Report("long run", "events|RSS MB", options.save)
    for point in course:
        long_run.row(*point)
    long_run.done()


if __name__ == "__main__":
    main()

"""Calls to the cluster, and bytes written to it, per request and per message.

    python bench/calls.py [--requests 100] [--delay 10] [--replicas 1]

The floor is the least that the order claim, send, record allows: a read and two writes for each time that
something becomes due, however many are told.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections import Counter

from burst import ROLE
from cluster_desk import ClusterDesk
from mail_sink import Sink
from parts import Daemon, Remote, Report, remotes, running

LEAST = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--delay", type=float, default=10.0, help="milliseconds, of the mail server")
    parser.add_argument("--replicas", type=int, default=1, help="daemons at work on the same cluster")
    parser.add_argument("--sizes", default="1,5,20", help="recipients")
    parser.add_argument("--save", default="", help="add the results to this file")
    options = parser.parse_args()
    title = (
        f"calls, {options.requests} requests one after the other in four steps, {options.replicas} daemons"
    )
    columns = "recipients|reads|writes|KB written|calls a step|calls a message|ratio"
    report = Report(title, columns, options.save)
    with remotes(Remote(ClusterDesk), Remote(Sink, tls=True)) as (cluster, mail):
        reach = (cluster.ask("start"), mail.ask("start"))
        mail.ask("reset", options.delay / 1000)
        for size in (int(text) for text in options.sizes.split(",")):
            people = [f"p{number}@example.com" for number in range(size)]
            roles = {"*": ["one@example.com"], ROLE: people}
            with contextlib.ExitStack() as stack:
                for _ in range(options.replicas):
                    stack.enter_context(running(Daemon(*reach, roles, max_connections=5)))
                before = Counter(cluster.ask("calls"))
                written = cluster.ask("writes")[1]
                for _ in range(options.requests):
                    _, ids = cluster.ask("burst", 1, (ROLE,))
                    cluster.ask("settled", ids, size)
                    for number in (1, 2):
                        cluster.ask("review", ids[0], f"r{number}@example.com")
                        cluster.ask("settled", ids, (1 + number) * size)
                    cluster.ask("approve", ids[0])
                    cluster.ask("settled", ids, 4 * size)
                    cluster.ask("delete", ids)
                time.sleep(10.0 if options.replicas > 1 else 0.0)  # others look again after 8 s
                calls = Counter(cluster.ask("calls")) - before
                written = cluster.ask("writes")[1] - written
            steps = 4 * options.requests
            reads, writes = calls["GetPluginData"], calls["UpdatePluginData"]
            both = (reads + writes) / steps
            report.row(
                size,
                reads / options.requests,
                writes / options.requests,
                written / options.requests / 1024,
                both,
                both / size,
                both / LEAST,
            )
    report.done()


if __name__ == "__main__":
    main()

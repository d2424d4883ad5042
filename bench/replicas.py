"""Several daemons on one cluster: what they cost it together, and how long until another one takes over.

    python bench/replicas.py [--replicas 10] [--requests 20]

Requests one after the other, one recipient each, announced and approved. Every daemon sees each of them,
one wins the claim. Then all but one are killed while one of them has a message under way that the mail
server does not answer: the claim lapses after 30 s (``core.claim``), and the one that is left sends.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections import Counter

from cluster_desk import ClusterDesk
from mail_sink import Sink
from parts import Daemon, Remote, Report, remotes, running

SLOW = 20.0
"""Seconds that the mail server takes for an answer while the daemons are killed: less than the lease, so that
a shorter time than the lease tells that the one left was the one that held the claim."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--replicas", type=int, default=10)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--no-takeover", action="store_true", help="leave out what takes half a minute")
    parser.add_argument("--save", default="", help="add the results to this file")
    options = parser.parse_args()
    columns = "replicas|reads a step|writes a step|conflicts a step|calls a step|ratio to 3|taken over s"
    report = Report(f"replicas, {options.requests} requests one after the other", columns, options.save)
    with remotes(Remote(ClusterDesk), Remote(Sink, tls=True)) as (cluster, mail):
        reach = (cluster.ask("start"), mail.ask("start"))
        with contextlib.ExitStack() as stack:
            daemons = [
                stack.enter_context(running(Daemon(*reach, {"*": ["one@example.com"]})))
                for _ in range(options.replicas)
            ]
            before, written = Counter(cluster.ask("calls")), cluster.ask("writes")[0]
            for _ in range(options.requests):
                _, ids = cluster.ask("burst", 1, ("dev",))
                cluster.ask("settled", ids, 1)
                cluster.ask("approve", ids[0])
                cluster.ask("settled", ids, 2)
                cluster.ask("delete", ids)
            calls = Counter(cluster.ask("calls")) - before
            written = cluster.ask("writes")[0] - written
            reads, writes = calls["GetPluginData"], calls["UpdatePluginData"]
            assert len(mail.ask("seen")) == 2 * options.requests, "one mail each"
            took: float | str = ""
            if not options.no_takeover:
                took = takeover(cluster, mail, daemons)
        steps = 2 * options.requests
        each = (reads + writes) / steps
        report.row(
            options.replicas, reads / steps, writes / steps, (writes - written) / steps, each, each / 3, took
        )
    report.done()


def takeover(cluster: Remote, mail: Remote, daemons: list[Daemon]) -> float:
    """Seconds from the end of all daemons but one to the answer to the mail that this one sends."""
    mail.ask("reset", SLOW)
    _, ids = cluster.ask("burst", 1, ("dev",))
    while not cluster.ask("ledger", ids[0]).get("ledger"):
        time.sleep(0.05)
    for daemon in daemons[:-1]:
        assert daemon.process is not None
        daemon.process.kill()
        daemon.process.wait()
    killed = time.monotonic()
    mail.ask("reset", 0.0)
    cluster.ask("settled", ids, 1)
    return float(mail.ask("seen")[-1][0] - killed)


if __name__ == "__main__":
    main()

"""The first list after a start: time and memory with ever more open requests, all told already.

    python bench/growth.py [--sizes 100,1000,10000]

Both should grow with the number of requests and no faster: what is compared is the cost per request above
that of a start with none. The ledgers are those of a real announcement to five recipients.
"""

from __future__ import annotations

import argparse
import statistics
import time

from burst import ROLE
from cluster_desk import ClusterDesk
from mail_sink import Sink
from parts import SETTLE, Daemon, Remote, Report, remotes, running


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", default="", help="add the results to this file")
    options = parser.parse_args()
    people = [f"p{number}@example.com" for number in range(5)]
    roles = {"*": ["one@example.com"], ROLE: people}
    columns = "open|ready s|cpu s|RSS MB|peak MB|calls|ms per request|KB per request|ratio"
    report = Report("first list", columns, options.save)
    with remotes(Remote(ClusterDesk), Remote(Sink, tls=True)) as (cluster, mail):
        reach = (cluster.ask("start"), mail.ask("start"))
        with running(Daemon(*reach, roles)):
            _, ids = cluster.ask("burst", 1, (ROLE,))
            cluster.ask("settled", ids, len(people))
            ledger = cluster.ask("ledger", ids[0])

        def once() -> tuple[float, float, float, float, int]:
            daemon = Daemon(*reach, roles)
            before = sum(cluster.ask("calls").values())
            try:
                seconds = daemon.start()
                calls = sum(cluster.ask("calls").values()) - before
                time.sleep(SETTLE)
                assert daemon.lines("message delivered") == 0
                return seconds, daemon.cpu(), daemon.rss(), daemon.peak(), calls
            finally:
                daemon.stop()

        once()
        empty = [statistics.median(column) for column in zip(*(once() for _ in range(3)), strict=True)]
        report.row(0, *empty, "", "", "")
        open_, first = 0, 0.0
        for size in (int(text) for text in options.sizes.split(",")):
            cluster.ask("lay_in", size - open_, ledger, (ROLE,))
            open_ = size
            ready, cpu, rss, peak, calls = (
                statistics.median(column)
                for column in zip(*(once() for _ in range(options.rounds)), strict=True)
            )
            each = (cpu - empty[1]) / size * 1000
            first = first or each
            kilobytes = (rss - empty[2]) * 1024 / size
            report.row(size, ready, cpu, rss, peak, calls, each, kilobytes, each / first if first else 0.0)
    report.done()


if __name__ == "__main__":
    main()

"""A part of a large day, replayed as fast as it goes: what is lost, and whether memory grows.

    python bench/day.py [--requests 10000] [--recipients 5] [--open 200]

A day of 100,000 requests is what ``docs/performance.md`` reckons with; a tenth of it is 10,000. Each is
announced, reviewed twice, approved and deleted, ``--open`` of them at a time, with the program's defaults.
Lost or sent twice is what the mail server has not, or has more than once: each request and step tells each
recipient once. The slope is fitted to the second half of the samples.
"""

from __future__ import annotations

import argparse
import time

from burst import ROLE
from cluster_desk import ClusterDesk
from mail_sink import Sink
from memory import slope
from parts import Daemon, Remote, Report, remotes, running


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--recipients", type=int, default=5)
    parser.add_argument("--open", type=int, default=200, help="requests at a time")
    parser.add_argument("--save", default="", help="add the results to this file")
    options = parser.parse_args()
    people = [f"p{number}@example.com" for number in range(options.recipients)]
    columns = "requests|mails|lost|twice|seconds|cpu s|cpu ms a mail|RSS MB|MB per 10,000|ratio"
    report = Report(f"part of a day, {options.recipients} recipients", columns, options.save)
    samples: list[tuple[int, float]] = []
    lost = twice = mails = done = 0
    with remotes(Remote(ClusterDesk), Remote(Sink, tls=True)) as (cluster, mail):
        reach = (cluster.ask("start"), mail.ask("start"))
        with running(Daemon(*reach, {"*": ["one@example.com"], ROLE: people})) as daemon:
            first = daemon.rss()
            begun, cpu = time.monotonic(), daemon.cpu()
            while done < options.requests:
                mail.ask("reset")
                block = min(options.open, options.requests - done)
                _, ids = cluster.ask("burst", block, (ROLE,))
                told = block * len(people)
                cluster.ask("settled", ids, told)
                for step in ("r1@example.com", "r2@example.com", ""):
                    for one in ids:
                        cluster.ask("review", one, step) if step else cluster.ask("approve", one)
                    told += block * len(people)
                    cluster.ask("settled", ids, told)
                came = len(mail.ask("seen"))
                lost, twice = lost + max(0, told - came), twice + max(0, came - told)
                cluster.ask("delete", ids)
                done, mails = done + block, mails + came
                samples.append((done, daemon.rss()))
            seconds, cpu = time.monotonic() - begun, daemon.cpu() - cpu
            half = samples[len(samples) // 2 :]
            growth = slope(half) / 10 if len(half) > 1 else 0.0
            report.row(
                *(done, mails, lost, twice, seconds, cpu, cpu / mails * 1000),
                *(samples[-1][1], growth, samples[-1][1] / first),
            )
    report.done()


if __name__ == "__main__":
    main()

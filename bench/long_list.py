"""One request with a long list of recipients, then two reviews and the approval, against the bare loop.

    python bench/long_list.py [--recipients 100] [--delay 50] [--rounds 3]

Each of the four steps is timed from the change in the cluster to the last message's answer, and until all
of it is recorded and the ledger is let go. The floor sends the same number of messages of the same size.
"""

from __future__ import annotations

import argparse
import statistics

from burst import ROLE, burst, floor
from cluster_desk import ClusterDesk
from mail_sink import Sink
from parts import Daemon, Remote, Report, remotes, running


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--recipients", type=int, default=100)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--delay", type=float, default=50.0, help="milliseconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", default="", help="add the results to this file")
    options = parser.parse_args()
    people = [f"p{number}@example.com" for number in range(options.recipients)]
    count, delay = len(people), options.delay / 1000
    title = f"one list of {count}, {options.delay:g} ms, {options.connections} connections, TLS + AUTH"
    report = Report(title, "step|floor s|sent s|recorded s|ratio|writes", options.save)
    steps: dict[str, list[tuple[float, float, float]]] = {}
    floors = []
    with remotes(Remote(ClusterDesk), Remote(Sink, tls=True)) as (cluster, mail):
        reach = (cluster.ask("start"), mail.ask("start"))
        burst(cluster, mail, reach, requests=1, people=people, connections=10, per_connection=10, delay=0.0)
        raw = mail.ask("sample")
        for _ in range(options.rounds):
            floors.append(floor(mail, reach[1], raw, count, options.connections, delay)[0])
            daemon = Daemon(
                *reach,
                {"*": ["one@example.com"], ROLE: people},
                max_connections=options.connections,
            )
            with running(daemon):
                mail.ask("reset", delay)
                ids: list[str] = []
                told = 0
                for step in ("announcement", "review 1", "review 2", "approval"):
                    writes = cluster.ask("writes")[0]
                    told += count
                    mail.begin("until", told)
                    if step == "announcement":
                        begun, ids = cluster.ask("burst", 1, (ROLE,))
                    elif step == "approval":
                        begun = cluster.ask("approve", ids[0])
                    else:
                        begun = cluster.ask("review", ids[0], f"{step[-1]}@example.com")
                    sent = mail.end() - begun
                    recorded = cluster.ask("settled", ids, told) - begun
                    took = cluster.ask("writes")[0] - writes
                    steps.setdefault(step, []).append((sent, recorded, took))
                assert len(mail.ask("seen")) == told
            cluster.ask("delete", ids)
    bare = statistics.median(floors)
    for step, rounds in steps.items():
        sent, recorded, writes = (statistics.median(column) for column in zip(*rounds, strict=True))
        report.row(step, bare, sent, recorded, recorded / bare, writes)
    report.done()


if __name__ == "__main__":
    main()

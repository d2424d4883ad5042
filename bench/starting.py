"""How long it takes to start: the commands against ``python -c pass``, and ``start`` until it is ready.

python bench/starting.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from cluster_desk import ClusterDesk
from mail_sink import Sink
from parts import Daemon, Remote, Report, remotes

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "version": ["-m", "teleport_email", "version"],
    "configure": ["-m", "teleport_email", "configure"],
    "start --help": ["-m", "teleport_email", "start", "--help"],
    "import grpc.aio": ["-c", "import grpc.aio"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--save", default="", help="add the results to this file")
    options = parser.parse_args()
    report = Report("start", "what|ms|ratio to python -c pass", options.save)
    times: dict[str, list[float]] = {name: [] for name in (*COMMANDS, "start until ready")}
    with remotes(Remote(ClusterDesk), Remote(Sink, tls=True)) as (cluster, mail):
        reach = (cluster.ask("start"), mail.ask("start"))
        for turn in range(options.rounds + 1):
            for name, arguments in COMMANDS.items():
                begun = time.monotonic()
                subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
                times[name].append(time.monotonic() - begun)
            daemon = Daemon(*reach, {"*": ["one@example.com"]})
            try:
                times["start until ready"].append(daemon.start())
            finally:
                daemon.stop()
            if not turn:  # the first turn fills the caches of files and bytecode
                for taken in times.values():
                    taken.clear()
    bare = statistics.median(times["python -c pass"])
    for name, taken in times.items():
        middle = statistics.median(taken)
        report.row(name, middle * 1000, middle / bare)
    report.done()


if __name__ == "__main__":
    main()

"""How long it takes to start: the commands against ``python -c pass``, and ``start`` until it is ready.

python bench/starting.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time

from cluster_desk import ClusterDesk
from mail_sink import Sink
from parts import Daemon, Remote, Report, remotes

ENTRY = "import sys; from teleport_email.__main__ import main; sys.exit(main())"
"""What the installed script does."""

CONNECT = """
import grpc.aio, socket, ssl, sys
context = ssl.create_default_context(cadata=sys.argv[2])
context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="localhost")
"""

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "version": ["-c", ENTRY, "version"],
    "configure": ["-c", ENTRY, "configure"],
    "start --help": ["-c", ENTRY, "start", "--help"],
    "import grpc.aio": ["-c", "import grpc.aio"],
    "import grpc.aio, one TLS connection": ["-c", CONNECT],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--save", default="", help="add the results to this file")
    options = parser.parse_args()
    report = Report("start", "what|ms|ratio to python -c pass|cpu ms|cpu ratio", options.save)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in (*COMMANDS, "start until ready")}
    with remotes(Remote(ClusterDesk), Remote(Sink, tls=True)) as (cluster, mail):
        reach = (cluster.ask("start"), mail.ask("start"))
        for turn in range(options.rounds + 1):
            for name, arguments in COMMANDS.items():
                more = [str(reach[1]["port"]), reach[1]["ca_pem"].decode()] if CONNECT in arguments else []
                begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
                subprocess.run([sys.executable, *arguments, *more], check=True, capture_output=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                times[name].append((time.monotonic() - begun, used))
            daemon = Daemon(*reach, {"*": ["one@example.com"]})
            try:
                times["start until ready"].append((daemon.start(), daemon.cpu()))
            finally:
                daemon.stop()
            if not turn:  # the first turn fills the caches of files and bytecode
                for taken in times.values():
                    taken.clear()
    middles = {
        name: [statistics.median(column) for column in zip(*taken, strict=True)]
        for name, taken in times.items()
    }
    bare = middles["python -c pass"]
    for name, (wall, cpu) in middles.items():
        report.row(name, wall * 1000, wall / bare[0], cpu * 1000, cpu / bare[1])
    report.done()


if __name__ == "__main__":
    main()

"""All benches, one after the other: ``make bench``.

    python bench/run.py [--quick] [--save FILE]

``--quick`` takes two minutes in place of twenty: fewer rounds, smaller numbers, and nothing to publish.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from floor import smtp_source

HERE = Path(__file__).parent
FULL: list[list[str]] = [
    ["burst.py", "--rounds", "5"],
    ["burst.py", "--rounds", "5", "--delays", "0,10", "--inbox"],
    ["burst.py", "--rounds", "3", "--delays", "0,30", "--one-by-one"],
    ["burst.py", "--rounds", "3", "--per-connection", "100", "--delays", "0,30"],
    ["burst.py", "--rounds", "3", "--delays", "30", "--cluster-delay", "30"],
    ["burst.py", "--rounds", "3", "--delays", "0,10", "--limit", "3"],
    ["long_list.py", "--rounds", "3"],
    ["latency.py"],
    ["starting.py"],
    ["calls.py"],
    ["replicas.py"],
    ["growth.py", "--sizes", "100,1000,10000"],
    ["idle.py"],
    ["memory.py"],
    ["day.py", "--requests", "1000"],
]
QUICK: list[list[str]] = [
    ["burst.py", "--rounds", "1", "--delays", "0,10"],
    ["burst.py", "--rounds", "1", "--delays", "0", "--limit", "3"],
    ["long_list.py", "--rounds", "1", "--delay", "20"],
    ["latency.py", "--count", "10", "--cold-count", "2"],
    ["starting.py", "--rounds", "2"],
    ["calls.py", "--requests", "5"],
    ["replicas.py", "--replicas", "2", "--requests", "3"],
    ["growth.py", "--sizes", "100,1000", "--rounds", "1"],
    ["idle.py", "--seconds", "3", "--events", "5000"],
    ["memory.py", "--requests", "500", "--events", "4000", "--settle", "1"],
    ["day.py", "--requests", "60"],
]


def machine() -> str:
    """What this is measured on."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, load {load}; "
        f"Python {platform.python_version()}, Linux {platform.release()}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--save", default="", help="keep the results in this file (JSON), for plots.py")
    options = parser.parse_args()
    print(f"{time.strftime('%Y-%m-%d %H:%M')}  {machine()}", flush=True)
    benches = list(QUICK if options.quick else FULL)
    if smtp_source():
        clear = ["burst.py", "--clear", "--delays", "0,10,30", "--rounds", "3"]
        benches.insert(1, [*clear[:2], "--delays", "0", "--rounds", "1"] if options.quick else clear)
    else:
        print("smtp-source is not installed (Debian: postfix): that floor is left out", flush=True)
    failed = 0
    for script, *arguments in benches:
        if options.save:
            arguments += ["--save", options.save]
        failed += (
            subprocess.run([sys.executable, str(HERE / script), *arguments], check=False).returncode != 0
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Access Lists: what a poll of many costs, the first reminders, and whether memory grows from poll to poll.

    python bench/access_lists.py [--lists 5000] [--owners 200] [--open 2500] [--polls 6]

A daemon as a process of its own, the cluster and the inbox in this one. Each reload makes a poll at once; it
is over when the cluster was asked for the last page. Memory is private memory.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from parts import Report

from teleport_email.core.model import User
from teleport_email.sandbox.command.running import Sandbox, SandboxOptions

PAGE = 100
SETTLE = 3.0
"""Seconds after a poll until its cost is read: everybody has been looked at by then."""


def private(pid: int) -> float:
    """MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def processor(pid: int) -> float:
    """Seconds so far."""
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().split()[13:15])) / 100


def fill(sandbox: Sandbox, options: argparse.Namespace) -> None:
    """Lists with two owners each, whose addresses have to be looked up."""
    now = datetime.now(UTC)
    for number in range(options.owners):
        sandbox.cluster.put_user(User(f"u{number}", traits={"email": (f"u{number}@example.com",)}))
    for number in range(options.lists):
        sandbox.cluster.access_lists.create(
            title=f"List {number} " + "x" * 60,
            description="words " * 100,
            owners=[f"u{number % options.owners}", f"u{(number + 1) % options.owners}"],
            members=["carol"],
            roles=["dev", "prod"],
            due=now + timedelta(days=10 if number < options.open else 200),
        )


async def measure(options: argparse.Namespace) -> None:
    pages = -(-options.lists // PAGE)
    with tempfile.TemporaryDirectory() as directory:
        async with Sandbox(SandboxOptions(directory=Path(directory) / "sandbox")) as sandbox:
            fill(sandbox, options)
            command = ["-m", "teleport_email", "start", "-c", str(sandbox.configuration)]
            daemon = await asyncio.create_subprocess_exec(
                sys.executable, *command, stderr=asyncio.subprocess.DEVNULL
            )
            await sandbox.cluster.wait_for(lambda: sandbox.cluster.calls["ListAccessRequests"] > 0)
            await asyncio.sleep(SETTLE)
            report = Report(
                "access lists", "poll|s|processor s|private MB|ratio to before|mails|calls", options.save
            )
            before = private(daemon.pid)
            report.row("none yet", 0.0, 0.0, before, 1.0, 0, 0)
            for number in range(options.polls):
                begun, used, calls = time.monotonic(), processor(daemon.pid), sandbox.cluster.calls.copy()
                asked = calls["ListAccessLists"] + pages
                daemon.send_signal(signal.SIGHUP)
                await sandbox.cluster.wait_for(
                    lambda asked=asked: sandbox.cluster.calls["ListAccessLists"] >= asked
                )
                took = time.monotonic() - begun
                if number == 0 and options.open:
                    await sandbox.mail.wait_for(min(options.owners, options.open + 1), 120)
                await asyncio.sleep(SETTLE)
                made = sum((sandbox.cluster.calls - calls).values())
                used = processor(daemon.pid) - used
                memory = private(daemon.pid)
                report.row(number + 1, took, used, memory, memory / before, sandbox.mail.received, made)
            report.done()
            daemon.terminate()
            await daemon.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lists", type=int, default=5000)
    parser.add_argument("--owners", type=int, default=200)
    parser.add_argument("--open", type=int, default=2500, help="how many have a review that is open")
    parser.add_argument("--polls", type=int, default=6)
    parser.add_argument("--save", default="", help="add the results to this file")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()

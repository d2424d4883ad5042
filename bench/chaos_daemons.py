"""Daemons as real processes: started, killed, stopped, paused and reloaded."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos_book import Book

from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.command import workspace
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.mailgun import MailgunServer

STOP_WITHIN = 20.0
"""Seconds in which a daemon that gets SIGTERM must have ended."""
PASSWORD = "chaos"
READY = b"Plugin is ready"


@dataclass
class Slot:
    """A place for one daemon after the other."""

    name: str
    directory: Path
    mailers: Sequence[Inbox | MailgunServer]
    cluster: SandboxCluster
    recipients: dict[str, list[str]]
    scale: float
    book: Book
    previous: Path | None = None
    """``src`` of an earlier revision, where its daemons are of that."""
    process: asyncio.subprocess.Process | None = None
    killed: bool = False
    """It has its SIGKILL, though its end may not be noted: the storm ends in the middle of anything."""
    starts: int = 0
    choices: tuple[str, str] = ("", "")
    """More lines of ``[delivery]``, and more sections."""
    lists: bool = False
    """Whether it reminds of Access Lists."""
    stop_times: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What a daemon should never do: end by itself, or take too long to stop."""
    paused: bool = False

    def __post_init__(self) -> None:
        workspace.make(self.directory)
        self.cluster.write_identity(self.directory, self.cluster.identity(user=self.name))
        for secret in ("smtp_password", "mailgun_key"):
            mailgun = next((one for one in self.mailers if isinstance(one, MailgunServer)), None)
            content = PASSWORD if secret == "smtp_password" or mailgun is None else mailgun.key
            workspace.write(self.directory / secret, f"{content}\n")

    @property
    def alive(self) -> bool:
        """Whether a process is there."""
        return self.process is not None and self.process.returncode is None

    @property
    def log(self) -> Path:
        """What all its daemons said."""
        return self.directory / "log"

    async def start(self, mailer: int = 0) -> None:
        """Start a daemon that sends by ``mailers[mailer]``."""
        self.configure(mailer)
        self.starts += 1
        command = [sys.executable, "-m", "teleport_email"]
        bench, environ = Path(__file__).parent, os.environ | {"PYTHONDEVMODE": ""}
        if self.previous is not None:
            bench, environ = self.previous.parent / "bench", environ | {"PYTHONPATH": str(self.previous)}
        if self.scale != 1 or (self.lists and self.previous is None):
            command = [sys.executable, str(bench / "chaos_hurried.py"), str(self.scale)]
        self.killed = False
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command, "start", "-d", "-c", str(self.directory / "config.toml"),
                stdout=log, stderr=log, env=environ,
            )  # fmt: skip

    def configure(self, mailer: int) -> None:
        """Write the configuration."""
        server = self.mailers[mailer % len(self.mailers)]
        sections: dict[str, dict[str, str | int | list[str]]] = {
            "teleport": {
                "addr": self.cluster.addr,
                "identity": str(self.directory / "identity"),
                "resync_interval": f"{max(1, int(30 * self.scale))}s",
            },
            "delivery": {"sender": "teleport@example.com"},
            "role_to_recipients": dict(self.recipients),
            "log": {"output": "stderr", "severity": "debug"},
        }
        if isinstance(server, MailgunServer):
            sections["mailgun"] = {
                "domain": server.domain,
                "private_key_file": str(self.directory / "mailgun_key"),
                "api_base": server.url,
            }
        else:
            sections["smtp"] = {
                "host": server.host,
                "port": server.port,
                "username": self.name,
                "password_file": str(self.directory / "smtp_password"),
                "tls": "none",
                "max_connections": 4,
            }
        text = workspace.configuration(sections)
        # The one key that is neither text nor number; the way to the server is this machine's loopback.
        text = text.replace('tls = "none"', 'tls = "none"\nallow_plaintext_auth = true')
        if self.previous is None:
            text = text.replace("[delivery]", f"[delivery]\n{self.choices[0]}") + self.choices[1]
            text += "\n[access_lists]\nenabled = true\n" if self.lists else ""
        workspace.write(self.directory / "config.toml", text)

    async def kill(self) -> None:
        """SIGKILL, as an out-of-memory kill is."""
        if self.process is not None and self.alive:
            if not self.killed:
                self.killed = True
                self.process.kill()
                self.book.fault(self.name, "SIGKILL")
            await self.process.wait()
            self.paused = False

    async def stop(self) -> None:
        """SIGTERM, and see that it ends in time and with 0."""
        if self.process is None or not self.alive:
            return
        if self.killed:
            await self.kill()
            return
        self.resume()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        self.process.send_signal(signal.SIGTERM)
        self.book.counts["SIGTERM"] += 1
        try:
            async with asyncio.timeout(STOP_WITHIN):
                code = await self.process.wait()
        except TimeoutError:
            self.faults.append(f"{self.name}: did not end within {STOP_WITHIN:.0f} s of SIGTERM")
            await self.kill()
            return
        took = loop.time() - begun
        self.stop_times.append(took)
        if code not in (0, -signal.SIGTERM):
            self.faults.append(f"{self.name}: ended with {code} after SIGTERM")
        if code != 0 or took >= 12:
            # Sent before its handlers stood, or over the time for what is past its dot.
            self.book.fault(self.name, "stopped with an answer outstanding")

    def pause(self) -> None:
        """SIGSTOP: it stands still and does not know."""
        if self.process is not None and self.alive and not self.paused:
            self.process.send_signal(signal.SIGSTOP)
            self.book.counts["SIGSTOP"] += 1
            self.paused = True

    def resume(self) -> None:
        """SIGCONT."""
        if self.process is not None and self.alive and self.paused:
            self.process.send_signal(signal.SIGCONT)
        self.paused = False

    def reload(self) -> None:
        """SIGHUP; not to one that is so young that Python itself has not begun to run our code."""
        if self.process is not None and self.alive and _hears(self.process.pid, signal.SIGHUP):
            self.process.send_signal(signal.SIGHUP)
            self.book.counts["SIGHUP"] += 1

    def check(self) -> None:
        """Note a daemon that has ended by itself."""
        if self.process is not None and self.process.returncode not in (
            None,
            0,
            -signal.SIGKILL,
            -signal.SIGTERM,
        ):
            fault = f"{self.name}: ended by itself with {self.process.returncode}; see {self.log}"
            if fault not in self.faults:
                self.faults.append(fault)

    def ready_count(self) -> int:
        """How many of its daemons came as far as being ready."""
        return self.log.read_bytes().count(READY) if self.log.exists() else 0


def _hears(pid: int, number: signal.Signals) -> bool:
    """Whether the process handles a signal or passes it over; it may have ended by now (proc(5))."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(("SigIgn:", "SigCgt:")) and int(line.split()[1], 16) >> (number - 1) & 1:
                return True
    return False

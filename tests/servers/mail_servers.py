"""Real mail servers, each running in its root: configured, started, restarted, and asked what they have kept.

Whatever they take is delivered into a directory of the root. They run in the network namespace of the tests,
which has nothing but ``lo``, so that nothing can leave.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

from teleport_email.config.settings import Secret, SmtpSettings
from teleport_email.sandbox.mail.mail_certificates import LOOPBACK_NAMES, MailAuthority

BUILD = Path(__file__).resolve().parents[2] / "build" / "servers"
USER, PASSWORD = "me", "säcret"
INSIDE, OUTSIDE = "example.com", "outside.example"
"""A domain for which mail is always taken, and one for which only where relaying is allowed."""
KEEPER = 5000
"""The user to whom mail is delivered."""

Way = Literal["plain", "starttls", "implicit"]
PORTS: dict[Way, int] = {"plain": 25, "starttls": 587, "implicit": 465}


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a server does not take. As it is: everything."""

    relay: bool = True
    sender: str = ""
    """Refused."""
    helo: str = ""
    """Refused."""
    connections: int = 0
    messages: int = 0
    """On one connection."""
    full: bool = False
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    """To log in by."""


class MailServer:
    """One server. :meth:`start` it, :meth:`change` it; :meth:`stop` it in the end."""

    name = ""
    can: frozenset[str] = frozenset()
    """Of ``connections``, ``messages``, ``mechanisms``: what it has an option for."""

    def __init__(self) -> None:
        self.root = BUILD / self.name
        self.authority = MailAuthority()
        self._processes: list[asyncio.subprocess.Process] = []

    def settings(self, way: Way, **changes: Any) -> SmtpSettings:
        """How a client has to be set up for it."""
        base: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": PORTS[way],
            "tls": "none" if way == "plain" else way,
            "ca_file": self.root / "etc/mail.ca" if way != "plain" else None,
        }
        if way != "plain":
            base |= {"username": USER, "password": Secret(PASSWORD), "auth": "password"}
        return SmtpSettings(**(base | changes))

    async def start(self, rules: Rules) -> None:
        """Begin with an empty mailbox."""
        shutil.rmtree(self.root / "var/mail", ignore_errors=True)
        self._folder("var/mail/all", KEEPER)
        certificate, key = self.authority.issue("mail", names=LOOPBACK_NAMES, server=True)
        (self.root / "etc/mail.crt").write_bytes(certificate)
        (self.root / "etc/mail.key").write_bytes(key)
        (self.root / "etc/mail.key").chmod(0o600)
        (self.root / "etc/mail.ca").write_bytes(self.authority.ca_pem)
        self._prepare()
        await self._run(rules)

    async def change(self, rules: Rules) -> None:
        """End it, cutting off whoever is connected, and start it with these rules; mail is kept."""
        await self.stop()
        await self._run(rules)

    async def stop(self) -> None:
        """End it at once, with all its processes."""
        for process in self._processes:
            # Not `unshare` itself: its --kill-child does not reach one that has changed its user.
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            for child in children:
                os.kill(int(child), signal.SIGKILL)
            await process.wait()
        self._processes.clear()
        for port in PORTS.values():  # the last of its processes may end a moment after the first
            await _free(port)

    def mails(self) -> list[EmailMessage]:
        """What it has delivered so far."""
        files = [path for path in (self.root / "var/mail").rglob("new/*") if path.is_file()]
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files]

    async def until(self, count: int, timeout: float = 60) -> list[EmailMessage]:
        """Wait until so many mails are there; returns them."""
        async with asyncio.timeout(timeout):
            while sum(1 for path in (self.root / "var/mail").rglob("new/*")) < count:
                await asyncio.sleep(0.05)
        return self.mails()

    def said(self) -> str:
        """Its log, for an error message."""
        logs = sorted((self.root / "var/log").glob("*log*"))
        return "\n".join(path.read_text(errors="replace")[-4000:] for path in logs)

    # Of each server

    def _prepare(self) -> None:
        """What does not depend on the rules."""

    def _configure(self, rules: Rules) -> None:
        raise NotImplementedError

    def _commands(self) -> Sequence[Sequence[str]]:
        raise NotImplementedError

    # Processes and files

    async def _run(self, rules: Rules) -> None:
        self._configure(rules)
        log = (self.root / "var/log/output.log").open("ab")
        for command in self._commands():
            # In a process namespace of its own: whoever kills its first process has killed all of them.
            namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
            namespaces += [f"--mount-proc={self.root}/proc"]
            self._processes.append(
                await asyncio.create_subprocess_exec(
                    *namespaces, "chroot", str(self.root), *command,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env={"PATH": "/usr/sbin:/usr/bin"},
                )
            )  # fmt: skip
        log.close()
        for port in PORTS.values():
            await self._listening(port)

    async def _listening(self, port: int) -> None:
        try:
            async with asyncio.timeout(30):
                while True:
                    for process in self._processes:
                        assert process.returncode is None, f"{self.name} ended by itself: {self.said()}"
                    try:
                        _, writer = await asyncio.open_connection("127.0.0.1", port)
                    except ConnectionRefusedError:
                        await asyncio.sleep(0.05)
                        continue
                    writer.close()
                    return
        except TimeoutError:
            raise TimeoutError(f"{self.name} does not listen on {port}: {self.said()}") from None

    def _write(self, path: str, text: str, mode: int = 0o644) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        (self.root / path).chmod(mode)

    def _folder(self, path: str, user: int = 0, group: int | None = None, mode: int = 0o755) -> None:
        (self.root / path).mkdir(parents=True, exist_ok=True)
        os.chown(self.root / path, user, user if group is None else group)
        (self.root / path).chmod(mode)

    def _once(self, *command: str) -> str:
        """Run something in the root; its output."""
        done = subprocess.run(
            ["chroot", str(self.root), *command], capture_output=True, text=True, check=True
        )  # fmt: skip
        return done.stdout.strip()


async def _free(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return
            writer.close()
            await asyncio.sleep(0.02)

"""Daemons as processes of their own, on a sandbox in this process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from teleport_email.core import go_plugin
from teleport_email.core.ledger import Mark
from teleport_email.sandbox.command.running import Sandbox, SandboxOptions
from teleport_email.sandbox.mail.inbox import Inbox

PATIENCE = 120.0
"""Seconds for anything that takes a moment: the machine may be busy."""


class DaemonProcess:
    """``teleport-email start`` as its users run it; what it logs goes to a file."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log

    async def says(self, text: str, count: int = 1) -> None:
        """Until the log has ``text`` so often. Nothing tells of a line in a file, so it is looked at often."""
        async with asyncio.timeout(PATIENCE):
            while self.log.read_text().count(text) < count:
                if self.process.returncode is not None:
                    pytest.fail(f"it ended without saying {text!r}:\n{self.log.read_text()[-2000:]}")
                await asyncio.sleep(0.02)

    async def ended(self, timeout: float = PATIENCE) -> int:
        """Its exit code."""
        async with asyncio.timeout(timeout):
            return await self.process.wait()

    async def kill(self) -> None:
        """SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


class Place:
    """A sandbox and the daemons on it."""

    def __init__(self, sandbox: Sandbox, directory: Path) -> None:
        self.sandbox = sandbox
        self.cluster = sandbox.cluster
        assert isinstance(sandbox.mail, Inbox)
        self.inbox: Inbox = sandbox.mail
        self.daemons: list[DaemonProcess] = []
        self._directory = directory

    async def start(self, *, ready: bool = True, log: Path | None = None) -> DaemonProcess:
        """A daemon, once it is ready."""
        path = self._directory / f"daemon-{len(self.daemons)}.log"
        with path.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "teleport_email", "start", "-c", str(self.sandbox.configuration),
                stdout=file, stderr=file, env=dict(os.environ),
            )  # fmt: skip
        daemon = DaemonProcess(process, log or path)
        self.daemons.append(daemon)
        if ready:
            await daemon.says("Plugin is ready")
        return daemon

    def is_told(self, request_id: str) -> bool:
        """Whether the ledger is free, and everything that was attempted is delivered or given up."""
        ledger = go_plugin.read(self.cluster.plugin_data(request_id))
        marks = [entry.mark for party in ledger.parties for entry in party.entries.values()]
        return ledger.exists and not ledger.owner and bool(marks) and Mark.ATTEMPTED not in marks

    async def told(self, *request_ids: str, timeout: float = 60) -> None:
        """Until all of these are recorded and free."""
        await self.cluster.wait_for(lambda: all(self.is_told(one) for one in request_ids), timeout)

    def counts(self) -> Counter[tuple[str, str, str]]:
        """Mails by recipient, subject and message id."""
        return Counter((mail.to, mail.subject, mail.message_id) for mail in self.inbox.messages)

    def twins(self) -> int:
        """How many mails came again; asserts that each is the same to the byte, and none another message."""
        by_id: dict[str, set[bytes]] = {}
        for mail in self.inbox.messages:
            by_id.setdefault(mail.message_id, set()).add(mail.raw)
        assert all(len(raws) == 1 for raws in by_id.values())
        kinds = {(mail.to, mail.subject, mail.message_id.partition(".")[0]) for mail in self.inbox.messages}
        assert len(kinds) == len(by_id)
        return len(self.inbox.messages) - len(by_id)


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxOptions(directory=tmp_path / "sandbox")) as running:
        yield running


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A sandbox with five recipients for everything."""
    recipients = {"*": [f"r{number}@example.com" for number in range(5)]}
    async with Sandbox(SandboxOptions(directory=tmp_path / "sandbox", recipients=recipients)) as sandbox:
        place = Place(sandbox, tmp_path)
        yield place
        for daemon in place.daemons:
            if daemon.process.returncode is None:
                await daemon.kill()

"""The whole way in one process: a real cluster over mutual TLS, the daemon's parts, a real mail server."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from teleport_email.log import Log
from teleport_email.sandbox.cluster import SandboxCluster
from teleport_email.sandbox.inbox import Inbox
from teleport_email.service import Daemon
from teleport_email.settings import DeliverySettings, LogSettings, Settings, TeleportSettings
from teleport_email.systemd import Notifier


class ManualSignals:
    """Stands in for the process's signals: several daemons can run in one test process."""

    asked_to_stop = "SIGTERM"

    def listen(self, *, stop: Callable[[], object], reload: Callable[[], object]) -> None:
        self.stop, self.reload = stop, reload


class Running:
    """A daemon that runs as a task."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self.settings = settings
        self.signals = ManualSignals()
        self.daemon = Daemon(
            settings, reread=lambda: self.settings, notifier=Notifier({}), log=log, environ={}
        )
        self.task = asyncio.create_task(self.daemon.run(self.signals))  # type: ignore[arg-type]

    async def ready(self) -> Running:
        async with asyncio.timeout(10):
            while not self.daemon.link.status.listed:
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.005)
        return self

    async def stop(self) -> None:
        """As SIGTERM does."""
        self.signals.stop()
        await self.task

    async def kill(self) -> None:
        """As near to SIGKILL as one process can come: everything is cancelled, nothing is recorded."""
        tasks = [self.daemon._working, self.daemon._watching, self.task]
        for task in tasks:
            task.cancel()
        self.task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settled(self, timeout: float = 20) -> None:
        """Until no request is being looked at, and none waits for a look."""
        async with asyncio.timeout(timeout):
            queue = self.daemon.queue
            while queue.depth or queue.working or queue.delayed:
                await asyncio.sleep(0.005)


@dataclasses.dataclass
class World:
    cluster: SandboxCluster
    inbox: Inbox
    identity: Path
    log: Log
    running: list[Running]

    def settings(self, **changes: Any) -> Settings:
        delivery = {"sender": "teleport@example.com"} | changes.pop("delivery", {})
        mailer = changes.pop("mailer", None) or self.inbox.settings()
        values: dict[str, Any] = {
            "teleport": TeleportSettings(addr=self.cluster.addr, identity=self.identity),
            "mailer": mailer,
            "delivery": DeliverySettings(**delivery),
            "role_to_recipients": {"*": ("all@example.com",), "dba": ("dba@example.com", "ops@example.com")},
            "log": LogSettings(),
        }
        return Settings(**(values | changes))

    async def start(self, settings: Settings | None = None, **changes: Any) -> Running:
        running = Running(settings or self.settings(**changes), self.log)
        self.running.append(running)
        return await running.ready()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    log = Log(LogSettings(output=str(tmp_path / "daemon.log"), severity="debug"))
    async with SandboxCluster() as cluster, Inbox() as inbox:
        world = World(cluster, inbox, cluster.write_identity(tmp_path), log, [])
        yield world
        for running in world.running:
            if not running.task.done():
                await running.stop()
    log.close()

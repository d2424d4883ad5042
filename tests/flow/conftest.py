"""The whole way in one process: a real cluster over mutual TLS, the daemon's parts, a real mail server."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from teleport_email.config.settings import DeliverySettings, LogSettings, Settings, TeleportSettings
from teleport_email.core import backoff, claim, go_plugin
from teleport_email.core.ledger import Ledger, Mark
from teleport_email.core.model import Kind
from teleport_email.daemon import service
from teleport_email.daemon.service import Daemon
from teleport_email.daemon.systemd import Notifier
from teleport_email.mail import pause, standing
from teleport_email.mail.smtp import growth
from teleport_email.mail.smtp.mailer import SmtpMailer
from teleport_email.reconciling import hold, look, reconcile
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.generation import VERSIONS
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.mailbox import Mailbox, ReceivedMail
from teleport_email.telemetry.log import Log
from teleport_email.teleport.calls import plugin_data
from teleport_email.watching import resync, store

LIMIT = 120.0
"""Seconds that anything may take before it counts as not happening; on a busy machine it takes many."""
QUICK_LEASE = 1.2
"""Seconds of a lease where tests wait for one to end: 30 in the real program, all else in proportion."""
_SCALE = QUICK_LEASE / claim.LEASE


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
        async with asyncio.timeout(LIMIT):
            while not self.daemon.link.status.listed:
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.005)
        return self

    async def reload(self, **changes: Any) -> None:
        """With other settings; back when nothing is left to look at."""
        before = self.daemon.observer.reloads[True]
        self.settings = structs.replace(self.settings, **changes)
        self.signals.reload()
        await self.until(lambda: self.daemon.observer.reloads[True] > before)
        await self.settled()

    async def stop(self) -> None:
        """As SIGTERM does."""
        self.signals.stop()
        await self.task

    async def kill(self) -> None:
        """As near to SIGKILL as one process can come: everything is cut off, nothing is recorded."""
        tasks: list[asyncio.Task[Any]] = [self.daemon._working, self.daemon._watching, self.task]
        if self.daemon.lists.reminders is not None:
            tasks.append(self.daemon.lists.reminders._polling)
        for reconciler in (self.daemon.reconciler, *self.daemon.lists.reconcilers.values()):
            for held in reconciler._holds:
                tasks += held._sends
        for task in tasks:
            task.cancel()
        if isinstance(self.daemon.mailer, SmtpMailer):
            for connection in list(self.daemon.mailer._pool._busy):
                connection.abort()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def until(self, condition: Callable[[], object], timeout: float = LIMIT) -> None:
        """Until something holds that no event of the outside world tells of."""
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.005)

    async def settled(self, timeout: float = LIMIT) -> None:
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
    log_file: Path
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

    def said(self, text: str) -> list[str]:
        """The lines of the log with this text."""
        self.log.flush()
        return [line for line in self.log_file.read_text().splitlines() if text in line]

    def ledger(self, request_id: str) -> Ledger:
        """A request's ledger as the cluster has it."""
        return go_plugin.read(self.cluster.plugin_data(request_id))

    def is_told(self, request_id: str) -> bool:
        """Whether the ledger is free, and everything of everybody is delivered or given up.

        A reviewer without an entry is still to be told: the first claim need not have room for all. A
        requester may have chosen later news only.
        """
        ledger = self.ledger(request_id)
        marks = [entry.mark for party in ledger.parties for entry in party.entries.values()]
        everybody = bool(ledger.parties) and all(party.entries or party.requester for party in ledger.parties)
        return ledger.exists and not ledger.owner and everybody and Mark.ATTEMPTED not in marks

    async def told(self, *request_ids: str, mails: int | None = None, timeout: float = LIMIT) -> None:
        """Until so many mails are there, and all of these requests are recorded and free."""
        if mails is not None:
            await self.inbox.wait_for(mails, timeout)
        await self.cluster.wait_for(lambda: all(self.is_told(one) for one in request_ids), timeout)

    def kinds(self, address: str, box: Mailbox | None = None) -> list[str]:
        """Codes of the kinds that came to an address, in order."""
        return [mail.message_id.partition(".")[0] for mail in (box or self.inbox).to(address)]

    def assert_once(self, mails: Sequence[ReceivedMail] | None = None) -> None:
        """No message twice, and no two different ones for the same recipient, request and kind."""
        mails = self.inbox.messages if mails is None else mails
        assert [key for key, count in Counter(mail.message_id for mail in mails).items() if count > 1] == []
        kinds = Counter((mail.to, mail.subject, mail.message_id.partition(".")[0]) for mail in mails)
        assert [key for key, count in kinds.items() if count > 1] == []

    async def marked(self, request_id: str, address: str, mark: Mark, *codes: str) -> None:
        """Until these messages have this mark in the ledger."""

        def is_marked() -> bool:
            party = self.ledger(request_id).party(address)
            return party is not None and all(party.mark(Kind.parse(code)) is mark for code in codes)

        await self.cluster.wait_for(is_marked)

    def assert_twins(self, mails: Sequence[ReceivedMail] | None = None) -> None:
        """What came twice is the same to the byte."""
        mails = self.inbox.messages if mails is None else mails
        by_id: dict[str, set[bytes]] = {}
        for mail in mails:
            by_id.setdefault(mail.message_id, set()).add(mail.raw)
        assert [key for key, raws in by_id.items() if len(raws) > 1] == []
        kinds = {(mail.to, mail.subject, mail.message_id.partition(".")[0]) for mail in mails}
        assert len(kinds) == len(by_id)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All that depends on the lease, and all pauses between tries, in a twenty-fifth of the time."""
    yield from _hastened(monkeypatch, _SCALE)


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In a fifth: no machine is so busy that the claim of a living daemon ends, whose mails would be twins."""
    yield from _hastened(monkeypatch, 5 * _SCALE)


def _hastened(monkeypatch: pytest.MonkeyPatch, scale: float) -> Iterator[None]:
    for module, names in (
        (claim, ("LEASE", "RENEW_AFTER", "BEGIN_UNTIL", "FINISH_UNTIL")),
        (hold, ("RENEW_AFTER", "BEGIN_UNTIL", "FINISH_UNTIL")),
        (look, ("LEASE",)),
        (reconcile, ("LOOK_AGAIN", "STALE_LOOK")),
        (resync, ("LIST_SPACING", "SECOND_LOOK", "LONG_OUTAGE")),
        (store, ("SECOND_LOOK", "EXPIRED_LOOK")),
        (growth, ("GROW_AFTER",)),
        (standing, ("TURN",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name) * scale)
    monkeypatch.setattr(resync, "FOLLOW_UPS", tuple(delay * scale for delay in resync.FOLLOW_UPS))
    # Not in proportion: a loaded machine must still make a write within it.
    monkeypatch.setattr(plugin_data, "WRITE_DEADLINE", 0.5)
    waits = (backoff.MAIL, backoff.CLUSTER, backoff.CONTENTION, backoff.REFUSED, backoff.PROBES)
    changed = [(delays, name) for delays in waits for name in ("first", "cap")]
    before = [getattr(delays, name) for delays, name in changed]
    for (delays, name), value in zip(changed, before, strict=True):
        # Frozen, and the default of other classes' fields: changed in place, so that all see it.
        structs.force_setattr(delays, name, value * scale)
    for table in (pause.FIRST_PROBE, pause.LONGEST):
        for fault, seconds in table.items():
            monkeypatch.setitem(table, fault, seconds * scale)
    yield
    for (delays, name), value in zip(changed, before, strict=True):
        structs.force_setattr(delays, name, value)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Set the wall clock of the daemons that start from now on ahead of the cluster's."""

    def set_it(by: timedelta) -> None:
        monkeypatch.setattr(service, "wall_clock", lambda: datetime.now(UTC) + by)

    return set_it


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A cluster of the version that an indirect parameter names, of 17 by default."""
    version = VERSIONS[getattr(request, "param", 17)]
    log = Log(LogSettings(output=str(tmp_path / "daemon.log"), severity="debug"))
    async with SandboxCluster(version=version) as cluster, Inbox() as inbox:
        world = World(cluster, inbox, cluster.write_identity(tmp_path), log, tmp_path / "daemon.log", [])
        yield world
        cluster.faults.clear()
        inbox.faults.clear()
        await inbox.listen_again()
        await inbox.drop_connections()  # nobody waits for an answer that a fault held back
        for running in world.running:
            if not running.task.done():
                await running.stop()
    log.close()

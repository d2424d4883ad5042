"""The daemon's lifetime, with a real cluster and a real mail server: begin, reload, end, each within bounds."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from teleport_email.config.settings import DeliverySettings, LogSettings, Settings, TeleportSettings
from teleport_email.core.errors import ClusterError, ConfigError, Fault, IdentityExpired
from teleport_email.core.model import RequestState
from teleport_email.daemon import service
from teleport_email.daemon.environment import fail_fast
from teleport_email.daemon.service import Daemon
from teleport_email.daemon.systemd import Notifier
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.smtp_faults import Silence
from teleport_email.telemetry.log import Log


class Signals:
    """Stands in for the process's signals."""

    asked_to_stop = "SIGTERM"

    def listen(self, *, stop: Callable[[], object], reload: Callable[[], object]) -> None:
        self.stop, self.reload = stop, reload


class Notes(Notifier):
    """Keeps what the service manager would be told."""

    def __init__(self) -> None:
        super().__init__({})
        self.states: list[str] = []

    def ready(self, status: str = "") -> None:
        self.states.append("ready")

    def reloading(self) -> None:
        self.states.append("reloading")

    def stopping(self, status: str = "") -> None:
        self.states.append("stopping")


@dataclasses.dataclass
class World:
    cluster: SandboxCluster
    inbox: Inbox
    directory: Path
    log: Log
    begun: list[Running] = dataclasses.field(default_factory=list)

    def settings(self, **changes: Any) -> Settings:
        values: dict[str, Any] = {
            "teleport": TeleportSettings(addr=self.cluster.addr, identity=self.directory / "identity"),
            "mailer": self.inbox.settings(),
            "delivery": DeliverySettings(sender="teleport@example.com"),
            "role_to_recipients": {"*": ("all@example.com",)},
            "log": LogSettings(output=str(self.directory / "daemon.log"), severity="debug"),
        }
        return Settings(**(values | changes))

    def start(self, environ: dict[str, str] | None = None, **changes: Any) -> Running:
        self.begun.append(Running(self.settings(**changes), self.log, environ or {}))
        return self.begun[-1]

    @property
    def lines(self) -> list[str]:
        assert self.log.flush()
        return (self.directory / "daemon.log").read_text().splitlines()

    def said(self, event: str) -> int:
        return sum(event in line for line in self.lines)


class Running:
    def __init__(self, settings: Settings, log: Log, environ: dict[str, str]) -> None:
        self.reread: Callable[[], Settings] = lambda: settings
        self.signals = Signals()
        self.notes = Notes()
        self.daemon = Daemon(settings, reread=self._read, notifier=self.notes, log=log, environ=environ)
        self.task = asyncio.create_task(self.daemon.run(self.signals))  # type: ignore[arg-type]

    def _read(self) -> Settings:
        return self.reread()

    async def ready(self) -> Running:
        await self.until(lambda: self.daemon.link.status.listed)
        return self

    async def until(self, condition: Callable[[], bool], timeout: float = 60.0) -> None:
        async with asyncio.timeout(timeout):
            while not condition():
                if self.task.done():
                    self.task.result()
                    raise AssertionError("the daemon has ended")
                await asyncio.sleep(0.005)

    async def reload(self, reread: Callable[[], Settings]) -> None:
        self.reread = reread
        before = len(self.notes.states)
        self.signals.reload()
        await self.until(lambda: self.notes.states[before:] == ["reloading", "ready"])

    async def stop(self) -> float:
        """As SIGTERM does; the seconds it took."""
        begun = time.monotonic()
        self.signals.stop()
        await self.task
        return time.monotonic() - begun


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    log = Log(LogSettings(output=str(tmp_path / "daemon.log"), severity="debug"))
    async with SandboxCluster() as cluster, Inbox() as inbox:
        cluster.write_identity(tmp_path)
        world = World(cluster, inbox, tmp_path, log)
        yield world
        for running in world.begun:
            if not running.task.done():
                await running.stop()
    log.close()


async def test_it_says_ready_once_watches_and_stops_cleanly(world: World) -> None:
    running = await world.start().ready()
    await world.cluster.create()
    await world.inbox.wait_for(1)
    assert await running.stop() < service.DRAIN, "nothing was waited for"
    assert running.notes.states == ["ready", "stopping"]
    assert world.said("Plugin is ready") == 1
    assert "all_recorded=True" in world.lines[-1]
    await world.cluster.wait_for(lambda: world.cluster.watchers == 0)  # it hears of the end a moment later


async def test_nothing_else_is_left_running(world: World) -> None:
    running = await world.start().ready()
    await world.cluster.create()
    await world.inbox.wait_for(1)
    await running.stop()
    await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() if not task.done() and is_ours(task)]
    assert left == []


def is_ours(task: asyncio.Task[Any]) -> bool:
    """Whether a task runs code of the daemon, not of the servers beside it."""
    code = getattr(task.get_coro(), "cr_code", None)
    file = code.co_filename if code else ""
    return "teleport_email/" in file and "/sandbox/" not in file


# Stopping ---------------------------------------------------------------------------------------------------


# Seconds: what operators are promised. With a twentieth of the bounds the rest is for a machine that is busy.
PROMISED = 20


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """All bounds a fraction of what they are."""
    for name in ("DRAIN", "LAST_CALL", "GIVE_UP"):
        monkeypatch.setattr(service, name, getattr(service, name) / 20)


async def test_what_is_under_way_is_waited_for_and_recorded(world: World) -> None:
    running = await world.start().ready()
    world.inbox.faults.delay = 0.1
    request = await world.cluster.create()
    await running.until(lambda: world.inbox.commands["DATA"] > 0)
    assert await running.stop() < service.DRAIN
    assert len(world.inbox.messages) == 1
    assert '"m":{"a":[2,' in world.cluster.plugin_data(request.id)["ledger"], "delivered, and it is written"
    assert '"o":' not in world.cluster.plugin_data(request.id)["ledger"], "released"


@pytest.mark.usefixtures("hurried")
async def test_a_mail_server_without_an_answer_does_not_hold_up_the_end(world: World) -> None:
    """Operators are promised 20 s; the server would be waited for ten minutes."""
    running = await world.start().ready()
    world.inbox.faults.on("DOT", Silence())
    request = await world.cluster.create()
    await running.until(lambda: world.inbox.commands["DOT"] > 0)
    assert await running.stop() < PROMISED
    assert "all_recorded=False" in world.lines[-1]
    assert '"m":{"a":[1,' in world.cluster.plugin_data(request.id)["ledger"], "perhaps sent: it stays due"
    world.inbox.faults.clear()
    await world.inbox.drop_connections()


@pytest.mark.usefixtures("hurried")
async def test_a_message_before_its_dot_is_given_back(world: World) -> None:
    running = await world.start().ready()
    world.inbox.faults.on("RCPT", Silence())
    request = await world.cluster.create()
    await running.until(lambda: world.inbox.commands["RCPT"] > 0)
    assert await running.stop() < PROMISED
    assert world.inbox.messages == []
    ledger = world.cluster.plugin_data(request.id)["ledger"]
    assert '"o":' not in ledger
    assert '"m":{}' in ledger, "not attempted after all"


async def test_the_bounds_together_are_below_what_operators_are_promised() -> None:
    assert service.DRAIN + service.LAST_CALL + 2 * service.GIVE_UP <= 22


# Ending by itself --------------------------------------------------------------------------------------------


async def test_an_expired_identity_that_nothing_renews_ends_the_daemon(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "clock_set", lambda: True)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    world.cluster.write_identity(
        world.directory, world.cluster.identity(not_before=long_ago, valid_for=timedelta(days=1))
    )
    running = world.start()
    with pytest.raises(IdentityExpired, match="expired"):
        await running.task
    assert running.notes.states[-1] == "stopping"


async def test_with_fail_fast_a_lost_connection_ends_the_daemon(world: World) -> None:
    running = await world.start({"TELEPORT_PLUGIN_FAIL_FAST": "true"}).ready()
    world.cluster.faults.unreachable = True
    with pytest.raises(ClusterError):
        await running.task


async def test_a_part_that_dies_ends_the_daemon_with_its_error(world: World) -> None:
    """Half a daemon is worse than none: the service manager starts a whole one."""
    running = await world.start().ready()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    running.daemon.store.put = broken  # type: ignore[method-assign,assignment]
    await world.cluster.create()
    with pytest.raises(ZeroDivisionError):
        await running.task


@pytest.mark.parametrize(
    ("text", "value"),
    [("", False), ("0", False), ("F", False), ("false", False), ("1", True), ("TRUE", True)],
)
def test_fail_fast_is_read_as_go_reads_it(text: str, value: bool) -> None:
    assert fail_fast({"TELEPORT_PLUGIN_FAIL_FAST": text}) is value
    assert fail_fast({}) is False


def test_a_fail_fast_that_is_neither_is_a_fault() -> None:
    with pytest.raises(ConfigError, match=r"TELEPORT_PLUGIN_FAIL_FAST.*'ja'"):
        fail_fast({"TELEPORT_PLUGIN_FAIL_FAST": "ja"})


# Reloading ----------------------------------------------------------------------------------------------------


async def test_a_good_configuration_is_switched_to_and_the_stream_stays(world: World) -> None:
    running = await world.start().ready()
    new = world.settings(role_to_recipients={"*": ("new@example.com",)})
    await running.reload(lambda: new)
    await world.cluster.create()
    [mail] = await world.inbox.wait_for(1)
    assert "new@example.com" in mail.envelope_to
    assert world.cluster.calls["WatchEvents"] == 1
    assert world.said("configuration reloaded") == 1


async def test_what_is_due_by_the_new_configuration_is_looked_at_at_once(world: World) -> None:
    running = await world.start(role_to_recipients={"*": ("all@example.com",)}).ready()
    await world.cluster.create()
    await world.inbox.wait_for(1)
    with_requester = structs.replace(
        running.daemon.settings.delivery, remind_before_expiry=(8 * 24 * 3600.0,)
    )
    await running.reload(lambda: world.settings(delivery=with_requester))
    await running.until(lambda: not running.daemon.queue.depth and not running.daemon.queue.working)
    assert running.daemon.policy().reminders == (8 * 24 * 3600.0,)


async def test_another_cluster_address_gets_another_stream(world: World) -> None:
    running = await world.start().ready()
    teleport = structs.replace(running.daemon.settings.teleport, resync_interval=123.0)
    await running.reload(lambda: world.settings(teleport=teleport))
    await world.cluster.wait_for(
        lambda: world.cluster.calls["WatchEvents"] == 2 and world.cluster.watchers == 1
    )
    await world.cluster.create()
    await world.inbox.wait_for(1)


@pytest.mark.parametrize(
    "fault",
    [
        ConfigError([Fault("smtp.port", "is no number"), Fault("delivery.sender", "is missing")]),
        OSError(5, "Input/output error"),
        ZeroDivisionError("a fault of ours"),
    ],
    ids=["faults", "disk", "bug"],
)
async def test_a_bad_configuration_is_said_and_the_old_one_stays(world: World, fault: Exception) -> None:
    """Whatever goes wrong: a reload must not end the daemon."""
    running = await world.start().ready()

    def reread() -> Settings:
        raise fault

    await running.reload(reread)
    assert world.said("configuration not reloaded") == (2 if isinstance(fault, ConfigError) else 1)
    await world.cluster.create()
    await world.inbox.wait_for(1)
    new = world.settings(role_to_recipients={"*": ("new@example.com",)})
    await running.reload(lambda: new)
    assert running.daemon.settings is new


async def test_messages_under_way_come_to_their_end_through_the_old_mailer(world: World) -> None:
    running = await world.start().ready()
    world.inbox.faults.delay = 0.1
    await world.cluster.create()
    await running.until(lambda: world.inbox.commands["DATA"] > 0)
    old = running.daemon.mailer
    await running.reload(world.settings)
    assert running.daemon.mailer is not old
    await world.inbox.wait_for(1)
    await running.until(lambda: not running.daemon._retired)


async def test_work_that_waits_for_a_paused_account_goes_on_with_the_repaired_one(world: World) -> None:
    """The password is wrong, somebody corrects it and reloads: nobody waits for the next probe."""
    world.inbox.access.passwords["me"] = "right"
    wrong = structs.replace(
        world.inbox.settings(), username="me", password=_secret("wrong"), allow_plaintext_auth=True
    )
    running = await world.start(mailer=wrong).ready()
    for _ in range(40):
        await world.cluster.create()
    await running.until(lambda: bool(running.daemon.mailer.paused))
    right = structs.replace(wrong, password=_secret("right"))
    await running.reload(lambda: world.settings(mailer=right))
    await world.inbox.wait_for(40, timeout=60)


def _secret(text: str) -> Any:
    from teleport_email.config.settings import Secret

    return Secret(text)


# Small --------------------------------------------------------------------------------------------------------


async def test_the_policy_follows_configuration_and_duty(world: World) -> None:
    delivery = DeliverySettings(
        sender="t@example.com",
        catch_up=60.0,
        remind_before_expiry=(5.0,),
        notify_requester=frozenset({"denied"}),
    )
    before = service.wall_clock()
    running = await world.start(delivery=delivery).ready()
    policy = running.daemon.policy()
    assert (policy.catch_up, policy.reminders, policy.requester) == (60.0, (5.0,), frozenset({"denied"}))
    assert policy.duty_since is not None
    assert before <= policy.duty_since <= service.wall_clock()


async def test_a_rule_that_cannot_be_parsed_is_said_once(world: World) -> None:
    from teleport_email.core.model import AccessMonitoringRule

    world.cluster.put_rule(
        AccessMonitoringRule("broken", ("access_request",), "((", "email", ("x@example.com",))
    )
    await world.start().ready()
    await world.cluster.create()
    await world.inbox.wait_for(1)
    world.cluster.put_rule(AccessMonitoringRule("other", ("access_request",), "true", "slack", ()))
    await world.cluster.create()
    await world.inbox.wait_for(2)
    assert world.said("rule does not work") == 1


async def test_reviews_are_told_even_while_a_reload_is_going_on(world: World) -> None:
    running = await world.start().ready()
    request = await world.cluster.create(user="myuser@example.com", suggested_reviewers=["alice@example.com"])
    await world.inbox.wait_for(2)
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow() -> Settings:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(10)
        return world.settings()

    running.reread = slow
    running.signals.reload()
    await world.cluster.review(request.id, "alice@example.com", RequestState.APPROVED)
    await world.inbox.wait_for(6)
    gate.set()
    await running.until(lambda: running.notes.states[-1] == "ready" and "reloading" in running.notes.states)

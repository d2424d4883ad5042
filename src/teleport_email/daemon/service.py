"""The daemon's lifetime: build, run, reload, stop, in reading order.

In: checked settings and the signals. Out: nothing but mails, logs and the state of the service. Raises what
ends the process for a reason: :class:`IdentityError` (no restart helps), :class:`ClusterError` (one may).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import structlog

from teleport_email.config.settings import Settings
from teleport_email.core.decide import Policy
from teleport_email.core.errors import ConfigError, Fault
from teleport_email.core.ledger import id_domain
from teleport_email.core.model import AccessMonitoringRule, replace
from teleport_email.daemon import heap
from teleport_email.daemon.clocks import boot_clock, clock_set, wall_clock
from teleport_email.daemon.environment import fail_fast
from teleport_email.daemon.parts import Parts
from teleport_email.daemon.signals import Signals
from teleport_email.daemon.status import StatusLine
from teleport_email.daemon.switch import ReminderSwitch
from teleport_email.daemon.systemd import Notifier
from teleport_email.mail.factory import make_mailer
from teleport_email.mail.mailer import Mailer
from teleport_email.reconciling.reconcile import Reconciler
from teleport_email.reconciling.worker import Workers
from teleport_email.reconciling.workqueue import WorkQueue
from teleport_email.reconciling.writer import TextWriter
from teleport_email.render import Renderer
from teleport_email.routing.audience import AudienceFinder, compiled, tell_of_rules
from teleport_email.routing.directory import Directory
from teleport_email.routing.policy import policy
from teleport_email.telemetry.diagnostics import Diagnostics
from teleport_email.telemetry.health import Backlog, Snapshot, name_of
from teleport_email.telemetry.log import Log
from teleport_email.telemetry.tally import Tally
from teleport_email.teleport.session import Session
from teleport_email.watching.link import Link
from teleport_email.watching.resync import Resync
from teleport_email.watching.store import Store
from teleport_email.watching.watch import RuleBook, Watch

if TYPE_CHECKING:
    from teleport_email.routing.rules import CompiledRule

DRAIN = 10.0
"""Seconds after the request to stop in which messages under way may come to their end by themselves."""
LAST_CALL = 4.0
"""Seconds after that, for what is past its final dot and for the records."""
GIVE_UP = 1.5
"""Seconds for each of the last steps: what has not ended by then is cut off. All of it together, with the
log's last lines, stays below the 20 s that operators are promised, and far below systemd's 90 s."""

log = structlog.get_logger()


async def run(
    settings: Settings,
    *,
    reread: Callable[[], Settings],
    signals: Signals,
    notifier: Notifier,
    log: Log,
    environ: Mapping[str, str],
) -> None:
    """Run the daemon until a signal asks it to stop.

    ``reread`` reads and checks the configuration anew (raises :class:`ConfigError`). Raises
    :class:`IdentityError` when the identity cannot be used and nothing renews it, and, with
    ``TELEPORT_PLUGIN_FAIL_FAST``, :class:`ClusterError` on a lost connection.
    """
    daemon = Daemon(settings, reread=reread, notifier=notifier, log=log, environ=environ)
    daemon.settle = heap.settle  # the process is all its own
    await daemon.run(signals)


class Daemon:
    """One process: the parts that live as long as it does, and those that a reload replaces."""

    def __init__(
        self,
        settings: Settings,
        *,
        reread: Callable[[], Settings],
        notifier: Notifier,
        log: Log,
        environ: Mapping[str, str],
    ) -> None:
        self.settings = settings
        self._reread = reread
        self._notifier = notifier
        self._log = log
        self._environ = environ
        self._fail_fast = fail_fast(environ)
        # Unguessable: claims, nonces and boundaries come from it.
        self._rng = random.SystemRandom()
        self.observer = Tally(wall_clock)
        self.store = Store()
        self.backlog = Backlog(self.store.unsettled, boot_clock)
        self.link = Link()
        self._book: list[AccessMonitoringRule] = []
        self._rules: Sequence[CompiledRule] = ()
        self._directory = Directory(self.link, clock=boot_clock)
        self.link.connected = self._directory.forget
        self._reload_asked = asyncio.Event()
        self._retired: set[asyncio.Task[None]] = set()
        self._logins: set[str] = set()
        """Mail servers that have offered a login: one that no longer does is out of order."""
        self.settle: Callable[[], None] = lambda: None
        """Called once, when everything is loaded."""
        self._begun = self._stopping = self._said_ready = False
        self._status = StatusLine(notifier, self.look)
        self.diagnostics = Diagnostics(
            look=self.look,
            store=self.store,
            backlog=self.backlog,
            tally=self.observer,
            problems=log.problems,
            waits=lambda request_id: self.reconciler.waits.get(request_id, ()) if self._begun else (),
        )
        self._configure(settings)

    # Build --------------------------------------------------------------------------------------------

    def _configure(self, settings: Settings) -> None:
        """Make the parts that the configuration decides about. Raising, it has changed nothing."""
        mailer = make_mailer(settings.mailer, clock=boot_clock, random=self._rng, logins=self._logins)
        mailer.wake_by(lambda key: self.queue.add(key))  # noqa: PLW0108 - there is no queue yet
        renderer = Renderer(settings.delivery, on_fault=_say_template_fault)
        for fault in renderer.check():
            log.error("template does not work", error=str(fault), action="the built-in one is used")
        self.settings = settings
        self.mailer: Mailer = mailer
        self._renderer = renderer
        self._finder = AudienceFinder(
            settings,
            lambda: self._rules,
            self._directory,
            self.link,
            unroutable=self.observer.unroutable,
            rule_failed=self.observer.rule_failed,
        )
        self._writer = TextWriter(
            renderer,
            self.link,
            self._directory,
            cluster=lambda: self.link.cluster,
            wall=wall_clock,
            rng=self._rng,
        )
        self._compile()

    def _compile(self, rules: Sequence[AccessMonitoringRule] | None = None) -> None:
        if rules is not None:
            self._book = list(rules)
        before, self._rules = self._rules, compiled(self._book, self.settings.plugin_name, self._rules)
        tell_of_rules(self._rules, before, self.observer.rule_failed)

    def policy(self) -> Policy:
        """What is due, as the configuration and our time on duty say."""
        return policy(self.settings, duty_since=self._resync.duty_since)

    # Run ----------------------------------------------------------------------------------------------

    async def run(self, signals: Signals) -> None:
        """From start to stop."""
        stop = asyncio.Event()
        signals.listen(stop=stop.set, reload=self._reload_asked.set)
        self.queue = WorkQueue()
        self.lists = ReminderSwitch(
            Parts(
                link=self.link,
                queue=self.queue,
                directory=self._directory,
                settings=lambda: self.settings,
                mailer=lambda: self.mailer,
                renderer=lambda: self._renderer,
                observer=self.observer,
                clock=boot_clock,
                wall=wall_clock,
                rng=self._rng,
            )
        )
        await self.diagnostics.start(self.settings.diagnostics)
        self.reconciler = Reconciler(
            owner=f"{self._rng.getrandbits(64):016x}",
            store=self.store,
            plugin_data=self.link,
            mailer=lambda: self.mailer,
            router=lambda: self._finder,
            writer=lambda: self._writer,
            policy=self.policy,
            id_domain=lambda: id_domain(self.settings.delivery.sender),
            observer=self.observer,
            clock=boot_clock,
            wall=wall_clock,
            rng=self._rng,
        )
        self._resync = Resync(
            self.store,
            self.queue,
            self.reconciler,
            interval=lambda: self.settings.teleport.resync_interval,
            delivery=lambda: self.settings.delivery,
            policy=self.policy,
            clock=boot_clock,
            wall=wall_clock,
            rng=self._rng,
        )
        self.lists.apply()
        others, about = self.lists.reconcilers, self.lists.about
        workers = Workers(
            self.queue, self.reconciler, wall=wall_clock, rng=self._rng, others=others, about=about
        )
        self._working = asyncio.create_task(workers.run(), name="workers")
        self._watching = self._start_watch()
        self._reloading = asyncio.create_task(self._reloads(), name="reloads")
        self._beating = asyncio.create_task(self._status.beats(self._is_alive), name="status and watchdog")
        stopped = asyncio.create_task(stop.wait(), name="signal to stop")
        self._begun = True
        try:
            self._notifier.ready("connecting")
            failure = await self._until_over(stopped)
        finally:
            await self._shut_down(signals.asked_to_stop, stopped)
        if failure is not None:
            raise failure

    async def _until_over(self, stopped: asyncio.Task[bool]) -> BaseException | None:
        """Wait for the signal to stop (None) or for a task that should never end."""
        while True:
            watching = self._watching
            endless = self._endless
            await asyncio.wait({stopped, *endless}, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                return None
            if watching.done() and watching is not self._watching:
                continue  # a reload has put another one in its place
            for task in endless:
                if task.done():
                    return task.exception() or RuntimeError(f"the task '{task.get_name()}' has ended")

    @property
    def _endless(self) -> tuple[asyncio.Task[None], ...]:
        """The tasks that end only with the process; none before they are begun."""
        if not self._begun:
            return ()
        return (self._working, self._watching, self._reloading, self._beating)

    def _start_watch(self) -> asyncio.Task[None]:
        teleport = self.settings.teleport
        session = Session(
            teleport, self.settings.plugin_name, environ=self._environ, now=wall_clock, clock_set=clock_set
        )
        watch = Watch(
            session=session,
            link=self.link,
            store=self.store,
            queue=self.queue,
            resync=self._resync,
            rules=RuleBook(self._compile),
            refresh_interval=teleport.refresh_identity_interval if teleport.refresh_identity else 0.0,
            fail_fast=self._fail_fast,
            clock=boot_clock,
            wall=wall_clock,
            rng=self._rng,
            ready=self._say_ready,
            reconnected=self.observer.reconnected,
        )
        return asyncio.create_task(watch.run(), name="watch")

    def _say_ready(self) -> None:
        if not self._said_ready:
            self._said_ready = True
            facts = {"open_requests": self.store.open, "to_announce": self._resync.to_announce}
            log.info("Plugin is ready", cluster=self.link.cluster.name, **facts)
            self._renderer.warm_up()
            self.settle()
        self.lists.listed()
        heap.give_back()
        self._status.tell()

    # Status -------------------------------------------------------------------------------------------

    def _is_alive(self) -> bool:
        """Whether the tasks live without which nobody is told."""
        return not self._working.done() and not self._watching.done()

    def look(self) -> Snapshot:
        """How things stand now."""
        queue = self.queue
        return Snapshot(
            at=wall_clock(),
            stopping=self._stopping,
            dead=tuple(task.get_name() for task in self._endless if task.done() and not self._stopping),
            link=replace(self.link.status),
            mailer=name_of(self.settings.mailer),
            paused=self.mailer.paused,
            next_probe_in=self.mailer.next_probe_in,
            seen=self.store.seen,
            open=self.store.open,
            ready=queue.depth,
            working=queue.working,
            delayed=queue.delayed - self.lists.asleep,
            oldest_waiting=self.backlog.oldest(),
            reviews=self.lists.now(),
            reload_refused=not self.observer.last_reload_good,
        )

    # Reload -------------------------------------------------------------------------------------------

    async def _reloads(self) -> None:
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            self._notifier.reloading()
            try:
                await self._reload()
            finally:
                self._status.ready_again()

    async def _reload(self) -> None:
        """Read and check the configuration; good: switch to it, bad: keep the old one and say why."""
        old, old_mailer = self.settings, self.mailer
        self._log.reopen()
        try:
            new = await asyncio.to_thread(self._reread)
            async with self.diagnostics.moving(new.diagnostics):
                self._log.apply(new.log)
                self._configure(new)
        except ConfigError as error:
            self.observer.reloaded(good=False)
            for fault in error.faults:
                log.error("configuration not reloaded", fault=str(fault), action="the old one stays in use")
            return
        except Exception as error:  # a file system's fault or ours: no reload ends the daemon
            self.observer.reloaded(good=False)
            log.exception("configuration not reloaded", fault=str(error), action="the old one stays in use")
            return
        self._retire(old_mailer)
        if (new.teleport, new.plugin_name) != (old.teleport, old.plugin_name):
            watching, self._watching = self._watching, self._start_watch()
            watching.cancel()
            await asyncio.wait({watching})
        for request_id in self.store.ids():
            self.queue.add(request_id)  # what is due may be another now
        self.lists.apply()
        self.observer.reloaded(good=True)
        log.info("configuration reloaded", warnings=list(new.warnings))

    def _retire(self, mailer: Mailer) -> None:
        """Let the old mailer end what it has under way, beside the new one."""
        task = asyncio.create_task(mailer.close(), name="old mailer")
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    # Stop ---------------------------------------------------------------------------------------------

    async def _shut_down(self, reason: str, stopped: asyncio.Task[bool]) -> None:
        """Take no new work, finish what is in flight within a bound, record it, release the claims."""
        begun = boot_clock()
        log.info("stopping", reason=reason or "a failure", in_flight=self.queue.working)
        self._notifier.stopping(f"finishing {self.queue.working} requests")
        self._stopping = True
        others = (stopped, self._reloading, self._beating)
        for task in others:
            task.cancel()
        self.queue.close()
        self.reconciler.stop()
        self.lists.stop()
        await asyncio.wait({self._working}, timeout=DRAIN)
        if not self._working.done():
            self.reconciler.abandon()
            self.lists.abandon()
            await asyncio.wait({self._working}, timeout=LAST_CALL)
        handed_back = self._working.done()
        self._working.cancel()
        # Only now the connection may go: records and releases went over it.
        self._watching.cancel()
        ending = {self._working, self._watching, *others}
        # Not for ever: a message whose dot has no answer is waited for, and the server may take minutes.
        ended, _ = await asyncio.wait(ending, timeout=GIVE_UP)
        await asyncio.gather(*ended, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVE_UP):
                await self.mailer.close()
        await self.diagnostics.close()
        log.info("stopped", after_seconds=round(boot_clock() - begun, 1), all_recorded=handed_back)


def _say_template_fault(fault: Fault) -> None:
    log.error("template does not work", error=str(fault), action="the built-in one was used")

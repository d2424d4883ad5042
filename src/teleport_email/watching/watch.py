"""Keep a stream of events open, for ever: connect, watch, list, and connect again.

In: events of the cluster. Out: the store fed, ids of changed requests on the queue. Never: a decision
about mails. The server ends streams whenever it likes, and the certificate ends by itself: a new connection
watches before the old one is let go, so a renewal leaves no gap.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

import structlog
from msgspec import Struct

from teleport_email.core.backoff import CLUSTER
from teleport_email.core.errors import (
    ClusterError,
    Denied,
    IdentityError,
    IdentityNotYetValid,
    Unreachable,
    Unsupported,
)
from teleport_email.core.model import AccessMonitoringRule
from teleport_email.reconciling.workqueue import WorkQueue
from teleport_email.teleport.calls.events import (
    RequestGone,
    RequestPut,
    RuleGone,
    RulePut,
    WatchEvent,
    WatchStarted,
)
from teleport_email.teleport.calls.permissions import grant, help_for, role_lines
from teleport_email.teleport.session import Connection, Session
from teleport_email.watching.link import Link
from teleport_email.watching.resync import Resync
from teleport_email.watching.store import Store

REQUESTS, RULES = "access_request", "access_monitoring_rule"
HEALTHY_AFTER = 10.0
"""Seconds that a stream must have lasted for the next failure to count as the first one again."""
WARN_BEFORE_END = (timedelta(days=7), timedelta(days=1), timedelta(hours=1))
"""Life left of a certificate that nothing renews, at which a warning is due."""
OVERDUE = 1 / 6
"""Share of its life left, of a certificate that something should have renewed: tbot does after a third."""
REPLACE = "put a new identity in place and restart, or use Machine ID and refresh_identity"
SEE_WHO_RENEWS = "nothing has renewed teleport.identity: see whether tbot is at work and writes there"
SAY_AGAIN = 300.0
"""Seconds between two lines about the same trouble: often enough for a log that begins after it."""
LOOK_AT_END_EVERY = 60.0
"""Seconds between two looks at how much is left."""

log = structlog.get_logger()


class _Stream(Struct, frozen=True):
    """A connection and its watch, begun."""

    connection: Connection
    events: AsyncGenerator[WatchEvent, None]
    kinds: frozenset[str] | None

    async def close(self) -> None:
        await self.events.aclose()
        await self.connection.close()


class RuleBook:
    """The Access Monitoring Rules as they are now; ``changed`` is called after each change."""

    def __init__(self, changed: Callable[[list[AccessMonitoringRule]], None]) -> None:
        self._rules: dict[str, AccessMonitoringRule] = {}
        self._changed = changed

    def replace(self, rules: list[AccessMonitoringRule]) -> None:
        """All rules, from a list."""
        self._rules = {rule.name: rule for rule in rules}
        self._changed(list(self._rules.values()))

    def put(self, rule: AccessMonitoringRule) -> None:
        """One rule was made or changed."""
        self._rules[rule.name] = rule
        self._changed(list(self._rules.values()))

    def remove(self, name: str) -> None:
        """One rule was deleted."""
        if self._rules.pop(name, None) is not None:
            self._changed(list(self._rules.values()))


class Watch:
    """The loop that keeps the stream open."""

    def __init__(
        self,
        *,
        session: Session,
        link: Link,
        store: Store,
        queue: WorkQueue,
        resync: Resync,
        rules: RuleBook,
        refresh_interval: float,
        fail_fast: bool,
        clock: Callable[[], float],
        wall: Callable[[], datetime],
        rng: random.Random,
        ready: Callable[[], None],
        reconnected: Callable[[], None] = lambda: None,
    ) -> None:
        """``refresh_interval``: seconds between looks at the identity's files, 0 for never.

        ``fail_fast``: raise instead of connecting again. ``ready``: called once, after the first list.
        """
        self._session = session
        self._link = link
        self._store = store
        self._queue = queue
        self._resync = resync
        self._rules = rules
        self._refresh = refresh_interval
        self._fail_fast = fail_fast
        self._clock = clock
        self._wall = wall
        self._rng = rng
        self._ready = ready
        self._reconnected = reconnected
        self._said: set[str] = set()
        """What people were told of, so that each connection does not tell it again."""
        self._warned: set[tuple[datetime, timedelta]] = set()
        """(end of a certificate, how long before) of which people were warned."""
        self._greeted = False
        self._outage_since: float | None = None
        self._outage_reason = ""
        self._trouble: tuple[float, float] | None = None
        """Since when there was no list of requests, and when that was said last."""

    async def run(self) -> None:
        """Watch until cancelled.

        Raises :class:`IdentityError` where the first connection fails on an identity that nothing renews,
        and any failure with ``fail_fast``.
        """
        failures = 0
        while True:
            begun = self._clock()
            try:
                await self._watch_once()
            except (ClusterError, IdentityError) as error:
                # Before its time it is the clock of a machine that just booted: it will be set.
                early = isinstance(error, IdentityNotYetValid)
                hopeless = isinstance(error, IdentityError) and not (self._refresh or early)
                if self._fail_fast or (hopeless and not self._link.status.connections):
                    raise
                healthy = self._outage_since is None and self._clock() - begun > HEALTHY_AFTER
                failures = 1 if healthy else failures + 1
                self._say_outage(error)
            await asyncio.sleep(CLUSTER.delay(failures, self._rng))

    async def _watch_once(self) -> None:
        """One connection and those that follow it without a gap; ends by raising."""
        stream = await self._open()
        self._link.set(stream.connection)
        while True:
            connection = stream.connection
            status = self._link.status
            status.identity_ends, status.identity_user = (
                connection.identity.not_after,
                connection.identity.user,
            )
            problem = "the connection was closed"
            try:
                successor = await self._serve(stream)
                self._link.set(successor.connection)  # before the old one goes: calls find one at any time
            except BaseException as error:
                problem = str(error) or problem
                raise
            finally:
                self._resync.lost()
                self._link.unset(connection, problem)
                await stream.close()
            stream = successor

    async def _open(self) -> _Stream:
        """Connect and begin to watch. Rules are read before any request is looked at."""
        connection = await self._session.connect()
        events = connection.watch([REQUESTS, RULES])
        stream = _Stream(connection, events, None)
        try:
            started = await anext(events)
            if not isinstance(started, WatchStarted):
                raise Unreachable("the stream of events did not begin as it should")
            if started.kinds is not None and REQUESTS not in started.kinds:
                raise Denied("the cluster does not let us watch access requests")
            await self._read_rules(connection, started.kinds)
        except BaseException:
            await stream.close()
            raise
        return _Stream(connection, events, started.kinds)

    async def _read_rules(self, connection: Connection, kinds: frozenset[str] | None) -> None:
        effect = "recipients come from the file"
        try:
            rules = await connection.rules.list()
        except Unsupported:
            self._rules.replace([])
            version = connection.cluster.server_version
            self._say_once("no access monitoring rules", logging.INFO, version=version, effect=effect)
        except Denied as error:
            facts = self._grant(help_for(error) or role_lines([RULES]))
            self._say_once("access monitoring rules not readable", error=str(error), effect=effect, **facts)
        else:
            if kinds is None or RULES in kinds:
                self._rules.replace(rules)
                return
            # Rules whose changes nobody tells us of would soon be others than those that people see.
            facts = self._grant(role_lines([RULES]))
            self._say_once("access monitoring rules not readable", effect=effect, **facts)

    async def _serve(self, stream: _Stream) -> _Stream:
        """Take events in until the stream ends (raises) or its successor stands (returns it)."""
        connection = stream.connection
        self._resync.watching()
        self._say_connected(connection)
        renewal = asyncio.create_task(self._renewal(connection), name="renewal of the connection")
        others: list[Coroutine[Any, Any, object]] = [
            self._take_in(stream.events),
            connection.keep_alive(),
            self._resync.run(connection.requests, connection.plugin_data, self._listed),
        ]
        names = ("events", "ping", "lists")
        tasks = [asyncio.create_task(job, name=name) for job, name in zip(others, names, strict=True)]
        try:
            done, _ = await asyncio.wait([renewal, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            if not renewal.done():
                renewal.cancel()
            results = await asyncio.gather(*tasks, renewal, return_exceptions=True)
        if renewal in done and not isinstance(results[-1], BaseException):
            return renewal.result()
        if isinstance(results[-1], _Stream):
            await results[-1].close()  # it came a moment too late
        for task in done:
            task.result()
        raise AssertionError("a task that never ends has ended")

    def _listed(self) -> None:
        self._link.status.listed = True
        self._trouble = None
        self._said.difference_update([key for key in self._said if key.startswith("permission missing")])
        self._ready()

    async def _take_in(self, events: AsyncGenerator[WatchEvent, None]) -> None:
        async with aclosing(events):
            async for event in events:
                self._take(event)

    def _take(self, event: WatchEvent) -> None:
        match event:
            case RequestPut(request):
                if self._store.put(request):
                    self._queue.add(request.id)
            case RequestGone(request_id):
                if self._store.remove(request_id):
                    self._queue.add(request_id)
            case RulePut(rule):
                self._rules.put(rule)
            case RuleGone(name):
                self._rules.remove(name)
            case WatchStarted():
                pass

    async def _renewal(self, connection: Connection) -> _Stream:
        """Wait until the identity on disk should be used, and return a stream that uses it."""
        while True:
            await asyncio.sleep(self._refresh or LOOK_AT_END_EVERY)
            identity = connection.identity
            if not self._refresh:
                self._warn_of_end(identity.not_after, WARN_BEFORE_END, REPLACE)
                continue
            if not await asyncio.to_thread(connection.renew_due, self._wall()):
                life = identity.not_after - identity.not_before
                self._warn_of_end(identity.not_after, (life * OVERDUE,), SEE_WHO_RENEWS)
                continue
            try:
                stream = await self._open()
            except (ClusterError, IdentityError) as error:
                log.warning("renewal of the connection failed", error=str(error), action="tried again")
                continue
            log.info(
                "connection renewed",
                identity_ends=f"{stream.connection.identity.not_after:%Y-%m-%d %H:%M:%S} UTC",
            )
            return stream

    def _warn_of_end(self, end: datetime, limits: Iterable[timedelta], action: str) -> None:
        """Warn of the end of a certificate that nothing has renewed, once at each of the limits."""
        left = end - self._wall()
        passed = {(end, limit) for limit in (*limits, timedelta(0)) if left <= limit}
        if passed <= self._warned:
            return
        self._warned |= passed
        if left <= timedelta(0):
            # The stream may well outlive it; the next connection cannot.
            log.error("identity expired", since=f"{end:%Y-%m-%d %H:%M:%S} UTC", action=action)
            return
        log.warning(
            "identity ends soon",
            ends=f"{end:%Y-%m-%d %H:%M:%S} UTC",
            hours_left=round(left.total_seconds() / 3600, 1),
            action=action,
        )

    # Words for people -------------------------------------------------------------------------------

    def _say_outage(self, error: Exception) -> None:
        was_connected = self._outage_since is None and self._link.status.connections > 0
        if self._outage_since is None:
            self._outage_since = self._clock()
        self._link.status.problem = str(error)
        if self._say_trouble(error) or str(error) == self._outage_reason:
            return
        self._outage_reason = str(error)
        if isinstance(error, Denied):
            self._say_denied(error)
        elif was_connected:
            # The server ends streams whenever it likes; only if connecting fails it is worth a warning.
            log.info("stream ended", error=str(error), action="connecting again")
            self._outage_reason = ""
        elif isinstance(error, IdentityError) and self._refresh:
            log.error(
                "waiting for a new identity", error=str(error), looked_at_every=f"{self._refresh:.0f} s"
            )
        else:
            event = "connection to the cluster lost" if self._greeted else "cluster not reached"
            log.warning(event, error=str(error), action="trying again until it works")

    def _say_trouble(self, error: Exception) -> bool:
        """Whether it was time to say that nobody is told of new requests: at first others do."""
        now = self._clock()
        since, said = self._trouble or (now, now)
        due = now - said >= SAY_AGAIN
        self._trouble = (since, now if due else said)
        if due:
            self._outage_reason = str(error)
            role = help_for(error) if isinstance(error, Denied) else ()
            log.error(
                "requests not watched",
                error=str(error),
                since_minutes=round((now - since) / 60),
                **{"action": "trying again until it works", **(self._grant(role) if role else {})},
            )
        return due

    def _say_connected(self, connection: Connection) -> None:
        facts = {
            "cluster": connection.cluster.name,
            "version": connection.cluster.server_version,
            "way": connection.way,
        }
        if self._outage_since is not None:
            seconds = round(self._clock() - self._outage_since, 1)
            log.info("connected again", after_seconds=seconds, **facts)
            self._outage_since = None
            self._outage_reason = ""
            self._reconnected()
        elif not self._greeted:
            log.info("connected", **facts)
        self._greeted = True

    def _say_denied(self, error: Denied) -> None:
        lines = help_for(error) or role_lines([REQUESTS])
        self._say_once("permission missing", error=str(error), **self._grant(lines))

    def _grant(self, lines: Iterable[str]) -> dict[str, str]:
        identity = self._session.identity
        return grant(identity.user, identity.roles, lines) if identity else {"role": "\n".join(lines)}

    def _say_once(self, event: str, level: int = logging.WARNING, /, **facts: str) -> None:
        """Once for each missing permission: the next one, when the first was granted, is news."""
        what = f"{event}: {facts}"
        if what not in self._said:
            self._said.add(what)
            log.log(level, event, **facts)

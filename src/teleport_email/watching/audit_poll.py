"""Asking for Access Lists whose review is due: on every connection, every few hours, and before a claim.

In: the lists of the cluster, a page at a time. Out: the board filled, the keys of all owners on the queue.
Never: a fault for the requests: what goes wrong here is said and tried again, readiness knows nothing of it.

No event that all clusters send tells of Access Lists, and a review has weeks, so they are asked for, as
Teleport's own plugin for Slack does. Of thousands of lists only those are kept whose review is open, or opens
before the next poll is sure to be through.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from teleport_email.config.settings import AccessListSettings
from teleport_email.core.audits import OWNER, ListOwner, OwnedList
from teleport_email.core.backoff import Backoff
from teleport_email.core.errors import ClusterError, Denied, NotFound, Unreachable, Unsupported
from teleport_email.core.model import replace
from teleport_email.reconciling.keys import ACCESS_LIST
from teleport_email.reconciling.workqueue import WorkQueue
from teleport_email.routing.route import Route, listed, plain
from teleport_email.teleport.calls.permissions import help_for, role_lines
from teleport_email.watching.audits import AuditBoard, Held

if TYPE_CHECKING:
    from teleport_email.watching.link import AccessLists

LISTS: Final = "access_list"
FIRST: Final = 30.0
"""Seconds after a connection's first list of requests: these come first, whatever else a start brings."""
EVERY: Final = 3 * 3600.0
"""Seconds between two polls at most, as in Teleport's plugin for Slack. Jitter takes up to a quarter away."""
SPACING: Final = 600.0
"""Seconds between two polls because a connection was made, however often it ends."""
SOON: Final = timedelta(seconds=2 * EVERY)
"""A review that opens within this is kept already: a poll that fails for a while must not make it late."""
SPREAD, EACH = 60.0, 0.3
"""Seconds at most, and per owner, over which looks after a poll are spread: neither the cluster nor the mail
server gets hundreds at once, and two replicas seldom meet at one."""
RETRY: Final = Backoff(first=30.0, cap=1800.0)
"""After a poll that failed. It is in no hurry, and each costs the cluster a page per hundred lists."""
SAY_AFTER: Final = 3
"""Polls in a row that must fail for want of an answer before that is worth a warning."""
FRESH: Final = 5.0
"""Seconds for which a list need not be read again: the cluster's own caches lag as much."""
MOST_READ: Final = 200
"""Lists of one owner that are read again before a claim, those with the earliest dates first."""
AT_ONCE: Final = 8
"""Of these at the same time: a list takes a call of milliseconds, and others wait for the cluster, too."""
READ_WITHIN: Final = 5.0
"""Seconds for all of them: a slot of the mailer and a worker are held meanwhile."""
MOST_SAID: Final = 20
"""Lists of one poll whose untold owners are named: one missing permission can concern thousands."""
READ_PAUSE: Final = 60.0
"""Seconds for which nothing is read again after that was not enough: others wait for the slot, too."""
STALE: Final = 24 * 3600.0
"""Seconds after which nobody is reminded of a list on the strength of what was known of it then: it may have
been reviewed long since, and that lists cannot be read is said in the log."""

log = structlog.get_logger()


class AuditPoll:
    """Keeps a board up to date, over all connections of the process."""

    def __init__(
        self,
        board: AuditBoard,
        queue: WorkQueue,
        lists: Callable[[], AccessLists],
        find: Callable[[Sequence[ListOwner]], Awaitable[Route]],
        settings: Callable[[], AccessListSettings],
        *,
        clock: Callable[[], float],
        wall: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        """``lists``: of the connection of the moment; raises :class:`Unreachable` without one.

        ``find``: whom to remind of a list with these owners. ``clock`` counts seconds, ``wall`` is UTC.
        """
        self._board = board
        self._queue = queue
        self._lists = lists
        self._find = find
        self._settings = settings
        self._clock = clock
        self._wall = wall
        self._rng = rng
        self._due = float("inf")
        self._ended = float("-inf")
        self._moved = asyncio.Event()
        self._failures = 0
        self._read_at: dict[str, float] = {}
        """List -> clock reading when it was asked for last."""
        self._unsaid = 0
        """How many lists have owners who cannot be told, beyond those that are named."""
        self._reads = True
        """Whether this connection's cluster reads single lists."""
        self._reads_from = float("-inf")
        """Clock reading from which on they are read again, after one that had no answer in time."""
        self._said: set[str] = set()
        self._told: dict[tuple[str, int], str] = {}
        """Audit -> what was said of owners who cannot be told."""
        self.ended_at: datetime | None = None
        """When the last poll that was complete ended."""

    def connected(self) -> None:
        """A connection's first list of requests is through: what it permits may be something else."""
        self._reads = True
        at = self._clock() + FIRST * (1.0 - self._rng.random() / 4)
        self._set_due(min(self._due, max(at, self._ended + SPACING)))

    def at_once(self) -> None:
        """Poll now: the configuration is another one, and somebody may want to know what it does."""
        self._said.clear()
        self._set_due(self._clock())

    async def run(self) -> None:
        """Poll at the right times, for ever."""
        while True:
            await self._until_due()
            self._due = self._clock() + EVERY * (1.0 - self._rng.random() / 4)
            try:
                await self.once()
            except Unsupported:
                self._due = float("inf")  # till the next connection: the cluster may be upgraded by then
                self._drop_all()
                self._say_once(
                    log.info, "no Access Lists in this cluster", effect="nobody is reminded of any"
                )
            except Denied as error:
                self._drop_all()
                self._say_denied(error)
            except ClusterError as error:
                self._retry()
                if not isinstance(error, Unreachable) or self._failures >= SAY_AFTER:
                    self._say_once(
                        log.warning, "Access Lists not read", error=str(error), action="tried again"
                    )
                else:
                    log.debug("cluster call failed", error=str(error))
            except Exception:  # a fault of ours, too, ends neither the daemon nor the reminders for good
                self._retry()
                log.exception("Access Lists not read", action="tried again later; please report this")

    async def once(self) -> None:
        """One poll. Raises :class:`ClusterError`; then nothing has changed."""
        lists = self._lists()
        found: dict[str, Held] = {}
        self._unsaid = -MOST_SAID
        read_at: dict[str, float] = {}
        owners_tell = True
        asked = self._clock()
        async for page in lists.pages():
            for owned in page:
                name = owned.audit.list_name
                held, owners_tell = await self._held(lists, owned, owners_tell)
                _set(found, name, held)  # it may have come on an earlier page, before somebody reviewed it
                read_at[name] = asked
            asked = self._clock()
        for name, at in self._read_at.items():
            if at > read_at.get(name, at):  # by a claim, while this poll was under way
                _set(found, name, self._board.held(name))
                read_at[name] = at
        self._board.replace(found)
        self._read_at = {name: read_at[name] for name in found}
        open_ = {held.audit.key for held in found.values()}
        self._told = {key: said for key, said in self._told.items() if key in open_}
        if self._unsaid > 0:
            hint = "teleport-email explain --access-list NAME"
            log.warning("owners of more lists not reminded", lists=self._unsaid, hint=hint)
        self._failures = 0
        self._said.clear()
        self._ended, self.ended_at = self._clock(), self._wall()
        keys = self._board.all_keys()
        self._spread(keys)
        log.debug("polled Access Lists", lists=len(read_at), open=len(found), owners=len(keys))

    async def refresh(self, key: str) -> None:
        """Read the lists of a key once more, before a claim says what is due; what fails changes nothing, as
        long as what is known is not :data:`STALE`."""
        now = self._clock()
        names = self._board.names(key)
        read = [name for name in names[:MOST_READ] if self._read_at.get(name, float("-inf")) < now - FRESH]
        changes: dict[str, Held | None] = {}
        if read and self._reads and now >= self._reads_from:
            try:
                lists = self._lists()
                places = asyncio.Semaphore(AT_ONCE)
                async with asyncio.timeout(READ_WITHIN), asyncio.TaskGroup() as group:
                    for name in read:
                        group.create_task(self._read_again(lists, name, places, changes))
            except Unreachable:
                pass
            except TimeoutError:
                self._reads_from = self._clock() + READ_PAUSE
        for name in names:
            if name not in changes and self._read_at.get(name, float("-inf")) < now - STALE:
                changes[name] = None
        self._spread([other for other in self._board.update(changes) if other != key])

    def _drop_all(self) -> None:
        """Nothing is known any more, and nobody is reminded."""
        self._board.replace({})
        for key in self._board.all_keys():
            self._queue.add(key)

    def vanished(self, key: str, error: NotFound) -> None:
        """The cluster has no place for a ledger. It knows no owner, so of one it means that it keeps plugin
        data for lists that exist alone; from then on each list has its own."""
        if not key.startswith(ACCESS_LIST + OWNER):
            log.info("Access List gone before it was told", **self._board.about(key), error=str(error))
        elif not self._board.per_list:
            log.info(
                "one mail per Access List", reason="the cluster keeps plugin data for existing lists only"
            )
            self._spread(self._board.keep_per_list())

    def _spread(self, keys: Collection[str]) -> None:
        for key in keys:
            self._queue.add_after(key, self._rng.random() * min(SPREAD, EACH * len(keys)))

    # Times --------------------------------------------------------------------------------------------

    async def _until_due(self) -> None:
        while (left := self._due - self._clock()) > 0:
            self._moved.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left if left < float("inf") else None):
                    await self._moved.wait()

    def _set_due(self, at: float) -> None:
        self._due = at
        self._moved.set()

    def _retry(self) -> None:
        self._failures += 1
        self._due = min(self._due, self._clock() + RETRY.delay(self._failures, self._rng))

    # One list -----------------------------------------------------------------------------------------

    async def _read_again(
        self, lists: AccessLists, name: str, places: asyncio.Semaphore, changes: dict[str, Held | None]
    ) -> None:
        async with places:
            if not self._reads:
                return
            asked = self._clock()
            try:
                owned = await lists.get(name)
                held = (await self._held(lists, owned, True))[0] if owned is not None else None
            except Unsupported:
                self._reads = False
            except ClusterError as error:
                log.debug("Access List not read again", list=name, error=str(error))
            else:
                if asked >= self._read_at.get(name, asked):  # else a poll was faster
                    changes[name] = held
                    self._read_at[name] = asked

    async def _held(self, lists: AccessLists, owned: OwnedList, ask: bool) -> tuple[Held | None, bool]:
        """The audit and whom it concerns, None where nobody will be reminded for now; and whether the cluster
        tells who the owners are where a list is one. ``ask``: whether it does, as far as is known."""
        audit, owners = owned.audit, owned.owners
        if audit.opens > self._wall() + SOON or (audit.is_empty and self._settings().skip_without_members):
            return None, ask
        if ask and any(owner.is_list for owner in owners):
            owners, error = await resolved(lists, owned)
            ask = not isinstance(error, Unsupported | Denied)
        route = await self._find(owners)
        self._tell(audit.key, route)
        return Held(replace(audit, ownerless=route.fallback), route.recipients, route.spelled), ask

    # Words for people ---------------------------------------------------------------------------------

    def _tell(self, key: tuple[str, int], route: Route) -> None:
        """Say once for each audit which owners cannot be told."""
        skipped = listed(f"{plain(each.candidate)} ({plain(each.why)})" for each in route.skipped)
        what = f"{skipped} {route.problem}"
        if what.strip() in ("", self._told.get(key)):
            return
        self._told[key] = what.strip()
        self._unsaid += 1
        if self._unsaid > 0:
            return
        if route.problem:
            log.error("no owner to remind", list=key[0], error=route.problem, skipped=skipped)
        elif skipped:
            log.warning("owner not reminded", list=key[0], skipped=skipped)

    def _say_once(self, say: Callable[..., object], event: str, **facts: str) -> None:
        """Once until a poll is through again."""
        what = f"{event}: {facts}"
        if what not in self._said:
            self._said.add(what)
            say(event, **facts)

    def _say_denied(self, error: Denied) -> None:
        role = "\n".join(help_for(error) or role_lines([LISTS]))
        effect = "owners are not reminded of reviews"
        self._say_once(log.warning, "Access Lists not readable", error=str(error), role=role, effect=effect)


async def resolved(lists: AccessLists, owned: OwnedList) -> tuple[tuple[ListOwner, ...], ClusterError | None]:
    """The owners of a list of which some are lists; or as the list names them, and why they are not known.

    Raises :class:`ClusterError` where not only this call does not work.
    """
    name = owned.audit.list_name
    try:
        return await lists.owners(name), None
    except ClusterError as error:
        if isinstance(error, Unreachable):
            await lists.get(name)  # raises where it is the connection
        log.debug("owners of Access List not resolved", list=name, error=str(error))
        return owned.owners, error


def _set(lists: dict[str, Held], name: str, held: Held | None) -> None:
    if held is None:
        lists.pop(name, None)
    else:
        lists[name] = held

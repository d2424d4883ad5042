"""How the daemon stands at one moment, and what follows from it: is it alive, is it ready, and if not, why.

In: facts from all parts, taken at one moment. Out: sentences for people and probes. Never: I/O, a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec import Struct, field

from teleport_email.config.settings import MailgunSettings, SmtpSettings
from teleport_email.watching.link import Status


class Reviews(Struct, frozen=True):
    """Reviews of Access Lists, as the last poll found them."""

    open: int = 0
    """Of which owners are or would be reminded: from the opening of their window on."""
    overdue: int = 0
    """Those of them whose date has come."""
    polled_at: datetime | None = None
    """When the last poll that was complete ended."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """The facts of one moment. Durations in seconds, times in UTC."""

    at: datetime
    stopping: bool = False
    dead: tuple[str, ...] = ()
    """Names of tasks that should run as long as the process, and have ended."""
    link: Status = field(default_factory=Status)
    """The connection to the cluster and the identity."""
    mailer: str = ""
    """What sends: ``SMTP smtp.example.com:587``, ``Mailgun mg.example.com``."""
    paused: str = ""
    """Why nothing is sent at the moment; empty when all is well."""
    next_probe_in: float = 0.0
    seen: int = 0
    """Requests seen since the start."""
    open: int = 0
    ready: int = 0
    """Requests that wait for a worker."""
    working: int = 0
    delayed: int = 0
    """Requests to be looked at again later."""
    oldest_waiting: float = 0.0
    """How long the request has waited for which something has been due for longest."""
    reviews: Reviews | None = None
    """None where owners of Access Lists are not reminded."""
    reload_refused: bool = False
    """Whether the last reload found a fault, so that an older configuration is in use."""

    @property
    def connected(self) -> bool:
        """Whether the watch stands."""
        return not self.link.problem

    def obstacles(self) -> tuple[str, ...]:
        """Why the daemon is not ready to tell people about requests; empty when it is."""
        found = [f"the task '{name}' has ended" for name in self.dead]
        if self.stopping:
            found.append("stopping")
        if self.link.problem:
            found.append(f"not connected to the cluster: {self.link.problem}")
        elif not self.link.listed:
            found.append("the first list of requests is not through yet")
        ends = self.link.identity_ends
        if ends is not None and ends <= self.at:
            found.append(f"the identity of {self.link.identity_user} expired at {when(ends)}")
        if self.paused:
            found.append(f"sending is paused: {self.paused}")
        return tuple(found)

    def line(self) -> str:
        """How things stand, in one line for the service manager."""
        problem = self.link.problem
        where = f"not connected: {problem}" if problem else f"watching {self.link.cluster}"
        waiting = self.ready + self.working + self.delayed
        paused = f"; sending paused: {self.paused}" if self.paused else ""
        refused = "; new configuration refused, see the log" if self.reload_refused else ""
        return f"{where}, {self.open} open, {waiting} waiting{paused}{refused}"


class Backlog:
    """Since when something has been due for each request that is not settled.

    It looks when it is told to, so an age may be too small by the time between two looks.
    """

    def __init__(self, unsettled: Callable[[], Iterable[str]], clock: Callable[[], float]) -> None:
        """``unsettled``: ids of the requests for which something is due. ``clock``: seconds."""
        self._unsettled = unsettled
        self._clock = clock
        self._since: dict[str, float] = {}

    def look(self) -> None:
        """Take in what is unsettled now."""
        now = self._clock()
        self._since = {key: self._since.get(key, now) for key in self._unsettled()}

    def oldest(self) -> float:
        """Seconds that the longest waiting request has waited; 0 when none waits."""
        self.look()
        return self._clock() - min(self._since.values()) if self._since else 0.0

    def age(self, request_id: str) -> float | None:
        """Seconds that this request has waited, as of the last look; None when nothing is due for it."""
        since = self._since.get(request_id)
        return None if since is None else self._clock() - since


def name_of(mailer: SmtpSettings | MailgunSettings) -> str:
    """What sends the mails, in a few words."""
    if isinstance(mailer, MailgunSettings):
        return f"Mailgun {mailer.domain}"
    return f"SMTP {mailer.host}:{mailer.port}"


def when(moment: datetime) -> str:
    """A time for people."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

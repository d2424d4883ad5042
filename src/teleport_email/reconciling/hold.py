"""The sends under one claim: begun after a confirmed write, each ended before the key is free again.

In: a claim with messages ready to begin. Out: the same claim with their outcomes as facts. Never: a write
to the ledger (``reconcile`` does those).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

import structlog

from teleport_email.core.claim import BEGIN_UNTIL, FINISH_UNTIL, RENEW_AFTER, Claim, Render
from teleport_email.core.decide import Due
from teleport_email.core.model import (
    AccountFault,
    Declined,
    Delivered,
    Mail,
    Refused,
    SendOutcome,
    Temporary,
    Withdrawn,
)
from teleport_email.reconciling.keys import about

WAVE = 40
"""Messages of one request that are marked and under way at a time. Enough for the largest sensible pool
of connections; few enough that a resolution which comes meanwhile is told to the rest at once."""
GATHER = 0.03
"""Seconds for which an outcome waits for others to be recorded along, while messages are in flight."""

log = structlog.get_logger()


class Gate(Protocol):
    """What the mailer asks before each step."""

    @property
    def closed(self) -> asyncio.Future[None]: ...
    def may_begin(self) -> bool: ...
    def may_finish(self) -> bool: ...


class Mailer(Protocol):
    """Sends one message to one recipient."""

    @property
    def refusing(self) -> str: ...
    @property
    def paused(self) -> str: ...
    def wait(self, recipient: str, request_id: str, turn: int = 0) -> float: ...
    def park(self, request_id: str, recipients: Mapping[str, int]) -> None: ...
    def leave(self, request_id: str) -> None: ...
    def admit(self) -> AbstractAsyncContextManager[None]: ...
    async def send(self, mail: Mail, gate: Gate) -> SendOutcome: ...


class Observer(Protocol):
    """Counts what happens, for metrics."""

    def sent(self, due: Due, outcome: SendOutcome, seconds: float) -> None:
        """An attempt to send has ended."""
        ...

    def conflict(self) -> None:
        """A write to a ledger was not confirmed."""
        ...


class ClaimGate:
    """Whether messages may be begun and finished, by the age of the claim's last confirmed write."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.confirmed = float("-inf")
        """Clock reading at which the last confirmed write was issued."""
        self.winding_down = False
        """Begin nothing more; what is under way may come to its end."""

    @property
    def closed(self) -> asyncio.Future[None]:
        """Done: abandon everything that is before its final dot. A future and no event, since each message
        waits for it, and waiting for an event takes a task."""
        return self._closed

    def close(self) -> None:
        """Abandon everything that is before its final dot."""
        if not self._closed.done():
            self._closed.set_result(None)

    def may_begin(self) -> bool:
        """Whether a message may be begun."""
        young = self._clock() - self.confirmed < BEGIN_UNTIL
        return young and not self.winding_down and not self._closed.done()

    def may_finish(self) -> bool:
        """Whether the final dot may be sent."""
        return self._clock() - self.confirmed < FINISH_UNTIL and not self._closed.done()


class Hold:
    """One claim, and the messages that are being sent under it."""

    def __init__(
        self,
        claim: Claim,
        mailer: Mailer,
        *,
        observer: Observer,
        clock: Callable[[], float],
        wall: Callable[[], datetime],
        tries: dict[Due, int],
        about: Callable[[str], Mapping[str, str]] = about,
    ) -> None:
        """``tries`` counts the attempts of each message; it is kept for the key by the caller. ``about``: the
        fields of the log for a key."""
        self.claim = claim
        self.gate = ClaimGate(clock)
        self.mailer = mailer
        self.retry_after = 0.0
        """Longest wait that the mail server asked for, seconds."""
        self.declined: set[Due] = set()
        """Refused for what may be our own fault, or put off for an earlier such refusal."""
        self.render: Render | None = None
        """Writes the contents; looked up with the first one that is needed."""
        self.unconfirmed = 0
        """Writes to the ledger in a row that were not confirmed."""
        self._observer = observer
        self._clock = clock
        self._wall = wall
        self._tries = tries
        self._about = about
        self._sends: dict[asyncio.Task[SendOutcome], Due] = {}

    @property
    def is_sending(self) -> bool:
        """Whether any message is under way."""
        return bool(self._sends)

    @property
    def room(self) -> int:
        """How many messages more may be marked now."""
        if self.gate.winding_down:
            return 0
        return max(0, WAVE - len(self.claim.in_flight) - len(self.claim.ready))

    def begin(self) -> None:
        """Begin to send what the last confirmed write marked."""
        dues, self.claim = self.claim.begin()
        for due, mail in self.claim.mails(dues).items():
            name = f"send {self.claim.request_id} {due.kind.code}"
            self._sends[asyncio.create_task(self._send(due, mail), name=name)] = due

    async def news(self) -> None:
        """Wait until a message has ended or the claim wants renewing, and take the outcomes in."""
        renew_in = max(0.0, RENEW_AFTER - self.claim.age(self._clock()))
        done, others = await asyncio.wait(self._sends, timeout=renew_in, return_when=asyncio.FIRST_COMPLETED)
        if done and others:
            await asyncio.wait(others, timeout=GATHER)
        self.collect()

    def collect(self) -> None:
        """Take the outcomes of the messages that have ended into the claim."""
        at = int(self._wall().timestamp())
        for task in [task for task in self._sends if task.done()]:
            due = self._sends.pop(task)
            outcome = task.result()
            if isinstance(outcome, Temporary) and outcome.retry_after:
                self.retry_after = max(self.retry_after, outcome.retry_after)
            if isinstance(outcome, Declined):
                self.declined.add(due)
            self.claim = self.claim.finish(due, outcome, at)

    async def end(self) -> None:
        """Wait for all messages under way: after the dot nothing cuts the wait for the answer short."""
        while self._sends:
            await asyncio.wait(self._sends)
            self.collect()

    async def _send(self, due: Due, mail: Mail) -> SendOutcome:
        begun = self._clock()
        attempt = self._tries[due] = self._tries.get(due, 0) + 1
        try:
            outcome = await self.mailer.send(mail, self.gate)
        except Exception as error:  # one fault of ours must not hide what became of the others
            log.exception("unexpected fault while sending", message_id=mail.message_id)
            outcome = Temporary(f"unexpected {type(error).__name__} while sending", maybe_accepted=True)
        seconds = self._clock() - begun
        self._observer.sent(due, outcome, seconds)
        paused = bool(self.mailer.paused)
        fields = dict(self._about(self.claim.request_id))
        if (told := self.claim.ledger.round_of(due.kind)) is not None:
            fields["lists"] = str(len(told.audits))
        _log_outcome(fields, due, mail, outcome, attempt=attempt, seconds=seconds, paused=paused)
        return outcome


def _log_outcome(
    fields: Mapping[str, str],
    due: Due,
    mail: Mail,
    outcome: SendOutcome,
    *,
    attempt: int,
    seconds: float,
    paused: bool,
) -> None:
    bound = log.bind(
        **fields,
        kind=str(due.kind),
        recipient=due.address,
        message_id=mail.message_id,
        attempt=attempt,
    )
    match outcome:
        case Delivered(answer):
            bound.info("message delivered", answer=answer, seconds=round(seconds, 3))
        case Temporary(reason, maybe_accepted=True):
            bound.warning("message deferred", error=reason, perhaps_accepted=True)
        case Temporary(reason) | AccountFault(reason):
            # The pause has its own line; this would be one for every message.
            (bound.debug if paused else bound.warning)("message deferred", error=reason)
        case Declined(reason, tried=tried):
            say = bound.debug if paused or not tried else bound.warning
            say(
                "message declined",
                error=reason,
                action="perhaps our fault: tried again, more and more seldom",
            )
        case Refused(reason):
            bound.error("message refused", error=reason, action="given up for this recipient")
        case Withdrawn(reason):
            bound.debug("message withdrawn", reason=reason)

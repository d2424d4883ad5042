"""What every way of sending has in common: gate, admission, pause, who waits, and the point of no return.

In: a :class:`~teleport_email.core.model.Mail` and a :class:`Gate`. Out: a ``SendOutcome``; no exception but
``CancelledError``. Before the point of no return (SMTP's final dot, the last byte of an HTTP request) a
send is abandoned at once when its gate closes or its caller is cancelled; after it nothing cuts the wait for
the answer short, since an answer that nobody hears makes a duplicate.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import structlog
from msgspec import Struct

from teleport_email.core.model import Declined, Delivered, Mail, Refused, SendOutcome, Temporary, Withdrawn

from .admission import Admission
from .message import Written, write
from .outage import Outage
from .pause import Pause, Step
from .standing import Standing, Waiting

__all__ = ["Attempt", "DoubtedError", "Finding", "Gate", "Mailer", "OpenGate", "WithdrawnError"]

log = structlog.get_logger()


class Gate(Protocol):
    """What the holder of a claim lets the mailer do."""

    def may_begin(self) -> bool:
        """Whether the claim is young enough to begin a message."""

    def may_finish(self) -> bool:
        """Whether the claim is young enough to send the final dot."""

    @property
    def closed(self) -> asyncio.Future[None]:
        """Done: the claim is lost; abandon at once whatever is before its dot."""


class OpenGate:
    """A gate that lets everything through: for a test message, which nobody claims."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def may_begin(self) -> bool:
        return True

    def may_finish(self) -> bool:
        return True


class Finding(Struct, frozen=True):
    """One line of what :meth:`Mailer.verify` found."""

    good: bool
    subject: str
    """``connection``, ``TLS``, ``session``, ``login``, ``size``, ``sender``, ``recipient``, ``domain``."""
    detail: str
    odd: bool = False
    """Good, but worth a warning."""


class WithdrawnError(Exception):
    """The gate closed before the point of no return. Stays inside ``mail/``."""


class DoubtedError(Exception):
    """Nobody gets through any more: whoever has not begun yet goes one at a time. Stays inside ``mail/``."""


class Attempt:
    """One send on its way, and whether it is past the point of no return."""

    __slots__ = ("_gate", "abandoned", "alone", "committed", "recipient", "trying")

    def __init__(self, gate: Gate, recipient: str = "") -> None:
        self._gate = gate
        self.recipient = recipient
        self.trying = False
        """The server is being asked."""
        self.alone = False
        """Nobody else is tried meanwhile."""
        self.committed = False
        self.abandoned = False
        """The caller is gone; also where a cancellation got lost in ``asyncio.wait_for`` (before 3.12)."""

    def begin(self) -> None:
        """To be called before anything is said about this message. :raises WithdrawnError: too late."""
        if self.abandoned or self._gate.closed.done() or not self._gate.may_begin():
            raise WithdrawnError

    def commit(self) -> None:
        """To be called right before what makes the other side accept. :raises WithdrawnError: too late."""
        if self.abandoned or self._gate.closed.done() or not self._gate.may_finish():
            raise WithdrawnError
        self.committed = True

    def refused(self) -> None:
        """The answer was a definite refusal: before the point of no return again."""
        self.committed = False


class Mailer(ABC):
    """Sends mails of one account; shared by all requests."""

    def __init__(self, *, clock: Callable[[], float], random: random.Random, slots: int) -> None:
        self._clock = clock
        self._pause = Pause(clock=clock, random=random)
        self._admission = Admission(self._pause, slots)
        self._standing = Standing(clock=clock, random=random)
        self._outage = Outage(
            clock, lambda: self.next_probe_in, lambda: self._admission.waiting + self._standing.parked
        )
        self._pause.changed = self._standing.changed = self._changed
        self._probe_timer: asyncio.TimerHandle | None = None
        self._single = asyncio.Lock()
        self._under_way: dict[asyncio.Task[SendOutcome], Attempt] = {}
        self._closing = False

    # For the program

    @property
    def paused(self) -> str:
        """Why nothing gets through at the moment, for people; empty when all is well."""
        return self._pause.reason or self._standing.doubt

    @property
    def refusing(self) -> str:
        """Why a send would come back untried; empty when all is well, and while a probe is let through."""
        verdict = self._pause.verdict
        return verdict.reason if verdict else ""

    @property
    def next_probe_in(self) -> float:
        """Seconds until the next probe while paused; 0 when none is waited for."""
        return self._pause.next_probe_in if self._pause.reason else self._standing.next_probe_in

    def wake_by(self, wake: Callable[[str], object]) -> None:
        """``wake`` is called with the id of a request that was :meth:`park`-ed and may go on."""
        self._standing.wake = wake

    def wait(self, recipient: str, request_id: str, turn: int = 0) -> float:
        """Seconds until this request may send to this recipient. 0: now; the turn is kept for it a while.

        ``turn``: of the message; a higher one than it was parked with ends the wait.
        """
        return self._standing.wait(recipient, request_id, turn)

    def park(self, request_id: str, recipients: Mapping[str, int]) -> None:
        """The request waits for these of its recipients, as :meth:`wait` told (each with the turn of its
        message); news of them wake it.
        """
        self._standing.park(request_id, recipients)

    def leave(self, request_id: str) -> None:
        """Nothing is due for the request any more."""
        self._standing.leave(request_id)

    def waiting(self) -> list[Waiting]:
        """The recipients who wait after a refusal, and why."""
        return self._standing.waiting()

    def admit(self) -> AbstractAsyncContextManager[None]:
        """A slot for one request's claim and sends. Waits while the mailer is paused or has enough to do.

        On entry a connection begins to open when none is idle, so that it is there when the claim is.
        """
        return self._admit()

    async def send(self, mail: Mail, gate: Gate) -> SendOutcome:
        """Send one mail, and tell what became of it. Never raises but ``CancelledError``, and that only
        when nothing was accepted; once past the point of no return the outcome is returned instead.
        """
        attempt = Attempt(gate, mail.recipient)
        try:
            if self._closing:
                return Withdrawn("the mailer is closing")
            attempt.begin()
            written = write(mail)
        except WithdrawnError:
            return Withdrawn("the claim was lost before the message was begun")
        except ValueError as error:
            return Refused(f"the message cannot be written: {error}")
        task = asyncio.create_task(self._guarded(mail, written, attempt))
        self._under_way[task] = attempt
        task.add_done_callback(self._over)
        return await _until_over(task, attempt, gate)

    async def close(self) -> None:
        """Wait for the sends under way, then close idle connections politely. Whoever waits for a slot gets
        one, and what is sent from now on comes back ``Withdrawn``. To be awaited once.
        """
        self._closing = True
        self._admission.open_to_all()
        while self._under_way:
            await asyncio.wait(self._under_way)
        self._outage.close()
        if self._probe_timer is not None:
            self._probe_timer.cancel()
        await self._close_connections()

    @abstractmethod
    async def verify(self, sender: str = "", recipient: str = "") -> Sequence[Finding]:
        """Connect, check TLS, log in, and see whether mail from ``sender`` to ``recipient`` (plain addresses;
        without a sender neither is tried) is taken; nothing is sent. Stops at the first that fails, and waits
        as long as sending would.
        """

    # For the ways to send

    @abstractmethod
    async def _deliver(self, mail: Mail, written: Written, attempt: Attempt) -> SendOutcome:
        """Send it as written, after :meth:`_begin`. Cancelled only while ``attempt`` is not committed. An
        ``AccountFault`` has tripped the pause.

        :raises WithdrawnError: as given by ``attempt``.
        :raises DoubtedError: as given by :meth:`_begin`.
        """

    def _begin(self, attempt: Attempt) -> None:
        """To be called right before anything is said about this message.

        :raises WithdrawnError: too late.
        :raises DoubtedError: not now, and not beside others.
        """
        attempt.begin()
        if self._standing.doubt and not attempt.alone:
            raise DoubtedError
        attempt.trying = True

    def _prepare(self) -> None:  # noqa: B027 - not every way to send has something to prepare
        """Somebody was admitted and will soon send."""

    async def _close_connections(self) -> None:  # noqa: B027 - likewise
        """Nothing is under way any more."""

    @asynccontextmanager
    async def _admit(self) -> AsyncIterator[None]:
        async with self._admission.slot():
            if not self._closing:
                self._prepare()
            yield

    async def _guarded(self, mail: Mail, written: Written, attempt: Attempt) -> SendOutcome:
        """Send, one at a time while nobody is known to get through."""
        while True:
            try:
                if not self._standing.doubt:
                    return await self._tried(mail, written, attempt)
                async with self._single:
                    attempt.alone = bool(self._standing.doubt)
                    if attempt.alone:
                        return await self._tried(mail, written, attempt)
            except DoubtedError:
                continue

    async def _tried(self, mail: Mail, written: Written, attempt: Attempt) -> SendOutcome:
        if (verdict := self._pause.verdict) is not None:
            return verdict
        if not self._standing.may_try(mail.recipient):
            return Declined(
                f"waiting after an earlier refusal: {self._standing.reason(mail.recipient)}", tried=False
            )
        try:
            outcome = await self._deliver(mail, written, attempt)
        except DoubtedError:
            raise
        except WithdrawnError:
            return Withdrawn("the claim was lost before the message was complete")
        except Exception as error:
            # A fault of ours must not lose the mail: it is tried again.
            log.exception("unexpected fault while sending", message_id=mail.message_id)
            return Temporary(
                f"unexpected {type(error).__name__} while sending", maybe_accepted=attempt.committed
            )
        return self._judged(attempt, outcome)

    def _judged(self, attempt: Attempt, outcome: SendOutcome) -> SendOutcome:
        """The outcome, as what is known of the account and of this recipient makes it."""
        recipient = attempt.recipient
        match outcome:
            case Delivered():
                self._standing.accepted(recipient)
                self._pause.passed(Step.ACCEPTED)
            case Refused():
                self._standing.certain(recipient)
            case Declined():
                rest = [other for other in self._under_way.values() if other.recipient != recipient]
                return self._standing.refused(
                    recipient,
                    outcome,
                    trying=[other.recipient for other in rest if other.trying],
                    others=bool(rest) or self._admission.waiting > 0,
                )
        return outcome

    def _over(self, task: asyncio.Task[SendOutcome]) -> None:
        attempt = self._under_way.pop(task)
        self._standing.ended(attempt.recipient)

    def _changed(self) -> None:
        """A pause or a doubt has begun, ended, or goes on."""
        doubt = self._standing.doubt
        self._outage.look(self._pause.fault or (Declined(doubt) if doubt else None))
        if doubt and self._probe_timer is None and not self._closing:
            self._await_probe()
        self._admission.look()

    def _await_probe(self) -> None:
        self._probe_timer = asyncio.get_running_loop().call_later(
            max(0.05, self._standing.next_probe_in), self._probe_due
        )

    def _probe_due(self) -> None:
        self._probe_timer = None
        if self._standing.doubt and not self._closing:
            self._standing.turn()
            self._await_probe()


async def _until_over(task: asyncio.Task[SendOutcome], attempt: Attempt, gate: Gate) -> SendOutcome:
    """Wait for the send; cancel it when the gate closes or we are cancelled while that is still harmless."""
    closed = gate.closed
    either: set[asyncio.Future[Any]] = {task, closed}
    called_off = False
    while not task.done():
        try:
            await asyncio.wait({task} if closed.done() else either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            called_off = True
        if (called_off or closed.done()) and not attempt.committed:
            attempt.abandoned = True
            task.cancel()
    if called_off and not attempt.committed:
        raise asyncio.CancelledError
    if not task.cancelled():
        return task.result()
    if attempt.committed:  # the event loop itself is ending
        return Temporary("the program ended before the answer came", maybe_accepted=True)
    return Withdrawn("the claim was lost")

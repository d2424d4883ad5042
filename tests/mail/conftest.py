"""What the tests of the mailers share."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from teleport_email.config.settings import SmtpSettings
from teleport_email.core.model import Content, Mail
from teleport_email.mail.mailer import Mailer, OpenGate
from teleport_email.mail.smtp.dialogue import Timeouts
from teleport_email.mail.smtp.mailer import SmtpMailer
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.script import Script, Silence
from teleport_email.sandbox.mail.smtp_faults import SmtpFaults
from teleport_email.sandbox.mail.smtp_session import SmtpSession

CONTENT = Content(
    subject="example.com Role Request 0190d7f6",
    text="ID: 0190d7f6\n.\n..dots\nReason: déjà vu\n",
    html="<p>ID: 0190d7f6</p>",
    date=datetime(2026, 11, 22, 18, 30, 5, tzinfo=UTC),
    boundary="=_3f9d2c1b7a6e4d5c8b9a",
    sender="Teleport <teleport@example.com>",
)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class StrictGate(OpenGate):
    """A gate whose answers a test sets."""

    def __init__(self, *, begin: bool = True, finish: bool = True) -> None:
        super().__init__()
        self.begin, self.finish = begin, finish
        self.asked_to_finish = asyncio.Event()

    def may_begin(self) -> bool:
        return self.begin

    def may_finish(self) -> bool:
        self.asked_to_finish.set()
        return self.finish


@pytest.fixture(params=[True, False], ids=["pipelined", "one by one"])
def pipelining(request, monkeypatch) -> bool:
    """Whether the inboxes of a test offer it."""
    monkeypatch.setattr(SmtpFaults, "pipelining", request.param)
    return request.param


@pytest.fixture
def clock() -> Clock:
    return Clock()


A_SILENCE = Timeouts().final + 1
"""Longer than any answer is waited for."""


@pytest.fixture
async def pass_time(monkeypatch) -> Callable[[float], Coroutine[Any, Any, None]]:
    """``await pass_time(60)``: a minute goes by on the loop, once all that is under way on it has arrived."""
    loop = asyncio.get_running_loop()
    real, ahead = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: real() + ahead)

    async def go_by(seconds: float) -> None:
        nonlocal ahead
        for _ in range(50):
            await asyncio.sleep(0)
        ahead += seconds

    return go_by


@pytest.fixture
async def silence_passes(pass_time, monkeypatch) -> AsyncIterator[None]:
    """Where a server says nothing, eleven minutes go by at once. So the limits are those of real life, a silence
    costs a test no time, and no machine is too busy for what is not silent.
    """
    passing: set[asyncio.Task[None]] = set()

    def pass_it() -> None:
        passing.add(asyncio.create_task(pass_time(A_SILENCE)))

    act, receive = Script.act, SmtpSession.data_received

    def acted(script: Script, *occasion: Any) -> Any:
        action = act(script, *occasion)
        if isinstance(action, Silence):
            pass_it()
        return action

    def received(session: SmtpSession, data: bytes) -> None:
        if session._owner.faults.drops_commands and data.startswith(b"MAIL ") and data.count(b"\n") > 1:
            pass_it()
        receive(session, data)

    monkeypatch.setattr(Script, "act", acted)
    monkeypatch.setattr(SmtpSession, "data_received", received)
    yield
    await asyncio.gather(*passing)


@pytest.fixture
def strict_gate() -> type[StrictGate]:
    return StrictGate


@pytest.fixture
def new_mail() -> Callable[..., Mail]:
    """Makes mails, each with its own Message-ID."""
    numbers = itertools.count(1)

    def make(recipient: str = "bob@example.com", **content: Any) -> Mail:
        return Mail(
            recipient=recipient,
            message_id=f"a.{next(numbers)}@example.com",
            thread_root="root@example.com",
            content=replace(CONTENT, **content),
        )

    return make


Connect = Callable[..., SmtpMailer]


@pytest.fixture
async def connect(clock: Clock) -> AsyncIterator[Connect]:
    """Makes mailers for an inbox, and closes them."""
    mailers: list[Mailer] = []

    def make(inbox: Inbox, *, timeouts: Timeouts | None = None, **changes: Any) -> SmtpMailer:
        settings: SmtpSettings = inbox.settings(**changes)
        mailer = SmtpMailer(settings, clock=clock, random=random.Random(1), timeouts=timeouts, environ={})
        mailers.append(mailer)
        return mailer

    yield make
    for mailer in mailers:
        await mailer.close()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as exit_stack:
        yield exit_stack

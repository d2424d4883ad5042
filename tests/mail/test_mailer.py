"""What all ways to send have in common."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys

import pytest

from teleport_email.config.settings import MailgunSettings, Secret, SmtpSettings
from teleport_email.core.model import Delivered, SendOutcome, Temporary, Withdrawn
from teleport_email.mail.factory import make_mailer
from teleport_email.mail.mailer import Attempt, Mailer, OpenGate, WithdrawnError


class Scripted(Mailer):
    """Sends nothing; ``deliver`` is what the test says."""

    def __init__(self, clock, deliver) -> None:
        super().__init__(clock=clock, random=random.Random(1), slots=2)
        self._script = deliver

    async def _deliver(self, mail, raw: bytes, attempt: Attempt) -> SendOutcome:
        return await self._script(attempt)

    async def verify(self, sender="", recipient=""):
        return []


async def test_a_bug_of_ours_loses_no_message(clock, new_mail) -> None:
    async def before(attempt: Attempt) -> SendOutcome:
        raise RuntimeError("secret detail")

    async def after(attempt: Attempt) -> SendOutcome:
        attempt.commit()
        raise RuntimeError("secret detail")

    for deliver, maybe in ((before, False), (after, True)):
        outcome = await Scripted(clock, deliver).send(new_mail(), OpenGate())
        assert outcome == Temporary("unexpected RuntimeError while sending", maybe_accepted=maybe)


async def test_a_send_that_loses_its_cancellation_cannot_pass_the_point_of_no_return(clock, new_mail) -> None:
    """As asyncio.wait_for did before Python 3.12 when a reply came in the same moment."""
    waiting = asyncio.Event()

    async def deliver(attempt: Attempt) -> SendOutcome:
        waiting.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            attempt.commit()
        return Delivered()

    mailer = Scripted(clock, deliver)
    send = asyncio.create_task(mailer.send(new_mail(), OpenGate()))
    await waiting.wait()
    send.cancel()
    with pytest.raises(asyncio.CancelledError):
        await send
    gate = OpenGate()
    waiting.clear()
    send = asyncio.create_task(mailer.send(new_mail(), gate))
    await waiting.wait()
    gate.closed.set_result(None)
    assert isinstance(await send, Withdrawn)


async def test_a_committed_send_outlives_the_limit_of_its_caller(clock, new_mail) -> None:
    answer = asyncio.Event()

    async def deliver(attempt: Attempt) -> SendOutcome:
        attempt.commit()
        asyncio.get_running_loop().call_later(0.1, answer.set)
        await answer.wait()
        return Delivered("late")

    async with asyncio.timeout(0.02) as limit:
        outcome = await Scripted(clock, deliver).send(new_mail(), OpenGate())
    assert outcome == Delivered("late")
    assert limit.expired()


async def test_a_loop_that_ends_after_the_point_of_no_return_leaves_it_open(clock, new_mail) -> None:
    committed = asyncio.Event()

    async def deliver(attempt: Attempt) -> SendOutcome:
        attempt.commit()
        committed.set()
        return await asyncio.get_running_loop().create_future()

    mailer = Scripted(clock, deliver)
    send = asyncio.create_task(mailer.send(new_mail(), OpenGate()))
    await committed.wait()
    for task in mailer._under_way:
        task.cancel()
    outcome = await send
    assert isinstance(outcome, Temporary)
    assert outcome.maybe_accepted


async def test_an_attempt_asks_its_gate(strict_gate) -> None:
    Attempt(strict_gate()).begin()
    with pytest.raises(WithdrawnError):
        Attempt(strict_gate(begin=False)).begin()
    attempt = Attempt(strict_gate(finish=False))
    attempt.begin()
    with pytest.raises(WithdrawnError):
        attempt.commit()
    assert not attempt.committed


async def test_who_waits_for_a_slot_of_a_mailer_that_closes_gets_it_and_sends_nothing(
    clock, new_mail
) -> None:
    async def deliver(attempt: Attempt) -> SendOutcome:
        return Delivered()

    mailer = Scripted(clock, deliver)
    async with mailer.admit(), mailer.admit():
        waiting = asyncio.create_task(_admitted(mailer, new_mail()))
        await asyncio.sleep(0)
        assert not waiting.done()
        await mailer.close()
        assert isinstance(await waiting, Withdrawn)


async def _admitted(mailer: Mailer, mail) -> SendOutcome:
    async with mailer.admit():
        return await mailer.send(mail, OpenGate())


async def test_the_mailer_that_the_settings_ask_for(clock) -> None:
    smtp = make_mailer(SmtpSettings(host="127.0.0.1"), clock=clock, random=random.Random(1))
    mailgun = make_mailer(
        MailgunSettings(domain="mg.example.com", private_key=Secret("k")),
        clock=clock,
        random=random.Random(1),
    )
    assert (type(smtp).__name__, type(mailgun).__name__) == ("SmtpMailer", "MailgunMailer")
    await smtp.close()
    await mailgun.close()


def test_smtp_loads_no_http_client() -> None:
    code = "import sys, teleport_email.mail.smtp.mailer; print('httpx' in sys.modules, 'cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]

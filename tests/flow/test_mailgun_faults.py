"""Every fault of Mailgun, on the whole way from the stream to the mailbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from teleport_email.mail.mailgun import MailgunMailer
from teleport_email.sandbox.mail.mailgun import (
    BANNER,
    NOT_ALLOWED,
    UNAUTHORIZED,
    Answer,
    MailgunServer,
    Silence,
    rate_limited,
)
from teleport_email.sandbox.mail.script import Cut

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture
async def mailgun() -> AsyncIterator[MailgunServer]:
    async with MailgunServer() as server:
        yield server


@pytest.mark.parametrize("answer", [UNAUTHORIZED, NOT_ALLOWED], ids=["401", "403"])
async def test_an_account_that_is_repaired_later(world: Any, mailgun: MailgunServer, answer: Answer) -> None:
    mailgun.faults.on("SEND", answer)
    running = await world.start(mailer=mailgun.settings())
    requests = [await world.cluster.create(roles=["dba"]) for _ in range(5)]
    await running.until(lambda: running.daemon.mailer.paused)
    assert mailgun.answers[answer.status] <= 8, "no more than are under way at once, and then single probes"
    mailgun.faults.clear()
    await mailgun.wait_for(10)
    await world.told(*(request.id for request in requests))
    world.assert_once(mailgun.messages)


async def test_429_is_waited_out_as_long_as_it_says(world: Any, mailgun: MailgunServer) -> None:
    mailgun.faults.on("SEND", rate_limited(1), times=1)
    await world.start(mailer=mailgun.settings())
    made = await world.cluster.create()
    await mailgun.until(lambda box: box.answers[429] == 1)
    [mail] = await mailgun.wait_for(1)
    await world.told(made.id)
    assert made.created is not None
    assert mail.received_at - made.created >= timedelta(seconds=1)
    world.assert_once(mailgun.messages)


@pytest.mark.parametrize(
    ("action", "kept"),
    [
        pytest.param(Answer(500, "sorry"), False, id="500, not taken"),
        pytest.param(Answer(502, "<html>bad gateway</html>", keep=True), True, id="502, taken"),
        pytest.param(BANNER, False, id="200 with a text page"),
        pytest.param(Cut(keep=True), True, id="cut, taken"),
        pytest.param(Cut(keep=False), False, id="cut, not taken"),
    ],
)
async def test_an_answer_that_says_nothing_for_sure(
    world: Any, mailgun: MailgunServer, action: Any, kept: bool
) -> None:
    mailgun.faults.on("SEND", action, times=2)
    await world.start(mailer=mailgun.settings())
    request = await world.cluster.create(roles=["dba"])
    await mailgun.wait_for(2 + 2 * kept)
    await world.told(request.id)
    await world.cluster.deny(request.id)
    await mailgun.wait_for(4 + 2 * kept)
    await world.told(request.id)
    assert len(mailgun.messages) == 4 + 2 * kept
    world.assert_twins(mailgun.messages)
    for address in ("dba@example.com", "ops@example.com"):
        assert list(dict.fromkeys(world.kinds(address, mailgun))) == ["a", "D"]


@pytest.mark.parametrize("keep", [True, False], ids=["taken", "not taken"])
async def test_a_call_without_an_answer(
    world: Any, mailgun: MailgunServer, keep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MailgunMailer.__init__.__kwdefaults__, "answer_seconds", 0.3)
    mailgun.faults.on("SEND", Silence(keep=keep), times=1)
    await world.start(mailer=mailgun.settings())
    request = await world.cluster.create()
    await mailgun.wait_for(1 + keep)
    await world.told(request.id)
    world.assert_twins(mailgun.messages)


@pytest.mark.parametrize("status", [400, 403])
async def test_an_address_that_mailgun_refuses_waits_alone(
    world: Any, mailgun: MailgunServer, status: int
) -> None:
    """It may be our own From, or a sandbox domain: nobody is given up for it."""
    rule = mailgun.faults.on(
        "SEND", Answer(status, json={"message": "not allowed"}), recipient="ops@example.com"
    )
    running = await world.start(mailer=mailgun.settings())
    request = await world.cluster.create(roles=["dba"])
    await mailgun.wait_for(1)
    await world.cluster.approve(request.id)
    await mailgun.wait_for(2)
    assert world.kinds("dba@example.com", mailgun) == ["a", "A"]
    assert world.kinds("ops@example.com", mailgun) == []
    assert not running.daemon.mailer.paused
    rule.remove()
    await mailgun.wait_for(3)
    await world.told(request.id)
    assert world.kinds("ops@example.com", mailgun) == ["aA"]


async def test_one_replica_may_use_mailgun_and_another_smtp(world: Any, mailgun: MailgunServer) -> None:
    """What the one froze and perhaps sent, the other sends as the same message, to the byte."""
    mailgun.faults.on("SEND", Answer(500, "sorry", keep=True))
    first = await world.start(mailer=mailgun.settings())
    request = await world.cluster.create()
    await mailgun.wait_for(1)
    await first.stop()
    await world.start()
    [by_smtp] = await world.inbox.wait_for(1)
    await world.told(request.id)
    assert {mail.raw for mail in mailgun.messages} == {by_smtp.raw}

"""Sends under one claim: when they may begin and finish, and what comes of each."""

from __future__ import annotations

import asyncio

import pytest
from in_memory import NOW, Post, Tally, wall
from structlog.testing import capture_logs
from virtual_time import START, clock, in_virtual_time

from teleport_email.core import go_plugin
from teleport_email.core.claim import BEGIN_UNTIL, FINISH_UNTIL, RENEW_AFTER, Attempt, Claim
from teleport_email.core.decide import Due
from teleport_email.core.frozen import pack
from teleport_email.core.ledger import Entry, Ledger, Mark, Party
from teleport_email.core.model import (
    AccessRequest,
    AccountFault,
    Content,
    Declined,
    Delivered,
    Kind,
    Refused,
    SendOutcome,
    Temporary,
    Topic,
    Withdrawn,
)
from teleport_email.reconciling.hold import GATHER, WAVE, ClaimGate, Hold

ANNOUNCEMENT = Kind(Topic.ANNOUNCEMENT)


def hold(post: Post, count: int = 2, *, tally: Tally | None = None) -> Hold:
    """With ``count`` messages marked, confirmed and ready to begin."""
    addresses = [f"r{number}@example.com" for number in range(count)]
    content = Content("s", "a by one", "", NOW, "b", "t@example.com")
    ledger = Ledger(nonce="00" * 16, domain="example.com", owner="me", write_id="1")
    ledger = ledger.freeze(ANNOUNCEMENT, pack(content))
    for address in addresses:
        ledger = ledger.replace_party(Party(address, entries={ANNOUNCEMENT: Entry(Mark.ATTEMPTED)}))
    dues = tuple(Due(address, False, ANNOUNCEMENT) for address in addresses)
    write = go_plugin.write(ledger, {}, AccessRequest("id", "user"))
    attempt = Attempt(write, clock(), dues, frozenset(dues))
    claim = Claim("id", "me").issued(attempt).written(attempt)
    made = Hold(claim, post, observer=tally or Tally(), clock=clock, wall=wall, tries={})
    made.gate.confirmed = claim.confirmed
    return made


# The gate -------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_by_the_age_of_the_last_confirmed_write() -> None:
    gate = ClaimGate(clock)
    assert not gate.may_begin(), "nothing was confirmed"
    assert not gate.may_finish()
    gate.confirmed = clock()
    for seconds, begin, finish in (
        (0.0, True, True),
        (BEGIN_UNTIL - 0.01, True, True),
        (BEGIN_UNTIL, False, True),
        (FINISH_UNTIL - 0.01, False, True),
        (FINISH_UNTIL, False, False),
    ):
        gate.confirmed = clock() - seconds
        assert (gate.may_begin(), gate.may_finish()) == (begin, finish), seconds


@in_virtual_time
async def test_winding_down_begins_nothing_and_finishes_what_is_begun() -> None:
    gate = ClaimGate(clock)
    gate.confirmed = clock()
    gate.winding_down = True
    assert (gate.may_begin(), gate.may_finish()) == (False, True)
    gate.close()
    assert not gate.may_finish()


# Sending --------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_several_recipients_at_once_each_with_a_mail_of_their_own() -> None:
    post = Post(seconds=1.0)
    made = hold(post, 10)
    assert made.room == WAVE - 10
    made.begin()
    assert made.is_sending
    await made.end()
    assert clock() - START == pytest.approx(1.0)
    assert not made.is_sending
    assert len({mail.message_id for mail in post.sent}) == 10
    assert len({mail.thread_root for mail in post.sent}) == 1
    assert len({id(mail.content) for mail in post.sent}) == 1, "unpacked once for all"
    assert {entry.mark for entry in made.claim.facts.values() if entry} == {Mark.DELIVERED}
    assert {entry.at for entry in made.claim.facts.values() if entry} == {int(wall().timestamp())}


@in_virtual_time
async def test_news_wait_a_moment_for_others_that_end_together() -> None:
    post = Post()
    made = hold(post, 3)
    made.begin()
    await made.news()
    assert len(made.claim.facts) == 3
    assert clock() - START < 0.1 + GATHER + 0.01


@in_virtual_time
async def test_news_come_no_later_than_the_next_renewal() -> None:
    post = Post()
    post.hang = asyncio.Event()
    made = hold(post)
    made.begin()
    await made.news()
    assert clock() - START == pytest.approx(RENEW_AFTER)
    assert made.claim.facts == {}
    post.hang.set()
    await made.end()


@in_virtual_time
async def test_the_longest_wait_that_a_server_asked_for_is_kept() -> None:
    post = Post()
    post.answer("r0@example.com", Temporary("429", retry_after=5.0))
    post.answer("r1@example.com", Temporary("429", retry_after=60.0))
    made = hold(post)
    made.begin()
    await made.end()
    assert made.retry_after == 60.0


@pytest.mark.parametrize(
    ("outcome", "level", "event"),
    [
        (Delivered("250 ok"), "info", "message delivered"),
        (Temporary("451 later"), "warning", "message deferred"),
        (Temporary("cut", maybe_accepted=True), "warning", "message deferred"),
        (Refused("550 unknown"), "error", "message refused"),
        (AccountFault("535 login"), "warning", "message deferred"),
        (Declined("550 5.7.1 no"), "warning", "message declined"),
        (Declined("550 5.7.1 no", tried=False), "debug", "message declined"),
        (Withdrawn("too late"), "debug", "message withdrawn"),
    ],
)
@in_virtual_time
async def test_one_line_for_each_outcome(outcome: SendOutcome, level: str, event: str) -> None:
    post, tally = Post(), Tally()
    post.answer("r0@example.com", outcome)
    made = hold(post, 1, tally=tally)
    with capture_logs() as lines:
        made.begin()
        await made.end()
    (line,) = lines
    assert (line["log_level"], line["event"]) == (level, event)
    facts = {key: line[key] for key in ("request", "recipient", "kind", "attempt")}
    assert facts == {"request": "id", "recipient": "r0@example.com", "kind": "announcement", "attempt": 1}
    assert line["message_id"].startswith("a.")
    assert line.get("perhaps_accepted", False) is (getattr(outcome, "maybe_accepted", False) is True)
    assert [found for _, found in tally.outcomes] == [outcome]


@in_virtual_time
async def test_while_sending_is_paused_its_own_line_is_enough() -> None:
    post = Post(paused="535 login")
    post.answer("r0@example.com", AccountFault("535 login"))
    post.answer("r1@example.com", Temporary("451 later"))
    post.answer("r2@example.com", Declined("550 5.7.1 no"))
    post.answer("r3@example.com", Refused("550 5.1.1 unknown"))
    post.answer("r4@example.com", Temporary("cut", maybe_accepted=True))
    made = hold(post, 5)
    with capture_logs() as lines:
        made.begin()
        await made.end()
    levels = {line["recipient"][:2]: line["log_level"] for line in lines}
    assert levels == {"r0": "debug", "r1": "debug", "r2": "debug", "r3": "error", "r4": "warning"}


@in_virtual_time
async def test_what_is_closed_before_its_dot_comes_back_and_dots_are_waited_for() -> None:
    post = Post(seconds=1.0, after_dot=30.0)
    made = hold(post, 2)
    made.begin()
    await asyncio.sleep(2)  # both dots are sent
    made.gate.close()
    await made.end()
    assert clock() - START == pytest.approx(31.0)
    assert len(post.sent) == 2


@in_virtual_time
async def test_the_wait_for_sends_that_is_cancelled_leaves_them_to_be_waited_for_again() -> None:
    post = Post(after_dot=10.0)
    made = hold(post)
    made.begin()
    waiting = asyncio.create_task(made.news())
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait({waiting})
    await made.end()
    assert len(made.claim.facts) == 2

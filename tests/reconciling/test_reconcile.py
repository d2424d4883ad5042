"""One request at a time: what is sent and written, whatever the cluster and the mail server answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from in_memory import NOW, PluginData, Post, Process, wall
from msgspec import structs
from structlog.testing import capture_logs
from virtual_time import START, clock, in_virtual_time

from teleport_email.core import informing
from teleport_email.core.backoff import CONTENTION, MAIL
from teleport_email.core.claim import LEASE
from teleport_email.core.errors import Conflict, Denied, NotFound, Rejected, Unreachable
from teleport_email.core.ledger import LEDGER_KEY, Mark
from teleport_email.core.model import (
    AccountFault,
    Kind,
    Refused,
    RequestState,
    Temporary,
    Topic,
)
from teleport_email.reconciling import hold, reconcile
from teleport_email.reconciling.reconcile import Again, Done

A, B = "a@example.com", "b@example.com"
APPROVED, DENIED = RequestState.APPROVED, RequestState.DENIED
ANNOUNCEMENT = Kind(Topic.ANNOUNCEMENT)


async def until_done(process: Process, key: str = "id", *, at_most: int = 30) -> int:
    """Look again as a worker would; returns the number of looks."""
    for looks in range(1, at_most + 1):
        outcome = await process.look(key)
        if isinstance(outcome, Done):
            return looks
        await asyncio.sleep(outcome.after if outcome.after is not None else max(5.0, outcome.at_least))
    raise AssertionError(f"still not done: {outcome}")


LOST = Again(backoff=CONTENTION)
"""Somebody else has the ledger; looked at again in a moment."""

# All is well ------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_claim_send_record_release() -> None:
    one = Process()
    one.see()
    assert await one.look() == Done()
    assert one.post.told == [(A, "a"), (B, "a")]
    ledger = one.data.ledger()
    assert [party.mark(ANNOUNCEMENT) for party in ledger.parties] == [Mark.DELIVERED] * 2
    assert ledger.owner == ""
    assert not any(frozen.blob for frozen in ledger.frozen)
    assert one.data.writes == 2, "one claim, one record that releases as well"
    assert one.data.reads == 0, "of a new request nobody has told: the compare would notice"
    assert one.memory == {}
    assert await one.look() == Done()
    assert len(one.post.sent) == 2


@in_virtual_time
async def test_a_new_request_that_was_told_by_another_is_not_told_again() -> None:
    first = Process()
    first.see()
    await until_done(first)
    second = Process(first.data, owner="two")
    second.see()
    assert await second.look() == LOST
    assert await second.look() == Done()
    assert second.post.sent == []
    assert second.memory == {}


@in_virtual_time
async def test_before_a_new_request_is_left_alone_its_ledger_is_read() -> None:
    first = Process()
    first.see()
    first.post.answer(A, Temporary("later"))
    await first.look()
    second = Process(first.data, owner="two")
    second.reviewers = ()  # by another configuration nobody is told, and yet somebody still waits
    second.see()
    assert await second.look() == Again(0)
    await until_done(second)
    assert (first.post.told, second.post.told) == ([(B, "a")], [(A, "a")])


@in_virtual_time
async def test_a_request_that_is_not_new_is_read_first() -> None:
    one = Process()
    one.store.expect("id")
    one.see()
    assert await one.look() == Done()
    assert one.data.reads == 1


@in_virtual_time
async def test_the_marks_are_written_before_the_first_byte_is_sent() -> None:
    one = Process()
    one.see()
    one.post.hang = asyncio.Event()
    working = asyncio.create_task(one.look())
    await asyncio.sleep(5)
    ledger = one.data.ledger()
    assert ledger.owner == "one"
    assert [party.mark(ANNOUNCEMENT) for party in ledger.parties] == [Mark.ATTEMPTED] * 2
    assert ledger.blob(ANNOUNCEMENT)
    one.post.hang.set()
    assert await working == Done()


@in_virtual_time
async def test_a_whole_life() -> None:
    one = Process()
    for state, reviews in ((RequestState.PENDING, 0), (RequestState.PENDING, 2), (APPROVED, 2), (DENIED, 3)):
        one.see(state, reviews)
        assert await one.look() == Done()
    one.store.remove("id")
    assert await one.look() == Done()
    assert [kind for address, kind in one.post.told if address == A] == ["a", "r1", "r2", "A", "r3", "D"]
    assert len(one.store) == 0
    assert one.memory == {}
    assert one.words.prepared == 4


@in_virtual_time
async def test_a_request_nobody_is_told_of_costs_one_read_and_no_write() -> None:
    one = Process()
    one.reviewers = ()
    one.see()
    assert await one.look() == Done()
    assert (one.data.reads, one.data.writes) == (1, 0)
    assert await one.look() == Done()
    assert one.memory == {}


@in_virtual_time
async def test_an_unknown_key_is_done() -> None:
    one = Process()
    assert await one.look("never heard of") == Done()
    assert one.memory == {}


@in_virtual_time
async def test_news_during_the_sending_are_told_in_the_same_hold() -> None:
    one = Process()
    one.see()
    one.post.after_dot = 3.0
    working = asyncio.create_task(one.look())
    await asyncio.sleep(1)
    one.see(APPROVED)
    assert await working == Done()
    assert one.post.told == [(A, "a"), (B, "a"), (A, "A"), (B, "A")]


@in_virtual_time
async def test_a_long_list_goes_in_waves_and_what_is_resolved_meanwhile_is_told_resolved() -> None:
    one = Process()
    one.reviewers = tuple(f"r{number}@example.com" for number in range(100))
    one.see()
    one.post.after_dot = 2.0
    working = asyncio.create_task(one.look())
    await asyncio.sleep(1)
    one.see(APPROVED)
    assert await working == Done()
    kinds = [kind for _, kind in one.post.told]
    assert kinds.count("a") == 40
    assert kinds.count("A") == 40
    assert kinds.count("aA") == 60


@in_virtual_time
async def test_the_lease_is_renewed_while_an_answer_is_waited_for() -> None:
    one = Process()
    one.see()
    one.post.hang = asyncio.Event()
    working = asyncio.create_task(one.look())
    ids = set()
    for _ in range(100):
        await asyncio.sleep(1)
        ids.add(one.data.ledger().write_id)
    assert 10 <= len(ids) <= 13, "every 8 s"
    assert one.data.writes <= 13
    one.post.hang.set()
    assert await working == Done()
    assert len(one.post.sent) == 2


# The mail server ---------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_message_put_off_is_tried_again_and_the_others_go() -> None:
    one = Process()
    one.see()
    one.post.answer(A, Temporary("451 greylisted"), Temporary("451"))
    first = await one.look()
    assert isinstance(first, Again)
    assert (first.after, first.backoff) == (None, MAIL)
    assert one.post.told == [(B, "a")]
    ledger = one.data.ledger()
    assert ledger.owner == "", "released before it waits"
    assert ledger.parties[0].mark(ANNOUNCEMENT) is None, "a definite refusal clears the mark"
    assert await until_done(one) == 2
    assert one.post.told == [(B, "a"), (A, "a")]
    attempts = [due.address for due, _ in one.tally.outcomes]
    assert attempts.count(A) == 3
    assert one.memory == {}


@in_virtual_time
async def test_what_was_put_off_before_the_resolution_is_told_resolved() -> None:
    one = Process()
    one.see()
    one.post.answer(A, Temporary("451"))
    await one.look()
    one.see(APPROVED)
    assert await until_done(one) == 1
    assert [kind for address, kind in one.post.told if address == A] == ["aA"]


@in_virtual_time
async def test_what_was_perhaps_accepted_is_sent_again_to_the_byte() -> None:
    one = Process()
    one.see()
    one.post.answer(A, Temporary("the line broke", maybe_accepted=True), Temporary("451"))
    await one.look()
    assert one.data.ledger().parties[0].mark(ANNOUNCEMENT) is Mark.ATTEMPTED
    one.see(APPROVED)
    blob = one.data.ledger().blob(ANNOUNCEMENT)
    await one.look()
    assert one.data.ledger().parties[0].mark(ANNOUNCEMENT) is Mark.ATTEMPTED, "one attempt ended unknown"
    assert one.data.ledger().blob(ANNOUNCEMENT) == blob
    await until_done(one)
    assert [kind for address, kind in one.post.told if address == A] == ["a", "A"]


@in_virtual_time
async def test_a_refused_announcement_is_given_up_until_the_next_message() -> None:
    one = Process()
    one.see()
    one.post.answer(A, Refused("550 no such user"))
    with capture_logs() as lines:
        assert await one.look() == Done()
        one.see(APPROVED, 1)
        assert await one.look() == Done()
    assert [code for address, code in one.post.told if address == B] == ["a", "r1", "A"]
    assert [code for address, code in one.post.told if address == A] == ["aA1"]
    refused = [line for line in lines if line["event"] == "message refused"]
    assert [(line["log_level"], line["recipient"], line["attempt"]) for line in refused] == [("error", A, 1)]
    entry = one.data.ledger().parties[0].entries[ANNOUNCEMENT]
    assert (entry.mark, entry.note) == (Mark.GIVEN_UP, "550 no such user")


@in_virtual_time
async def test_the_wait_that_the_server_asks_for_is_kept() -> None:
    one = Process()
    one.see()
    one.post.answer(A, Temporary("429", retry_after=120.0))
    one.post.answer(B, Temporary("429", retry_after=60.0))
    outcome = await one.look()
    assert isinstance(outcome, Again)
    assert outcome.at_least == 120.0


@in_virtual_time
async def test_an_account_fault_releases_the_claim_and_clears_the_marks() -> None:
    one = Process()
    one.see()
    one.post.answer(A, AccountFault("535"))
    one.post.answer(B, AccountFault("535"))
    assert isinstance(await one.look(), Again)
    ledger = one.data.ledger()
    assert ledger.owner == ""
    assert [party.mark(ANNOUNCEMENT) for party in ledger.parties] == [None, None]


@in_virtual_time
async def test_while_sending_is_paused_nothing_is_claimed() -> None:
    one = Process()
    one.see()
    one.post.refusing = "login refused"
    assert isinstance(await one.look(), Again)
    assert one.data.writes == 0


@in_virtual_time
async def test_a_mailer_that_breaks_loses_nothing() -> None:
    """It promises not to raise; if it does all the same, the others are waited for and recorded."""
    one = Process()
    one.see()
    one.post.answer(A, RuntimeError("a fault of ours"))
    one.post.after_dot = 2.0
    with capture_logs() as lines:
        outcome = await one.look()
    assert isinstance(outcome, Again)
    assert one.data.ledger().owner == ""
    assert [party.mark(ANNOUNCEMENT) for party in one.data.ledger().parties] == [
        Mark.ATTEMPTED,
        Mark.DELIVERED,
    ]
    assert [line["log_level"] for line in lines if "unexpected" in line["event"]] == ["error"]
    assert one.post.admitted == 0
    await until_done(one)
    assert one.post.told == [(B, "a"), (A, "a")]


# The cluster -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    "fault", ["lost", Unreachable("cut off"), Conflict("too many concurrent writes"), "late"]
)
@in_virtual_time
async def test_a_write_without_an_answer_is_read_and_nobody_is_told_twice(
    fault: str | Conflict | Unreachable, place: int
) -> None:
    one = Process()
    one.see()
    one.data.faults.extend(["", fault] if place else [fault])
    await until_done(one)
    await asyncio.sleep(10)
    await until_done(one)
    assert sorted(one.post.told) == [(A, "a"), (B, "a")]
    assert [party.mark(ANNOUNCEMENT) for party in one.data.ledger().parties] == [Mark.DELIVERED] * 2
    assert one.tally.conflicts == 1
    assert one.memory == {}


@in_virtual_time
async def test_a_claim_that_could_not_be_read_back_sends_nothing() -> None:
    one = Process()
    one.see()
    one.data.faults.append("lost")
    one.data.read_faults.extend([Unreachable("gone")] * 60)
    assert await one.look() == LOST
    assert one.post.sent == []
    assert clock() - START >= LEASE
    one.data.read_faults.clear()
    await until_done(one)
    assert len(one.post.sent) == 2


@in_virtual_time
async def test_cut_off_while_sending_what_was_delivered_is_remembered_and_written_later() -> None:
    one = Process()
    one.see()
    one.data.faults.extend(["", *[Unreachable("down")] * 12])
    one.data.read_faults.extend([None, *[Unreachable("down")] * 40])
    outcome = await one.look()
    assert isinstance(outcome, Again)
    assert len(one.post.sent) == 2
    assert one.memory["_leftover"] == 1
    one.data.faults.clear()
    one.data.read_faults.clear()
    await until_done(one)
    assert len(one.post.sent) == 2, "this process knows that they were delivered"
    assert [party.mark(ANNOUNCEMENT) for party in one.data.ledger().parties] == [Mark.DELIVERED] * 2
    assert one.data.ledger().owner == ""
    assert one.memory == {}


@in_virtual_time
async def test_facts_are_not_forgotten_when_nothing_else_is_left_to_do() -> None:
    one = Process()
    one.see()
    one.reviewers = tuple(f"r{number}@example.com" for number in range(hold.WAVE + 1))
    for address in one.reviewers:
        one.post.answer(address, Refused("550"))
    one.data.faults.extend(["", *[Unreachable("down")] * 12])
    one.data.read_faults.extend([None, *[Unreachable("down")] * 40])
    await one.look()
    assert len(one.tally.outcomes) == hold.WAVE, "the last one was never attempted"
    assert one.memory["_leftover"] == 1
    one.data.faults.clear()
    one.data.read_faults.clear()
    one.post.open = asyncio.Event()
    working = asyncio.create_task(one.look())
    await asyncio.sleep(1)
    one.store.remove("id")
    one.post.refusing = "paused just now"
    one.post.open.set()
    assert isinstance(await working, Again)
    await until_done(one)
    assert one.data.ledger().parties[0].mark(ANNOUNCEMENT) is Mark.GIVEN_UP
    assert one.memory == {}


@pytest.mark.parametrize("error", [Denied("access denied"), Rejected("too large")])
@in_virtual_time
async def test_other_faults_go_up_and_leave_nothing_behind(error: Denied | Rejected) -> None:
    one = Process()
    one.see()
    one.data.faults.append(error)
    with pytest.raises(type(error)):
        await one.look()
    assert one.post.sent == []
    assert one.post.admitted == 0
    assert one.memory.get("_holds", 0) == 0
    await until_done(one)
    assert len(one.post.sent) == 2


@in_virtual_time
async def test_gone_before_it_could_be_claimed() -> None:
    one = Process()
    one.see()
    one.data.faults.append(NotFound("no such request"))
    with capture_logs() as lines:
        assert await one.look() == Done()
    assert [(line["log_level"], line["event"]) for line in lines if line["log_level"] != "debug"] == [
        ("info", "request gone before it was announced")
    ]
    one.store.remove("id")
    assert await one.look() == Done()
    assert len(one.store) == 0
    assert one.memory == {}


@in_virtual_time
async def test_look_ups_that_fail_are_tried_again_and_nothing_is_claimed() -> None:
    one = Process()
    one.see()
    one.words.fault = Unreachable("no users")
    with pytest.raises(Unreachable):
        await one.look()
    assert one.data.writes == 0
    assert one.post.admitted == 0


# Others ------------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_two_processes_at_once_tell_everybody_once() -> None:
    data, post = PluginData(), Post()
    data.latency = 0.01
    both = [Process(data, post, owner=name, seed=seed) for seed, name in enumerate(("one", "two"))]
    for process in both:
        process.see()
    await asyncio.gather(*(until_done(process) for process in both))
    assert sorted(post.told) == [(A, "a"), (B, "a")]
    assert all(process.memory == {} for process in both)


@in_virtual_time
async def test_a_claim_that_shows_no_life_is_taken_over_after_a_lease() -> None:
    dead = Process(owner="dead")
    dead.see()
    dead.post.hang = asyncio.Event()
    task = asyncio.create_task(dead.look())
    await asyncio.sleep(1)
    data = PluginData()
    data.data["id"] = dict(dead.data.data["id"])  # what it writes from now on goes nowhere
    heir = Process(data, owner="heir")
    heir.see()
    begun = clock()
    with capture_logs() as lines:
        looks = await until_done(heir)
    assert LEASE <= clock() - begun <= 45
    assert looks >= 4
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == ["claim taken over"]
    assert heir.post.told == [(A, "a"), (B, "a")], "perhaps sent: a twin, with the same content"
    assert {mail.content for mail in heir.post.sent} == {mail.content for mail in dead.post.sent}
    assert heir.memory == {}
    dead.post.hang.set()
    await task


@in_virtual_time
async def test_a_claim_that_shows_life_is_left_alone_and_watched() -> None:
    data = PluginData()
    holder = Process(data, owner="holder")
    holder.see()
    holder.post.hang = asyncio.Event()
    holding = asyncio.create_task(holder.look())
    await asyncio.sleep(1)
    other = Process(data, owner="other")
    other.see()
    assert await other.look() == LOST
    for _ in range(15):
        outcome = await other.look()
        assert isinstance(outcome, Again)
        assert outcome.after is not None
        assert reconcile.LOOK_AGAIN <= outcome.after <= reconcile.LOOK_AGAIN * 1.25
        await asyncio.sleep(outcome.after)
    assert other.post.sent == []
    holder.post.hang.set()
    await holding
    assert await other.look() == Done()
    assert other.memory == {}


@in_virtual_time
async def test_a_holder_that_was_paused_for_a_lease_finishes_its_dots_and_only_states_facts() -> None:
    data = PluginData()
    late = Process(data, owner="late")
    late.see()
    late.post.hang = asyncio.Event()
    held = asyncio.create_task(late.look())
    await asyncio.sleep(1)
    taken = dict(data.data["id"])
    ledger = taken[LEDGER_KEY].replace('"o":"late"', '"o":"heir"').replace(data.ledger().write_id, "f" * 16)
    data.data["id"] = taken | {LEDGER_KEY: ledger}
    await asyncio.sleep(10)  # it renews, loses the compare, and reads that it is no longer the owner
    assert not held.done()
    late.post.hang.set()
    assert await held == Again(backoff=CONTENTION)
    after = data.ledger()
    assert (after.owner, after.write_id) == ("heir", "f" * 16), "the claim is left alone"
    assert [party.mark(ANNOUNCEMENT) for party in after.parties] == [Mark.DELIVERED] * 2


@in_virtual_time
async def test_the_go_plugins_claim_in_progress_is_given_half_a_minute() -> None:
    one = Process()
    one.see()
    one.data.data["id"] = {"user": "user@example.com", "roles": "dev"}
    assert await one.look() == LOST
    assert await one.look() == Again(reconcile.LOOK_AGAIN)
    await asyncio.sleep(LEASE - 1)
    assert isinstance(await one.look(), Again)
    assert one.post.sent == []
    await asyncio.sleep(2)
    assert await one.look() == Done()
    assert len(one.post.sent) == 2
    assert one.memory == {}


# Views that are behind, ledgers that cannot be read ------------------------------------------------------------


@in_virtual_time
async def test_a_view_behind_the_ledger_waits_for_news() -> None:
    first = Process()
    first.see(APPROVED, 1)
    await until_done(first)
    second = Process(first.data, owner="two")
    second.see()
    assert await second.look() == LOST
    for _ in range(3):
        assert await second.look() == Again(reconcile.STALE_LOOK)
    assert second.data.writes == first.data.writes
    second.see(APPROVED, 1)
    assert await second.look() == Done()
    assert second.post.sent == []


@pytest.mark.parametrize(
    ("text", "event"), [("?", "ledger unreadable"), ('{"v":9}', "ledger of a newer version")]
)
@in_virtual_time
async def test_a_ledger_that_cannot_be_read_is_left_alone_and_said_once(text: str, event: str) -> None:
    one = Process()
    one.see()
    one.data.data["id"] = {LEDGER_KEY: text}
    assert await one.look() == LOST
    with capture_logs() as lines:
        for reviews in range(3):
            one.see(reviews=reviews)
            assert await one.look() == Done()
    assert [(line["log_level"], line["event"]) for line in lines] == [("error", event)]
    assert one.data.data["id"] == {LEDGER_KEY: text}
    one.store.remove("id")
    await one.look()
    assert len(one.store) == 0
    assert one.memory == {}, "nothing is remembered of what is gone"


@in_virtual_time
async def test_a_frozen_message_that_cannot_be_read_is_said_once_and_stops_that_request_alone() -> None:
    one = Process()
    one.see()
    one.post.answer(A, Temporary("the line broke", maybe_accepted=True))
    await one.look()
    data = one.data.data["id"]
    blob = one.data.ledger().blob(ANNOUNCEMENT)
    one.data.data["id"] = data | {LEDGER_KEY: data[LEDGER_KEY].replace(blob, "AAAA")}
    before = dict(one.data.data["id"])
    with capture_logs() as lines:
        for reviews in range(3):
            one.see(reviews=reviews)
            assert await one.look() == Done()
    assert [(line["log_level"], line["event"]) for line in lines] == [("error", "ledger unreadable")]
    assert one.data.data["id"] == before, "left untouched"
    assert one.post.admitted == 0


@in_virtual_time
async def test_nothing_is_remembered_of_a_request_that_vanished_while_it_waited() -> None:
    """Forgotten by the store, say, because another look settled it."""
    one = Process()
    one.see()
    one.post.answer(A, *[Temporary("451")] * 3)
    await one.look()
    assert one.memory == {"_tries": 1, "waits": 1}
    one.store.remove("id")
    one.store.settle("id", one.store.version("id"))
    assert await one.look() == Done()
    assert one.memory == {}


# Gone before we ever saw it -----------------------------------------------------------------------------------


@in_virtual_time
async def test_one_that_expired_while_we_were_away_is_told_from_its_plugin_data() -> None:
    first = Process()
    first.see()
    await first.look()
    second = Process(first.data, owner="two")
    second.store.expect("id")
    assert await second.look() == Done(), "not known to be gone: the next list tells"
    assert second.post.sent == []
    second.store.remove("id")
    assert await second.look() == Done()
    assert second.post.told == [(A, "X"), (B, "X")]
    assert len(second.store) == 0


# Reminders ----------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_reminder_wakes_the_request_up() -> None:
    one = Process()
    one.policy = structs.replace(one.policy, reminders=(3600.0,))
    one.see()
    assert await one.look() == Done(NOW + timedelta(hours=7))
    await asyncio.sleep(7 * 3600)
    assert await one.look() == Done()
    assert one.post.told == [(A, "a"), (B, "a"), (A, "m"), (B, "m")]


@in_virtual_time
async def test_several_reminders_and_an_escalation_wake_the_request_up_each_in_its_turn() -> None:
    one = Process()
    one.escalated = ("lead@example.com", B)
    one.policy = structs.replace(one.policy, reminders=(7200.0, 3600.0), escalate_after=1800.0)
    one.see()
    first = await one.look()
    assert first == Done(NOW + timedelta(minutes=30))
    await asyncio.sleep((NOW + timedelta(minutes=30) - wall()).total_seconds())
    assert await one.look() == Done(NOW + timedelta(hours=6))
    assert one.post.told[2:] == [("lead@example.com", "e")]
    await asyncio.sleep((NOW + timedelta(hours=6) - wall()).total_seconds())
    assert await one.look() == Done(NOW + timedelta(hours=7))
    await asyncio.sleep(3600)
    assert await one.look() == Done()
    assert [text for address, text in one.post.told if address == "lead@example.com"] == ["e", "m120", "m60"]


# Passing ------------------------------------------------------------------------------------------------------


async def quietly() -> Process:
    """A request that was announced, by a process that tells no reviews."""
    one = Process()
    one.policy = structs.replace(one.policy, quiet_reviews=True)
    one.see()
    assert await one.look() == Done()
    return one


@in_virtual_time
async def test_a_review_is_passed_by_one_write_that_leaves_no_claim_and_needs_no_slot() -> None:
    one = await quietly()
    one.see(reviews=2)
    one.post.open = asyncio.Event()  # nobody is admitted
    before = one.data.writes
    assert await one.look() == Again(0)
    assert await one.look() == Done()
    assert one.data.writes == before + 1
    ledger = one.data.ledger()
    assert (ledger.owner, ledger.reviews) == ("", 2)
    assert all(party.mark(Kind.parse("r2")) is Mark.PASSED for party in ledger.parties)
    assert one.post.told == [(A, "a"), (B, "a")]
    assert one.memory == dict.fromkeys(one.memory, 0)


@in_virtual_time
@pytest.mark.parametrize("fault", ["lost", Conflict("moved"), Unreachable("no answer"), "late"])
async def test_a_write_that_passes_a_review_is_made_until_it_counts(
    fault: Conflict | Unreachable | str,
) -> None:
    one = await quietly()
    one.see(reviews=1)
    one.data.faults.append(fault)
    for _ in range(10):
        outcome = await one.look()
        if isinstance(outcome, Done):
            break
        await asyncio.sleep(outcome.after or 6)
    assert outcome == Done()
    assert all(party.mark(Kind.parse("r1")) is Mark.PASSED for party in one.data.ledger().parties)
    assert one.data.ledger().owner == ""
    assert one.post.told == [(A, "a"), (B, "a")]


@in_virtual_time
async def test_a_review_of_a_request_that_another_works_on_is_left_to_it() -> None:
    one = await quietly()
    other = Process(one.data, Post(), owner="two")
    other.see()
    assert isinstance(await other.look(), Again), "new to it, and told already"
    assert await other.look() == Done()
    other.see(reviews=1)
    other.post.hang = asyncio.Event()
    working = asyncio.create_task(other.look())
    await asyncio.sleep(1)
    one.see(reviews=1)
    assert isinstance(await one.look(), Again)
    other.post.hang.set()
    assert await working == Done()
    assert await one.look() == Done()
    assert other.post.told == [(A, "r1"), (B, "r1")]


# Stopping -----------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_stopping_begins_nothing_more_and_releases() -> None:
    one = Process()
    one.reviewers = tuple(f"r{number}@example.com" for number in range(100))
    one.see()
    one.post.after_dot = 2.0
    working = asyncio.create_task(one.look())
    await asyncio.sleep(1)
    one.reconciler.stop()
    outcome = await working
    assert isinstance(outcome, Again)
    assert len(one.post.sent) == 40, "what is under way comes to its end"
    ledger = one.data.ledger()
    assert ledger.owner == ""
    marks = [party.mark(ANNOUNCEMENT) for party in ledger.parties]
    assert (marks.count(Mark.DELIVERED), marks.count(None)) == (40, 60)


@in_virtual_time
async def test_abandoning_gives_back_what_is_before_its_dot() -> None:
    one = Process()
    one.see()
    one.post.seconds = 600.0
    working = asyncio.create_task(one.look())
    await asyncio.sleep(1)
    one.reconciler.stop()
    one.reconciler.abandon()
    await working
    assert clock() - START < 3
    assert one.post.sent == []
    ledger = one.data.ledger()
    assert ledger.owner == ""
    assert [party.mark(ANNOUNCEMENT) for party in ledger.parties] == [None, None]


@in_virtual_time
async def test_who_waits_for_the_mailer_is_freed_by_the_stop() -> None:
    one = Process()
    one.see()
    one.post.open = asyncio.Event()
    working = asyncio.create_task(one.look())
    await asyncio.sleep(60)
    assert not working.done()
    one.reconciler.stop()
    assert isinstance(await working, Again)
    assert one.data.writes == 0


@in_virtual_time
async def test_cancelled_in_the_middle_the_dots_are_waited_for_and_the_slot_is_given_back() -> None:
    one = Process()
    one.see()
    one.post.after_dot = 20.0
    working = asyncio.create_task(one.look())
    await asyncio.sleep(1)
    working.cancel()
    await asyncio.wait({working})
    assert working.cancelled()
    assert clock() - START > 20
    assert one.post.admitted == 0
    assert one.memory["_leftover"] == 1, "what was delivered is not forgotten"


# What a list asks ----------------------------------------------------------------------------------------------


@in_virtual_time
async def test_settled_as_far_as_plugin_data_tell() -> None:
    one = Process()
    one.see()
    assert not one.reconciler.is_settled("id", {})
    await one.look()
    data = one.data.data["id"]
    assert one.reconciler.is_settled("id", data)
    assert not one.reconciler.is_finished("id", data), "its end would have to be told"
    one.see(reviews=1)
    assert not one.reconciler.is_settled("id", data)
    assert not one.reconciler.is_settled("id", {LEDGER_KEY: "?"})
    one.store.remove("id")
    await until_done(one)
    assert one.reconciler.is_finished("id", one.data.data["id"])
    assert one.reconciler.is_settled("unheard of", {})


@in_virtual_time
async def test_a_request_with_a_reminder_ahead_is_not_settled_for_a_list() -> None:
    """Its timer lives in a process: after a start, a look has to set it again."""
    one = Process()
    one.see()
    await one.look()
    assert one.reconciler.is_settled("id", one.data.data["id"])
    one.policy = structs.replace(one.policy, reminders=(60.0,))
    assert not one.reconciler.is_settled("id", one.data.data["id"])


# Why somebody waits ---------------------------------------------------------------------------------------


@in_virtual_time
async def test_why_somebody_waits_is_recorded_with_the_release_and_forgotten_with_the_delivery() -> None:
    one = Process()
    one.see()
    one.post.answer(A, Temporary("451 4.7.1 greylisted"))
    await one.look()
    assert one.data.writes == 2, "claim, and record with release: none for this alone"
    party = one.data.ledger().party(A)
    assert party is not None
    wait = informing.waiting(party.info)
    assert wait is not None
    assert (wait.tries, wait.reason) == (1, "451 4.7.1 greylisted")
    assert one.reconciler.waits["id"] == (wait,)
    assert await one.look() == Done()
    party = one.data.ledger().party(A)
    assert party is not None
    assert informing.waiting(party.info) is None
    assert one.memory == {}

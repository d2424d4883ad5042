"""What comes next under a claim: which write, which messages, and what an answer or its lack means.

The orders of many claims are in ``tests/model``; here is each rule by itself.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from teleport_email.core import claim as module
from teleport_email.core.claim import BEGIN_UNTIL, FINISH_UNTIL, LEASE, MAX_NOTE, RENEW_AFTER, Attempt, Claim
from teleport_email.core.decide import Audience, Due, Plan, Policy, View
from teleport_email.core.errors import LedgerUnreadable
from teleport_email.core.ledger import LEDGER_KEY, Entry, Ledger, Mark, Party
from teleport_email.core.model import (
    AccessRequest,
    AccountFault,
    Content,
    Declined,
    Delivered,
    Kind,
    Refused,
    RequestState,
    SendOutcome,
    Temporary,
    Topic,
    Withdrawn,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
POLICY = Policy(duty_since=NOW - timedelta(days=1))
A, B = "a@example.com", "b@example.com"
ANNOUNCEMENT, APPROVED = Kind(Topic.ANNOUNCEMENT), Kind(Topic.APPROVED)
PENDING = View(AccessRequest("id", "user", ("dev",), created=NOW, expires=NOW + timedelta(hours=1)))
RESOLVED = View(structs.replace(PENDING.request, state=RequestState.APPROVED))


def render(kind: Kind, view: View, ledger: Ledger) -> Content:
    return Content("s", kind.code, "", NOW, "b", "t@example.com")


def due(address: str, kind: Kind = ANNOUNCEMENT) -> Due:
    return Due(address, False, kind)


class Writer:
    """One process: issues writes, each with a new id."""

    def __init__(self, owner: str = "me") -> None:
        self.claim = Claim("id", owner)
        self.writes = 0

    def plan(self, view: View = PENDING) -> Plan:
        return self.claim.plan(view, Audience((A, B)), POLICY, NOW)

    def next(self, view: View = PENDING, *, now: float = 0.0, room: int = 40) -> Attempt | None:
        self.writes += 1
        return self.claim.next_write(
            view,
            self.plan(view),
            write_id=f"{self.claim.owner} {self.writes}",
            nonce=f"{self.writes:032x}",
            domain="example.com",
            now=now,
            room=room,
            render=render,
        )

    def issue(self, view: View = PENDING, *, now: float = 0.0, room: int = 40) -> Attempt:
        attempt = self.next(view, now=now, room=room)
        assert attempt is not None
        self.claim = self.claim.issued(attempt)
        return attempt

    def write(self, view: View = PENDING, *, now: float = 0.0, room: int = 40) -> Attempt:
        """Issued and confirmed."""
        attempt = self.issue(view, now=now, room=room)
        self.claim = self.claim.written(attempt)
        return attempt

    def begin(self) -> tuple[Due, ...]:
        dues, self.claim = self.claim.begin()
        return dues

    def end(self, which: Due, outcome: SendOutcome) -> None:
        self.claim = self.claim.finish(which, outcome, 7)

    def mark(self, address: str, kind: Kind = ANNOUNCEMENT) -> Mark | None:
        party = self.claim.ledger.party(address)
        return party.mark(kind) if party else None


def claimed() -> Writer:
    """With both announcements under way."""
    writer = Writer()
    writer.write()
    assert writer.begin() == (due(A), due(B))
    return writer


def test_the_limits_leave_room_for_each_other() -> None:
    """Three renewals fit into the time in which messages may be begun if one fails; a dot sent in time has
    ten seconds until anybody else may begin.
    """
    assert RENEW_AFTER < BEGIN_UNTIL < FINISH_UNTIL < LEASE
    assert FINISH_UNTIL + 10 <= LEASE
    assert 2 * RENEW_AFTER <= BEGIN_UNTIL + 1


# Claiming -------------------------------------------------------------------------------------------------


def test_the_claim_freezes_people_contents_and_marks_in_one_write() -> None:
    writer = Writer()
    attempt = writer.issue()
    ledger = attempt.write.ledger
    assert (ledger.owner, ledger.write_id, ledger.nonce) == ("me", "me 1", f"{1:032x}")
    assert ledger.expires == int((NOW + timedelta(hours=1)).timestamp())
    assert [party.mark(ANNOUNCEMENT) for party in ledger.parties] == [Mark.ATTEMPTED] * 2
    assert ledger.blob(ANNOUNCEMENT)
    assert attempt.start == (due(A), due(B))
    assert attempt.fresh == {due(A), due(B)}
    assert writer.claim.ready == (), "nothing is begun before the write is confirmed"
    writer.claim = writer.claim.written(attempt)
    assert writer.begin() == (due(A), due(B))
    assert writer.begin() == ()


def test_without_room_nothing_is_claimed() -> None:
    assert Writer().next(room=0) is None


def test_no_more_is_marked_than_there_is_room_for() -> None:
    writer = Writer()
    writer.write(room=1)
    assert (writer.mark(A), writer.mark(B)) == (Mark.ATTEMPTED, None)
    assert writer.begin() == (due(A),)
    writer.write(room=1)
    assert writer.begin() == (due(B),)


def test_nothing_due_is_nothing_to_write() -> None:
    writer = Writer()
    writer.write()
    writer.begin()
    for one in (due(A), due(B)):
        writer.end(one, Delivered())
    release = writer.write()
    assert release.write.ledger.owner == ""
    assert not writer.claim.holding
    assert writer.next() is None


# Answers and their lack -------------------------------------------------------------------------------------


def test_a_write_without_an_answer_that_was_applied_is_found_by_its_id() -> None:
    writer = Writer()
    attempt = writer.issue(now=100.0)
    writer.claim = writer.claim.read(attempt.write.after)
    assert writer.claim.holding
    assert writer.claim.age(103.0) == 3.0, "its age counts from issuing it"
    assert writer.begin() == (due(A), due(B))


def test_one_that_was_not_applied_gives_nothing() -> None:
    writer = Writer()
    writer.issue()
    writer.claim = writer.claim.read({})
    assert not writer.claim.holding
    assert writer.begin() == ()
    assert writer.claim.attempts == ()


def test_only_the_attempt_that_was_applied_counts_for_the_age() -> None:
    writer = claimed()
    lost = writer.issue(now=RENEW_AFTER)  # a renewal without an answer, not applied
    before = writer.claim.data
    writer.claim = writer.claim.read(before)
    assert writer.claim.holding
    assert writer.claim.age(RENEW_AFTER) == RENEW_AFTER, "nothing was confirmed since"
    applied = writer.issue(now=RENEW_AFTER + 1)
    assert applied.write_id != lost.write_id
    writer.claim = writer.claim.read(applied.write.after)
    assert writer.claim.age(RENEW_AFTER + 1) == 0


def test_somebody_elses_ledger_ends_the_hold() -> None:
    writer = claimed()
    other = Writer("other")
    other.claim = other.claim.read(writer.claim.data)
    assert other.claim.held_by_other
    attempt = other.issue()
    writer.claim = writer.claim.read(attempt.write.after)
    assert not writer.claim.holding
    assert writer.claim.held_by_other
    assert writer.claim.age(0.0) == float("inf")
    assert writer.claim.in_flight == {due(A), due(B)}, "their dots may have been sent"


def test_what_somebody_else_delivered_meanwhile_is_not_begun() -> None:
    writer = Writer()
    attempt = writer.issue()
    party = attempt.write.ledger.parties[0].with_entry(ANNOUNCEMENT, Entry(Mark.DELIVERED, 3))
    told = structs.replace(attempt.write.ledger).replace_party(party)
    data = module.go_plugin.write(told, attempt.write.after, PENDING.request).after
    writer.claim = writer.claim.read(data)
    assert writer.begin() == (due(B),)


def test_a_ledger_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(LedgerUnreadable):
        Claim("id", "me").read({LEDGER_KEY: "?"})


def test_a_claim_left_behind_is_told_from_one_held() -> None:
    writer = claimed()
    assert not writer.claim.is_left_behind
    again = Claim("id", "me").read(writer.claim.data)
    assert again.is_left_behind
    assert not again.held_by_other
    assert not Claim("id", "me").is_left_behind


# Renewing and recording --------------------------------------------------------------------------------------


def test_while_messages_are_under_way_a_write_is_due_only_for_news_or_age() -> None:
    writer = claimed()
    assert writer.next(now=RENEW_AFTER - 0.1) is None
    renewal = writer.next(now=RENEW_AFTER)
    assert renewal is not None
    assert (renewal.start, renewal.write.ledger.owner) == ((), "me")
    writer.end(due(A), Delivered())
    record = writer.write(now=1.0)
    assert record.write.ledger.owner == "me", "the other one is still under way"
    assert (writer.mark(A), writer.mark(B)) == (Mark.DELIVERED, Mark.ATTEMPTED)
    assert writer.next(now=1.0) is None


def test_outcomes_that_end_during_a_write_come_with_the_next() -> None:
    writer = claimed()
    writer.end(due(A), Delivered())
    attempt = writer.issue(now=1.0)
    writer.end(due(B), Delivered())
    writer.claim = writer.claim.written(attempt)
    assert writer.mark(B) is Mark.ATTEMPTED
    assert list(writer.claim.facts) == [due(B)]
    last = writer.write(now=1.1)
    assert writer.mark(B) is Mark.DELIVERED
    assert last.write.ledger.owner == ""
    assert writer.claim.facts == {}


def test_content_that_everybody_has_is_dropped_with_the_record() -> None:
    writer = claimed()
    writer.end(due(A), Delivered())
    writer.write()
    assert writer.claim.ledger.blob(ANNOUNCEMENT), "somebody is still owed it"
    writer.end(due(B), Delivered())
    writer.write()
    assert writer.claim.ledger.blob(ANNOUNCEMENT) == ""


@pytest.mark.parametrize(
    ("outcome", "anew"),
    [
        (Declined("554 5.7.1 SendAsDenied"), True),
        (Temporary("451 later"), True),
        (AccountFault("550 5.7.1 sender"), True),
        (Temporary("lost", maybe_accepted=True), False),
        (Delivered("250 ok"), False),
        (Refused("550 5.1.1 nobody"), False),
    ],
)
def test_content_that_nobody_can_have_is_written_anew_with_the_next_claim(
    outcome: SendOutcome, anew: bool
) -> None:
    """So that a repair of ``delivery.sender`` reaches it; what somebody may have stays as it is for all."""
    writer = claimed()
    writer.end(due(A), outcome)
    writer.end(due(B), Declined("554 5.7.1 SendAsDenied"))
    writer.write(now=1.0)
    assert not writer.claim.ledger.owner
    before = writer.claim.contents([ANNOUNCEMENT])[ANNOUNCEMENT]
    later = NOW + timedelta(hours=1)

    def written_later(kind: Kind, view: View, ledger: Ledger) -> Content:
        return structs.replace(render(kind, view, ledger), sender="other@example.com", date=later)

    claim = Claim("id", "another").read(writer.claim.data)
    plan = claim.plan(PENDING, Audience((A, B)), POLICY, NOW)
    assert plan.renew == ((ANNOUNCEMENT,) if anew else ())
    assert plan.freeze == ()
    attempt = claim.next_write(
        PENDING,
        plan,
        write_id="of another",
        nonce="0" * 32,
        domain="example.com",
        now=2.0,
        room=40,
        render=written_later,
    )
    assert attempt is not None
    content = claim.issued(attempt).written(attempt).contents([ANNOUNCEMENT])[ANNOUNCEMENT]
    assert (content.sender, content.date) == (
        ("other@example.com", later) if anew else (before.sender, before.date)
    )


def test_within_a_hold_no_content_changes() -> None:
    writer = claimed()
    writer.end(due(A), Declined("554 5.7.1 no"))
    writer.end(due(B), Declined("554 5.7.1 no"))
    before = writer.claim.ledger.blob(ANNOUNCEMENT)
    attempt = writer.write(now=1.0)
    assert attempt.write.ledger.blob(ANNOUNCEMENT) == before


def test_what_becomes_due_later_needs_a_write_first() -> None:
    writer = claimed()
    writer.end(due(A), Delivered())
    attempt = writer.write(RESOLVED, now=1.0)
    assert attempt.start == (due(A, APPROVED),)
    assert writer.mark(A, APPROVED) is Mark.ATTEMPTED
    assert writer.begin() == (due(A, APPROVED),)
    assert writer.claim.in_flight == {due(B), due(A, APPROVED)}


# Outcomes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "mark"),
    [
        (Delivered("250"), Mark.DELIVERED),
        (Refused("550"), Mark.GIVEN_UP),
        (Temporary("451"), None),
        (Temporary("cut", maybe_accepted=True), Mark.ATTEMPTED),
        (AccountFault("535"), None),
        (Withdrawn(), None),
    ],
)
def test_what_an_outcome_leaves_in_the_ledger(outcome: SendOutcome, mark: Mark | None) -> None:
    writer = claimed()
    writer.end(due(A), outcome)
    writer.end(due(B), Delivered())
    writer.write()
    assert writer.mark(A) is mark
    assert not writer.claim.holding, "with nothing left to do in this hold it is released"


@pytest.mark.parametrize("outcome", [Temporary("451"), AccountFault("535"), Withdrawn()])
def test_a_mark_is_not_cleared_once_an_attempt_ended_unknown(outcome: SendOutcome) -> None:
    first = claimed()
    first.end(due(A), Temporary("cut", maybe_accepted=True))
    first.end(due(B), Delivered())
    first.write()
    second = Writer("second")
    second.claim = second.claim.read(first.claim.data)
    attempt = second.write()
    assert attempt.start == (due(A),)
    assert attempt.fresh == frozenset()
    second.begin()
    second.end(due(A), outcome)
    second.write()
    assert second.mark(A) is Mark.ATTEMPTED


def test_what_failed_is_not_tried_again_in_the_same_hold() -> None:
    writer = claimed()
    writer.end(due(A), Temporary("451"))
    attempt = writer.write()
    assert attempt.start == ()
    assert writer.claim.deferred == {due(A)}


def test_an_answer_is_kept_short() -> None:
    writer = claimed()
    writer.end(due(A), Refused("x" * 5000))
    writer.end(due(B), Delivered())
    writer.write()
    assert len(writer.claim.ledger.parties[0].entries[ANNOUNCEMENT].note) == MAX_NOTE


# Without the claim --------------------------------------------------------------------------------------------


def lost() -> tuple[Writer, Writer]:
    """Me with both messages under way, and the one who took over."""
    me, heir = claimed(), Writer("heir")
    heir.claim = heir.claim.read(me.claim.data)
    attempt = heir.write()
    me.claim = me.claim.read(attempt.write.after)
    return me, heir


def test_only_facts_are_written_and_the_claim_is_left_alone() -> None:
    me, heir = lost()
    me.end(due(A), Delivered())
    me.end(due(B), Temporary("451"))
    write = me.claim.facts_write(PENDING)
    assert write is not None
    assert (write.ledger.owner, write.ledger.write_id) == ("heir", heir.claim.ledger.write_id)
    assert write.ledger.parties[0].mark(ANNOUNCEMENT) is Mark.DELIVERED
    assert write.ledger.parties[1].mark(ANNOUNCEMENT) is Mark.ATTEMPTED, (
        "the heir may be sending it right now"
    )
    me.claim = me.claim.facts_written(write)
    assert me.claim.facts == {}
    assert me.claim.facts_write(PENDING) is None


def test_what_others_know_already_is_not_written_again() -> None:
    me, heir = lost()
    for one in (due(A), due(B)):
        me.end(one, Delivered())
        heir.begin()
        heir.end(one, Delivered())
    heir.write()
    me.claim = me.claim.read(heir.claim.data)
    assert me.claim.facts_write(PENDING) is None


def test_delivered_counts_more_than_given_up_and_never_less() -> None:
    """A twin may be refused where the first one was taken, and the other way round."""
    me, heir = lost()
    heir.begin()
    heir.end(due(A), Refused("550"))
    heir.end(due(B), Delivered())
    heir.write()
    me.end(due(A), Delivered())
    me.end(due(B), Refused("550"))
    me.claim = me.claim.read(heir.claim.data)
    write = me.claim.facts_write(PENDING)
    assert write is not None
    assert [party.mark(ANNOUNCEMENT) for party in write.ledger.parties] == [Mark.DELIVERED] * 2


def test_no_facts_about_strangers_or_without_a_ledger() -> None:
    fact = {due("stranger@example.com"): Entry(Mark.DELIVERED, 1)}
    assert structs.replace(Claim("id", "me"), facts=fact).facts_write(PENDING) is None
    writer = claimed()
    assert structs.replace(writer.claim, facts=fact).facts_write(PENDING) is None


def test_facts_do_not_bring_back_what_is_not_in_the_ledger_any_more() -> None:
    gone = Ledger(nonce="00" * 16, parties=(Party(B),))
    known = structs.replace(Claim("id", "me"), ledger=gone, facts={due(A): Entry(Mark.DELIVERED, 1)})
    assert known.plan(PENDING, Audience((A, B)), POLICY, NOW).next == (due(B),)

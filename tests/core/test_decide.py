"""Who is owed what: by example, and in every order of views, sends and refusals that chance comes up with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from teleport_email.core.decide import Audience, Due, Plan, Policy, View, decide, is_ours_to_tell
from teleport_email.core.ledger import (
    ANNOUNCED_STATES,
    ANNOUNCEMENTS,
    REQUESTER_STATES,
    RESOLUTION_TOPICS,
    RESOLUTIONS,
    Entry,
    Ledger,
    Mark,
    Party,
)
from teleport_email.core.model import AccessRequest, Kind, RequestState, Review, Topic

PENDING, APPROVED, DENIED, PROMOTED, GONE = (
    RequestState.PENDING,
    RequestState.APPROVED,
    RequestState.DENIED,
    RequestState.PROMOTED,
    RequestState.GONE,
)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EXPIRES = NOW + timedelta(hours=8)
A, B, USER = "a@example.com", "b@example.com", "user@example.com"
BOTH = Audience((A, B))
ON_DUTY = Policy(duty_since=NOW - timedelta(days=1))
ANNOUNCEMENT = Kind(Topic.ANNOUNCEMENT)
REMINDER = Kind(Topic.REMINDER)
BLOB = "content"
EVERY_WORD = frozenset({"received", "approved", "promoted", "denied", "expired", "ended"})


def view(
    state: RequestState = PENDING,
    reviews: int = 0,
    *,
    gone: bool = False,
    created: datetime | None = NOW - timedelta(minutes=5),
    dry_run: bool = False,
) -> View:
    made = tuple(Review(f"r{number}@example.com", APPROVED) for number in range(reviews))
    request = AccessRequest(
        "id", USER, ("dev",), state, created=created, expires=EXPIRES, reviews=made, dry_run=dry_run
    )
    return View(request, gone)


def party(address: str, *, requester: bool = False, **marks: Mark) -> Party:
    """``A="..."`` in the codes' own letters: ``a``, ``r1``, ``A``."""
    entries = {Kind.parse(code): Entry(mark) for code, mark in marks.items()}
    return Party(address, requester, entries=entries)


def ledger(
    *parties: Party, state: RequestState = PENDING, reviews: int = 0, blobs: Iterable[str] = ()
) -> Ledger:
    made = Ledger(nonce="00" * 16, domain="example.com", parties=parties)
    for code in blobs:
        made = made.freeze(Kind.parse(code), BLOB)
    return structs.replace(made, state=state, reviews=max(made.reviews, reviews))


def codes(plan: Plan) -> dict[str, str]:
    """Address -> code of the next message."""
    return {due.address: due.kind.code for due in plan.next}


def plan(
    seen: View, known: Ledger | None = None, audience: Audience = BOTH, policy: Policy = ON_DUTY
) -> Plan:
    return decide(seen, known or Ledger(), audience, policy, NOW)


DONE = Mark.DELIVERED

# A request without a ledger ---------------------------------------------------------------------------


def test_a_new_request_is_announced_to_everybody() -> None:
    made = plan(view())
    assert codes(made) == {A: "a", B: "a"}
    assert made.freeze == (ANNOUNCEMENT,)
    assert [one.address for one in made.add] == [A, B]


def test_an_address_that_comes_twice_is_told_once() -> None:
    assert len(plan(view(), audience=Audience((A, A, B))).next) == 2


@pytest.mark.parametrize(
    ("seen", "policy", "ours"),
    [
        (view(), Policy(), True),
        (view(created=NOW - timedelta(hours=168)), Policy(), True),
        (view(created=NOW - timedelta(hours=168, seconds=1)), Policy(), False),
        (view(created=None), Policy(), True),
        (view(), Policy(catch_up=0), False),
        (view(created=NOW - timedelta(hours=2)), Policy(catch_up=3600), False),
        (view(APPROVED), Policy(), False),
        (view(APPROVED), ON_DUTY, True),
        (view(DENIED, created=NOW - timedelta(days=1)), ON_DUTY, True),
        (view(APPROVED, created=NOW - timedelta(days=1, seconds=1)), ON_DUTY, False),
        (view(APPROVED, created=None), ON_DUTY, False),
        (view(), structs.replace(ON_DUTY, catch_up=0), True),
        (view(created=NOW - timedelta(days=2)), structs.replace(ON_DUTY, catch_up=0), False),
        (view(gone=True), ON_DUTY, False),
        (view(APPROVED, gone=True), ON_DUTY, False),
        (view(dry_run=True), ON_DUTY, False),
    ],
    ids=lambda value: "" if isinstance(value, bool) else type(value).__name__,
)
def test_which_requests_without_a_ledger_are_ours_to_tell(seen: View, policy: Policy, ours: bool) -> None:
    assert is_ours_to_tell(seen, policy, NOW) is ours
    made = plan(seen, policy=policy)
    assert bool(made.next) is ours
    assert made.settled is not ours


@pytest.mark.parametrize(
    ("state", "reviews", "code"), [(APPROVED, 2, "aA2"), (DENIED, 0, "aD"), (PROMOTED, 1, "aP1")]
)
def test_what_is_over_before_it_was_announced_is_one_message(
    state: RequestState, reviews: int, code: str
) -> None:
    made = plan(view(state, reviews))
    assert codes(made) == {A: code, B: code}
    told = ledger(party(A, **{code: DONE}), state=state, reviews=reviews, blobs=())
    assert plan(view(state, reviews), told).settled, "it counts as announcement, reviews and resolution"


def test_nobody_to_tell() -> None:
    assert plan(view(), audience=Audience()).settled


# Reviews and states -----------------------------------------------------------------------------------


def test_reviews_come_one_by_one_after_the_announcement() -> None:
    known = ledger(party(A, a=DONE), party(B), blobs=["a"])
    made = plan(view(reviews=2), known)
    assert codes(made) == {A: "r1", B: "a"}
    assert [kind.code for kind in made.freeze] == ["r1", "r2"]
    assert made.owed == {ANNOUNCEMENT, Kind(Topic.REVIEW, 1), Kind(Topic.REVIEW, 2)}


def test_a_denial_after_an_approval_is_told_as_well() -> None:
    known = ledger(party(A, a=DONE, A=DONE), state=APPROVED, blobs=["A"])
    made = plan(view(DENIED), known)
    assert codes(made) == {A: "D"}


def test_whoever_was_not_reached_before_the_resolution_gets_one_message() -> None:
    known = ledger(party(A, a=DONE), party(B), blobs=["a"])
    made = plan(view(APPROVED, 1), known)
    assert codes(made) == {A: "r1", B: "aA1"}
    assert ANNOUNCEMENT not in made.owed, "announcing what is already resolved is not sent"


def test_what_was_attempted_stays_due_though_it_is_pointless() -> None:
    known = ledger(party(A, a=Mark.ATTEMPTED), party(B), blobs=["a"])
    made = plan(view(APPROVED), known)
    assert codes(made) == {A: "a", B: "aA"}
    assert ANNOUNCEMENT in made.owed


def test_an_announcement_given_up_ends_the_message_alone() -> None:
    """With the next that is due, the same person is tried once more, with all that there is to tell by then."""
    known = ledger(party(A, a=Mark.GIVEN_UP), party(B, a=DONE), blobs=["a"])
    assert codes(plan(view(), known)) == {}, "nothing has come since"
    made = plan(view(PENDING, 2), known)
    assert codes(made) == {A: "a2", B: "r1"}
    assert Kind.parse("a2") in made.freeze, "a message of its own"
    assert codes(plan(view(DENIED, 1), known)) == {A: "aD1", B: "r1"}


@pytest.mark.parametrize(
    ("marks", "seen", "due"),
    [
        ({"a": "3"}, (PENDING, 0), ""),
        ({"a1": "3", "a": "3"}, (PENDING, 1), ""),
        ({"a1": "3", "a": "3"}, (PENDING, 2), "a2"),
        ({"a1": "3", "a": "3"}, (APPROVED, 1), "aA1"),
        ({"aA1": "3", "a": "3"}, (APPROVED, 1), ""),
        ({"aA1": "3", "a": "3"}, (DENIED, 1), "aD1"),
        ({"a2": "1", "a": "3"}, (PENDING, 3), "a2"),
        ({"a2": "2", "a": "3"}, (PENDING, 3), "r3"),
        ({"a2": "2", "a": "3"}, (APPROVED, 2), "A"),
        ({"aA2": "2", "a": "3"}, (APPROVED, 2), ""),
        ({"aA2": "2", "a": "3"}, (DENIED, 2), "D"),
    ],
    ids=str,
)
def test_the_thread_of_somebody_who_was_refused(
    marks: dict[str, str], seen: tuple[RequestState, int], due: str
) -> None:
    entries = {Kind.parse(code): Entry(Mark(int(mark))) for code, mark in marks.items()}
    known = Ledger(nonce="00" * 16, domain="example.com")
    for kind in entries:
        known = known.freeze(kind, BLOB)
    known = known.replace_party(Party(A, entries=entries))
    assert codes(plan(view(*seen), known)) == ({A: due} if due else {})


def test_a_view_that_is_behind_tells_nobody_who_was_refused() -> None:
    known = ledger(party(A, a2=Mark.GIVEN_UP), reviews=3)
    assert plan(view(PENDING, 2), known).stale
    assert codes(plan(view(PENDING, 2), known)) == {}


def test_two_who_were_refused_share_a_message_and_nobody_gets_an_older_one() -> None:
    known = ledger(party(A, a=Mark.GIVEN_UP), party(B, a2=Mark.ATTEMPTED, a=Mark.GIVEN_UP), blobs=["a2"])
    assert codes(plan(view(PENDING, 3), known)) == {A: "a2", B: "a2"}
    known = ledger(
        party(A, a3=Mark.GIVEN_UP), party(B, a2=Mark.ATTEMPTED, a=Mark.GIVEN_UP), blobs=["a2"], reviews=3
    )
    assert codes(plan(view(PENDING, 3), known)) == {B: "a2"}


def test_what_was_brought_back_is_due_again_with_all_reviews_so_far_and_in_its_turn() -> None:
    back = party(A, a=Mark.GIVEN_UP).brought_back()
    known = ledger(back, party(B, a=DONE, r1=Mark.GIVEN_UP, r2=DONE).brought_back(), reviews=2)
    made = plan(view(PENDING, 2), known)
    assert codes(made) == {A: "a2", B: "r1"}
    assert {due.turn for due in made.next} == {1}
    assert party(A, a=DONE).brought_back() == party(A, a=DONE), "where nothing was given up nothing changes"


def test_a_review_given_up_does_not_end_the_thread() -> None:
    known = ledger(party(A, a=DONE, r1=Mark.GIVEN_UP), reviews=1, blobs=[])
    assert codes(plan(view(APPROVED, 1), known)) == {A: "A"}


def test_reviews_that_came_after_an_announced_resolution_are_told() -> None:
    known = ledger(party(A, aA1=DONE), state=APPROVED, reviews=1)
    assert codes(plan(view(APPROVED, 2), known)) == {A: "r2"}


# Gone -------------------------------------------------------------------------------------------------


def test_an_expired_request_is_told_to_who_knew_of_it() -> None:
    known = ledger(party(A, a=DONE), party(B), party("c@example.com", a=Mark.GIVEN_UP), blobs=["a"])
    assert codes(plan(view(gone=True), known)) == {A: "X"}


def test_a_resolved_request_that_goes_away_is_not_told_as_expired() -> None:
    known = ledger(party(A, a=DONE, A=DONE), state=APPROVED)
    assert plan(view(APPROVED, gone=True), known).settled
    assert plan(view(PENDING, gone=True), known).settled, "also where this process never saw it resolved"


def test_a_resolution_not_told_before_the_request_went_away_is_told() -> None:
    known = ledger(party(A, a=DONE))
    assert codes(plan(view(APPROVED, gone=True), known)) == {A: "A"}


# A view that is behind --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seen", [view(PENDING, 1), view(APPROVED, 0), view(PENDING, 0)], ids=["state", "reviews", "both"]
)
def test_a_stale_view_freezes_nothing_but_sends_what_is_frozen(seen: View) -> None:
    known = ledger(party(A, a=DONE, r1=DONE), party(B, a=DONE), state=APPROVED, reviews=1, blobs=["r1", "A"])
    made = plan(seen, known)
    assert made.stale
    assert made.freeze == ()
    assert not made.settled
    assert codes(made) == {A: "A", B: "r1"}


def test_a_stale_view_lets_nobody_hear_a_reply_before_the_announcement() -> None:
    """A review is frozen for A; B was not reached yet. The Go plugin resolved, which we see only in its keys."""
    known = ledger(party(A, a=DONE), party(B), state=APPROVED, reviews=1, blobs=["r1"])
    made = plan(view(), known)
    assert codes(made) == {A: "r1"}


def test_after_the_end_was_told_nobody_hears_of_reviews_before_it() -> None:
    """Another replica, which missed them, told the end already; this one saw them before it."""
    told = ledger(party(A, a=Mark.DELIVERED, X=Mark.DELIVERED), state=GONE)
    assert plan(view(reviews=2, gone=True), told).settled
    under_way = ledger(party(A, a=Mark.DELIVERED, X=Mark.ATTEMPTED), state=GONE, blobs=["X"])
    assert codes(plan(view(reviews=2, gone=True), under_way)) == {A: "X"}


def test_gone_is_never_stale() -> None:
    known = ledger(party(A, a=DONE), state=APPROVED, reviews=3)
    assert not plan(view(gone=True), known).stale


# The reminder -----------------------------------------------------------------------------------------

REMIND = structs.replace(ON_DUTY, reminders=(3600.0,))


def at(
    seconds_before_expiry: float, known: Ledger, seen: View | None = None, policy: Policy = REMIND
) -> Plan:
    now = EXPIRES - timedelta(seconds=seconds_before_expiry)
    return decide(seen or view(), known, BOTH, policy, now)


def test_the_reminder_comes_when_its_time_has_come_and_not_before() -> None:
    known = ledger(Party(A, entries={ANNOUNCEMENT: Entry(DONE, int(NOW.timestamp()))}))
    early = at(3601, known)
    assert early.settled
    assert early.wake_at == EXPIRES - timedelta(hours=1)
    assert codes(at(3600, known)) == {A: "m"}
    assert codes(at(1, known)) == {A: "m"}
    assert at(0, known).settled, "what has expired needs no reminder"
    assert codes(at(60, known, view(APPROVED))) == {A: "A"}, "nor does what is resolved"
    assert codes(at(60, known, view(gone=True))) == {A: "X"}


def test_nobody_is_reminded_twice_or_right_after_the_announcement() -> None:
    late = int((EXPIRES - timedelta(minutes=30)).timestamp())
    known = ledger(
        party(A, a=DONE, m=DONE),
        Party(B, entries={ANNOUNCEMENT: Entry(DONE, late)}),
        party("c@example.com", a=DONE, m=Mark.GIVEN_UP),
        party("d@example.com", a=Mark.ATTEMPTED),
        blobs=["a"],
    )
    assert codes(at(60, known)) == {"d@example.com": "a"}


def test_who_was_refused_is_tried_again_when_others_are_reminded() -> None:
    known = ledger(party(A, a=Mark.GIVEN_UP))
    assert codes(at(3601, known)) == {}
    assert codes(at(60, known)) == {A: "a100000"}
    assert codes(at(60, known, view(PENDING, 2))) == {A: "a100002"}
    late = int((EXPIRES - timedelta(minutes=30)).timestamp())
    just = ledger(Party(A, entries={ANNOUNCEMENT: Entry(Mark.GIVEN_UP, late)}))
    assert codes(at(20, just)) == {}, "the reminder was due already when it was refused"
    again = ledger(party(A, a100000=Mark.GIVEN_UP, a=Mark.GIVEN_UP))
    assert codes(at(60, again)) == {}
    assert codes(plan(view(PENDING, 1), again)) == {A: "a100001"}, "also where no reminder is due any more"
    told = ledger(party(A, a100001=DONE, a=Mark.GIVEN_UP), reviews=1)
    assert codes(plan(view(PENDING, 2), told)) == {A: "r2"}


def test_a_reminder_once_attempted_stays_due() -> None:
    known = ledger(party(A, a=DONE, m=Mark.ATTEMPTED), blobs=["m"])
    assert codes(at(60, known, view(APPROVED))) == {A: "m"}
    assert REMINDER in at(60, known, view(APPROVED)).owed


def test_without_the_option_nobody_is_reminded() -> None:
    known = ledger(party(A, a=DONE))
    made = decide(view(), known, BOTH, ON_DUTY, EXPIRES - timedelta(seconds=60))
    assert made.settled
    assert made.wake_at is None


# Several reminders ------------------------------------------------------------------------------------

SEVERAL = structs.replace(ON_DUTY, reminders=(4 * 3600.0, 3600.0))
AT_4H, AT_1H = (int((EXPIRES - timedelta(hours=hours)).timestamp()) for hours in (4, 1))


def reminded(**at_: int) -> Ledger:
    """Told at the start, and reminded at these times."""
    entries = {Kind.parse(code): Entry(DONE, when) for code, when in at_.items()}
    return ledger(Party(A, entries={ANNOUNCEMENT: Entry(DONE, int(NOW.timestamp())), **entries}))


@pytest.mark.parametrize(
    ("before", "known", "due"),
    [
        (4 * 3600 + 1, {}, ""),
        (4 * 3600, {}, "m240"),
        (3601, {}, "m240"),
        (3600, {}, "m60"),  # at a catch-up the latest alone
        (3600, {"m240": AT_4H}, "m60"),
        (60, {"m240": AT_4H, "m60": AT_1H}, ""),
        (60, {"m60": AT_1H}, ""),
        (7200, {"m240": AT_4H}, ""),
        (60, {"m240": AT_1H + 60}, ""),  # the first one came late, when the second was due as well
        (7200, {"m": AT_4H}, ""),  # reloaded: it was one alone
        (60, {"m": AT_4H}, "m60"),
        (60, {"m": AT_1H}, ""),
        (7200, {"m120": AT_4H + 7200}, ""),  # reloaded: it was another time
    ],
)
def test_of_several_reminders_each_comes_once_and_none_late(
    before: int, known: dict[str, int], due: str
) -> None:
    made = at(before, reminded(**known), policy=SEVERAL)
    assert codes(made) == ({A: due} if due else {})


def test_several_reminders_wake_up_one_after_the_other() -> None:
    assert at(5 * 3600, reminded(), policy=SEVERAL).wake_at == EXPIRES - timedelta(hours=4)
    assert at(2 * 3600, reminded(m240=AT_4H), policy=SEVERAL).wake_at == EXPIRES - timedelta(hours=1)
    assert at(1800, reminded(m60=AT_1H), policy=SEVERAL).wake_at is None


def test_another_number_of_reminders_doubles_none() -> None:
    assert codes(at(60, reminded(m240=AT_4H, m60=AT_1H), policy=REMIND)) == {}, (
        "one alone, told by its minutes"
    )
    assert codes(at(60, reminded(m240=AT_4H), policy=REMIND)) == {A: "m"}
    stays = ledger(party(A, a=DONE, m240=Mark.ATTEMPTED), blobs=["m240"])
    assert codes(at(60, stays, policy=SEVERAL)) == {A: "m240"}, "what was attempted comes first, and alone"
    assert codes(at(60, stays, policy=ON_DUTY)) == {A: "m240"}, "also when there are none any more"


def test_who_was_refused_is_tried_again_at_each_of_several_reminders() -> None:
    known = ledger(party(A, a=Mark.GIVEN_UP))
    assert codes(at(2 * 3600, known, policy=SEVERAL)) == {A: "a100000"}
    refused = Entry(Mark.GIVEN_UP, AT_4H + 60)
    known = ledger(Party(A, entries={Kind.parse("a100000"): refused, ANNOUNCEMENT: Entry(Mark.GIVEN_UP, 1)}))
    assert codes(at(2 * 3600, known, policy=SEVERAL)) == {}
    assert codes(at(60, known, view(PENDING, 2), policy=SEVERAL)) == {A: "a200002"}
    assert Kind.parse("a200002").covers == 2


# Reviews that are not told by a message of their own --------------------------------------------------

MERGE = structs.replace(ON_DUTY, merge_deciding_review=True)
QUIETLY = structs.replace(ON_DUTY, quiet_reviews=True)
SKIP_OWN = structs.replace(ON_DUTY, skip_own_review=True)


def passed(made: Plan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for (address, _), kind, note in made.passes:
        found.setdefault(address, []).append(kind.code + note)
    return found


def after(made: Plan, known: Ledger) -> Ledger:
    """The ledger once it was written what is passed."""
    return known.passed(made.passes)


def test_where_a_review_and_the_end_come_together_the_end_tells_both() -> None:
    known = ledger(party(A, a=DONE, r1=DONE), party(B, a=DONE, r1=Mark.ATTEMPTED), reviews=1, blobs=["r1"])
    made = plan(view(APPROVED, 3), known, policy=MERGE)
    assert codes(made) == {A: "A", B: "r1"}
    assert passed(made) == {A: ["r2m", "r3m"], B: ["r2m", "r3m"]}
    assert [kind.code for kind in made.freeze] == ["A"]
    written = after(made, known)
    assert written.reviews == 3, "they count as told"
    assert codes(plan(view(APPROVED, 3), written)) == {A: "A", B: "r1"}, "also when it is switched off"


@pytest.mark.parametrize(
    ("known", "seen", "due"),
    [
        (ledger(party(A, a=DONE)), view(PENDING, 1), "r1"),
        (ledger(party(A, a=DONE), reviews=1, blobs=["r1"]), view(APPROVED, 1), "r1"),
        (ledger(party(A, a=DONE, A=DONE), state=APPROVED), view(APPROVED, 1), "r1"),
        (ledger(party(A, a=DONE, A=Mark.ATTEMPTED), state=APPROVED, blobs=["A"]), view(APPROVED, 1), "A"),
        (ledger(party(A, aA=DONE), state=APPROVED), view(APPROVED, 1), "r1"),
    ],
    ids=["no end", "review frozen before", "end told before", "end frozen before", "told as over"],
)
def test_what_no_end_tells_along_is_told_by_itself(known: Ledger, seen: View, due: str) -> None:
    made = plan(seen, known, policy=MERGE)
    assert codes(made) == {A: due}
    assert made.passes == ()


def test_somebody_told_as_over_hears_of_a_late_review_though_others_have_it_with_the_end() -> None:
    known = ledger(party(A, aA1=DONE), party(B, a=DONE), state=APPROVED, reviews=1)
    made = plan(view(APPROVED, 2), known, policy=MERGE)
    assert codes(made) == {A: "r2", B: "A"}
    assert passed(made) == {B: ["r1m", "r2m"]}


@pytest.mark.parametrize("end", [view(DENIED, 1), view(PROMOTED, 1), view(gone=True, reviews=1)])
def test_every_end_tells_a_review_along(end: View) -> None:
    made = plan(end, ledger(party(A, a=DONE)), policy=MERGE)
    assert passed(made) == {A: ["r1m"]}
    assert len(made.next) == 1


def test_a_denial_that_follows_an_approval_tells_its_review_along() -> None:
    known = ledger(party(A, a=DONE, r1=DONE, A=DONE), state=APPROVED, reviews=1)
    assert codes(plan(view(DENIED, 2), known, policy=MERGE)) == {A: "D"}


def test_quiet_reviews_are_passed_for_good() -> None:
    known = ledger(party(A, a=DONE), party(B))
    made = plan(view(PENDING, 2), known, policy=QUIETLY)
    assert codes(made) == {B: "a"}
    assert passed(made) == {A: ["r1q", "r2q"], B: ["r1q", "r2q"]}
    written = after(made, known)
    assert written.reviews == 2
    assert codes(plan(view(PENDING, 3), written)) == {A: "r3", B: "a"}, "switched off: only what comes then"
    assert codes(plan(view(APPROVED, 2), written, policy=QUIETLY)) == {A: "A", B: "aA2"}


def test_a_quiet_review_alone_is_something_to_write_and_nothing_to_send() -> None:
    known = ledger(party(A, a=DONE))
    made = plan(view(PENDING, 1), known, policy=QUIETLY)
    assert (made.next, made.settled) == ((), False)
    assert plan(view(PENDING, 1), after(made, known), policy=QUIETLY).settled


def test_a_review_that_was_told_to_somebody_is_told_to_all_though_it_became_quiet() -> None:
    known = ledger(party(A, a=DONE, r1=DONE), party(B, a=DONE), reviews=1, blobs=["r1"])
    made = plan(view(PENDING, 2), known, policy=QUIETLY)
    assert codes(made) == {B: "r1"}
    assert passed(made) == {A: ["r2q"], B: ["r2q"]}


def test_a_view_that_is_behind_passes_nothing() -> None:
    known = ledger(party(A, a=DONE, A=DONE), state=APPROVED, reviews=1)
    made = plan(view(PENDING, 1), known, policy=QUIETLY)
    assert made.stale
    assert made.passes == ()


def test_nobody_is_told_of_their_own_review() -> None:
    carol = Party("carol@example.com", names=("carol",)).with_entry(ANNOUNCEMENT, Entry(DONE))
    known = ledger(party("r0@example.com", a=DONE), party(A, a=DONE), carol)
    made = plan(view(PENDING, 1), known, policy=SKIP_OWN)
    assert codes(made) == {A: "r1", "carol@example.com": "r1"}
    assert passed(made) == {"r0@example.com": ["r1o"]}
    assert codes(plan(view(PENDING, 1), after(made, known))) == {A: "r1", "carol@example.com": "r1"}
    reviews = (
        Review("carol", APPROVED),
        Review("R0@Example.com", APPROVED),
        Review("r0@EXAMPLE.com", APPROVED),
    )
    seen = View(structs.replace(view().request, reviews=reviews))
    made = plan(seen, known, policy=SKIP_OWN)
    assert passed(made) == {"r0@example.com": ["r3o"], "carol@example.com": ["r1o"]}
    assert codes(plan(seen, known)) == {A: "r1", "carol@example.com": "r1", "r0@example.com": "r1"}


def test_an_own_review_that_was_attempted_stays_due() -> None:
    known = ledger(party("r0@example.com", a=DONE, r1=Mark.ATTEMPTED), reviews=1, blobs=["r1"])
    assert codes(plan(view(PENDING, 1), known, policy=SKIP_OWN)) == {"r0@example.com": "r1"}


def test_the_names_of_recipients_are_kept_where_they_matter() -> None:
    audience = Audience((A, B), USER, names={A: ("ann",), USER: ("user",)})
    asked = structs.replace(SKIP_OWN, requester=EVERY_WORD)
    assert [one.names for one in plan(view(), audience=audience, policy=asked).add] == [("ann",), (), ()]
    assert [one.names for one in plan(view(), audience=audience).add] == [(), ()]


# Escalation -------------------------------------------------------------------------------------------

LEAD = "lead@example.com"
ESCALATING = structs.replace(ON_DUTY, escalate_after=1800.0)
LATER = Audience(escalation=(LEAD, A))
CREATED = NOW - timedelta(minutes=5)


def later(minutes: float, known: Ledger, seen: View | None = None, policy: Policy = ESCALATING) -> Plan:
    """So long after the request was made."""
    return decide(seen or view(), known, LATER, policy, CREATED + timedelta(minutes=minutes))


def test_who_was_not_told_is_told_once_nobody_has_decided_for_a_while() -> None:
    known = ledger(party(A, a=DONE), blobs=[])
    assert later(29.9, known).settled
    assert later(29.9, known).wake_at == CREATED + timedelta(minutes=30)
    made = later(30, known)
    assert codes(made) == {LEAD: "e"}
    assert [(one.address, one.escalated) for one in made.add] == [(LEAD, True)]
    assert codes(later(300, known)) == {LEAD: "e"}, "switched on for a request that is older"
    done = known.replace_party(structs.replace(party(LEAD, e=DONE), escalated=True))
    assert later(31, done).settled
    assert later(31, done).wake_at is None


@pytest.mark.parametrize(
    ("minutes", "known", "seen", "policy"),
    [
        (60, ledger(party(A, a=DONE)), view(APPROVED), ESCALATING),
        (60, ledger(party(A, a=DONE)), view(gone=True), ESCALATING),
        (8 * 60, ledger(party(A, a=DONE)), view(), ESCALATING),  # five minutes before the end
        (60, ledger(party(A, a=DONE)), view(), ON_DUTY),
        (60, ledger(party(A, a=DONE)), view(created=None), ESCALATING),
        (60, ledger(party(USER, requester=True)), view(), ESCALATING),  # nobody was asked at all
        (60, ledger(party(A, a=DONE), party(LEAD, a=Mark.GIVEN_UP)), view(), ESCALATING),
        (60, ledger(party(A, a=DONE), party("lead@EXAMPLE.com", a=DONE)), view(), ESCALATING),
        (60, ledger(party(A, a=DONE), reviews=1), view(), ESCALATING),  # a view that is behind
    ],
    ids=["decided", "gone", "too late", "off", "age unknown", "nobody told", "refused", "spelled", "stale"],
)
def test_otherwise_nobody_is_escalated_to(minutes: float, known: Ledger, seen: View, policy: Policy) -> None:
    made = later(minutes, known, seen, policy)
    assert LEAD not in codes(made)
    assert all(not one.escalated for one in made.add)


def test_a_denial_ends_it_an_approval_does_not() -> None:
    known = ledger(party(A, a=DONE, r1=DONE), reviews=1)
    assert codes(later(60, known, view(PENDING, 1))) == {LEAD: "e1"}
    denied = structs.replace(view().request, reviews=(Review("r", DENIED),))
    assert later(60, known, View(denied)).settled
    assert later(10, known, View(denied)).wake_at is None


def test_a_thread_that_begins_with_an_escalation_goes_on_as_any_other() -> None:
    known = ledger(
        structs.replace(party(LEAD, e1=DONE), escalated=True), party(A, a=DONE, r1=DONE), reviews=1
    )
    assert codes(later(60, known, view(PENDING, 2))) == {LEAD: "r2", A: "r2"}
    assert codes(later(60, known, view(APPROVED, 1))) == {LEAD: "A", A: "A"}
    assert codes(later(60, known, view(PENDING, 1, gone=True))) == {LEAD: "X", A: "X"}


def test_whom_nobody_has_tried_to_reach_is_not_told_of_what_is_over() -> None:
    waiting = structs.replace(party(LEAD), escalated=True)
    known = ledger(waiting, party(A, a=DONE))
    assert codes(later(60, known)) == {LEAD: "e"}
    assert codes(later(60, known, view(APPROVED))) == {A: "A"}
    assert codes(later(8 * 60, known)) == {}
    begun = ledger(structs.replace(party(LEAD, e=Mark.ATTEMPTED), escalated=True), blobs=["e"])
    assert codes(later(60, begun, view(APPROVED))) == {LEAD: "e"}, "what was attempted stays due"


def test_an_escalation_given_up_is_tried_again_as_an_announcement_is() -> None:
    given_up = structs.replace(party(LEAD, e=Mark.GIVEN_UP), escalated=True)
    known = ledger(given_up, party(A, a=DONE))
    assert codes(later(60, known)) == {}
    assert codes(later(60, known, view(PENDING, 1))) == {LEAD: "e1", A: "r1"}
    assert codes(later(60, known, view(APPROVED, 1))) == {LEAD: "aA1", A: "r1"}
    back = ledger(given_up.brought_back(), party(A, a=DONE))
    assert codes(later(60, back, policy=ON_DUTY)) == {LEAD: "e"}, "brought back: whatever is switched on now"
    assert later(60, back).next[0].turn == 1


def test_nobody_is_escalated_to_before_somebody_was_asked() -> None:
    """Found late: the first claim announces, and only then others are told."""
    made = decide(
        view(), Ledger(), Audience((A,), escalation=(LEAD,)), ESCALATING, CREATED + timedelta(hours=2)
    )
    assert codes(made) == {A: "a"}
    by_go = Ledger(parties=(party(B, a=DONE),))
    late = CREATED + timedelta(hours=2)
    made = decide(view(), by_go, Audience((A, B), escalation=(A, LEAD)), ESCALATING, late)
    assert codes(made) == {A: "a", LEAD: "e"}, "who is announced to now is not escalated to"


# The requester ----------------------------------------------------------------------------------------


def told(words: Iterable[str]) -> Policy:
    return structs.replace(ON_DUTY, requester=frozenset(words))


def test_the_requester_is_told_in_a_thread_of_their_own() -> None:
    made = plan(view(), audience=Audience((A,), USER), policy=told(EVERY_WORD))
    assert {(due.address, due.requester, due.kind.code) for due in made.next} == {
        (A, False, "a"),
        (USER, True, "q"),
    }


@pytest.mark.parametrize(
    ("word", "later", "code"),
    [
        ("approved", view(APPROVED), "qA"),
        ("promoted", view(PROMOTED), "qP"),
        ("denied", view(DENIED), "qD"),
        ("expired", view(gone=True), "qX"),
        ("ended", view(APPROVED, gone=True), "qE"),
    ],
)
def test_a_requester_who_wants_only_later_news_is_remembered_from_the_start(
    word: str, later: View, code: str
) -> None:
    first = plan(view(), audience=Audience((A,), USER), policy=told([word]))
    assert codes(first) == {A: "a"}
    assert [(one.address, one.requester) for one in first.add] == [(A, False), (USER, True)]
    known = ledger(party(A, a=DONE), party(USER, requester=True))
    assert code in {due.kind.code for due in plan(later, known, policy=told([word])).next if due.requester}
    others = told(EVERY_WORD - {word})
    assert code not in {due.kind.code for due in plan(later, known, policy=others).next}


def test_a_requester_without_any_news_to_come_is_not_written_down() -> None:
    assert plan(view(), audience=Audience((A,), USER)).add == (Party(A),)


def test_the_end_of_access_once_attempted_stays_due() -> None:
    """Whatever the configuration says now, and also while a late list still shows the request."""
    known = ledger(party(USER, requester=True, qA=DONE, qE=Mark.ATTEMPTED), state=APPROVED, blobs=["qE"])
    assert codes(plan(view(APPROVED, gone=True), known, policy=told([]))) == {USER: "qE"}
    assert codes(plan(view(APPROVED), known, policy=told(EVERY_WORD))) == {USER: "qE"}


def test_who_asks_and_reviews_is_told_in_both_threads() -> None:
    made = plan(view(), audience=Audience((USER,), USER), policy=told(EVERY_WORD))
    assert sorted(due.kind.code for due in made.next) == ["a", "q"]


# Everything at once, by chance ------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Sent:
    due: Due
    content: str


AUDIENCE = Audience((A, B), USER, names={B: ("bob",)}, escalation=(B, LEAD))
REMINDERS = st.sampled_from([(), (3600.0,), (4 * 3600.0, 3600.0), (7200.0, 3600.0, 1800.0)])


class Life(RuleBasedStateMachine):
    """One request's life as one worker sees it: decide, freeze, mark, and what becomes of each message."""

    def __init__(self) -> None:
        super().__init__()
        self.timeline = [view()]
        self.seen = 0
        self.now = NOW
        self.ledger = Ledger()
        self.flying: dict[Due, bool] = {}  # -> whether no earlier attempt of it is open
        self.unknown: set[Due] = set()
        self.refused: set[Due] = set()
        self.accepted: list[Sent] = []
        self.contents = 0
        self.policy = ON_DUTY
        self.passed: dict[tuple[str, Kind], str] = {}

    @initialize(
        words=st.sets(st.sampled_from(sorted(EVERY_WORD))),
        remind=REMINDERS,
        begin=st.sampled_from([view(), view(APPROVED, 1), view(DENIED)]),
    )
    def begin(self, words: set[str], remind: tuple[float, ...], begin: View) -> None:
        self.policy = structs.replace(ON_DUTY, requester=frozenset(words), reminders=remind)
        self.timeline = [begin]

    # What happens -----------------------------------------------------------------------------------

    @property
    def truth(self) -> View:
        return self.timeline[-1]

    @rule(
        what=st.sampled_from(["review", "approve", "deny", "promote", "gone"]),
        author=st.sampled_from(["r@example.com", A, "bob", LEAD]),
        against=st.booleans(),
    )
    def the_request_goes_on(self, what: str, author: str, against: bool) -> None:
        request = self.truth.request
        if self.truth.gone or len(self.timeline) > 8:
            return
        if what == "gone":
            self.timeline.append(View(request, gone=True))
            return
        state = {"approve": APPROVED, "deny": DENIED, "promote": PROMOTED}.get(what)
        if state is None:
            review = Review(author, DENIED if against else APPROVED)
            request = structs.replace(request, reviews=(*request.reviews, review))
        elif state.rank > request.state.rank:
            request = structs.replace(request, state=state)
        else:
            return
        self.timeline.append(View(request))

    @rule(
        merge=st.booleans(), own=st.booleans(), quiet=st.booleans(), escalate=st.sampled_from([0.0, 1800.0]),
        remind=REMINDERS,
    )  # fmt: skip
    def the_configuration_changes(
        self, merge: bool, own: bool, quiet: bool, escalate: float, remind: tuple[float, ...]
    ) -> None:
        self.policy = structs.replace(
            self.policy,
            merge_deciding_review=merge,
            skip_own_review=own,
            quiet_reviews=quiet,
            escalate_after=escalate,
            reminders=remind,
        )

    @precondition(lambda self: self.ledger.exists)
    @rule()
    def what_is_passed_is_written(self) -> None:
        made = self.plan()
        if not made.next:
            self.pass_(made)

    def pass_(self, made: Plan) -> None:
        self.ledger = self.ledger.passed(made.passes)
        for (address, _), kind, note in made.passes:
            assert (address, kind) not in self.passed, "passed once"
            self.passed[address, kind] = note

    @rule(data=st.data())
    def another_process_with_an_older_view_takes_over(self, data: st.DataObject) -> None:
        self.seen = data.draw(st.integers(0, len(self.timeline) - 1), label="view")
        self.unknown |= set(self.flying)  # it knows nothing of what is under way
        self.flying.clear()

    @rule()
    def the_view_catches_up(self) -> None:
        self.seen = len(self.timeline) - 1

    @rule(hours=st.sampled_from([1.0, 6.9, 0.2]))
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.ledger.exists)
    @rule(data=st.data())
    def the_go_plugin_resolves(self, data: st.DataObject) -> None:
        """Its doing as ``go_plugin.read`` takes it in: told to some, and the ledger moves on for all."""
        state, reviews = self.truth.state, len(self.truth.request.reviews)
        if state not in RESOLUTION_TOPICS or state.rank <= self.ledger.state.rank:
            return
        known = self.ledger
        for party_before in known.parties:
            one, begun = party_before, party_before.announcement
            if one.requester or begun is None or one.mark(begun) is not DONE or not data.draw(st.booleans()):
                continue
            first = max([self.ledger.reviews, begun.covers]) + 1
            kinds = [Kind(Topic.REVIEW, number) for number in range(first, reviews + 1)]
            for kind in (*kinds, Kind(RESOLUTION_TOPICS[state])):
                if one.mark(kind) is None:
                    one = one.with_entry(kind, Entry(DONE, 0, "go"))
                    self.accepted.append(Sent(Due(one.address, False, kind), "the Go plugin's"))
            known = known.replace_party(one)
        self.ledger = structs.replace(known, state=state, reviews=max(reviews, known.reviews))

    # What we do -------------------------------------------------------------------------------------

    def plan(self, seen: int | None = None) -> Plan:
        known = self.timeline[self.seen if seen is None else seen]
        return decide(known, self.ledger, AUDIENCE, self.policy, self.now)

    def claim(self, made: Plan, chosen: Iterable[Due]) -> None:
        known = self.ledger
        if not known.exists:
            known = structs.replace(known, nonce="00" * 16, domain="example.com")
        for newcomer in made.add:
            known = known.replace_party(newcomer)
        for kind in made.freeze:
            self.contents += 1
            known = known.freeze(kind, f"{kind.code}, written as number {self.contents}")
        for due in chosen:
            one = known.party(due.address, requester=due.requester)
            assert one is not None
            self.flying[due] = one.mark(due.kind) is None
            known = known.replace_party(one.with_entry(due.kind, Entry(Mark.ATTEMPTED)))
        self.ledger = known.keep_blobs(made.owed)
        self.pass_(made)

    @rule(data=st.data())
    def a_claim_marks_some(self, data: st.DataObject) -> None:
        made = self.plan()
        free = [due for due in made.next if due not in self.flying]
        if free:
            chosen = data.draw(st.lists(st.sampled_from(free), min_size=1, unique=True), label="marked")
            self.claim(made, chosen)

    def end(self, due: Due, entry: Entry | None) -> None:
        self.flying.pop(due, None)
        one = self.ledger.party(due.address, requester=due.requester)
        assert one is not None
        self.ledger = self.ledger.replace_party(one.with_entry(due.kind, entry))

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), how=st.sampled_from(["delivered", "refused", "deferred", "unknown", "lost"]))
    def a_message_ends(self, data: st.DataObject, how: str) -> None:
        due = data.draw(st.sampled_from(sorted(self.flying, key=repr)), label="message")
        fresh = self.flying[due] and due not in self.unknown
        content = self.ledger.blob(due.kind)
        assert content, f"{due} is sent without a frozen content"
        if how in ("delivered", "unknown"):
            self.accepted.append(Sent(due, content))
        if how == "delivered":
            self.end(due, Entry(DONE, int(self.now.timestamp())))
        elif how == "refused":
            self.refused.add(due)
            self.end(due, Entry(Mark.GIVEN_UP, 1, "550"))
        elif how == "deferred" and fresh:
            self.end(due, None)
        elif how in ("unknown", "lost"):
            self.unknown.add(due)
            del self.flying[due]

    # What must hold ---------------------------------------------------------------------------------

    @invariant()
    def the_plan_is_sound(self) -> None:
        for seen in range(len(self.timeline)):
            self.check_plan(seen, self.plan(seen))

    def check_plan(self, seen: int, made: Plan) -> None:
        known = self.timeline[seen]
        newcomers = {one.key for one in made.add}
        assert len({due.party for due in made.next}) == len(made.next), "one message at a time for each"
        if made.stale:
            assert not made.freeze, "a view that is behind freezes nothing"
        for kind in made.freeze:
            told = (RESOLUTIONS | ANNOUNCED_STATES | REQUESTER_STATES).get(kind.topic)
            assert told is None or told.rank >= self.ledger.state.rank, f"{kind} is frozen too late"
            told_of = kind.number if kind.topic is Topic.REVIEW else kind.covers
            assert told_of <= max(len(known.request.reviews), self.ledger.reviews)
        for due in made.next:
            assert due.kind in made.owed
            assert due.kind in made.freeze or self.ledger.blob(due.kind)
            assert due.kind.topic.for_requester is due.requester
            one = self.ledger.party(due.address, requester=due.requester)
            assert one is not None or due.party in newcomers
            assert one is None or one.mark(due.kind) in (None, Mark.ATTEMPTED), f"{due} was settled already"
            if one is not None and not due.requester:
                begun = one.announcement
                if due.kind.topic not in ANNOUNCEMENTS:
                    assert begun is not None, f"{due} comes before the announcement"
                    assert one.mark(begun) is DONE
                else:
                    assert begun in (None, due.kind) or (one.mark(begun) is Mark.GIVEN_UP)
            never = one is None or one.mark(due.kind) is None
            if due.kind.topic is Topic.REMINDER and never:
                assert not known.gone
                assert known.state is PENDING
                assert EXPIRES - timedelta(seconds=self.policy.reminders[0]) <= self.now < EXPIRES
            if due.kind.topic is Topic.ESCALATION and never:
                assert known.state is PENDING
                assert not known.gone
                assert self.now < EXPIRES - timedelta(minutes=5)
                assert due.address == LEAD, "the others were told at first"
                assert all(review.proposed_state is not DENIED for review in known.request.reviews)
            if (
                due.kind.topic is Topic.REVIEW
                and never
                and one
                and due.kind.number <= len(known.request.reviews)
            ):
                own = one.wrote(known.request.reviews[due.kind.number - 1])
                assert made.stale or not (own and self.policy.skip_own_review), "it is their own"
            assert (due.address, due.kind) not in self.passed, "passed for good"
            if due.kind == ANNOUNCEMENT and never:
                assert known.state is PENDING, "announcing what is already resolved is not sent"
        for one in self.ledger.parties:
            open_kinds = {kind for kind, entry in one.entries.items() if entry.mark is Mark.ATTEMPTED}
            assert open_kinds <= made.owed, "what was attempted stays due"

    @invariant()
    def nobody_is_told_twice_or_out_of_order(self) -> None:
        first: dict[Due, str] = {}
        for sent in self.accepted:
            if sent.due in first:
                assert first[sent.due] == sent.content, f"{sent.due} has come with two contents"
                continue
            one = sent.due
            before = [due.kind for due in first if due.party == one.party]
            topic = one.kind.topic
            if not one.requester:
                begun = [kind for kind in before if kind.topic in ANNOUNCEMENTS]
                arrived = [kind for kind in begun if structs.replace(one, kind=kind) not in self.refused]
                if topic in ANNOUNCEMENTS:
                    assert not arrived, f"{one} after {before}"
                else:
                    assert begun, f"{one} after {before}"
            if topic is Topic.REVIEW:
                assert all(kind.covers < one.kind.number for kind in before), "it was told along"
                assert all(kind.number < one.kind.number for kind in before if kind.topic is Topic.REVIEW)
            ranks = RESOLUTIONS | REQUESTER_STATES
            if topic in ranks:
                earlier = [ranks[kind.topic].rank for kind in before if kind.topic in ranks]
                assert all(rank < ranks[topic].rank for rank in earlier), f"{one} after {before}"
            first[one] = sent.content

    def teardown(self) -> None:
        """Faults have stopped: with a true view, all is told, and then nothing is due any more."""
        self.flying.clear()
        self.seen = len(self.timeline) - 1
        for _ in range(60):
            made = self.plan()
            if made.settled:
                break
            assert not made.stale, "the newest view is never behind"
            if made.next:
                self.claim(made, made.next)
            else:
                self.pass_(made)
            for due in made.next:
                self.accepted.append(Sent(due, self.ledger.blob(due.kind)))
                self.end(due, Entry(DONE, int(self.now.timestamp())))
            self.the_plan_is_sound()
            self.nobody_is_told_twice_or_out_of_order()
        else:
            raise AssertionError("the work never comes to an end")
        assert not any(frozen.blob for frozen in self.ledger.keep_blobs(made.owed).frozen)
        for one in self.ledger.parties:
            begun = one.announcement
            request = self.truth.request
            if one.requester or begun is None:
                continue
            if one.mark(begun) is Mark.GIVEN_UP:
                moment = ANNOUNCED_STATES.get(begun.topic, PENDING) is self.ledger.state
                tried = moment and begun.covers >= len(request.reviews)
                assert tried or self.truth.gone, f"{one.address} is given up for good"
                continue
            kinds = set(one.entries)
            if self.ledger.state is self.truth.state and self.truth.state is not PENDING:
                ends = {RESOLUTION_TOPICS[self.truth.state], *ANNOUNCED_STATES}
                assert any(kind.topic in ends for kind in kinds), f"{one.address} never hears the end"
            if not self.truth.gone:
                for number in range(begun.covers + 1, len(request.reviews) + 1):
                    # Passed ones are there too, marked as such.
                    assert Kind(Topic.REVIEW, number) in kinds, f"{one.address} misses review {number}"
        for one in self.ledger.parties:
            ends = [sent.due for sent in self.accepted if sent.due.party == one.key]
            for entry in one.entries.values():
                if entry.note == "m" and entry.mark is Mark.PASSED and not self.refused:
                    assert any(due.kind.topic in RESOLUTIONS for due in ends), "the end tells it along"


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
test_any_life = Life.TestCase

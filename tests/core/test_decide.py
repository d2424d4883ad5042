"""Who is owed what: by example, and in every order of views, sends and refusals that chance comes up with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

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
from teleport_email.core.model import REMINDING, AccessRequest, Kind, RequestState, Review, Topic

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
    return dataclasses.replace(made, state=state, reviews=max(made.reviews, reviews))


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
        (view(), dataclasses.replace(ON_DUTY, catch_up=0), True),
        (view(created=NOW - timedelta(days=2)), dataclasses.replace(ON_DUTY, catch_up=0), False),
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

REMIND = dataclasses.replace(ON_DUTY, remind_before=3600.0)


def at(seconds_before_expiry: float, known: Ledger, seen: View | None = None) -> Plan:
    now = EXPIRES - timedelta(seconds=seconds_before_expiry)
    return decide(seen or view(), known, BOTH, REMIND, now)


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


# The requester ----------------------------------------------------------------------------------------


def told(words: Iterable[str]) -> Policy:
    return dataclasses.replace(ON_DUTY, requester=frozenset(words))


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

    @initialize(
        words=st.sets(st.sampled_from(sorted(EVERY_WORD))),
        remind=st.sampled_from([0.0, 3600.0]),
        begin=st.sampled_from([view(), view(APPROVED, 1), view(DENIED)]),
    )
    def begin(self, words: set[str], remind: float, begin: View) -> None:
        self.policy = dataclasses.replace(ON_DUTY, requester=frozenset(words), remind_before=remind)
        self.timeline = [begin]

    # What happens -----------------------------------------------------------------------------------

    @property
    def truth(self) -> View:
        return self.timeline[-1]

    @rule(what=st.sampled_from(["review", "approve", "deny", "promote", "gone"]))
    def the_request_goes_on(self, what: str) -> None:
        request = self.truth.request
        if self.truth.gone or len(self.timeline) > 8:
            return
        if what == "gone":
            self.timeline.append(View(request, gone=True))
            return
        state = {"approve": APPROVED, "deny": DENIED, "promote": PROMOTED}.get(what)
        if state is None:
            review = Review(f"r{len(request.reviews)}@example.com", APPROVED)
            request = dataclasses.replace(request, reviews=(*request.reviews, review))
        elif state.rank > request.state.rank:
            request = dataclasses.replace(request, state=state)
        else:
            return
        self.timeline.append(View(request))

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
        self.ledger = dataclasses.replace(known, state=state, reviews=max(reviews, known.reviews))

    # What we do -------------------------------------------------------------------------------------

    def plan(self, seen: int | None = None) -> Plan:
        known = self.timeline[self.seen if seen is None else seen]
        return decide(known, self.ledger, Audience((A, B), USER), self.policy, self.now)

    def claim(self, made: Plan, chosen: Iterable[Due]) -> None:
        known = self.ledger
        if not known.exists:
            known = dataclasses.replace(known, nonce="00" * 16, domain="example.com")
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
            assert (kind.covers or kind.number % REMINDING) <= max(
                len(known.request.reviews), self.ledger.reviews
            )
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
            if due.kind == REMINDER and never:
                assert not known.gone
                assert known.state is PENDING
                assert EXPIRES - timedelta(seconds=self.policy.remind_before) <= self.now < EXPIRES
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
                arrived = [kind for kind in begun if dataclasses.replace(one, kind=kind) not in self.refused]
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
            self.claim(made, made.next)
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
                    assert Kind(Topic.REVIEW, number) in kinds, f"{one.address} misses review {number}"


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=30)
test_any_life = Life.TestCase

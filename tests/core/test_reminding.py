"""Which reviews of Access Lists somebody is reminded of, and by which message."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.core.audits import DAY, WEEK, Audit, step_begin
from teleport_email.core.claim import Claim
from teleport_email.core.decide import Audience, Plan, Policy, View
from teleport_email.core.errors import LedgerTooNew
from teleport_email.core.ledger import Ledger, Round
from teleport_email.core.model import (
    Content,
    Delivered,
    Kind,
    Refused,
    SendOutcome,
    Temporary,
    Topic,
)
from teleport_email.core.reminding import ReminderView, audits_of, view_of

KEY = "access_list/teleport-email-owner-00"
HOUR = timedelta(hours=1)
NOT_NOW = Temporary("451 busy")
PERHAPS = Temporary("no answer to the dot", maybe_accepted=True)
DATE = datetime(2026, 12, 15, tzinfo=UTC)
OPENS = DATE - 2 * WEEK
ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"


def audit(name: str = "one", due: datetime = DATE, opens: datetime = OPENS) -> Audit:
    return Audit(name, due, opens)


class Owner:
    """A ledger over time, claimed by one process after the other."""

    def __init__(self, *audits: Audit, to: tuple[str, ...] = (ANN,)) -> None:
        self.data: dict[str, str] = {}
        self.audits = audits
        self.to = to
        self.mails: list[tuple[str, str, str]] = []
        """Recipient, Message-ID and text of all that was accepted, perhaps unknowingly."""
        self.roots: list[str] = []
        self.rounds: dict[str, Round] = {}
        """By Message-ID, what the ledger said that it tells."""
        self._writes = 0

    @property
    def view(self) -> ReminderView:
        return view_of(KEY, self.to, self.audits)

    @property
    def ledger(self) -> Ledger:
        return Claim(KEY, "x").read(self.data).ledger

    def plan(self, now: datetime) -> Plan:
        return Claim(KEY, "x").read(self.data).plan(self.view, Audience(), Policy(), now)

    def look(self, now: datetime, *outcomes: SendOutcome) -> list[str]:
        """All that one process does at ``now``; ``outcomes`` of its sends, delivered by default. What was sent."""
        left = list(outcomes)
        self._writes += 1
        claim = Claim(KEY, f"process {self._writes}").read(self.data)
        sent: list[str] = []

        def render(kind: Kind, view: View, ledger: Ledger) -> Content:
            names = " ".join(one.list_name for one in audits_of(view, ledger, kind))
            return Content("s", f"{names} at {now:%d %H:%M}", "", now, "b", "f@example.com")

        for _ in range(20):
            self._writes += 1
            attempt = claim.next_write(
                self.view,
                claim.plan(self.view, Audience(), Policy(), now),
                write_id=str(self._writes),
                nonce=f"{self._writes:032x}",
                domain="example.com",
                now=0.0,
                room=8,
                render=render,
            )
            if attempt is None:
                return sent
            assert all(self.data.get(key, "") == value for key, value in attempt.write.expect.items())
            claim = claim.issued(attempt).written(attempt)
            self.data = attempt.write.after
            dues, claim = claim.begin()
            for due, mail in claim.mails(dues).items():
                outcome = left.pop(0) if left else Delivered()
                if not isinstance(outcome, Refused) and getattr(outcome, "maybe_accepted", True):
                    self.mails.append((mail.recipient, mail.message_id, mail.content.text))
                    self.roots.append(mail.thread_root)
                    round_ = claim.ledger.round_of(due.kind)
                    assert round_ is not None
                    assert self.rounds.setdefault(mail.message_id, round_) == round_
                sent.append(mail.content.text)
                claim = claim.finish(due, outcome, int(now.timestamp()))
        raise AssertionError("the work never ends")


def test_once_a_week_from_the_opening_and_once_a_day_from_the_date() -> None:
    owner = Owner(audit())
    told = [now for hour in range(24 * 20) if owner.look(now := OPENS + timedelta(hours=hour - 5))]
    assert told == [OPENS, OPENS + WEEK, *(DATE + DAY * day for day in range(6))]


def test_one_mail_tells_all_lists_that_are_due() -> None:
    owner = Owner(audit("one"), audit("two"), audit("later", DATE + WEEK, OPENS + WEEK))
    assert owner.look(OPENS) == ["one two at 01 00:00"]
    assert owner.look(OPENS + WEEK) == ["one two later at 08 00:00"]
    assert owner.look(DATE) == ["one two later at 15 00:00"]
    assert owner.look(DATE + DAY) == ["one two at 16 00:00"], "each by its own schedule"


def test_nothing_is_due_before_the_window_opens_and_the_next_step_wakes() -> None:
    owner = Owner(audit("one"), audit("two", DATE - DAY, OPENS - DAY))
    early = owner.plan(OPENS - 2 * DAY)
    assert (early.settled, early.wake_at) == (True, OPENS - DAY)
    owner.look(OPENS - DAY)
    assert owner.plan(OPENS - HOUR).wake_at == OPENS
    assert Owner().plan(OPENS).wake_at is None


def test_a_list_that_was_reviewed_before_the_claim_is_not_told() -> None:
    owner = Owner(audit("one"), audit("two"))
    owner.audits = (audit("one", DATE + 13 * WEEK, OPENS + 13 * WEEK), audit("two"))
    assert owner.look(OPENS) == ["two at 01 00:00"]
    owner.audits = owner.audits[:1]
    assert owner.look(DATE) == []
    assert owner.plan(DATE).settled


def test_what_reached_nobody_is_written_anew_with_what_is_due_then() -> None:
    owner = Owner(audit("one"), audit("two"))
    assert owner.look(OPENS, NOT_NOW) == ["one two at 01 00:00"]
    owner.audits = (audit("two"), audit("three"))
    assert owner.look(OPENS + HOUR) == ["three two at 01 01:00"]
    assert [one.number for one in owner.ledger.rounds] == [1], "nobody has seen the number"
    assert owner.plan(OPENS + HOUR).settled


def test_what_reached_nobody_is_dropped_when_all_was_reviewed() -> None:
    owner = Owner(audit("one"))
    owner.look(OPENS, NOT_NOW)
    owner.audits = ()
    assert owner.look(OPENS + HOUR) == []
    owner.audits = (audit("one", DATE + WEEK, OPENS + WEEK),)
    assert owner.look(OPENS + WEEK) == ["one at 08 00:00"]


def test_what_was_perhaps_sent_goes_out_again_as_it_was_while_any_of_it_is_open() -> None:
    owner = Owner(audit("one"), audit("two"))
    owner.look(OPENS, PERHAPS)
    owner.audits = (audit("two"), audit("three"))
    assert owner.look(OPENS + HOUR, PERHAPS) == ["one two at 01 00:00"]
    assert owner.look(OPENS + 9 * DAY) == ["one two at 01 00:00", "three two at 10 00:00"]
    ids = [message_id for _, message_id, _ in owner.mails]
    assert ids == [ids[0], ids[0], ids[0], ids[3]]
    assert ids[0] != ids[3]


def test_what_was_perhaps_sent_is_dropped_when_all_of_it_was_reviewed() -> None:
    owner = Owner(audit("one"), audit("two"))
    owner.look(OPENS, PERHAPS)
    owner.audits = (audit("three"),)
    assert owner.look(OPENS + HOUR) == ["three at 01 01:00"]
    assert len({message_id for _, message_id, _ in owner.mails}) == 2, "a message of its own"
    owner.audits = ()
    assert owner.plan(OPENS + 2 * HOUR).settled


def test_what_was_perhaps_sent_is_the_same_mail_also_after_its_list_was_missing_from_an_answer() -> None:
    owner = Owner(audit("one"))
    owner.look(OPENS, PERHAPS)
    owner.audits = (audit("two"),)
    owner.look(OPENS + HOUR)  # a write, while the list is missing
    owner.audits = (audit("one"), audit("two"))
    assert owner.look(OPENS + 2 * HOUR) == ["one at 01 00:00"]
    assert owner.plan(OPENS + 2 * HOUR).settled
    assert owner.ledger.contents == frozenset(), "what all have is kept no longer"


def test_a_list_that_is_missing_from_one_answer_is_not_told_again_within_its_step() -> None:
    owner = Owner(audit("one"), audit("two"))
    owner.look(OPENS)
    owner.audits = (audit("two"), audit("three"))
    assert owner.look(OPENS + HOUR) == ["three at 01 01:00"]
    owner.audits = (audit("one"), audit("two"), audit("three"))
    assert owner.look(OPENS + 2 * HOUR) == []
    assert owner.look(OPENS + WEEK) == ["one three two at 08 00:00"]


def test_a_list_that_joins_is_told_alone_and_then_with_the_others() -> None:
    owner = Owner(audit("one"))
    owner.look(OPENS)
    owner.audits = (*owner.audits, audit("new"))
    assert owner.look(OPENS + HOUR) == ["new at 01 01:00"]
    assert owner.look(OPENS + WEEK) == ["new one at 08 00:00"]


def test_who_was_refused_in_one_round_is_told_again_in_the_next() -> None:
    owner = Owner(audit())
    assert owner.look(OPENS, Refused("550 5.1.1 no such user")) == ["one at 01 00:00"]
    assert owner.look(OPENS + HOUR) == []
    assert owner.look(OPENS + WEEK) == ["one at 08 00:00"]


def test_a_ledger_that_the_cluster_has_dropped_gives_no_id_a_second_time() -> None:
    """Plugin data lives two weeks from its last write; the window of a list may be longer."""
    owner = Owner(audit(opens=DATE - 8 * WEEK))
    owner.look(DATE - 8 * WEEK)
    owner.data = {}
    assert owner.look(DATE - 5 * WEEK) == ["one at 10 00:00"], "nothing hangs on the older one"
    assert len({message_id for _, message_id, _ in owner.mails}) == 2
    assert len(set(owner.roots)) == 2


def test_no_id_ever_comes_back_and_the_ledger_stays_small() -> None:
    audits = [audit(f"{n}", DATE + n * DAY, OPENS + n * DAY) for n in range(10)]
    owner = Owner(*audits)
    most = rounds = 0
    for hour in range(24 * 60):
        now = OPENS + timedelta(hours=hour)
        owner.audits = tuple(one for one in audits if one.due > now - 30 * DAY)
        owner.look(now, *([NOT_NOW, PERHAPS, Delivered(), Refused("550")][hour % 4 :][:1]))
        most = max(most, len(owner.data.get("ledger", "")))
        rounds = max(rounds, len(owner.ledger.rounds))
    texts: dict[str, str] = {}
    for _, message_id, text in owner.mails:
        assert texts.setdefault(message_id, text) == text
    assert len(texts) > 40
    assert rounds < 30
    assert most < 8_000


def test_the_mails_of_one_date_are_one_thread() -> None:
    owner = Owner(audit("one"), audit("two", DATE + timedelta(hours=5), OPENS))
    for day in range(14, 18):
        owner.look(OPENS + day * DAY)
    assert len(owner.mails) == 4
    assert len(set(owner.roots)) == 1
    owner.audits = (audit("one", DATE + 13 * WEEK, OPENS + 13 * WEEK),)
    owner.look(OPENS + 13 * WEEK)
    assert len(set(owner.roots)) == 2
    assert not set(owner.roots) & {message_id for _, message_id, _ in owner.mails}


def test_a_window_of_another_length_moves_the_steps_and_never_doubles_one() -> None:
    owner = Owner(audit())
    owner.look(OPENS)
    owner.audits = (audit(opens=DATE - 3 * DAY),)
    assert owner.look(OPENS + DAY) == [], "it has not opened"
    assert owner.look(DATE - 3 * DAY) == ["one at 12 00:00"]
    owner.audits = (audit(opens=DATE - 3 * WEEK),)
    assert owner.look(DATE - 2 * DAY) == []
    assert owner.look(DATE) == ["one at 15 00:00"]


@pytest.mark.parametrize("minutes", [-5, -1, 1, 5])
def test_clocks_that_differ_by_minutes_double_nothing(minutes: int) -> None:
    owner = Owner(audit())
    told = []
    for minute in range(0, 24 * 60 * 17, 30):
        now = OPENS + timedelta(minutes=minute)
        first, second = owner.look(now), owner.look(now + timedelta(minutes=minutes))
        told += [now.replace(minute=0) for _ in (*first, *second)]
    assert len(told) == 5
    assert len(owner.mails) == len({text for _, _, text in owner.mails})


def test_a_clock_that_was_a_year_ahead_silences_nobody() -> None:
    owner = Owner(audit())
    owner.look(OPENS + timedelta(days=365))
    assert owner.look(OPENS) == ["one at 01 00:00"]
    assert owner.look(OPENS + HOUR) == []


def test_who_no_longer_owns_anything_is_told_nothing_more() -> None:
    owner = Owner(audit("one"), audit("two"))
    owner.look(OPENS, PERHAPS)
    owner.audits = ()
    assert owner.plan(OPENS + WEEK).settled


def test_lists_with_times_of_their_own_are_gathered_after_a_few_mails() -> None:
    minute = timedelta(minutes=1)
    owner = Owner(*(audit(f"{n}", DATE + n * 7 * minute, OPENS + n * 7 * minute) for n in range(200)))
    mails = Counter[int]()
    steps = Counter[tuple[Audit, datetime | None]]()
    now = DATE
    while now < DATE + 4 * DAY:
        for text in owner.look(now):
            mails[(now - DATE).days] += 1
            told = text.split(" at ")[0].split()
            steps.update((one, step_begin(one, now)) for one in owner.audits if one.list_name in told)
        plan = owner.plan(now)
        assert plan.settled
        assert plan.wake_at is not None
        assert plan.wake_at > now
        now = plan.wake_at
    assert 8 <= max(mails.values()) <= 12
    assert set(steps.values()) == {1}, "nothing is told twice in a step"
    assert all(steps[one, step_begin(one, DATE + n * DAY)] for one in owner.audits for n in range(4))


SOME = (
    audit("a"),
    audit("b", DATE + 2 * DAY, OPENS + DAY),
    audit("c", DATE - 10 * DAY, OPENS - 3 * DAY),
    audit("a", DATE + 5 * DAY, OPENS),
)
happenings = st.one_of(
    st.integers(1, 80).map(lambda hours: timedelta(hours=hours)),
    st.sets(st.sampled_from(SOME)).map(lambda some: tuple(sorted(some, key=lambda one: one.key))),
    st.sampled_from([Delivered(), Refused("550"), NOT_NOW, PERHAPS]),
)


@given(st.lists(happenings, max_size=40))
def test_whatever_happens_each_step_is_told_once_and_nobody_stays_untold(
    story: list[timedelta | tuple[Audit, ...] | SendOutcome],
) -> None:
    owner, now = Owner(*SOME[:2]), OPENS
    for what in (*story, Delivered()):
        if isinstance(what, timedelta):
            now += what
        elif isinstance(what, tuple):
            owner.audits = what
        else:
            owner.look(now, what)
    owner.look(now)
    assert owner.plan(now).settled
    texts: dict[str, str] = {}
    for _, message_id, text in owner.mails:
        assert texts.setdefault(message_id, text) == text
    steps: dict[tuple[Audit, datetime | None], str] = {}
    for message_id, told in owner.rounds.items():
        at = datetime.fromtimestamp(told.at, UTC)
        for one in SOME:
            if one.mark in told.audits:
                assert steps.setdefault((one, step_begin(one, at)), message_id) == message_id


# One list with several owners ---------------------------------------------------------------------------


def test_all_owners_of_one_list_get_the_same_mail() -> None:
    owner = Owner(audit(), to=(ANN, BOB, EVE))
    assert owner.look(OPENS) == ["one at 01 00:00"] * 3
    assert [one.number for one in owner.ledger.rounds] == [1]
    assert len({message_id for _, message_id, _ in owner.mails}) == 3


def test_whoever_was_not_reached_gets_the_mail_that_the_others_have() -> None:
    owner = Owner(audit(), to=(ANN, BOB, EVE))
    owner.look(OPENS, Delivered(), Refused("550"), NOT_NOW)
    assert owner.look(OPENS + HOUR) == ["one at 01 00:00"]
    assert [recipient for recipient, _, _ in owner.mails] == [ANN, EVE]
    assert owner.look(OPENS + WEEK) == ["one at 08 00:00"] * 3, "a new round, also for the one refused"


def test_an_owner_who_joins_within_a_step_is_told_and_nobody_else() -> None:
    owner = Owner(audit(), to=(ANN, BOB))
    owner.look(OPENS)
    owner.to = (ANN, EVE)
    assert owner.look(OPENS + DAY) == ["one at 02 00:00"]
    assert [recipient for recipient, _, _ in owner.mails] == [ANN, BOB, EVE]
    assert owner.look(OPENS + WEEK) == ["one at 08 00:00"] * 2
    assert [recipient for recipient, _, _ in owner.mails][3:] == [ANN, EVE]


def test_whoever_was_not_reached_before_the_next_step_gets_its_mail() -> None:
    owner = Owner(audit(), to=(ANN, BOB))
    owner.look(OPENS, Delivered(), NOT_NOW)
    assert owner.look(OPENS + WEEK) == ["one at 08 00:00"] * 2


def test_an_owner_who_joins_while_another_was_perhaps_reached() -> None:
    owner = Owner(audit(), to=(ANN,))
    owner.look(OPENS, PERHAPS)
    owner.to = (ANN, BOB)
    assert owner.look(OPENS + HOUR) == ["one at 01 00:00"] * 2
    assert [recipient for recipient, _, _ in owner.mails] == [ANN, ANN, BOB]


# What is written ------------------------------------------------------------------------------------------


def test_only_our_own_key_is_written() -> None:
    owner = Owner(audit())
    owner.look(OPENS)
    assert owner.data.keys() == {"ledger"}


def test_the_go_plugins_keys_beside_a_ledger_of_reminders_change_nothing() -> None:
    owner = Owner(audit())
    owner.look(OPENS)
    owner.data |= {"user": "ann", "email_threads": f"{ANN}/2026-11-01 00:00:00/x@vm", "reviews_count": "9"}
    assert owner.look(OPENS + HOUR) == []
    assert owner.look(OPENS + WEEK) == ["one at 08 00:00"]


def test_a_ledger_of_a_newer_version_is_left_alone() -> None:
    owner = Owner(audit())
    owner.look(OPENS)
    owner.data["ledger"] = owner.data["ledger"].replace('"v":1', '"v":99')
    with pytest.raises(LedgerTooNew):
        owner.plan(OPENS + WEEK)


def test_the_ledger_of_an_owner_of_five_thousand_lists() -> None:
    """The cluster's store takes 400 KB (DynamoDB), and a message of the wire 1,000,000 bytes."""
    names = [str(uuid.UUID(int=n * 0x1234567890ABCDEF1234567890AB)) for n in range(5_000)]
    owner = Owner(*(audit(name) for name in names), to=("o" * 60 + "@example.com",))
    owner.look(OPENS, PERHAPS, PERHAPS)
    owner.audits = tuple(audit(name) for name in [*names[1:], "more"])
    owner.look(OPENS + WEEK)
    assert len(owner.ledger.rounds) == 2
    assert len(owner.data["ledger"].encode()) < 300_000


def test_which_audits_a_message_tells() -> None:
    owner = Owner(audit("b"), audit("a"), audit("c", DATE - DAY, OPENS))
    owner.look(OPENS)
    told = audits_of(owner.view, owner.ledger, Kind(Topic.AUDIT, 1))
    assert [one.list_name for one in told] == ["c", "a", "b"], "the earliest date first"
    assert audits_of(owner.view, owner.ledger, Kind(Topic.AUDIT, 2)) == ()
    assert audits_of(View(owner.view.request), owner.ledger, Kind(Topic.AUDIT, 1)) == ()


def test_an_address_is_written_to_as_it_was_spelled() -> None:
    view = view_of(KEY, [ANN], [audit()], {ANN: "Ann@example.com"})
    [party] = Claim(KEY, "x").plan(view, Audience(), Policy(), OPENS).add
    assert (party.address, party.recipient) == (ANN, "Ann@example.com")

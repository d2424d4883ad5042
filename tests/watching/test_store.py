"""The newest that is known: late answers change nothing, deleted stays deleted, a missing one gets a second look."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from teleport_email.core.model import AccessRequest, RequestState, Review
from teleport_email.watching.store import EXPIRED_LOOK, REMEMBER_GONE, SECOND_LOOK, Store

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PENDING, APPROVED, DENIED, PROMOTED, _ = RequestState


def request(
    state: RequestState = PENDING, reviews: int = 0, *, key: str = "id", **more: object
) -> AccessRequest:
    made = tuple(Review(f"r{number}@example.com", APPROVED) for number in range(reviews))
    return AccessRequest(key, "user", ("dev",), state, reviews=made, expires=NOW + timedelta(hours=1), **more)  # type: ignore[arg-type]


def listed(
    store: Store, *requests: AccessRequest, clock: float = 0.0, now: datetime = NOW
) -> tuple[list[str], bool]:
    return store.listed(requests, clock=clock, now=now, expiries={})


def settle(store: Store, key: str = "id") -> None:
    store.settle(key, store.version(key))


# Progress only grows ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "late"),
    [
        (request(reviews=1), request()),
        (request(APPROVED), request()),
        (request(DENIED), request(APPROVED)),
        (request(DENIED, 1), request(DENIED)),
        (request(PENDING, 2), request(APPROVED, 1)),  # an answer is from one moment: it cannot be both
        (request(APPROVED, 1), request(PENDING, 2)),
    ],
)
def test_a_late_answer_does_not_take_the_place_of_a_newer_one(
    known: AccessRequest, late: AccessRequest
) -> None:
    store = Store()
    assert store.put(known)
    version = store.version("id")
    assert not store.put(late)
    assert not store.put(known), "nor is the same again news"
    view = store.view("id")
    assert view is not None
    assert view.request == known
    assert store.version("id") == version


@pytest.mark.parametrize(
    "newer",
    [
        request(reviews=1),
        request(APPROVED),
        request(DENIED, 3),
        request(assume_start=NOW),
        request(resolve_reason="added later"),
    ],
)
def test_what_is_further_or_changed_is_news(newer: AccessRequest) -> None:
    store = Store()
    store.put(request())
    settle(store)
    assert store.put(newer)
    view = store.view("id")
    assert view is not None
    assert view.request == newer
    assert listed(store, newer)[0] == ["id"], "it is no longer settled"


@given(
    st.lists(
        st.tuples(st.sampled_from([PENDING, APPROVED, DENIED]), st.integers(0, 3), st.booleans()), max_size=12
    )
)
def test_in_any_order_progress_only_grows(events: list[tuple[RequestState, int, bool]]) -> None:
    store = Store()
    last = (-1, -1, False)
    version = 0
    for state, reviews, removed in events:
        news = store.remove("id") if removed else store.put(request(state, reviews))
        view = store.view("id")
        assert view is not None
        progress = (view.request.state.rank, len(view.request.reviews), view.gone)
        assert progress[0] >= last[0] or last == (-1, -1, False)
        assert progress[1] >= last[1]
        assert progress[2] or not last[2], "deleted stays deleted"
        assert (store.version("id") > version) is news
        last, version = progress, store.version("id")


# Deleted stays deleted -----------------------------------------------------------------------------------


def test_a_request_is_new_until_anything_more_is_known_of_it() -> None:
    store = Store()
    assert not store.is_new("id")
    store.put(request())
    assert store.is_new("id")
    store.put(request())
    assert store.is_new("id"), "the same once more is no news"
    settle(store)
    assert not store.is_new("id")

    for more in (lambda s: s.put(request(reviews=1)), lambda s: s.remove("id")):
        store = Store()
        store.put(request())
        more(store)
        assert not store.is_new("id")

    store = Store()
    store.expect("id")  # it has plugin data
    assert not store.is_new("id")
    store.put(request())
    assert not store.is_new("id")


def test_a_deleted_request_stays_deleted_whatever_a_late_list_says() -> None:
    store = Store()
    store.put(request())
    assert store.remove("id")
    assert not store.remove("id")
    assert not store.put(request(APPROVED))
    view = store.view("id")
    assert view is not None
    assert view.gone
    settle(store)
    assert store.view("id") is None, "what is finished is forgotten"
    assert not store.put(request())
    assert listed(store, request()) == ([], False)
    assert not store.remove("id")
    store.expect("id")
    assert len(store) == 0


def test_a_request_deleted_unseen_is_looked_at_for_its_ledger() -> None:
    store = Store()
    assert store.remove("id")
    assert not store.is_remembered("id")
    view = store.view("id")
    assert view is not None
    assert (view.gone, view.request.user) == (True, "")


def test_the_memory_of_the_deleted_is_bounded() -> None:
    store = Store()
    for number in range(REMEMBER_GONE + 10):
        store.remove(f"id {number}")
        settle(store, f"id {number}")
    assert len(store) == 0
    assert len(store._gone) == REMEMBER_GONE
    assert not store.put(request(key=f"id {REMEMBER_GONE}"))
    assert store.put(request(key="id 0")), "the oldest is forgotten"


# Settled ---------------------------------------------------------------------------------------------------


def test_what_changed_during_the_work_is_not_settled_by_it() -> None:
    store = Store()
    store.put(request())
    begun = store.version("id")
    store.put(request(APPROVED))
    store.settle("id", begun)
    assert listed(store, request(APPROVED)) == (["id"], False)
    store.remove("id")
    store.settle("id", begun)
    assert store.view("id") is not None, "gone, and that is not told yet"
    settle(store)
    assert store.view("id") is None
    store.settle("id", 1)  # forgotten meanwhile


def test_a_settled_request_is_no_work_for_a_list() -> None:
    store = Store()
    store.put(request())
    assert listed(store, request())[0] == ["id"]
    settle(store)
    assert listed(store, request()) == ([], False)
    assert store.open == 1


def test_what_is_gone_or_was_never_seen_is_not_open() -> None:
    store = Store()
    store.put(request())
    store.expect("known by its ledger alone")
    assert (store.open, len(store)) == (1, 2)
    listed(store)  # and the next list lacks it
    assert store.open == 0
    listed(store, request())
    assert store.open == 1
    store.remove("id")
    assert (store.open, store.unsettled()) == (0, ["id"])


# Missing from a list -----------------------------------------------------------------------------------------


def test_a_second_look_a_minute_later_tells_that_it_is_gone() -> None:
    store = Store()
    store.put(request())
    settle(store)
    assert listed(store, clock=100) == ([], True)
    assert listed(store, clock=100 + SECOND_LOOK - 1) == ([], True)
    assert listed(store, clock=100 + SECOND_LOOK) == (["id"], False)
    view = store.view("id")
    assert view is not None
    assert view.gone


def test_one_that_comes_back_was_only_late() -> None:
    store = Store()
    store.put(request())
    settle(store)
    listed(store, clock=100)
    assert listed(store, request(), clock=130) == ([], False)
    assert listed(store, clock=161) == ([], True), "the minute begins anew"


def test_an_event_shows_that_it_is_not_gone() -> None:
    store = Store()
    store.put(request())
    listed(store, clock=100)
    store.put(request())
    assert listed(store, clock=161)[1], "it begins anew"


def test_one_whose_time_is_over_is_gone_after_a_short_second_look() -> None:
    """Not at once: by a clock that is ahead, the newest request has expired, and a list that lags lacks it."""
    store = Store()
    store.put(request())
    settle(store)
    assert listed(store, clock=100, now=NOW + timedelta(hours=1)) == ([], True)
    assert listed(store, clock=100 + EXPIRED_LOOK - 0.1, now=NOW + timedelta(hours=1)) == ([], True)
    assert listed(store, clock=100 + EXPIRED_LOOK, now=NOW + timedelta(minutes=59)) == ([], True)
    assert listed(store, clock=100 + EXPIRED_LOOK, now=NOW + timedelta(hours=1)) == (["id"], False)


def test_having_been_pending_is_remembered() -> None:
    store = Store()
    for first in (PENDING, APPROVED):
        store.put(request(first, key=first.value))
        store.put(request(DENIED, key=first.value))
        view = store.view(first.value)
        assert view is not None
        assert view.seen_pending == (first is PENDING)


def test_one_known_by_its_ledger_alone() -> None:
    store = Store()
    for key in ("over", "unknown", "there"):
        store.expect(key)
    assert not store.is_remembered("over")
    expiries = {"over": NOW - timedelta(seconds=1), "there": NOW - timedelta(seconds=1)}
    assert store.listed([request(key="there")], clock=0, now=NOW, expiries=expiries) == (["there"], True)
    unsettled, uncertain = store.listed([request(key="there")], clock=5, now=NOW, expiries=expiries)
    assert sorted(unsettled) == ["over", "there"]
    assert uncertain
    assert store.listed([request(key="there")], clock=60, now=NOW, expiries=expiries)[0] == [
        "over",
        "unknown",
        "there",
    ]


# Many --------------------------------------------------------------------------------------------------------


def test_ten_thousand_open_requests_are_listed_in_a_moment() -> None:
    """The loop stands still meanwhile: claims have to be renewed and watchdogs fed."""
    many = [request(PENDING, 3, key=f"id {number}", request_reason="x" * 200) for number in range(10_000)]
    store = Store()
    listed(store, *many)
    for one in many:
        settle(store, one.id)
    again = [structs.replace(one) for one in many]
    begun = time.process_time()
    assert listed(store, *again) == ([], False)
    assert time.process_time() - begun < 0.5

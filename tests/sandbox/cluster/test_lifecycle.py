"""A request's life by the real server's rules."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.core.model import RequestState, Threshold
from teleport_email.sandbox.cluster.lifecycle import Draft, new_id, new_request, resolve, review
from teleport_email.sandbox.cluster.refusal import Refusal
from teleport_email.teleport.calls.convert import request_from_proto

NOW = datetime(2026, 1, 1, tzinfo=UTC)
APPROVED, DENIED, PROMOTED = RequestState.APPROVED, RequestState.DENIED, RequestState.PROMOTED


def pending(*thresholds: Threshold, **options):
    draft = Draft(user="alice", roles=["dev"], thresholds=thresholds or (Threshold("", "", 2, 1),), **options)
    return new_request(draft, "id", NOW)


def state(request) -> RequestState:
    return request_from_proto(request).state


def test_the_second_of_two_approvals_approves_and_gives_its_reason():
    request = review(pending(), "bob", APPROVED, "one", NOW)
    assert state(request) is RequestState.PENDING
    request = review(request, "carol", APPROVED, "two", NOW + timedelta(minutes=1))
    assert state(request) is APPROVED
    assert request.Spec.ResolveReason == "two"
    assert request.Metadata.Expires == request.Spec.Expires
    assert [one.Author for one in request.Spec.Reviews] == ["bob", "carol"]


def test_one_denial_denies_whatever_was_approved_before():
    request = review(pending(), "bob", APPROVED, "", NOW)
    assert state(review(request, "carol", DENIED, "no", NOW)) is DENIED


def test_denials_are_counted_too():
    request = review(pending(Threshold("", "", 1, 2)), "bob", DENIED, "", NOW)
    assert state(request) is RequestState.PENDING
    assert state(review(request, "carol", DENIED, "", NOW)) is DENIED


def test_the_first_threshold_met_decides():
    request = review(pending(Threshold("", "", 3, 1), Threshold("", "", 1, 1)), "bob", APPROVED, "", NOW)
    assert state(request) is APPROVED
    assert list(request.Spec.Reviews[0].ThresholdIndexes) == [0, 1]


@pytest.mark.parametrize(
    ("reviews", "refusal"),
    [
        ([("alice", APPROVED)], 'user "alice" cannot review request "id"'),
        ([("bob", APPROVED), ("bob", DENIED)], 'user "bob" has already reviewed this request'),
        ([("bob", DENIED), ("carol", APPROVED)], "the access request has been already denied"),
        ([("bob", PROMOTED), ("carol", APPROVED)], "the access request has been already promoted"),
        ([("bob", RequestState.PENDING)], "invalid state proposal: PENDING (expected approval/denial)"),
        ([("bob", RequestState.GONE)], "invalid state proposal: EXPIRED (expected approval/denial)"),
    ],
)
def test_reviews_that_the_real_server_refuses(reviews, refusal):
    *earlier, (last, proposal) = reviews
    request = pending()
    for author, proposed in earlier:
        request = review(request, author, proposed, "", NOW)
    with pytest.raises(Refusal) as refused:
        review(request, last, proposal, "", NOW)
    assert refused.value.details == refusal


def test_an_administrator_may_deny_what_was_approved_but_not_the_other_way_round():
    approved = resolve(pending(), APPROVED, "fine")
    denied = resolve(approved, DENIED, "not fine")
    assert (state(denied), denied.Spec.ResolveReason) == (DENIED, "not fine")
    with pytest.raises(Refusal, match=r'cannot set request-state "APPROVED" \(already denied\)'):
        resolve(denied, APPROVED, "")
    assert state(resolve(denied, DENIED, "still")) is DENIED


def test_a_review_may_move_the_start_of_the_access():
    start = NOW + timedelta(hours=2)
    request = review(pending(), "bob", APPROVED, "", NOW, assume_start=start)
    assert request_from_proto(request).assume_start == start


def test_a_step_leaves_the_request_before_it_alone():
    before = pending()
    encoded = before.SerializeToString(deterministic=True)
    review(before, "bob", DENIED, "", NOW)
    resolve(before, APPROVED, "")
    assert before.SerializeToString(deterministic=True) == encoded


@pytest.mark.parametrize("times", [{"pending_for": timedelta(0)}, {"access_for": timedelta(seconds=-1)}])
def test_a_request_that_would_never_live_is_refused(times):
    with pytest.raises(Refusal, match="must expire after it was made"):
        pending(**times)


@given(
    st.lists(st.tuples(st.sampled_from("bcdefg"), st.sampled_from([APPROVED, DENIED, PROMOTED])), max_size=8),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_progress_only_grows_and_ends_with_the_first_resolution(reviews, approve, deny):
    request = pending(Threshold("", "", approve, deny))
    progress = request_from_proto(request).progress
    for author, proposed in reviews:
        resolved = state(request) is not RequestState.PENDING
        try:
            request = review(request, author, proposed, "", NOW)
        except Refusal:
            continue
        assert not resolved
        assert request_from_proto(request).progress > progress
        progress = request_from_proto(request).progress
        seen = [one.ProposedState for one in request.Spec.Reviews]
        enough = {1: False, 2: seen.count(2) >= max(1, approve), 3: seen.count(3) >= max(1, deny), 4: True}
        assert (state(request) is not RequestState.PENDING) == enough[seen[-1]]


@given(st.lists(st.integers(0, 5), min_size=2, max_size=50), st.integers())
def test_ids_are_uuids_of_version_7_in_order_of_time(steps, seed):
    rng = random.Random(seed)
    now, ids = NOW, []
    for sequence, step in enumerate(steps):
        now += timedelta(milliseconds=step)
        ids.append(new_id(now, rng, sequence))
    assert ids == sorted(ids)
    for one in ids:
        parsed = uuid.UUID(one)
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert uuid.UUID(ids[-1]).int >> 80 == int(now.timestamp() * 1000)

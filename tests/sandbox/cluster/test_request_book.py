"""Lists that lag, orders, expiry: the request book without a network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.core.model import RequestState
from teleport_email.sandbox.cluster.lifecycle import Draft, new_request, resolve
from teleport_email.sandbox.cluster.refusal import Refusal
from teleport_email.sandbox.cluster.request_book import RequestBook
from teleport_email.teleport._proto import auth_pb2

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NO_LAG = (0, timedelta(0))


def book() -> RequestBook:
    return RequestBook(lambda _kind, _event: None)


def request(name: str, created: datetime = NOW, user: str = "alice"):
    return new_request(Draft(user=user, roles=["dev"], pending_for=timedelta(hours=1)), name, created)


STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "deny", "delete"])), max_size=15)


@given(STEPS, st.integers(0, 20), st.integers(0, 20))
def test_a_lagging_list_is_exactly_what_was_there(steps, changes, seconds):
    requests, now = book(), NOW
    history = [(NOW - 100 * SECOND, dict(requests.as_it_was(now, *NO_LAG)))]
    for name, step in steps:
        now += SECOND
        stored = requests.get(name)
        if step == "put":
            requests.put(request(name), now)
        elif stored is None:
            continue
        elif step == "delete":
            requests.delete(name, now)
        else:
            requests.put(resolve(stored.message, RequestState.DENIED, ""), now)
        history.append((now, dict(requests.as_it_was(now, *NO_LAG))))
    by_changes = history[max(0, len(history) - 1 - changes)]
    by_age = [one for one in history if now - one[0] >= seconds * SECOND][-1]
    older = min(by_changes, by_age, key=lambda one: one[0])
    assert requests.as_it_was(now, changes, seconds * SECOND) == older[1]


def test_a_request_asked_for_by_its_id_is_never_stale():
    requests = book()
    requests.put(request("a"), NOW)
    by_id = auth_pb2.ListAccessRequestsRequest()
    by_id.Filter.ID = "a"
    lag = (10, timedelta(0))
    assert requests.page(auth_pb2.ListAccessRequestsRequest(), NOW, lag=lag) == b""
    assert requests.page(by_id, NOW, lag=lag) != b""


@pytest.mark.parametrize(
    ("sort", "order"),
    [(0, ["a", "b", "c"]), (1, ["c", "b", "a"]), (2, ["b", "a", "c"]), (3, ["b", "c", "a"])],
)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_orders_and_pages(sort, order, descending, limit):
    requests = book()
    requests.put(request("a", NOW + 2 * SECOND, "zoe"), NOW)
    requests.put(resolve(request("b", NOW + SECOND, "amy"), RequestState.APPROVED, ""), NOW)
    requests.put(request("c", NOW, "ben"), NOW)
    seen, key = [], ""
    while True:
        asked = auth_pb2.ListAccessRequestsRequest(Limit=limit, StartKey=key, Descending=descending)
        asked.Sort = sort
        page = auth_pb2.ListAccessRequestsResponse.FromString(requests.page(asked, NOW, lag=NO_LAG))
        seen += [one.Metadata.Name for one in page.AccessRequests]
        if not (key := page.NextKey):
            break
    assert seen == (order[::-1] if descending else order)


def test_an_order_that_no_server_knows_is_refused():
    requests = book()
    requests.put(request("a"), NOW)
    asked = auth_pb2.ListAccessRequestsRequest()
    asked.Sort = 9
    with pytest.raises(Refusal, match="unsupported access request sort"):
        requests.page(asked, NOW, lag=NO_LAG)


def test_expiry_follows_the_request_as_it_is_now():
    told = []
    requests = RequestBook(lambda kind, _event: told.append(kind))
    requests.put(request("a"), NOW)
    requests.put(request("b"), NOW)
    requests.put(resolve(request("a"), RequestState.APPROVED, ""), NOW)
    assert requests.expire(NOW + timedelta(hours=1) - SECOND) == 0
    assert requests.expire(NOW + timedelta(hours=1)) == 1
    assert ("a" in requests, "b" in requests, len(requests), len(told)) == (True, False, 1, 4)
    assert requests.next_expiry == NOW + timedelta(hours=12)
    assert requests.expire(NOW + timedelta(hours=12)) == 1
    assert requests.next_expiry is None

"""The codes of kinds, the order of states, and what values show of themselves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.core.model import (
    AccessRequest,
    Content,
    Kind,
    Mail,
    RequestState,
    ResourceID,
    Review,
    Topic,
)


@given(st.builds(Kind, st.sampled_from(list(Topic)), st.integers(0, 10**6)))
def test_a_kind_is_read_back_from_its_code(kind: Kind) -> None:
    assert Kind.parse(kind.code) == kind


@given(st.text(max_size=10))
def test_a_code_that_is_none_is_a_value_error(code: str) -> None:
    try:
        kind = Kind.parse(code)
    except ValueError:
        return
    assert Kind.parse(kind.code) == kind


def test_codes_are_told_apart() -> None:
    """Ledgers and Message-IDs are made of them: they may never change."""
    assert [topic.value for topic in Topic] == [
        *("a", "r", "m", "e", "A", "D", "P", "X"),
        *("aA", "aD", "aP"),
        *("q", "qA", "qD", "qP", "qX", "qE"),
        "l",
    ]
    assert {topic for topic in Topic if topic.for_requester} == {
        Topic.RECEIVED,
        Topic.REQUESTER_APPROVED,
        Topic.REQUESTER_DENIED,
        Topic.REQUESTER_PROMOTED,
        Topic.REQUESTER_EXPIRED,
        Topic.ENDED,
    }


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("a", "announcement"),
        ("r2", "review 2"),
        ("aA3", "announced approved"),
        ("X", "expired"),
        ("l7", "access list review"),
    ],
)
def test_a_kind_reads_well_in_the_log(code: str, words: str) -> None:
    assert str(Kind.parse(code)) == words


def test_states_give_way_only_to_later_ones() -> None:
    pending, approved, denied, promoted, gone = RequestState
    assert pending.rank < approved.rank == promoted.rank < denied.rank < gone.rank


def test_progress_grows_with_states_and_reviews() -> None:
    plain = AccessRequest("id", "u")
    reviewed = AccessRequest("id", "u", reviews=(Review("r", RequestState.APPROVED),))
    approved = AccessRequest("id", "u", state=RequestState.APPROVED)
    assert plain.progress < reviewed.progress < approved.progress


def test_a_resource_is_written_as_tctl_writes_it() -> None:
    assert str(ResourceID("c", "node", "n")) == "/c/node/n"
    assert str(ResourceID("c", "kube_cluster", "n", "default/pod")) == "/c/kube_cluster/n/default/pod"


def test_what_a_mail_says_does_not_get_into_a_log_by_itself() -> None:
    content = Content("s", "secret reason", "h", datetime(2026, 1, 1, tzinfo=UTC), "b", "f")
    shown = repr(Mail("a@x.example", "id", "root", content))
    assert shown == "Mail(recipient='a@x.example', message_id='id', thread_root='root', announces=False)"

"""Compare-and-swap by Teleport's rules, against a model of them in three lines."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.sandbox.cluster.plugin_store import MAX_BYTES, PluginStore
from teleport_email.sandbox.cluster.refusal import Refusal, not_found
from teleport_email.teleport._proto import auth_pb2

ENDS = datetime(2026, 1, 1, tzinfo=UTC)


def ends() -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(ENDS)
    return stamp


def unknown() -> Timestamp:
    raise not_found("no access request matching")


@pytest.fixture
def store() -> PluginStore:
    return new_store()


def new_store() -> PluginStore:
    rng = random.Random(1)
    return PluginStore(lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4)))


KEYS = st.sampled_from("abc")
VALUES = st.sampled_from(["", "1", "2"])
MAPS = st.dictionaries(KEYS, VALUES, max_size=3)


@given(st.lists(st.tuples(st.sampled_from(["email", "slack"]), MAPS, MAPS), max_size=12))
def test_any_series_of_writes_does_what_the_model_does(writes):
    store = new_store()
    model: dict[str, dict[str, str]] = {"email": {}, "slack": {}}
    for plugin, changes, expect in writes:
        before = model[plugin]
        met = all(before.get(key, "") == value for key, value in expect.items())
        if met:
            store.update("r", plugin, changes, expect, ends)
            model[plugin] = {key: value for key, value in {**before, **changes}.items() if value}
        else:
            with pytest.raises(Refusal) as refused:
                store.update("r", plugin, changes, expect, ends)
            assert refused.value.code is grpc.StatusCode.FAILED_PRECONDITION
        assert {name: store.get("r", name) for name in model} == model
        found = auth_pb2.PluginDataSeq.FromString(store.answer("r", ""))
        encoded = {
            name: dict(entry.Data) for one in found.PluginData for name, entry in one.Spec.Entries.items()
        }
        assert encoded == {name: data for name, data in model.items() if data}


def test_the_words_of_a_failed_compare(store):
    with pytest.raises(Refusal) as refused:
        store.update("r", "email", {"a": "1"}, {"a": "x"}, ends)
    assert refused.value.details == 'expectations not met for field "a"'


def test_data_is_made_only_for_requests_that_are_there(store):
    with pytest.raises(Refusal) as refused:
        store.update("r", "email", {"a": "1"}, {}, unknown)
    assert refused.value.code is grpc.StatusCode.NOT_FOUND
    assert store.answer("", "") == b""


def test_data_that_is_there_can_be_changed_when_the_request_has_gone(store):
    store.update("r", "email", {"a": "1"}, {}, ends)
    store.update("r", "email", {"a": "2"}, {"a": "1"}, unknown)
    assert store.get("r", "email") == {"a": "2"}


def test_a_failed_compare_makes_no_data(store):
    with pytest.raises(Refusal):
        store.update("r", "email", {"a": "1"}, {"a": "x"}, ends)
    with pytest.raises(Refusal, match="no access request"):
        store.update("r", "email", {"a": "1"}, {}, unknown)


def test_every_write_gives_a_new_revision(store):
    revisions = set()
    for value in "123":
        store.update("r", "email", {"a": value}, {}, ends)
        [one] = auth_pb2.PluginDataSeq.FromString(store.answer("r", "email")).PluginData
        revisions.add(one.Metadata.Revision)
    assert len(revisions) == 3


def test_data_lives_one_hour_longer_than_the_access(store):
    store.update("r", "email", {"a": "1"}, {}, ends)
    store.expire(ENDS + timedelta(hours=1, microseconds=-1))
    assert store.get("r", "email") == {"a": "1"}
    store.expire(ENDS + timedelta(hours=1))
    assert store.get("r", "email") == {}


def test_one_request_holds_at_most_a_million_bytes_over_all_plugins(store):
    store.update("r", "slack", {"a": "x" * 600_000}, {}, ends)
    with pytest.raises(Refusal, match="plugin data size limit exceeded") as refused:
        store.update("r", "email", {"a": "x" * 400_000}, {}, ends)
    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert store.get("r", "email") == {}
    store.update("r", "email", {"a": "x" * 390_000}, {}, ends)
    store.update("other", "email", {"a": "x" * 900_000}, {}, ends)


def test_the_limit_counts_what_is_stored_not_what_is_sent(store):
    with pytest.raises(Refusal, match="limit"):
        store.update("r", "email", {"a": '"' * (MAX_BYTES // 2)}, {}, ends)
    store.update("r", "email", {"a": "é" * (MAX_BYTES // 2 - 1000)}, {}, ends)


def test_filters_leave_out_other_requests_and_plugins(store):
    for request_id, plugin in (("b", "email"), ("a", "email"), ("c", "slack")):
        store.update(request_id, plugin, {"k": request_id}, {}, ends)

    def names(resource: str, plugin: str) -> list[str]:
        found = auth_pb2.PluginDataSeq.FromString(store.answer(resource, plugin))
        return [one.Metadata.Name for one in found.PluginData]

    assert names("", "email") == ["a", "b"]
    assert names("", "") == ["a", "b", "c"]
    assert names("a", "email") == ["a"]
    assert names("a", "slack") == []
    assert store.all("email") == {"a": {"k": "a"}, "b": {"k": "b"}}

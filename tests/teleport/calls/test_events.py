"""Events of a watch as values."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.core.model import RequestState
from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport.calls.events import (
    RequestGone,
    RequestPut,
    RuleGone,
    RulePut,
    WatchStarted,
    event_from_proto,
    watch_request,
)

RULES, REQUESTS = "access_monitoring_rule", "access_request"


def decode(encoded: str):
    return event_from_proto(auth_pb2.Event.FromString(base64.b64decode(encoded)))


def test_the_recorded_watch(vector):
    recorded = vector("events")
    events = [decode(event["event"]) for event in recorded["events"]]
    assert events[0] == WatchStarted(frozenset({REQUESTS}))
    assert [
        (event.request.state.value, len(event.request.reviews))
        for event in events
        if isinstance(event, RequestPut)
    ] == [
        ("PENDING", 0), ("PENDING", 1), ("APPROVED", 2), ("PENDING", 0), ("DENIED", 1), ("PENDING", 0),
        ("APPROVED", 0), ("PENDING", 0), ("PENDING", 0),
    ]  # fmt: skip
    assert events[9] == RequestGone("01a203fb-b244-7c61-ae8a-a85a2bf34b9b")
    assert isinstance(events[8], RequestPut)
    assert events[8].request.id == events[9].id
    assert decode(recorded["init_with_rules"]) == WatchStarted(frozenset({REQUESTS, RULES}))


def test_the_recorded_watch_of_rules(vector):
    started, put, gone = (decode(event) for event in vector("rules")["events"])
    assert started == WatchStarted(frozenset({RULES}))
    assert isinstance(put, RulePut)
    assert put.rule.name == "prod"
    assert put.rule.notification == "email"
    assert put.rule.recipients == ("rule@example.com", "carol@example.com")
    assert gone == RuleGone("prod")


def test_we_ask_as_was_recorded(vector):
    recorded = auth_pb2.Watch.FromString(base64.b64decode(vector("events")["watch_request"]))
    assert watch_request([REQUESTS, RULES]) == recorded


def test_an_old_server_gives_no_status():
    assert event_from_proto(auth_pb2.Event()) == WatchStarted(None)


@pytest.mark.parametrize(
    "event",
    [
        auth_pb2.Event(Type=auth_pb2.PUT),
        auth_pb2.Event(Type=auth_pb2.DELETE),
        auth_pb2.Event(Type=auth_pb2.PUT, ResourceHeader=types_pb2.ResourceHeader(Kind=REQUESTS)),
        auth_pb2.Event(Type=auth_pb2.PUT, AccessRequest=types_pb2.AccessRequestV3()),
        auth_pb2.Event(Type=auth_pb2.DELETE, ResourceHeader=types_pb2.ResourceHeader(Kind=REQUESTS)),
        auth_pb2.Event(
            Type=auth_pb2.DELETE,
            ResourceHeader=types_pb2.ResourceHeader(Kind="node", Metadata=types_pb2.Metadata(Name="x")),
        ),
    ],
)
def test_events_that_say_nothing_are_passed_over(event):
    assert event_from_proto(event) is None


def test_unknown_operations_are_passed_over():
    event = auth_pb2.Event(AccessRequest=types_pb2.AccessRequestV3(Metadata=types_pb2.Metadata(Name="x")))
    event.Type = 17
    assert event_from_proto(event) is None


def test_a_deletion_may_carry_the_resource():
    event = auth_pb2.Event(Type=auth_pb2.DELETE)
    event.AccessRequest.Metadata.Name = "request"
    assert event_from_proto(event) == RequestGone("request")
    event = auth_pb2.Event(Type=auth_pb2.DELETE)
    event.AccessMonitoringRule.metadata.name = "rule"
    assert event_from_proto(event) == RuleGone("rule")


def test_an_unknown_state_is_no_resolution():
    event = auth_pb2.Event(Type=auth_pb2.PUT)
    event.AccessRequest.Metadata.Name = "request"
    event.AccessRequest.Spec.State = 77
    put = event_from_proto(event)
    assert isinstance(put, RequestPut)
    assert put.request.state is RequestState.PENDING


@given(st.binary(max_size=300))
def test_never_raises(data):
    try:
        event = auth_pb2.Event.FromString(data)
    except Exception:  # not protobuf: not this module's matter
        return
    event_from_proto(event)

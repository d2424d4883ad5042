"""Conversion: facts of the recorded messages, strange content, and both ways round."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from teleport_email.core.model import (
    AccessList,
    AccessMonitoringRule,
    AccessRequest,
    ClusterInfo,
    Constraint,
    RequestState,
    ResourceID,
    Review,
    Schedule,
    Shift,
    Threshold,
    User,
)
from teleport_email.teleport._proto import auth_pb2, rules_pb2, types_pb2, wrappers_pb2
from teleport_email.teleport.calls import convert, resource_ids
from teleport_email.teleport.calls.decoding import decoder

A = "01a203fb-6d3b-7222-aa45-ece7281bb17a"


@pytest.fixture
def puts(vector):
    """The recorded PUT events' requests, in order."""
    events = [auth_pb2.Event.FromString(base64.b64decode(e["event"])) for e in vector("events")["events"]]
    return [
        convert.request_from_proto(event.AccessRequest) for event in events if event.HasField("AccessRequest")
    ]


def test_a_recorded_pending_request(puts):
    request = puts[0]
    assert request == AccessRequest(
        id=A,
        user="myuser@example.com",
        roles=("editor",),
        state=RequestState.PENDING,
        created=datetime(2026, 11, 22, 15, 58, 58, 875141, tzinfo=UTC),
        expires=datetime(2026, 11, 23, 21, 58, 58, 875871, tzinfo=UTC),
        access_expires=datetime(2026, 11, 23, 21, 58, 58, 875871, tzinfo=UTC),
        max_duration=datetime(2026, 11, 23, 21, 58, 58, 875871, tzinfo=UTC),
        session_ttl=datetime(2026, 11, 23, 21, 58, 58, 875871, tzinfo=UTC),
        request_reason="Fix the nightly build",
        role_thresholds={"editor": ((0,),)},
        thresholds=(Threshold(approve=2, deny=1),),
        suggested_reviewers=("alice@example.com", "bob"),
    )


def test_recorded_reviews_and_resolution(puts):
    first, second, resolved = puts[:3]
    assert (len(first.reviews), len(second.reviews), len(resolved.reviews)) == (0, 1, 2)
    assert resolved.state is RequestState.APPROVED
    assert resolved.resolve_reason == "ok by me"
    assert resolved.reviews[0] == Review(
        author="alice@example.com",
        proposed_state=RequestState.APPROVED,
        reason="looks good",
        created=datetime(2026, 11, 22, 15, 59, 1, 409551, tzinfo=UTC),
        threshold_indexes=(0,),
    )
    assert first.progress < second.progress < resolved.progress
    assert resolved.access_list is None  # an empty message is on the wire


def test_a_recorded_hostile_reason_is_kept_as_it_came(puts):
    denied = puts[4]
    assert denied.state is RequestState.DENIED
    assert denied.roles == ("dba", "dev")
    assert denied.request_reason.startswith("first line\nLink: https://evil.example\n<b>bold</b> ")
    assert denied.request_reason.endswith("üñï☃")
    assert denied.resolve_reason == "no:\nnot today"


def test_a_recorded_assume_start_time(puts):
    assert puts[-1].assume_start == datetime(2026, 11, 22, 17, 59, 21, tzinfo=UTC)
    assert all(request.assume_start is None for request in puts[:-1])


def test_every_recorded_list_and_user_decodes(vector):
    for call in vector("calls")["calls"]:
        method = call["method"].rpartition("/")[2]
        answers = [base64.b64decode(answer) for answer in call["responses"]]
        if method == "ListAccessRequests":
            page = auth_pb2.ListAccessRequestsResponse.FromString(answers[0])
            found = [convert.request_from_proto(request) for request in page.AccessRequests]
            assert found
            assert all(request.id and request.created and request.expires for request in found)
        elif method == "GetAccessRequestsV2":
            found = [convert.request_from_proto(types_pb2.AccessRequestV3.FromString(a)) for a in answers]
            assert len({request.id for request in found}) == len(answers)
        elif method == "Ping":
            assert convert.cluster_from_proto(auth_pb2.PingResponse.FromString(answers[0])) == ClusterInfo(
                name="demo.example.com",
                server_version="17.0.0-dev",
                proxy_public_addr="localhost:3080",
                advanced_access_workflows=True,
            )
        elif method == "GetUser" and answers:
            assert convert.user_from_proto(types_pb2.UserV2.FromString(answers[0])) == User(
                "myuser@example.com", ("editor-requester",), {"email": ("myuser.trait@example.com",)}
            )


def test_recorded_plugin_data(recorded):
    answer = base64.b64decode(recorded("plugin data: after")["responses"][0])
    data = auth_pb2.PluginDataSeq.FromString(answer).PluginData
    assert convert.plugin_data_from_proto(data, "email") == {
        A: {"user": "myuser@example.com", "roles": "editor"}  # "ledger" was deleted
    }
    assert convert.plugin_data_from_proto(data, "slack") == {}
    assert "slack" not in data[0].Spec.Entries


def test_a_recorded_rule(recorded):
    answer = base64.b64decode(recorded("rules for access_request and email")["responses"][0])
    (rule,) = rules_pb2.ListAccessMonitoringRulesWithFilterResponse.FromString(answer).rules
    assert convert.rule_from_proto(rule) == AccessMonitoringRule(
        name="dev-requests",
        subjects=("access_request",),
        condition='contains_any(access_request.spec.roles, set("dev", "dba"))',
        notification="email",
        recipients=("rule@example.com", "carol@example.com"),
    )


@pytest.mark.parametrize(
    ("seconds", "nanos", "expected"),
    [
        (0, 0, None),
        (0, 5, None),
        (-1, 0, None),
        (-62135596800, 0, None),  # Go's zero time
        (-(2**63), 0, None),
        (2**63 - 1, 0, None),
        (253402300800, 0, None),  # year 10000
        (convert.LAST_SECOND + 1, 0, None),
        (convert.LAST_SECOND, 999_999_999, datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        (1, 0, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        (1, -5, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        (1, 2**31 - 1, datetime(1970, 1, 1, 0, 0, 1, 999999, tzinfo=UTC)),
    ],
)
def test_times(seconds, nanos, expected):
    assert convert.time_from_proto(Timestamp(seconds=seconds, nanos=nanos)) == expected


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_any_time_is_none_or_can_be_shown_in_any_zone(seconds, nanos):
    time = convert.time_from_proto(Timestamp(seconds=seconds, nanos=nanos))
    if time is not None:
        assert time.utcoffset() == timedelta(0)
        assert time + timedelta(hours=14)
        assert time - timedelta(hours=14)


@pytest.mark.parametrize("number", [0, 5, 99, -1, 2**31 - 1, -(2**31)])
def test_an_unknown_state_counts_as_pending(number):
    wire = types_pb2.AccessRequestV3()
    wire.Spec.State = number
    wire.Spec.Reviews.add().ProposedState = number
    request = convert.request_from_proto(types_pb2.AccessRequestV3.FromString(wire.SerializeToString()))
    assert request.state is RequestState.PENDING
    assert request.reviews[0].proposed_state is RequestState.PENDING


def test_empty_messages_convert():
    assert convert.request_from_proto(types_pb2.AccessRequestV3()) == AccessRequest(id="", user="")
    assert convert.rule_from_proto(rules_pb2.AccessMonitoringRule()) == AccessMonitoringRule(name="")
    assert convert.user_from_proto(types_pb2.UserV2()) == User("")
    assert convert.cluster_from_proto(auth_pb2.PingResponse()) == ClusterInfo("")
    assert convert.plugin_data_from_proto([types_pb2.PluginDataV3()], "email") == {}


@given(st.binary(max_size=300))
def test_whatever_protobuf_takes_converts(data):
    for message, function in [
        (types_pb2.AccessRequestV3, convert.request_from_proto),
        (types_pb2.UserV2, convert.user_from_proto),
        (rules_pb2.AccessMonitoringRule, convert.rule_from_proto),
        (auth_pb2.PingResponse, convert.cluster_from_proto),
    ]:
        try:
            decoded = message.FromString(data)
        except Exception:  # not protobuf: not the conversion's matter
            continue
        function(decoded)


def test_annotations_and_promotion():
    wire = types_pb2.AccessRequestV3()
    wire.Spec.SystemAnnotations.Values["teams"].Values.extend(["a", "b"])
    wire.Spec.SystemAnnotations.Values["none"].CopyFrom(wrappers_pb2.StringValues())
    wire.Spec.accessList.Name = "prod"
    wire.Spec.accessList.Title = "Production"
    request = convert.request_from_proto(wire)
    assert request.system_annotations == {"teams": ("a", "b"), "none": ()}
    assert request.access_list == AccessList("prod", "Production")


texts = st.text(max_size=20)
names = st.text(min_size=1, max_size=20)
times = st.none() | st.datetimes(
    min_value=datetime(1970, 1, 1, 0, 0, 1), max_value=datetime(9998, 12, 31), timezones=st.just(UTC)
)
tuples = st.lists(texts, max_size=3).map(tuple)
states = st.sampled_from([state for state in RequestState if state is not RequestState.GONE])
access_lists = st.none() | st.builds(AccessList, names, texts)
uint32 = st.integers(0, 2**32 - 1)
reviews = st.builds(
    Review,
    author=texts,
    proposed_state=states,
    reason=texts,
    created=times,
    roles=tuples,
    threshold_indexes=st.lists(uint32, max_size=3).map(tuple),
    assume_start=times,
    access_list=access_lists,
)
labels = st.dictionaries(texts, tuples, max_size=3)
requests = st.builds(
    AccessRequest,
    id=names,
    user=texts,
    roles=tuples,
    state=states,
    created=times,
    expires=times,
    access_expires=times,
    max_duration=times,
    session_ttl=times,
    assume_start=times,
    request_reason=texts,
    resolve_reason=texts,
    reviews=st.lists(reviews, max_size=2).map(tuple),
    thresholds=st.lists(st.builds(Threshold, texts, texts, uint32, uint32), max_size=2).map(tuple),
    suggested_reviewers=tuples,
    resources=st.lists(st.builds(ResourceID, texts, texts, texts, texts), max_size=2).map(tuple),
    system_annotations=labels,
    access_list=access_lists,
    login_hint=texts,
    dry_run=st.booleans(),
)
rules = st.builds(
    AccessMonitoringRule,
    name=names,
    subjects=tuples,
    condition=texts,
    notification=texts,
    recipients=tuples,
    states=tuples,
    desired_state=texts,
)
users = st.builds(User, name=names, roles=tuples, traits=labels)


@given(requests)
def test_requests_survive_the_wire(request):
    wire = convert.request_to_proto(request).SerializeToString()
    assert convert.request_from_proto(types_pb2.AccessRequestV3.FromString(wire)) == request


@given(rules)
def test_rules_survive_the_wire(rule):
    wire = convert.rule_to_proto(rule).SerializeToString()
    assert convert.rule_from_proto(rules_pb2.AccessMonitoringRule.FromString(wire)) == rule


@given(users)
def test_users_survive_the_wire(user):
    wire = convert.user_to_proto(user).SerializeToString()
    assert convert.user_from_proto(types_pb2.UserV2.FromString(wire)) == user


def test_cluster_survives_the_wire():
    cluster = ClusterInfo("demo", "17.0.0", "proxy:443", advanced_access_workflows=True, cloud=True)
    assert convert.cluster_from_proto(convert.cluster_to_proto(cluster)) == cluster


def test_a_request_that_is_gone_has_no_form_on_the_wire():
    with pytest.raises(ValueError, match="EXPIRED"):
        convert.request_to_proto(AccessRequest(id="x", user="y", state=RequestState.GONE))


def test_a_request_looks_on_the_wire_as_recorded(vector):
    """Made from the values alone: the same fields as the recorded one, but for what we do not know."""
    recorded = auth_pb2.Event.FromString(base64.b64decode(vector("events")["events"][1]["event"]))
    wire = recorded.AccessRequest
    wire.DiscardUnknownFields()
    made = convert.request_to_proto(convert.request_from_proto(wire))
    wire.Metadata.Revision = ""
    for message in (wire, made):
        message.Spec.ClearField("ResolveAnnotations")
        for stamp in (
            message.Metadata.Expires, message.Spec.Created, message.Spec.Expires,
            message.Spec.MaxDuration, message.Spec.SessionTTL,
        ):  # fmt: skip
            stamp.nanos -= stamp.nanos % 1000  # our times have microseconds
    assert made == wire


SCHEDULED = AccessMonitoringRule(
    "nights",
    ("access_request",),
    "true",
    "email",
    ("a@example.com",),
    schedules={
        "nights": Schedule(
            (Shift("Monday", "22:00", "23:59"), Shift("Tuesday", "00:00", "06:00")), "Europe/Lisbon"
        ),
        "empty": Schedule(),
    },
    labels={"teleport-email/silence": "true"},
)


def test_schedules_and_labels_of_a_rule_there_and_back() -> None:
    wire = convert.rule_to_proto(SCHEDULED).SerializeToString()
    assert convert.rule_from_proto(rules_pb2.AccessMonitoringRule.FromString(wire)) == SCHEDULED


def _tag(number: int, wire_type: int) -> bytes:
    value, found = number << 3 | wire_type, bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


@pytest.mark.parametrize(
    ("field", "number"),
    [
        (_tag(9, 0) + b"\x01", 9),
        (_tag(9, 1) + bytes(8), 9),
        (_tag(9, 2) + b"\x02hi", 9),
        (_tag(9, 3) + _tag(1, 0) + b"\x01" + _tag(9, 4), 9),
        (_tag(9, 5) + bytes(4), 9),
        (_tag(5, 0) + b"\x00", 5),
        (_tag(536870911, 0) + b"\x01", 536870911),
        (_tag(8, 0) + b"\x01", 8),  # known, but of another type than we know
        ((_tag(9, 0) + b"\x01") * 3, 9),
    ],
    ids=repr,
)
def test_a_field_of_a_rule_that_we_do_not_know_is_named_whatever_its_type(field: bytes, number: int) -> None:
    message = convert.rule_to_proto(SCHEDULED)
    message.spec.MergeFromString(field)
    wire = message.SerializeToString()
    found = convert.rule_from_proto(decoder(rules_pb2.AccessMonitoringRule)(wire))
    assert found == structs.replace(SCHEDULED, unknown=(f"spec: field {number}",))


def test_unknown_fields_inside_the_spec_are_named_with_their_place() -> None:
    message = convert.rule_to_proto(SCHEDULED)
    message.spec.notification.MergeFromString(_tag(3, 0) + b"\x01")
    message.spec.schedules["empty"].MergeFromString(_tag(2, 0) + b"\x01")
    message.spec.schedules["nights"].time.shifts[0].MergeFromString(_tag(4, 0) + b"\x01")
    assert set(convert.rule_from_proto(message).unknown) == {
        "spec.notification: field 3",
        "spec.schedules: field 2",
        "spec.schedules.time.shifts: field 4",
    }


NODE = ResourceID("demo", "node", "uuid-1")
ASKED = (
    NODE,
    structs.replace(NODE, constraint=Constraint("logins", ("root", "ec2-user"))),
    ResourceID("demo", "app", "aws", constraint=Constraint("roles", ("arn:aws:iam::123456789012:role/dba",))),
    ResourceID("demo", "windows_desktop", "win-1", constraint=Constraint("logins", ("Administrator",))),
    ResourceID("demo", "db", "orders", constraint=Constraint()),
)


def test_resources_of_both_fields_with_their_constraints_there_and_back() -> None:
    request = AccessRequest("1", "ann", ("dba",), resources=ASKED, long_term=True)
    message = convert.request_to_proto(request)
    assert [each.Name for each in message.Spec.RequestedResourceIDs] == ["uuid-1"]
    assert [each.constraints.WhichOneof("details") for each in message.Spec.RequestedResourceAccessIDs] == [
        "ssh", "aws_console", "windows_desktop", None,
    ]  # fmt: skip
    wire = message.SerializeToString()
    assert convert.request_from_proto(types_pb2.AccessRequestV3.FromString(wire)) == request


def test_what_stands_in_both_fields_is_one_resource() -> None:
    spec = types_pb2.AccessRequestSpecV3(
        RequestedResourceIDs=[resource_ids.resource_to_proto(NODE)],
        RequestedResourceAccessIDs=[types_pb2.ResourceAccessID(id=resource_ids.resource_to_proto(NODE))],
    )
    assert resource_ids.resources_from_proto(spec) == (NODE,)


def test_a_resource_reads_as_teleport_writes_it_with_its_constraint() -> None:
    assert [str(each) for each in ASKED] == [
        "/demo/node/uuid-1",
        "/demo/node/uuid-1 (logins: root, ec2-user)",
        "/demo/app/aws (roles: arn:aws:iam::123456789012:role/dba)",
        "/demo/windows_desktop/win-1 (logins: Administrator)",
        "/demo/db/orders (a part of it)",
    ]


def test_thresholds_of_roles_there_and_back() -> None:
    request = AccessRequest("1", "ann", ("dba",), role_thresholds={"dba": ((0, 1), (2,)), "none": ()})
    assert convert.request_from_proto(convert.request_to_proto(request)) == request

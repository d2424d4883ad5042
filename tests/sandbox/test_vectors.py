"""The embedded cluster gives the answers that a real Teleport 17.0 cluster gave to the same calls.

Requests, users and rules are loaded as recorded, so lists must be equal to the byte. Where the cluster makes
something itself, only what differs by nature (ids, revisions, times) is masked.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from teleport_email.core.model import AccessRequest, RequestState, Threshold, User
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.teleport._proto import auth_pb2, types_pb2

VECTORS = Path(__file__).parents[1] / "data" / "vectors"
CALLS = {call["name"]: call for call in json.loads((VECTORS / "calls.json").read_text())["calls"]}
EVENTS = json.loads((VECTORS / "events.json").read_text())
RULES = json.loads((VECTORS / "rules.json").read_text())

RECORDED_AT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
USER = "myuser@example.com"


def b64(text: str) -> bytes:
    return base64.b64decode(text)


@pytest.fixture
async def cluster() -> AsyncIterator[SandboxCluster]:
    async with SandboxCluster(
        version="17.0.0-dev", proxy_public_addr="localhost:3080", now=lambda: RECORDED_AT
    ) as made:
        yield made


@pytest.fixture
def loaded(cluster: SandboxCluster) -> SandboxCluster:
    """With the four requests that were left at the end of the recording, and the user."""
    for wire in CALLS["list V2 (stream)"]["responses"]:
        cluster.load_request(b64(wire))
    cluster.load_user(b64(CALLS["get user: permitted"]["responses"][0]))
    return cluster


async def play(channel: grpc.aio.Channel, call: dict[str, Any]) -> list[bytes]:
    """Make a recorded call; its status and details must be as recorded. Returns the raw answers."""
    stream = channel.unary_stream(call["method"])(b64(call["request"]))
    if call["status"] == "OK":
        return [answer async for answer in stream]
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        _ = [answer async for answer in stream]
    assert (refusal.value.code().name, refusal.value.details()) == (call["status"], call["details"])
    return []


async def test_lists_are_equal_to_the_byte(loaded, connect):
    channel = connect(loaded)
    names = [name for name in CALLS if name.startswith("list")]
    assert len(names) == 7
    for name in names:
        for wire in CALLS[name]["responses"]:
            # A map in a request (field 11) came in another order each time: as in this very answer, please.
            requests = (
                requests_of(b64(wire)) if "ListAccessRequests" in CALLS[name]["method"] else [b64(wire)]
            )
            for request in requests:
                loaded.load_request(request)
        assert await play(channel, CALLS[name]) == [b64(one) for one in CALLS[name]["responses"]], name


async def test_plugin_data_goes_through_the_recorded_story(loaded, connect):
    channel = connect(loaded)
    story = [
        "plugin data: none yet",
        "plugin data: create",
        "plugin data: compare succeeds",
        "plugin data: compare fails",
        "plugin data: expected absent, is present",
        "plugin data: delete a key",
        "plugin data: after",
        "plugin data: unknown request",
        "plugin data: written after the request is gone (no data before): refused",
    ]
    for name in story:
        call = CALLS[name]
        answers = await play(channel, call)
        if "Get" in call["method"]:
            assert_same_plugin_data(answers, call["responses"])
        elif call["status"] == "OK":
            assert answers == [b""]


async def test_all_plugin_data_of_the_plugin(loaded, connect):
    call = CALLS["plugin data: all of the plugin"]
    recorded = auth_pb2.PluginDataSeq.FromString(b64(call["responses"][0]))
    for one in reversed(recorded.PluginData):
        loaded.load_plugin_data(one.SerializeToString())
    assert_same_plugin_data(await play(connect(loaded), call), call["responses"])


async def test_refusals_for_lack_of_permission(loaded, connect):
    channel = connect(loaded, permissions={"access_request": {"list", "read"}})
    for name in ("plugin data: not permitted", "get user: not permitted"):
        await play(channel, CALLS[name])
    await play(channel, CALLS["watch: kind not permitted, no partial success"])
    await play(channel, RULES["calls"][3])


async def test_user_is_equal_to_the_byte(loaded, connect):
    call = CALLS["get user: permitted"]
    assert await play(connect(loaded), call) == [b64(call["responses"][0])]


async def test_a_user_that_is_made_looks_like_the_recorded_one(cluster, connect):
    cluster.put_user(User(USER, ("editor-requester",), {"email": ("myuser.trait@example.com",)}))
    call = CALLS["get user: permitted"]
    [answer] = await play(connect(cluster), call)
    made, recorded = (types_pb2.UserV2.FromString(one) for one in (answer, b64(call["responses"][0])))
    recorded.DiscardUnknownFields()
    made.Metadata.Revision = recorded.Metadata.Revision
    assert made == recorded


async def test_ping(cluster, connect):
    [answer] = await play(connect(cluster), CALLS["ping"])
    made = auth_pb2.PingResponse.FromString(answer)
    recorded = auth_pb2.PingResponse.FromString(b64(CALLS["ping"]["responses"][0]))
    recorded.ServerFeatures.DiscardUnknownFields()
    assert made.RemoteAddr.startswith("127.0.0.1:")
    made.RemoteAddr = recorded.RemoteAddr
    assert made == recorded


async def test_unknown_method(cluster, connect):
    await play(connect(cluster), CALLS["unknown method"])


async def test_unknown_service(cluster, connect):
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await connect(cluster).unary_unary("/no.such.Service/Call")(b"")
    assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert refusal.value.details() == "unknown service no.such.Service"


async def test_every_recorded_call_is_played():
    """So that a vector added later cannot be forgotten."""
    played = {name for name in CALLS if name.startswith(("list", "plugin data", "get user"))}
    played |= {"ping", "unknown method", "watch: kind not permitted, no partial success"}
    assert set(CALLS) == played


# Events ---------------------------------------------------------------------------------------------


async def test_events_of_the_recorded_story(cluster, connect):
    channel = connect(cluster, permissions={"access_request": {"list", "read"}})
    stream = channel.unary_stream("/proto.AuthService/WatchEvents")(b64(EVENTS["watch_request"]))
    recorded = [b64(event["event"]) for event in EVENTS["events"]]
    assert await stream.read() == recorded.pop(0), "INIT"

    async for what in story(cluster):
        answer = auth_pb2.Event.FromString(await stream.read())
        expected = auth_pb2.Event.FromString(recorded.pop(0))
        assert role_mapping(answer) == role_mapping(expected), what
        assert_equal_but_for_nature(answer, expected, what)
    assert recorded == []
    stream.cancel()


async def story(cluster: SandboxCluster) -> AsyncIterator[str]:
    """What the recording's people did, step by step."""

    async def create(role: str, **options: Any) -> AccessRequest:
        two = [Threshold("", "", 2, 1)]
        roles = options.pop("roles", [role])
        return await cluster.create(USER, roles, thresholds=two, access_for=timedelta(hours=30), **options)

    a = await create(
        "editor", reason="Fix the nightly build", suggested_reviewers=["alice@example.com", "bob"]
    )
    yield "A made"
    await cluster.review(a.id, "alice@example.com", RequestState.APPROVED, "looks good")
    yield "A reviewed"
    await cluster.review(a.id, "bob@example.com", RequestState.APPROVED, "ok by me")
    yield "A approved"
    reason = types_pb2.AccessRequestV3.FromString(b64(CALLS["list V2 (stream)"]["responses"][1]))
    b = await create("", roles=["dba", "dev"], reason=reason.Spec.RequestReason)
    yield "B made"
    await cluster.review(b.id, "alice@example.com", RequestState.DENIED, "no:\nnot today")
    yield "B denied"
    c = await create("auditor")
    yield "C made"
    await cluster.approve(c.id, "admin said so")
    yield "C approved without a review"
    d = await create("dev", reason="will be deleted", suggested_reviewers=["alice@example.com"])
    yield "D made"
    await cluster.delete(d.id)
    yield "D deleted"
    await create("dev", reason="assume later", assume_start=RECORDED_AT + timedelta(hours=2))
    yield "E made"


async def test_init_tells_the_kinds_granted(cluster, connect):
    stream = connect(cluster).unary_stream("/proto.AuthService/WatchEvents")(b64(EVENTS["watch_request"]))
    assert await stream.read() == b64(EVENTS["init_with_rules"])
    stream.cancel()


async def test_rules_and_their_events_are_equal_to_the_byte(cluster, connect):
    listed, other, plain, _ = RULES["calls"]
    rules = b64(listed["responses"][0])
    cluster.load_rule(rules[3:])  # the only one, without the tag and the length around it
    channel = connect(cluster)
    for call in (listed, other, plain):
        assert await play(channel, call) == [b64(call["responses"][0])], call["name"]

    watch = auth_pb2.Watch(Kinds=[types_pb2.WatchKind(Kind="access_monitoring_rule")])
    stream = channel.unary_stream("/proto.AuthService/WatchEvents")(watch.SerializeToString())
    init, put, deleted = (b64(event) for event in RULES["events"])
    assert await stream.read() == init
    rule = auth_pb2.Event.FromString(put).AccessMonitoringRule
    cluster.load_rule(rule.SerializeToString())
    cluster.delete_rule(rule.metadata.name)
    assert await stream.read() == put
    assert await stream.read() == deleted
    stream.cancel()


# Comparing ------------------------------------------------------------------------------------------


def requests_of(page: bytes) -> list[bytes]:
    """The encoded requests of a ListAccessRequestsResponse, as they are; all are of 128 to 16383 bytes."""
    found = []
    while page[:1] == b"\x0a":
        length = (page[1] & 0x7F) + (page[2] << 7)
        found.append(page[3 : 3 + length])
        page = page[3 + length :]
    return found


def assert_same_plugin_data(answers: list[bytes], recorded: list[str]) -> None:
    """Equal but for the revision; the expiry too must be equal."""
    [answer], [expected] = answers, recorded
    made, wanted = (auth_pb2.PluginDataSeq.FromString(one) for one in (answer, b64(expected)))
    assert len(made.PluginData) == len(wanted.PluginData)
    for one, other in zip(made.PluginData, wanted.PluginData, strict=True):
        assert bool(one.Metadata.Revision) is True
        one.Metadata.Revision = other.Metadata.Revision
        assert one == other


def assert_equal_but_for_nature(made: Message, recorded: Message, what: str) -> None:
    for message in (made, recorded):
        message.DiscardUnknownFields()
        mask(message)
    assert made == recorded, what


def mask(message: Message) -> None:
    """Same value for every id, revision and time that is present; what is absent stays absent."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            repeated = field.label == field.LABEL_REPEATED if hasattr(field, "label") else field.is_repeated
            parts = list(value) if repeated and not isinstance(value, dict) else [value]
            for part in parts:
                if hasattr(part, "nanos"):
                    part.seconds, part.nanos = 1, 0
                elif isinstance(part, Message):
                    mask(part)
    if message.DESCRIPTOR.full_name == "types.Metadata" and message.Name != "watch-status":
        message.Name = "id"
        if message.Revision:
            message.Revision = "revision"


def role_mapping(event: auth_pb2.Event) -> set[bytes]:
    """Field 11 of a request, a map in no order: which role is subject to which thresholds."""
    return {item.data for item in UnknownFieldSet(event.AccessRequest.Spec) if item.field_number == 11}

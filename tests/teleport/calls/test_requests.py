"""Listing requests and looking at one."""

import base64

import grpc
import pytest

from teleport_email.core.errors import Denied, Rejected, Unreachable
from teleport_email.core.model import RequestState
from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport.calls.call import Caller, TolerantChannel
from teleport_email.teleport.calls.requests import PAGE, Requests

LIST, V2 = "ListAccessRequests", "GetAccessRequestsV2"
A = "01a203fb-6d3b-7222-aa45-ece7281bb17a"


@pytest.fixture
def requests(channel):
    return Requests(Caller(lambda: None), AuthServiceStub(TolerantChannel(channel)))


def wire(name: str, state=types_pb2.PENDING, reviews: int = 0) -> types_pb2.AccessRequestV3:
    message = types_pb2.AccessRequestV3(Metadata=types_pb2.Metadata(Name=name))
    message.Spec.State = state
    message.Spec.Reviews.extend([types_pb2.AccessReview()] * reviews)
    return message


def serve_pages(raw, pages: dict[str, tuple[list[types_pb2.AccessRequestV3], str]]) -> None:
    async def handler(request):
        found, following = pages[auth_pb2.ListAccessRequestsRequest.FromString(request).StartKey]
        page = auth_pb2.ListAccessRequestsResponse(AccessRequests=found, NextKey=following)
        yield page.SerializeToString()

    raw.handle(LIST, handler)


async def test_the_recorded_list(raw, requests, recorded):
    raw.replay(recorded("list: all"))
    found = await requests.list()
    assert [(request.roles, request.state.value, len(request.reviews)) for request in found] == [
        (("editor",), "APPROVED", 2),
        (("dba", "dev"), "DENIED", 1),
        (("auditor",), "APPROVED", 0),
        (("dev",), "PENDING", 0),
    ]
    (asked,) = raw.asked(LIST, auth_pb2.ListAccessRequestsRequest)
    assert asked == auth_pb2.ListAccessRequestsRequest(Filter=types_pb2.AccessRequestFilter(), Limit=PAGE)


async def test_the_recorded_pages(raw, requests, recorded):
    pages = {
        auth_pb2.ListAccessRequestsRequest.FromString(base64.b64decode(call["request"])).StartKey: call
        for call in map(recorded, ["list: page of 2", "list: next page"])
    }

    async def handler(request):
        key = auth_pb2.ListAccessRequestsRequest.FromString(request).StartKey
        yield base64.b64decode(pages[key]["responses"][0])

    raw.handle(LIST, handler)
    found = await requests.list()
    assert len(found) == 4
    assert found[0].id == A
    assert [asked.StartKey for asked in raw.asked(LIST, auth_pb2.ListAccessRequestsRequest)] == list(pages)


async def test_a_request_on_two_pages_is_told_once_in_its_furthest_state(raw, requests):
    serve_pages(
        raw,
        {
            "": ([wire("a", reviews=1), wire("b", types_pb2.APPROVED)], "b"),
            "b": ([wire("b"), wire("a", reviews=2), wire("")], "c"),
            "c": ([wire("a", reviews=1)], ""),
        },
    )
    found = await requests.list()
    assert [(request.id, request.state, len(request.reviews)) for request in found] == [
        ("a", RequestState.PENDING, 2),
        ("b", RequestState.APPROVED, 0),
    ]


async def test_pages_that_go_round_end(raw, requests):
    serve_pages(raw, {"": ([wire("a")], "x"), "x": ([wire("b")], "y"), "y": ([wire("c")], "x")})
    with pytest.raises(Rejected, match="go round in circles"):
        await requests.list()


async def test_servers_before_15_1_stream_the_list_and_are_not_asked_for_pages_again(raw, requests, recorded):
    raw.replay(recorded("list V2 (stream)"))
    assert len(await requests.list()) == 4
    assert len(await requests.list()) == 4
    assert raw.calls["/proto.AuthService/ListAccessRequests"] == 1
    assert raw.calls["/proto.AuthService/GetAccessRequestsV2"] == 2


@pytest.mark.parametrize(
    ("code", "error"),
    [(grpc.StatusCode.PERMISSION_DENIED, Denied), (grpc.StatusCode.UNAVAILABLE, Unreachable)],
)
async def test_other_faults_are_raised_and_do_not_change_the_way(raw, requests, code, error):
    raw.refuse(LIST, code, 'access denied to perform action "list" on "access_request"')
    raw.answer(V2, wire("a"))
    with pytest.raises(error, match="listing access requests: access denied to perform"):
        await requests.list()
    assert raw.calls["/proto.AuthService/GetAccessRequestsV2"] == 0
    serve_pages(raw, {"": ([wire("b")], "")})
    assert [request.id for request in await requests.list()] == ["b"]


async def test_one_request_with_a_bad_text_does_not_hide_the_others(raw, requests):
    page = auth_pb2.ListAccessRequestsResponse(AccessRequests=[wire("a"), wire("b")])
    page.AccessRequests[0].Spec.RequestReason = "give me"
    raw.answer(LIST, page.SerializeToString().replace(b"give", b"\xff\xfe\xc0e"))
    found = await requests.list()
    assert [request.id for request in found] == ["a", "b"]
    assert found[0].request_reason == "\ufffd\ufffd\ufffde me"


async def test_one_recorded_request(raw, requests, recorded):
    raw.replay(recorded("list V2: one by id"))
    found = await requests.get(A)
    assert found is not None
    assert (found.id, found.state) == (A, RequestState.APPROVED)
    assert raw.asked(V2, types_pb2.AccessRequestFilter) == [
        types_pb2.AccessRequestFilter.FromString(base64.b64decode(recorded("list V2: one by id")["request"]))
    ]


async def test_an_unknown_request_is_none(raw, requests, recorded):
    raw.replay(recorded("list V2: unknown id"))
    assert await requests.get("b107cda8-9e92-4d9c-adef-111b401061d5") is None
    assert await requests.get("") is None


async def test_one_request_from_a_server_that_does_not_stream(raw, requests):
    serve_pages(raw, {"": ([wire("other"), wire("a")], "")})
    found = await requests.get("a")
    assert found is not None
    assert found.id == "a"
    (asked,) = raw.asked(LIST, auth_pb2.ListAccessRequestsRequest)
    assert asked.Filter.ID == "a"

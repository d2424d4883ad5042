"""Access Lists as servers send them, also such as make no sense."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.core.audits import Audit, ListOwner, OwnedList, next_step, step_begin
from teleport_email.core.errors import Denied, NotFound, Rejected, Unreachable, Unsupported
from teleport_email.teleport._proto import accesslist_pb2, header_pb2
from teleport_email.teleport._proto.accesslist_pb2_grpc import AccessListServiceStub
from teleport_email.teleport.calls import access_lists
from teleport_email.teleport.calls.access_lists import (
    CUT,
    DESCRIPTION,
    NAME,
    ROLES,
    TITLE,
    AccessLists,
    owned_list_from_proto,
)
from teleport_email.teleport.calls.call import Caller, TolerantChannel

SERVICE = "/teleport.accesslist.v1.AccessListService/"
LIST, GET, OWNERS = (SERVICE + name for name in ("ListAccessLists", "GetAccessList", "GetAccessListOwners"))
DUE = datetime(2026, 12, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 27, tzinfo=UTC)
TWO_WEEKS = timedelta(weeks=2)


@pytest.fixture
def lists(channel):
    return AccessLists(Caller(lambda: None), AccessListServiceStub(TolerantChannel(channel)))


def access_list(name: str = "oncall", *, due: datetime = DUE, **spec) -> accesslist_pb2.AccessList:
    message = accesslist_pb2.AccessList(
        header=header_pb2.ResourceHeader(metadata=header_pb2.Metadata(name=name)),
        spec=accesslist_pb2.AccessListSpec(**spec),
    )
    message.spec.audit.next_audit_date.FromDatetime(due)
    return message


def page(*messages: accesslist_pb2.AccessList, following: str = "") -> accesslist_pb2.ListAccessListsResponse:
    return accesslist_pb2.ListAccessListsResponse(access_lists=messages, next_token=following)


async def names(lists: AccessLists) -> list[list[str]]:
    return [[owned.audit.list_name for owned in each] async for each in lists.pages()]


# What a message becomes -----------------------------------------------------------------------------


def test_everything_that_a_list_tells():
    message = access_list(
        title="On call",
        description="Who is woken up",
        owners=[
            accesslist_pb2.AccessListOwner(name="alice@example.com", membership_kind=1),
            accesslist_pb2.AccessListOwner(name="leads", membership_kind=2),
            accesslist_pb2.AccessListOwner(name="bob"),
        ],
        grants=accesslist_pb2.AccessListGrants(roles=["prod", "db", "prod"]),
        type="dynamic",
    )
    message.spec.audit.notifications.start.FromTimedelta(timedelta(days=3))
    message.status.member_count = 0
    message.status.member_list_count = 2
    assert owned_list_from_proto(message) == OwnedList(
        Audit(
            "oncall",
            DUE,
            DUE - timedelta(days=3),
            title="On call",
            description="Who is woken up",
            members=0,
            member_lists=2,
            roles=("prod", "db"),
        ),
        (ListOwner("alice@example.com"), ListOwner("leads", is_list=True), ListOwner("bob")),
    )


def test_what_an_old_server_does_not_tell_is_not_known():
    assert owned_list_from_proto(access_list()) == OwnedList(Audit("oncall", DUE, DUE - TWO_WEEKS))
    message = access_list()
    message.status.SetInParent()
    owned = owned_list_from_proto(message)
    assert owned is not None
    assert not owned.audit.is_empty


@pytest.mark.parametrize(
    ("kind", "reviewed"),
    [("", True), ("dynamic", True), ("scim", True), ("static", False), ("of tomorrow", False)],
)
def test_which_types_are_reviewed(kind, reviewed):
    assert (owned_list_from_proto(access_list(type=kind)) is not None) == reviewed


@pytest.mark.parametrize(
    "stamp",
    [
        Timestamp(),
        Timestamp(seconds=-62135596800),  # Go's zero time: year 1
        Timestamp(seconds=-1),
        Timestamp(seconds=253402300799),  # the end of 9999
        Timestamp(seconds=2**63 - 1, nanos=2**31 - 1),
        Timestamp(seconds=-(2**63), nanos=-(2**31)),
    ],
)
def test_a_date_that_is_none_is_no_audit(stamp):
    message = access_list()
    message.spec.audit.next_audit_date.CopyFrom(stamp)
    assert owned_list_from_proto(message) is None


def test_parts_of_a_second_do_not_make_another_audit():
    message = access_list()
    message.spec.audit.next_audit_date.nanos = 999_999_999
    owned = owned_list_from_proto(message)
    assert owned is not None
    assert owned.audit.due == DUE


@pytest.mark.parametrize(
    ("seconds", "opens"),
    [
        (0, DUE - TWO_WEEKS),
        (-1, DUE - TWO_WEEKS),
        (-(2**63), DUE - TWO_WEEKS),
        (1, DUE - timedelta(seconds=1)),
        (2**63 - 1, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_when_the_window_opens(seconds, opens):
    message = access_list()
    message.spec.audit.notifications.start.CopyFrom(Duration(seconds=seconds))
    owned = owned_list_from_proto(message)
    assert owned is not None
    assert owned.audit.opens == opens


def test_a_message_without_its_parts_is_no_list():
    assert owned_list_from_proto(accesslist_pb2.AccessList()) is None
    assert owned_list_from_proto(access_list("")) is None
    assert owned_list_from_proto(access_list("n" * (NAME + 1))) is None
    assert owned_list_from_proto(access_list("n" * NAME)) is not None
    bare = access_list()
    bare.spec.ClearField("audit")
    assert owned_list_from_proto(bare) is None


def test_what_users_wrote_at_length_is_cut():
    message = access_list(title="t" * 100_000, description="d" * 100_000)
    message.spec.grants.roles.extend(f"role-{number}" for number in range(1000))
    owned = owned_list_from_proto(message)
    assert owned is not None
    assert owned.audit.title == "t" * (TITLE - 1) + CUT
    assert owned.audit.description == "d" * (DESCRIPTION - 1) + CUT
    assert owned.audit.roles == (*(f"role-{number}" for number in range(ROLES)), CUT)
    fits = owned_list_from_proto(access_list(title="t" * TITLE))
    assert fits is not None
    assert fits.audit.title == "t" * TITLE


def test_owners_are_told_once_and_in_their_order():
    owners = [("bob", 0), ("alice", 1), ("", 1), ("bob", 1), ("bob", 2), ("carol", 7)]
    message = access_list(
        owners=[accesslist_pb2.AccessListOwner(name=name, membership_kind=kind) for name, kind in owners]
    )
    owned = owned_list_from_proto(message)
    assert owned is not None
    assert owned.owners == (
        ListOwner("bob"),
        ListOwner("alice"),
        ListOwner("bob", is_list=True),
        ListOwner("carol"),
    )


INT64 = st.integers(-(2**63), 2**63 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)


@given(INT64, INT32, INT64, INT32, st.text(), st.binary(max_size=40))
def test_nothing_that_a_server_sends_breaks_the_conversion_or_the_schedule(
    due, nanos, start, start_nanos, title, more
):
    message = access_list(title=title.encode("utf-8", "replace").decode())
    message.spec.audit.next_audit_date.CopyFrom(Timestamp(seconds=due, nanos=nanos))
    message.spec.audit.notifications.start.CopyFrom(Duration(seconds=start, nanos=start_nanos))
    # Field 200, which nobody knows.
    unknown = accesslist_pb2.AccessList.FromString(
        message.SerializeToString() + b"\xc2\x0c" + bytes([len(more)]) + more
    )
    owned = owned_list_from_proto(unknown)
    assert owned == owned_list_from_proto(message)
    if owned is not None:
        assert owned.audit.opens < owned.audit.due
        begun = step_begin(owned.audit, NOW)
        assert begun is None or begun <= NOW < next_step(owned.audit, NOW)


# Calls ----------------------------------------------------------------------------------------------


async def test_pages_come_one_at_a_time(raw, lists):
    pages = {
        "": page(access_list("a"), access_list("b"), following="c"),
        "c": page(access_list("c", type="static"), following="d"),
        "d": page(access_list("a", due=DUE + timedelta(days=30)), access_list("d")),
    }

    async def handler(request):
        asked = accesslist_pb2.ListAccessListsRequest.FromString(request)
        yield pages[asked.next_token].SerializeToString()

    raw.handle(LIST, handler)
    found = [each async for each in lists.pages()]
    assert [[owned.audit.list_name for owned in each] for each in found] == [["a", "b"], [], ["a", "d"]]
    assert found[2][0].audit.due == DUE + timedelta(days=30)
    assert {asked.page_size for asked in raw.asked(LIST, accesslist_pb2.ListAccessListsRequest)} == {100}


async def test_no_more_is_asked_than_is_read(raw, lists):
    raw.answer(LIST, page(access_list("a"), following="b"))
    async for _ in lists.pages():
        break
    assert raw.calls[LIST] == 1


async def test_a_list_that_is_on_a_page_twice_is_told_once_and_the_last_counts(raw, lists):
    raw.answer(LIST, page(access_list("a"), access_list("b"), access_list("a", title="renamed")))
    ((first, second),) = [each async for each in lists.pages()]
    assert (first.audit.list_name, first.audit.title, second.audit.list_name) == ("a", "renamed", "b")


async def test_pages_that_go_round_in_circles_end(raw, lists):
    raw.answer(LIST, page(access_list("a"), following="t"))
    with pytest.raises(Rejected, match="listing Access Lists: the pages go round in circles"):
        await names(lists)
    assert raw.calls[LIST] == 2


async def test_pages_that_never_end_do(raw, lists, monkeypatch):
    monkeypatch.setattr(access_lists, "PAGES", 5)

    async def handler(_request):
        yield page(following=str(raw.calls[LIST])).SerializeToString()

    raw.handle(LIST, handler)
    with pytest.raises(Rejected, match="circles"):
        await names(lists)
    assert raw.calls[LIST] == 6


async def test_texts_that_are_not_utf_8_are_mended(raw, lists):
    wire = page(access_list("a", title="TITLE")).SerializeToString().replace(b"TITLE", b"TI\xffLE")
    raw.answer(LIST, wire)
    ((owned,),) = [each async for each in lists.pages()]
    assert owned.audit.title == "TI\ufffdLE"


async def test_an_answer_that_is_none(raw, lists):
    raw.answer(LIST, b"\xff\xff\xff")
    with pytest.raises(Rejected, match="cannot be understood"):
        await names(lists)


async def test_a_cluster_without_access_lists(raw, lists):
    assert not await lists.exist()
    for call in (names(lists), lists.get("a"), lists.owners("a")):
        with pytest.raises(Unsupported):
            await call
    raw.answer(LIST, page())
    assert await lists.exist()


@pytest.mark.parametrize(
    ("code", "error"),
    [(grpc.StatusCode.PERMISSION_DENIED, Denied), (grpc.StatusCode.UNAVAILABLE, Unreachable)],
)
async def test_refusals(raw, lists, code, error):
    for method in (LIST, GET, OWNERS):
        raw.refuse(method, code, 'access denied to perform action "list" on "access_list"')
    for call in (names(lists), lists.get("a"), lists.owners("a"), lists.exist()):
        with pytest.raises(error, match='"list" on "access_list"'):
            await call


async def test_one_list(raw, lists):
    raw.answer(GET, access_list("a", title="A"))
    owned = await lists.get("a")
    assert owned is not None
    assert owned.audit.title == "A"
    assert raw.asked(GET, accesslist_pb2.GetAccessListRequest) == [
        accesslist_pb2.GetAccessListRequest(name="a")
    ]


async def test_a_list_that_is_gone_or_no_longer_reviewed_is_none(raw, lists):
    raw.answer(GET, access_list("a", type="static"))
    assert await lists.get("a") is None
    raw.refuse(GET, grpc.StatusCode.NOT_FOUND, 'access_list "a" doesn\'t exist')
    assert await lists.get("a") is None


async def test_an_answer_about_another_list_is_not_taken_for_this_one(raw, lists):
    raw.answer(GET, access_list("b"))
    with pytest.raises(Rejected, match="reading Access List a: the answer is about another one"):
        await lists.get("a")


async def test_owners(raw, lists):
    raw.answer(
        OWNERS,
        accesslist_pb2.GetAccessListOwnersResponse(
            owners=[
                accesslist_pb2.AccessListOwner(name="alice"),
                accesslist_pb2.AccessListOwner(name="bob", membership_kind=1),
                accesslist_pb2.AccessListOwner(name="leads", membership_kind=2),
                accesslist_pb2.AccessListOwner(name="alice", membership_kind=1),
            ]
        ),
    )
    assert await lists.owners("a") == (ListOwner("alice"), ListOwner("bob"))
    raw.refuse(OWNERS, grpc.StatusCode.NOT_FOUND, "no such list")
    with pytest.raises(NotFound, match="asking for the owners of Access List a"):
        await lists.owners("a")


def test_nothing_is_loaded_before_somebody_asks():
    script = """
import sys, teleport_email.teleport.session
print(*[name for name in sys.modules if "access_lists" in name or "accesslist" in name])
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""

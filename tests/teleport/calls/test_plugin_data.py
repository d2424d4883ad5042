"""Reading plugin data, and compare-and-swap."""

import asyncio
import base64

import grpc
import pytest

from teleport_email.core.errors import Conflict, Denied, NotFound, Rejected, Unreachable
from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport.calls import plugin_data
from teleport_email.teleport.calls.call import Caller, TolerantChannel
from teleport_email.teleport.calls.plugin_data import PluginData

A = "01a203fb-6d3b-7222-aa45-ece7281bb17a"
READ, WRITE = "GetPluginData", "UpdatePluginData"


@pytest.fixture
def data(channel):
    return PluginData(Caller(lambda: None), AuthServiceStub(TolerantChannel(channel)), "email")


async def test_reads_the_recorded_entry(raw, data, recorded):
    raw.replay(recorded("plugin data: after"))
    assert await data.read(A) == {"user": "myuser@example.com", "roles": "editor"}
    asked = types_pb2.PluginDataFilter.FromString(base64.b64decode(recorded("plugin data: after")["request"]))
    assert raw.asked(READ, types_pb2.PluginDataFilter) == [asked]


async def test_no_entry_is_empty(raw, data, recorded):
    raw.replay(recorded("plugin data: none yet"))
    assert await data.read(A) == {}
    raw.refuse(READ, grpc.StatusCode.NOT_FOUND, "no such data")
    assert await data.read(A) == {}


async def test_anothers_entry_is_not_ours(raw, data):
    seq = auth_pb2.PluginDataSeq()
    for name, plugin in (("other", "email"), (A, "slack")):
        item = seq.PluginData.add()
        item.Metadata.Name = name
        item.Spec.Entries[plugin].Data["key"] = "value"
    raw.answer(READ, seq)
    assert await data.read(A) == {}


async def test_reads_all_the_recorded_entries(raw, data, recorded):
    raw.replay(recorded("plugin data: all of the plugin"))
    found = await data.read_all()
    assert found[A] == {"user": "myuser@example.com", "roles": "editor"}
    assert all(request_id and isinstance(entry, dict) for request_id, entry in found.items())
    (asked,) = raw.asked(READ, types_pb2.PluginDataFilter)
    assert asked == types_pb2.PluginDataFilter(Kind="access_request", Plugin="email")


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("plugin data: compare fails", Conflict, 'expectations not met for field "ledger"'),
        ("plugin data: expected absent, is present", Conflict, 'expectations not met for field "ledger"'),
        ("plugin data: unknown request", NotFound, "no access request matching"),
        ("plugin data: not permitted", Denied, 'perform action "update" on "access_plugin_data"'),
    ],
)
async def test_recorded_refusals_of_writes(raw, data, recorded, name, error, words):
    raw.replay(recorded(name))
    with pytest.raises(error, match=words):
        await data.compare_and_swap(A, {"ledger": "z"}, {"ledger": "x"})


@pytest.mark.parametrize(
    ("name", "set_", "expect"),
    [
        (
            "plugin data: create",
            {"user": "myuser@example.com", "roles": "editor", "ledger": "x"},
            {"ledger": ""},
        ),
        ("plugin data: compare succeeds", {"ledger": "y"}, {"ledger": "x"}),
        ("plugin data: delete a key", {"ledger": ""}, {"ledger": "y"}),
    ],
)
async def test_writes_as_was_recorded(raw, data, recorded, name, set_, expect):
    raw.replay(recorded(name))
    await data.compare_and_swap(A, set_, expect)
    recording = types_pb2.PluginDataUpdateParams.FromString(base64.b64decode(recorded(name)["request"]))
    assert raw.asked(WRITE, types_pb2.PluginDataUpdateParams) == [recording]


async def test_a_write_without_an_answer(raw, data, monkeypatch):
    """It may have been carried out: that is for the caller to find out."""
    monkeypatch.setattr(plugin_data, "WRITE_DEADLINE", 0.1)

    async def never(request):
        await asyncio.Event().wait()
        yield b""

    raw.handle(WRITE, never)
    with pytest.raises(Unreachable, match="no answer in time"):
        await data.compare_and_swap(A, {"ledger": "z"}, {})


async def test_what_is_not_text_is_rejected_without_a_call(raw, data):
    with pytest.raises(Rejected, match="not all of it is text"):
        await data.compare_and_swap(A, {"ledger": "\ud800"}, {})
    assert raw.calls == {}


async def test_of_another_kind(raw, channel):
    data = PluginData(Caller(lambda: None), AuthServiceStub(TolerantChannel(channel)), "email", "access_list")
    seq = auth_pb2.PluginDataSeq()
    item = seq.PluginData.add(SubKind="access_list")
    item.Metadata.Name = "oncall"
    item.Spec.Entries["email"].Data["key"] = "value"
    raw.answer(READ, seq)
    raw.answer(WRITE, b"")
    assert await data.read("oncall") == {"key": "value"}
    assert await data.read_all() == {"oncall": {"key": "value"}}
    await data.compare_and_swap("oncall", {"key": "new"}, {"key": "value"})
    assert raw.asked(READ, types_pb2.PluginDataFilter) == [
        types_pb2.PluginDataFilter(Kind="access_list", Resource="oncall", Plugin="email"),
        types_pb2.PluginDataFilter(Kind="access_list", Plugin="email"),
    ]
    assert raw.asked(WRITE, types_pb2.PluginDataUpdateParams) == [
        types_pb2.PluginDataUpdateParams(
            Kind="access_list", Resource="oncall", Plugin="email", Set={"key": "new"}, Expect={"key": "value"}
        )
    ]
    raw.refuse(READ, grpc.StatusCode.PERMISSION_DENIED, "no")
    with pytest.raises(Denied, match="reading plugin data of access_list oncall: no"):
        await data.read("oncall")
    with pytest.raises(Denied, match="reading all plugin data of access_lists: no"):
        await data.read_all()
    with pytest.raises(Rejected, match="plugin data of an access_list without an id"):
        await data.read("")


async def test_without_an_id_nothing_is_asked(raw, data):
    """The server would answer with everybody's entries."""
    with pytest.raises(Rejected):
        await data.read("")
    with pytest.raises(Rejected):
        await data.compare_and_swap("", {"a": "b"}, {})
    assert raw.calls == {}

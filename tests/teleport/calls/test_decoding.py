"""A text that is not UTF-8 spoils itself, not the whole list."""

import pytest
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport.calls.decoding import decoder


def damaged(message, text: str) -> bytes:
    """The message's bytes with the first character of ``text`` made invalid."""
    data = message.SerializeToString()
    assert data.count(text.encode()) == 1
    return data.replace(text.encode(), b"\xff" + text.encode()[1:])


@pytest.fixture
def page() -> auth_pb2.ListAccessRequestsResponse:
    page = auth_pb2.ListAccessRequestsResponse(NextKey="next")
    for name in ("one", "two"):
        request = page.AccessRequests.add()
        request.Metadata.Name = name
        request.Metadata.Expires.seconds = 1795363138
        request.Spec.RequestReason = f"reason of {name}"
        request.Spec.Roles.extend([f"role-a-{name}", f"role-b-{name}"])
        request.Spec.State = types_pb2.DENIED
        request.Spec.SystemAnnotations.Values[f"key-{name}"].Values.append(f"value-{name}")
    return page


@pytest.mark.parametrize("text", ["reason of one", "role-b-one", "key-one", "value-one"])
def test_mends_single_and_repeated_texts_and_keys_and_values_of_maps(page, text):
    data = damaged(page, text)
    with pytest.raises(DecodeError):
        auth_pb2.ListAccessRequestsResponse.FromString(data)
    decoded = decoder(auth_pb2.ListAccessRequestsResponse)(data)
    assert decoded is not None
    as_text = json_format.MessageToJson(page, ensure_ascii=False)
    assert decoded == json_format.Parse(as_text.replace(text, "\ufffd" + text[1:]), type(page)())


def test_unknown_fields_survive_mending():
    unknown = b"\xba\x3e\x03\xff\xfe\xfd"  # field 999, three bytes
    data = types_pb2.PromotedAccessList(Name="name").SerializeToString().replace(b"n", b"\xff") + unknown
    decoded = decoder(types_pb2.PromotedAccessList)(data)
    assert decoded is not None
    assert decoded.Name == "\ufffdame"
    assert unknown in decoded.SerializeToString()


def test_good_bytes_are_decoded_as_ever(page):
    assert decoder(auth_pb2.ListAccessRequestsResponse)(page.SerializeToString()) == page


def test_what_is_no_message_is_none():
    assert decoder(types_pb2.AccessRequestV3)(b"\x0a\xff") is None


@given(st.binary(max_size=200))
def test_never_raises(data):
    for message in (auth_pb2.Event, auth_pb2.PluginDataSeq, auth_pb2.ListResourcesResponse):
        decoded = decoder(message)(data)
        assert decoded is None or isinstance(decoded, message)

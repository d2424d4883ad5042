"""Protobuf bytes put together from protobuf bytes, so that what is stored is encoded only once.

A list of ten thousand requests, or an event for ten watchers, is then a matter of joining bytes; and what
was loaded from a recording goes out exactly as it came in.
"""

from __future__ import annotations

from teleport_email.teleport._proto import auth_pb2, types_pb2

_LENGTH_DELIMITED = 2  # protobuf's wire type of strings, bytes and messages
_PUT_REQUEST = 14  # field numbers of proto.Event
_PUT_RULE = 54


def varint(number: int) -> bytes:
    """A base-128 varint of a number that is not negative."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def field(number: int, payload: bytes) -> bytes:
    """A message, string or bytes field."""
    return varint(number << 3 | _LENGTH_DELIMITED) + varint(len(payload)) + payload


_TYPE_PUT = varint(1 << 3) + varint(int(auth_pb2.PUT))


def put_request(request: bytes) -> bytes:
    """``proto.Event``: an access request was made or changed."""
    return _TYPE_PUT + field(_PUT_REQUEST, request)


def put_rule(rule: bytes) -> bytes:
    """``proto.Event``: an Access Monitoring Rule was made or changed."""
    return _TYPE_PUT + field(_PUT_RULE, rule)


def deleted(kind: str, version: str, name: str) -> bytes:
    """``proto.Event``: a thing is gone. Deletion and expiry look the same, and only the header is sent."""
    header = types_pb2.ResourceHeader(
        Kind=kind, Version=version, Metadata=types_pb2.Metadata(Name=name, Namespace="default")
    )
    return auth_pb2.Event(Type=auth_pb2.DELETE, ResourceHeader=header).SerializeToString()

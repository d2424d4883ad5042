"""Messages from bytes, also when a text in them is not UTF-8.

proto3 demands UTF-8, but Teleport's Go code does not check it, and protobuf here refuses the whole message
for one bad byte: a single requester could make every list unreadable. So a message that does not decode is
decoded once more with all texts as bytes, bad ones are mended with U+FFFD, and then it decodes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.message import DecodeError, Message

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto

M = TypeVar("M", bound=Message)


def decoder(message_class: type[M]) -> Callable[[bytes], M | None]:
    """A function that makes a message of bytes; ``None`` when they are no such message at all.

    ``None`` instead of an error because grpcio would only log the error and go on with ``None`` itself.
    """

    def decode(data: bytes) -> M | None:
        try:
            return message_class.FromString(data)
        except DecodeError:
            return _decode_mended(message_class, data)

    return decode


def _decode_mended(message_class: type[M], data: bytes) -> M | None:
    try:
        raw = _with_texts_as_bytes(message_class.DESCRIPTOR).FromString(data)
        _mend(raw)
        return message_class.FromString(raw.SerializeToString())
    except DecodeError:
        return None


@functools.cache
def _with_texts_as_bytes(descriptor: Descriptor) -> type[Message]:
    """The same message with every ``string`` declared as ``bytes``: alike on the wire."""
    # The largest of protobuf's modules, rarely needed.
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    pool = descriptor_pool.DescriptorPool()
    added: set[str] = set()

    def add(file: FileDescriptor) -> None:
        if file.name in added:
            return
        added.add(file.name)
        for dependency in file.dependencies:
            add(dependency)
        declaration = FileDescriptorProto()
        file.CopyToProto(declaration)
        declaration.ClearField("service")
        for message in declaration.message_type:
            _declare_as_bytes(message)
        pool.Add(declaration)

    add(descriptor.file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(descriptor.full_name))


def _declare_as_bytes(message: DescriptorProto) -> None:
    # A map is a repeated message of key and value; as a true map its key could not be bytes.
    message.options.ClearField("map_entry")
    for field in message.field:
        if field.type == FieldDescriptor.TYPE_STRING:
            field.type = field.TYPE_BYTES
    for nested in message.nested_type:
        _declare_as_bytes(nested)


def _mend(message: Message) -> None:
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_BYTES:
            if field.is_repeated:
                value[:] = [_mended(item) for item in value]
            else:
                setattr(message, field.name, _mended(value))
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            for item in value if field.is_repeated else (value,):
                _mend(item)


def _mended(text: bytes) -> bytes:
    return text.decode("utf-8", "replace").encode("utf-8")

"""``multipart/form-data`` (RFC 7578) into fields and files: bytes in, exactly the same bytes out."""

from __future__ import annotations

from email.message import Message

from msgspec import Struct

_MAX_PARTS = 200


class Part(Struct, frozen=True):
    """One form field. ``filename`` is empty for ordinary fields."""

    name: str
    content: bytes
    filename: str = ""
    content_type: str = ""


def parse_form(content_type: str, body: bytes) -> list[Part]:
    """The parts of a form, in order. ``ValueError`` when it is not a complete, well-formed one."""
    boundary = _parameters(content_type).get_param("boundary")
    if not content_type.lower().startswith("multipart/form-data") or not isinstance(boundary, str):
        raise ValueError("not multipart/form-data with a boundary")
    delimiter = b"\r\n--" + boundary.encode("ascii", "replace")
    # The first delimiter has no line break before it, so one is put there to make them all alike.
    _preamble, *pieces = (b"\r\n" + body).split(delimiter)
    if not pieces or not pieces[-1].startswith(b"--"):
        raise ValueError("the form does not end")
    if len(pieces) > _MAX_PARTS:
        raise ValueError("too many parts")
    return [_part(piece) for piece in pieces[:-1]]


def _part(piece: bytes) -> Part:
    head, blank, content = piece.partition(b"\r\n\r\n")
    if not blank or not head.startswith(b"\r\n"):
        raise ValueError("a part without headers")
    headers: dict[str, str] = {}
    for line in head[2:].decode("utf-8", "replace").split("\r\n"):
        key, colon, value = line.partition(":")
        if not colon:
            raise ValueError("a header line without a colon")
        headers[key.strip().lower()] = value.strip()
    disposition = _parameters(headers.get("content-disposition", ""))
    name = disposition.get_param("name")
    filename = disposition.get_param("filename")
    if not isinstance(name, str):
        raise ValueError("a part without a name")
    return Part(
        name=name,
        content=content,
        filename=filename if isinstance(filename, str) else "",
        content_type=headers.get("content-type", ""),
    )


def _parameters(value: str) -> Message:
    message = Message()
    message["Content-Type"] = value.replace("\r", " ").replace("\n", " ") or "text/plain"
    return message

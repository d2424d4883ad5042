"""What a message says, as compressed text for the ledger, and back. Pure but for what it keeps in mind."""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime

from teleport_email.core.errors import LedgerUnreadable
from teleport_email.core.foreign import json_bytes, json_value
from teleport_email.core.model import Content, replace


def pack(content: Content) -> str:
    """Content as compressed text for the ledger."""
    fields = [
        content.subject,
        content.text,
        content.html,
        int(content.date.timestamp()),
        content.boundary,
        content.sender,
        content.reply_to,
        [list(header) for header in content.headers],
    ]
    return base64.b64encode(zlib.compress(json_bytes(fields), 6)).decode("ascii")


MAX_CONTENT = 4 << 20
"""Bytes a content may unpack to: no message of ours comes near, and a bomb stays small."""


def unpack(blob: str) -> Content:
    """The content of :func:`pack`. Raises :class:`LedgerUnreadable`."""
    try:
        decompressor = zlib.decompressobj()
        raw = decompressor.decompress(base64.b64decode(blob, validate=True), MAX_CONTENT)
        if not decompressor.eof:
            raise LedgerUnreadable("a frozen message is cut off or too large")
        subject, text, html, date, boundary, sender, reply_to, headers = json_value(
            raw.decode("utf-8", "surrogatepass")
        )
        strings = (subject, text, html, boundary, sender, reply_to)
        if not all(isinstance(value, str) for value in strings):
            raise LedgerUnreadable("a frozen message has a field of the wrong type")
        pairs = tuple((str(name), str(value)) for name, value in headers)
        when = datetime.fromtimestamp(int(date), UTC)
        return Content(subject, text, html, when, boundary, sender, reply_to, pairs)
    except LedgerUnreadable:
        raise
    except (
        ValueError,
        TypeError,
        zlib.error,
        OverflowError,
        OSError,
        RecursionError,
    ) as error:
        raise LedgerUnreadable(f"a frozen message cannot be unpacked: {error}") from error


_KEPT = 32
"""Contents that are remembered: of the requests that are told at a time, as their bytes are."""
_latest: dict[str, Content] = {}


def freeze(content: Content) -> str:
    """:func:`pack`, by whoever sends it next: :func:`thaw` will not have to unpack it."""
    blob = pack(content)
    while len(_latest) >= _KEPT:
        del _latest[next(iter(_latest))]
    date = datetime.fromtimestamp(int(content.date.timestamp()), UTC)
    _latest[blob] = replace(content, date=date, plain_subject="")
    return blob


def thaw(blob: str) -> Content:
    """:func:`unpack`, or what it would give."""
    return _latest.get(blob) or unpack(blob)

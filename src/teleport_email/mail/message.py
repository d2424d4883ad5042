"""A :class:`~teleport_email.core.model.Mail` becomes bytes: pure, and the same bytes on every Python.

The MIME is put together here rather than by :mod:`email`'s generator, whose folding and choice of
encodings differ between Python versions: a retry, perhaps by another process after an upgrade, must
send what was sent before, or a receiver that has both cannot see that they are one.

All lines end in CRLF, are ASCII and short (RFC 5322 section 2.1.1), so that no relay needs 8BITMIME or
SMTPUTF8 and none has a reason to re-encode; but for an address whose local part is not ASCII, which stands in
the header as it is (RFC 6532). Nothing that a user wrote can begin a header or a line:
what is not plain goes into encoded words (RFC 2047), quoted-printable or base64.
"""

from __future__ import annotations

import binascii
import functools
import re
from base64 import b64encode
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple

from teleport_email.core.model import Content, Mail
from teleport_email.mail.encoded_words import LINE_LENGTH, encoded_words

__all__ = ["Written", "build", "envelope_sender", "write"]

CRLF = b"\r\n"

HARD_LINE_LENGTH = 998
"""What a line may have at most (RFC 5322 section 2.1.1)."""

# RFC 3834 section 5: automatic mail says so, and responders leave it alone. Exchange has a header of its own;
# its "All" would also suppress non-delivery reports, which the operator wants (MS-OXCMAIL 2.1.3.2.20).
FIXED_HEADERS = (
    ("Auto-Submitted", "auto-generated"),
    ("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"),
)

OWN_HEADERS = frozenset(
    {
        "auto-submitted",
        "bcc",
        "cc",
        "date",
        "from",
        "in-reply-to",
        "message-id",
        "mime-version",
        "references",
        "reply-to",
        "sender",
        "subject",
        "to",
        "x-auto-response-suppress",
    }
)
"""Set here or never; ``Content.headers`` may not repeat them. Nor may it have any ``Content-*``."""

# By what it is not, as in ``core/addresses.py``.
_ADDRESS = re.compile(
    r'(?:[^\x00-\x20"(),:;<>@\[\\\]\x7f-\xa0]+|"(?:[^\x00-\x1f"\\\x7f-\xa0]|\\[ -~])+")'
    r"@[A-Za-z0-9._:\[\]-]+"
)
LONGEST_ADDRESS = 500
"""Bytes that fit into RCPT's line of 512 (RFC 5321 section 4.5.3.1.4)."""
_MAILBOX = re.compile(r"(?:(?P<name>[^<>]*?)\s*<(?P<bracketed>[^<>]*)>|(?P<bare>[^<>]*))", re.DOTALL)
_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,980}")
_BOUNDARY = re.compile(r"[A-Za-z0-9'()+_,./:=?-]{1,70}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
# Where an additional header may be folded: only there, so that what older programs froze keeps its bytes.
_FOLDS = re.compile(r"(?<=,) (?! )|(?<=\?=) (?==\?)")
_PRINTABLE = re.compile(r"[ -~]*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
# What ends a line somewhere, or shows as nothing: C0, DEL, C1, line and paragraph separator.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Written(NamedTuple):
    """A message as it goes over the wire, without dot-stuffing: one part behind the other."""

    head: bytes
    body: bytes
    """The same object in all messages of one content: hundreds may wait for a connection."""


def build(mail: Mail) -> bytes:
    """:func:`write`, in one piece."""
    return b"".join(write(mail))


def write(mail: Mail) -> Written:
    """The message as it goes over the wire.

    :raises ValueError: where an address, an id, the boundary or a header of the content could not be written
        without changing what it says. Subject and bodies can be any text.
    """
    content = mail.content
    shared = _shared_headers(
        date=content.date,
        offset=content.date.utcoffset(),
        sender=content.sender,
        reply_to=content.reply_to,
        subject=content.subject,
        extra=content.headers,
        boundary=content.boundary,
    )
    headers = [
        *shared.before,
        ("To", _address(mail.recipient, "recipient")),
        *shared.between,
        ("Message-ID", f"<{_message_id(mail.message_id)}>"),
    ]
    if mail.thread_root and mail.thread_root != mail.message_id:
        # The same root in each message: Gmail and Outlook thread even when the first mail was lost, never
        # went to this reader, or got another id from a provider.
        root = f"<{_message_id(mail.thread_root)}>"
        headers += [("References", root)] if mail.announces else [("In-Reply-To", root), ("References", root)]
    head = "".join([f"{name}: {value}\r\n" for name, value in headers] + [shared.after, "\r\n"]).encode()
    return Written(head, _alternative(content.text, content.html, content.boundary.encode("ascii")))


def envelope_sender(content: Content) -> str:
    """The plain address of the sender: what MAIL FROM names. ``ValueError`` when it has none."""
    return _split_mailbox(content.sender, "sender")[1]


class _Shared(NamedTuple):
    """Headers of one content, whoever it goes to."""

    before: tuple[tuple[str, str], ...]
    between: tuple[tuple[str, str], ...]
    after: str
    """As they are written."""


@functools.lru_cache(maxsize=32)  # as for the body
def _shared_headers(
    *,
    date: datetime,
    offset: timedelta | None,  # noqa: ARG001 - equal dates with different ones are written differently
    sender: str,
    reply_to: str,
    subject: str,
    extra: tuple[tuple[str, str], ...],
    boundary: str,
) -> _Shared:
    before = (("Date", format_datetime(date)), ("From", _mailbox(sender, "sender")))
    between = [("Reply-To", _mailbox(reply_to, "reply_to"))] if reply_to else []
    between.append(("Subject", _unstructured(subject, len("Subject: "))))
    if not _BOUNDARY.fullmatch(boundary):
        raise ValueError("the MIME boundary has characters that RFC 2046 does not allow")
    after = (
        *FIXED_HEADERS,
        *(_extra(name, value) for name, value in extra),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    )
    return _Shared(before, tuple(between), "".join(f"{name}: {value}\r\n" for name, value in after))


# Headers --------------------------------------------------------------------------------------------


def _extra(name: str, value: str) -> tuple[str, str]:
    lower = name.lower()
    if not _HEADER_NAME.fullmatch(name) or lower in OWN_HEADERS or lower.startswith("content-"):
        raise ValueError(f"{name!r} cannot be an additional header")
    if not _PRINTABLE.fullmatch(value) or len(value) > HARD_LINE_LENGTH - 62:
        raise ValueError(f"the value of the additional header {name} is not one line of printable ASCII")
    return name, _folded(_FOLDS.split(value), len(name) + 2)


def _folded(pieces: list[str], used: int) -> str:
    """The pieces, with spaces between them, in lines of at most 76 characters (RFC 5322 section 2.2.3)."""
    lines = [pieces[0]]
    for piece in pieces[1:]:
        room = LINE_LENGTH - (used if len(lines) == 1 else 1)
        if len(lines[-1]) + 1 + len(piece) <= room:
            lines[-1] += " " + piece
        else:
            lines.append(piece)
    return "\r\n ".join(lines)


def _message_id(text: str) -> str:
    """An id, in whatever way the one who handed it down bracketed it. Never folded, never encoded."""
    bare = text.strip().removeprefix("<").removesuffix(">")
    if not _MESSAGE_ID.fullmatch(bare):
        raise ValueError("a Message-ID is empty, too long or has characters that none can have")
    return bare


def _address(text: str, what: str) -> str:
    # Other white space and what shows as nothing has no business in an address, in whatever alphabet.
    if len(text.encode("utf-8", "replace")) > LONGEST_ADDRESS or not (
        _ADDRESS.fullmatch(text) and text.isprintable()
    ):
        raise ValueError(f"the {what} address {text!r} is not of the form local@domain")
    return text


def _split_mailbox(text: str, what: str) -> tuple[str, str]:
    match = _MAILBOX.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"the {what} {text!r} is neither an address nor Name <address>")
    if match["bare"] is not None:
        return "", _address(match["bare"], what)
    return match["name"].strip(), _address(match["bracketed"], what)


def _mailbox(text: str, what: str) -> str:
    name, address = _split_mailbox(text, what)
    if len(name) >= 2 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    if not name:
        return address
    if _ATOMS.fullmatch(name) and "=?" not in name and len(name) <= LINE_LENGTH - len("From: "):
        phrase = name
    elif _PRINTABLE.fullmatch(name) and "=?" not in name and len(name) <= LINE_LENGTH - len("From: ") - 2:
        phrase = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    else:
        return _encoded_words(_CONTROL.sub("\ufffd", name), len("Reply-To: ")) + f"\r\n <{address}>"
    one_line = len("Reply-To: ") + len(phrase) + len(address) + 3 <= LINE_LENGTH
    return f"{phrase} <{address}>" if one_line else f"{phrase}\r\n <{address}>"


def _unstructured(text: str, used: int) -> str:
    """Text as the value of a header whose name and colon take ``used`` characters of the first line."""
    text = _CONTROL.sub("\ufffd", text)
    words = text.split(" ")
    # An empty word would be white space at an end or in a row, which folding does not keep.
    if all(words) and _PRINTABLE.fullmatch(text) and "=?" not in text and max(map(len, words)) <= LINE_LENGTH:
        return _folded(words, used)
    return _encoded_words(text, used) if text else ""


def _encoded_words(text: str, used: int) -> str:
    return "\r\n ".join(encoded_words(text, used))


# Bodies ---------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=32)  # the recipients of one request follow each other and share the body
def _alternative(plain: str, html: str, boundary: bytes) -> bytes:
    """``multipart/alternative``: text first, as the better one comes last (RFC 2046 section 5.1.4)."""
    parts = []
    for subtype, text in ((b"plain", plain), (b"html", html)):
        encoding, body = _encode(text, boundary)
        parts += [
            b"--" + boundary,
            b"Content-Type: text/" + subtype + b'; charset="utf-8"',
            b"Content-Transfer-Encoding: " + encoding,
            b"",
            body,
        ]
    return CRLF.join((*parts, b"--" + boundary + b"--", b""))


def _encode(text: str, boundary: bytes) -> tuple[bytes, bytes]:
    """Name of the transfer encoding, and the body in it without the line break before the next boundary.

    Readable where it can be: 7bit, else whichever of quoted-printable and base64 is shorter.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    raw = plain.encode("utf-8", "replace")
    if _is_plain(raw) and boundary not in raw:
        return b"7bit", raw.replace(b"\n", CRLF)
    quoted = b"".join(map(_quoted, raw.splitlines(keepends=True)))
    packed_length = (len(raw) + 2) // 3 * 4 * 78 // 76
    if len(quoted) <= packed_length and boundary not in quoted:
        return b"quoted-printable", quoted.replace(b"\n", CRLF)
    # The bytes of a text have CRLF (RFC 2046 section 4.1.1); no line of base64 can look like a boundary.
    canonical = raw.replace(b"\n", CRLF)
    lines = [canonical[at : at + 57] for at in range(0, len(canonical), 57)]
    return b"base64", CRLF.join(b64encode(line) for line in lines)


@functools.lru_cache(maxsize=256)  # most lines of an HTML form are those of the last one
def _quoted(line: bytes) -> bytes:
    """In C, also the dot and the white space at an end of line, which servers and relays ate before."""
    return binascii.b2a_qp(line, istext=True)


_PLAIN_LINES = re.compile(rb"(?:[\t\x20-\x7e]{0,76}(?<![\t ])\n)*[\t\x20-\x7e]{0,76}(?<![\t ])")


def _is_plain(raw: bytes) -> bool:
    """Whether the text can go as it is: short lines of printable ASCII without white space at their ends."""
    return raw.isascii() and _PLAIN_LINES.fullmatch(raw) is not None

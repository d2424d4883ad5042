"""Bytes of an identity file -> its PEM blocks, in order. Pure; says in words what is broken, and where.

Lines outside of blocks (OpenSSH certificates, ``@cert-authority`` lines, comments) are ignored, as
Teleport's own reader does. CRLF, a byte order mark and blanks around a line make no difference.
"""

from __future__ import annotations

import base64
import binascii
import re

from msgspec import Struct

_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_END = re.compile(rb"-----END ([A-Z0-9 ]{1,40})-----")


class PemFault(ValueError):
    """A block is broken. The message is a fact about the file, without the file's name."""


class Block(Struct, frozen=True):
    """One PEM block: its label (``CERTIFICATE``), its text with LF line ends, and where it begins."""

    label: str
    pem: bytes
    line: int

    @property
    def is_key(self) -> bool:
        """Whether this is a private key of any format."""
        return self.label.endswith("PRIVATE KEY")

    def __repr__(self) -> str:  # a key must not show itself, not even in a debugger's log
        return f"Block({self.label!r}, line {self.line})"


def blocks(data: bytes) -> tuple[Block, ...]:
    """All PEM blocks of ``data``. Raises :class:`PemFault` for one that is cut off or not base64."""
    found: list[Block] = []
    label, begin, body = b"", 0, list[bytes]()
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        line = raw.strip()
        if match := _BEGIN.fullmatch(line):
            if label:
                raise PemFault(_cut_off(label, begin))
            label, begin, body = match[1], number, []
        elif match := _END.fullmatch(line):
            if match[1] != label:
                raise PemFault(f"line {number} ends a {_text(match[1])} that was never begun")
            found.append(Block(_text(label), _checked(label, begin, body), begin))
            label = b""
        elif label:
            body.append(line)
    if label:
        raise PemFault(_cut_off(label, begin))
    return tuple(found)


def _checked(label: bytes, begin: int, body: list[bytes]) -> bytes:
    # Headers ("Proc-Type: 4,ENCRYPTED") stand before an empty line in old encrypted keys.
    payload = b"".join(line for line in body if b":" not in line and line)
    encrypted_by_headers = any(b":" in line for line in body)
    try:
        decoded = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise PemFault(f"the {_text(label)} that begins in line {begin} is damaged (not base64)") from None
    if not decoded:
        raise PemFault(f"the {_text(label)} that begins in line {begin} is empty")
    lines = body if encrypted_by_headers else [payload[i : i + 64] for i in range(0, len(payload), 64)]
    return b"\n".join([b"-----BEGIN %s-----" % label, *lines, b"-----END %s-----" % label, b""])


def _cut_off(label: bytes, begin: int) -> str:
    what = f"the {_text(label)} that begins in line {begin}"
    return f"{what} has no end: the file is cut off or was just being written"


def _text(label: bytes) -> str:
    return label.decode("ascii")

"""``email.local``: the local part of an address in any form that Go's ``net/mail`` takes. Pure.

Laxer than what we send mail to: display names, comments, quoted local parts, groups of one, any Unicode.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re

from teleport_email.core.errors import ConditionError

# RFC 5322, 3.2.3; the dot belongs to a dot-atom, and everything beyond ASCII to an atom (RFC 6532).
_SPECIALS = r'()<>\[\]:;@\\,"'
_DOT_ATOM = re.compile(rf"[^\x00-\x20\x7f{_SPECIALS}\ud800-\udfff]+")
_QUOTED = re.compile(
    r'"((?:[^\x00-\x08\x0a-\x1f\x7f"\\\ud800-\udfff]|\\[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff])*)"'
)
_DOMAIN_LITERAL = re.compile(r"\[([^\x00-\x20\x7f\[\]\\\ud800-\udfff]*)\]")
_ENCODED_WORD = re.compile(r"=\?([^?]+)\?([bBqQ])\?([^?]*)\?=")
_CHARSETS = frozenset({"utf-8", "iso-8859-1", "us-ascii"})
_Q_TEXT = re.compile(r"(?:=[0-9a-fA-F]{2}|[\x20-\x3c\x3e-\x7e\r\n\t])*")


def local_part(text: bytes) -> bytes:
    """What stands before the first ``@`` of the address; ``ConditionError`` when it is no single address."""
    try:
        address = _Parser(text.decode(errors="surrogateescape")).single()
    except _NotAnAddressError:
        raise ConditionError(
            f"email.local needs email addresses: {text.decode(errors='replace')[:60]!r}"
        ) from None
    return address.partition("@")[0].encode()


class _NotAnAddressError(Exception):
    pass


class _Parser:
    """Reads from the front of ``rest``; a method that fails where another reading is possible restores it."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def single(self) -> str:
        found = self._mailboxes(groups=True)
        self._skip_comments()
        if self.rest or len(found) != 1:
            raise _NotAnAddressError
        return found[0]

    def _mailboxes(self, *, groups: bool) -> list[str]:
        self._skip_space()
        if not self.rest:
            raise _NotAnAddressError
        before = self.rest
        try:
            address = self._addr_spec()
        except _NotAnAddressError:
            self.rest = before
        else:
            self._skip_space()
            if self.rest.startswith("("):
                self._display_comment()
            return [address]
        if not self.rest.startswith("<"):
            self._phrase()
        self._skip_space()
        if groups and self._take(":"):
            return self._group()
        self._need("<")
        address = self._addr_spec()
        self._need(">")
        return [address]

    def _group(self) -> list[str]:
        found: list[str] = []
        self._skip_space()
        if self._take(";"):
            self._skip_comments()
            return found
        while True:
            found += self._mailboxes(groups=False)
            self._skip_comments()
            if self._take(";"):
                self._skip_comments()
                return found
            self._need(",")

    def _addr_spec(self) -> str:
        self._skip_space()
        if self.rest.startswith('"'):
            local = self._quoted_string()
            if not local:
                raise _NotAnAddressError
        else:
            local = self._dot_atom(strict=True)
        self._need("@")
        self._skip_space()
        if self.rest.startswith("["):
            return f"{local}@{self._domain_literal()}"
        return f"{local}@{self._dot_atom(strict=True)}"

    def _phrase(self) -> None:
        found = plain = False
        while True:
            # Go takes a comment behind a word, but not behind one that is encoded as RFC 2047 says.
            if plain:
                self._skip_comments()
            self._skip_space()
            if not self.rest:
                break
            try:
                if self.rest.startswith('"'):
                    self._quoted_string()
                    encoded = False
                else:
                    encoded = _is_encoded(self._dot_atom(strict=False))
            except _NotAnAddressError:
                break
            found = True
            plain = plain or not encoded
        if not found:
            raise _NotAnAddressError

    def _quoted_string(self) -> str:
        content = self._match(_QUOTED)[1]
        return re.sub(r"\\(.)", r"\1", content, flags=re.DOTALL)

    def _dot_atom(self, *, strict: bool) -> str:
        found = self._match(_DOT_ATOM)[0]
        if self.rest and "\ud800" <= self.rest[0] <= "\udfff":
            raise _NotAnAddressError  # a byte that is no UTF-8
        if strict and (found.startswith(".") or found.endswith(".") or ".." in found):
            raise _NotAnAddressError
        return found

    def _domain_literal(self) -> str:
        found = self._match(_DOMAIN_LITERAL)
        try:
            address = ipaddress.ip_address(found[1])
        except ValueError:
            raise _NotAnAddressError from None
        if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
            raise _NotAnAddressError
        return found[0]

    def _display_comment(self) -> None:
        for word in re.split(r"[ \t]+", self._comment()):
            _is_encoded(word)

    def _comment(self) -> str:
        self._need("(")
        depth, position = 1, 0
        content = []
        while depth and position < len(self.rest):
            character = self.rest[position]
            if character == "\\" and position + 1 < len(self.rest):
                position += 1
                character = self.rest[position]
            elif character == "(":
                depth += 1
            elif character == ")":
                depth -= 1
            content.append(character)
            position += 1
        if depth:
            raise _NotAnAddressError
        self.rest = self.rest[position:]
        return "".join(content[:-1])

    def _skip_comments(self) -> None:
        self._skip_space()
        while self.rest.startswith("("):
            self._comment()
            self._skip_space()

    def _skip_space(self) -> None:
        self.rest = self.rest.lstrip(" \t")

    def _take(self, character: str) -> bool:
        taken = self.rest.startswith(character)
        if taken:
            self.rest = self.rest[1:]
        return taken

    def _need(self, character: str) -> None:
        if not self._take(character):
            raise _NotAnAddressError

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self.rest)
        if found is None:
            raise _NotAnAddressError
        self.rest = self.rest[found.end() :]
        return found


def _is_encoded(word: str) -> bool:
    """Whether ``word`` is an encoded word (RFC 2047). Go refuses those of character sets it does not know."""
    found = _ENCODED_WORD.fullmatch(word)
    if found is None or not _decodes(found[2].lower(), found[3]):
        return False
    if found[1].lower() not in _CHARSETS:
        raise _NotAnAddressError
    return True


def _decodes(encoding: str, text: str) -> bool:
    if encoding == "q":
        return _Q_TEXT.fullmatch(text.replace("_", " ")) is not None
    try:
        base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    return True

"""What is written in a condition as it stands: strings and numbers, read as Go reads them. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from teleport_email.core.errors import ConditionError

# Go specification, "String literals": these escapes and no others; ``\'`` belongs to rune literals.
_ESCAPE = re.compile(
    rb"\\(?:(?P<simple>[abfnrtv\\\"])|(?P<octal>[0-7]{3})|x(?P<hex>[0-9A-Fa-f]{2})"
    rb"|u(?P<short>[0-9A-Fa-f]{4})|U(?P<long>[0-9A-Fa-f]{8})|(?P<bad>))"
)
_SIMPLE = dict(zip(b'abfnrtv\\"', b'\a\b\f\n\r\t\v\\"', strict=True))

_INTEGER = re.compile(r"0[0-7]*|[1-9][0-9]*")
_DIGITS = r"[0-9](?:_?[0-9])*"
_EXPONENT = rf"[eE][+-]?{_DIGITS}"
_FLOAT = re.compile(
    rf"{_DIGITS}\.(?:{_DIGITS})?(?:{_EXPONENT})?|{_DIGITS}{_EXPONENT}|\.{_DIGITS}(?:{_EXPONENT})?"
)
_HEX_DIGITS = r"[0-9a-fA-F](?:_?[0-9a-fA-F])*"
_HEX_FLOAT = re.compile(
    rf"0[xX]_?(?:{_HEX_DIGITS}(?:\.(?:{_HEX_DIGITS})?)?|\.{_HEX_DIGITS})[pP][+-]?{_DIGITS}"
)
_LARGEST_INTEGER = 2**63 - 1


def interpreted_string(token: str, position: int) -> bytes:
    """The value of a string in double quotes; ``ConditionError`` for an escape that Go does not have."""

    def replace(match: re.Match[bytes]) -> bytes:
        if simple := match["simple"]:
            return bytes([_SIMPLE[simple[0]]])
        if octal := match["octal"]:
            byte = int(octal, 8)
            if byte > 255:
                raise ConditionError("an octal escape ends at \\377", position)
            return bytes([byte])
        if hexadecimal := match["hex"]:
            return bytes([int(hexadecimal, 16)])
        if digits := match["short"] or match["long"]:
            try:
                return chr(int(digits, 16)).encode()
            except (ValueError, OverflowError):  # surrogates; beyond U+10FFFF
                raise ConditionError("an escape that is no Unicode character", position) from None
        raise ConditionError("an escape that Go strings do not have", position)

    return _ESCAPE.sub(replace, token[1:-1].encode())


def raw_string(token: str) -> bytes:
    """The value of a string in back quotes: as it stands, without carriage returns (Go specification)."""
    return token[1:-1].replace("\r", "").encode()


def number(token: str, position: int) -> int | float:
    """The value of a number. Teleport's parser takes decimal integers of 64 bits and decimal fractions."""
    if _INTEGER.fullmatch(token) and len(token) < 1000:
        # Go takes 017 as octal, but the value is read in base 10; nothing can tell the difference.
        value = int(token)
        if value <= _LARGEST_INTEGER:
            return value
    elif (read := _float_reader(token)) is not None:
        try:
            fraction = read(token.replace("_", ""))
        except OverflowError:
            fraction = math.inf
        if fraction != math.inf:
            return fraction
    raise ConditionError("a number that conditions do not take", position)


def _float_reader(token: str) -> Callable[[str], float] | None:
    if _FLOAT.fullmatch(token):
        return float
    return float.fromhex if _HEX_FLOAT.fullmatch(token) else None

"""The kinds of value that conditions know, and the values themselves. Pure.

Strings are ``bytes``: in Go a string is bytes, and ``"\\xff"`` is one. Sets are frozen sets of such strings.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from teleport_email.core.errors import ConditionError


class Kind(enum.Enum):
    """What an expression gives, as far as is known when it is parsed."""

    STRING = "a string"
    SET = "a set"
    DICT = "a dict"
    TIME = "a time"
    BOOL = "a boolean"
    OPTION = "an option"
    PAIR = "a pair"
    NUMBER = "a number"
    ANY = "anything"
    """Known only when it is evaluated: what ``ifelse`` and ``choose`` give, for example."""
    REMOVER = "a set or a dict"
    """Only ever expected, never given: the receiver of ``remove``."""


class Instant(Struct, frozen=True):
    """A moment: nanoseconds since 1970 in UTC, of any year (a Go time holds more than ``datetime``)."""

    nanoseconds: int


class Option(Struct, frozen=True):
    """What ``option(condition, value)`` gives."""

    condition: bool
    value: Value


class Pair(Struct, frozen=True):
    """What ``pair(first, second)`` gives."""

    first: Value
    second: Value


String = bytes
StringSet = frozenset[bytes]
Dict = Mapping[bytes, StringSet]
Value = (
    bytes | frozenset[bytes] | Mapping[bytes, frozenset[bytes]] | Instant | bool | int | float | Option | Pair
)


def kind_of(value: Value) -> Kind:
    """The kind of a value that is there."""
    match value:
        case bool():
            return Kind.BOOL
        case bytes():
            return Kind.STRING
        case frozenset():
            return Kind.SET
        case Instant():
            return Kind.TIME
        case Option():
            return Kind.OPTION
        case Pair():
            return Kind.PAIR
        case int() | float():
            return Kind.NUMBER
        case _:
            return Kind.DICT


def fits(given: Kind, wanted: Kind) -> bool:
    """Whether a value of the kind ``given`` may stand where ``wanted`` is expected; ``ANY`` given may not."""
    if wanted is Kind.ANY or given is wanted:
        return True
    return wanted is Kind.REMOVER and given in (Kind.SET, Kind.DICT)


class Work:
    """How much an evaluation may do. Everything that costs time or memory is charged first."""

    # A condition of the size that Teleport's editor makes costs some hundreds of units; this many take
    # a fifth of a second at worst, and are a megabyte at worst. All rules of a request share them.
    LIMIT = 800_000
    # What one rule may take, since it is asked in one piece: a twentieth of a second at worst.
    PIECE = 200_000
    # What a rule gets however many come behind it: a hundred times what a written one needs.
    SHARE = 40_000
    # What handling one item costs beside its bytes.
    ITEM = 16

    __slots__ = ("left", "patterns")

    def __init__(self, left: int = PIECE, patterns: Mapping[bytes, Any] | None = None) -> None:
        """``patterns``: those that are compiled already."""
        self.left = left
        self.patterns = patterns or {}

    @classmethod
    def shared(cls, left: int, rules: int) -> Work:
        """For the next of so many ``rules``, of what all of them have left."""
        return cls(min(left, cls.PIECE, max(cls.SHARE, left // max(rules, 1))))

    def charge(self, units: int) -> None:
        """Take ``units`` away; ``ConditionError`` when there are none left."""
        self.left -= units
        if self.left < 0:
            raise ConditionError("the condition asks for too much work")

    def charge_items(self, items: frozenset[bytes]) -> None:
        """Charge for going through a set."""
        self.charge(sum(map(len, items)) + self.ITEM * len(items))

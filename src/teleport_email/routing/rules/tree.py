"""The tree of a condition, as written: no names are known here and no types. Pure."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from teleport_email.core.errors import ConditionError

# Deep enough for any condition that a person writes, and far from Python's recursion limit: checking and
# evaluating take two or three frames a level.
MAX_DEPTH = 100


class Node(Struct, frozen=True, kw_only=True):
    """A part of the condition. ``position`` counts characters from 0, ``depth`` levels from 1."""

    position: int
    depth: int = 1


class Literal(Node, frozen=True, kw_only=True):
    """A string (bytes) or a number."""

    value: bytes | int | float


class Name(Node, frozen=True, kw_only=True):
    """One identifier."""

    name: str


class Selector(Node, frozen=True, kw_only=True):
    """``of.name``."""

    of: Node
    name: str


class Index(Node, frozen=True, kw_only=True):
    """``of[key]``."""

    of: Node
    key: Node


class Call(Node, frozen=True, kw_only=True):
    """``function(arguments)``."""

    function: Node
    arguments: tuple[Node, ...]


class Group(Node, frozen=True, kw_only=True):
    """Something in parentheses: kept, because ``(a.b).c`` is no name and ``(f)(x)`` no call."""

    inner: Node


class Not(Node, frozen=True, kw_only=True):
    """``!operand``."""

    operand: Node


class Chain(Node, frozen=True, kw_only=True):
    """``a && b && c`` or ``a || b || c``: flat, so that long conditions are not deep ones."""

    AND: ClassVar[str] = "&&"
    OR: ClassVar[str] = "||"

    operator: str
    operands: tuple[Node, ...]


class Comparison(Node, frozen=True, kw_only=True):
    """``left == right`` or ``left != right``."""

    operator: str
    left: Node
    right: Node


def brief(name: str) -> str:
    """A name for a message: a condition may have one of thousands of characters."""
    return name if len(name) <= 60 else f"{name[:60]}..."


def below(position: int, *children: Node) -> int:
    """The depth of a node over ``children``; ``ConditionError`` where it would be too deep."""
    depth = 1 + max((child.depth for child in children), default=0)
    if depth > MAX_DEPTH:
        raise ConditionError(f"nested more than {MAX_DEPTH} levels deep", position)
    return depth

"""Texts that Go's own packages were given, and what they made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from teleport_email.core.errors import ConditionError
from teleport_email.routing.rules import mailbox, patterns, texts
from teleport_email.routing.rules.grammar import parse_tree
from teleport_email.routing.rules.kinds import Work
from teleport_email.routing.rules.tree import (
    Call,
    Chain,
    Comparison,
    Group,
    Index,
    Literal,
    Name,
    Node,
    Not,
    Selector,
)

GO = json.loads((Path(__file__).parents[2] / "data/go-texts.json").read_text())


def shown(node: Node) -> list[Any]:
    """The tree in the form of the recording, where && and || have two operands."""
    match node:
        case Literal(value=bytes(value)):
            return ["str", value.decode(errors="backslashreplace")]
        case Literal(value=value):
            return ["num", float(value)]
        case Name(name=name):
            return ["id", name]
        case Selector(of=of, name=name):
            return ["sel", shown(of), name]
        case Index(of=of, key=key):
            return ["idx", shown(of), shown(key)]
        case Call(function=function, arguments=arguments):
            return ["call", shown(function), [shown(argument) for argument in arguments]]
        case Group(inner=inner):
            return shown(inner)
        case Not(operand=operand):
            return ["un", shown(operand)]
        case Comparison(operator=operator, left=left, right=right):
            return ["bin", operator, shown(left), shown(right)]
        case Chain(operator=operator, operands=(first, *rest)):
            result = shown(first)
            for operand in rest:
                result = ["bin", operator, result, shown(operand)]
            return result
    raise AssertionError(node)


@pytest.mark.parametrize("case", GO["syntax"]["parsed"], ids=lambda case: ascii(case["text"]))
def test_a_text_has_the_tree_that_go_sees(case: dict[str, Any]) -> None:
    assert shown(parse_tree(case["text"])) == case["tree"]


@pytest.mark.parametrize("text", GO["syntax"]["refused"], ids=ascii)
def test_a_text_that_go_refuses_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        parse_tree(text)


@pytest.mark.parametrize("case", GO["time"]["gives"], ids=lambda case: case["text"])
def test_a_time_is_the_moment_that_go_reads(case: dict[str, str]) -> None:
    seconds, nanoseconds = case["value"].split(".")
    assert texts.rfc3339(case["text"].encode()).nanoseconds == int(seconds) * 10**9 + int(nanoseconds)


@pytest.mark.parametrize("text", GO["time"]["refused"])
def test_a_text_that_go_does_not_read_as_a_time_is_none(text: str) -> None:
    with pytest.raises(ConditionError):
        texts.rfc3339(text.encode())


@pytest.mark.parametrize("case", GO["mail"]["gives"], ids=lambda case: ascii(case["text"]))
def test_the_local_part_is_what_go_finds(case: dict[str, str]) -> None:
    assert mailbox.local_part(case["text"].encode()).decode() == case["value"]


@pytest.mark.parametrize("text", GO["mail"]["refused"], ids=ascii)
def test_what_go_does_not_take_as_an_address_is_none(text: str) -> None:
    with pytest.raises(ConditionError):
        mailbox.local_part(text.encode())


@pytest.mark.parametrize("case", GO["re"]["replaced"], ids=lambda case: ascii(case["pattern"]))
def test_a_pattern_replaces_as_in_go(case: dict[str, str]) -> None:
    item, pattern, replacement = (case[key].encode() for key in ("text", "pattern", "replacement"))
    wanted = {case["gives"].encode()} - {b""}
    assert patterns.replace_matching(frozenset({item}), pattern, replacement, Work()) == wanted


@pytest.mark.parametrize("case", GO["re"]["no match"], ids=lambda case: ascii(case["pattern"]))
def test_a_pattern_does_not_match_where_it_does_not_in_go(case: dict[str, str]) -> None:
    item = frozenset({case["text"].encode()})
    assert patterns.replace_matching(item, case["pattern"].encode(), b"x", Work()) == frozenset()


@pytest.mark.parametrize("pattern", GO["re"]["no pattern"], ids=ascii)
def test_a_pattern_that_go_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(ConditionError):
        patterns.replace_matching(frozenset(), pattern.encode(), b"", Work())

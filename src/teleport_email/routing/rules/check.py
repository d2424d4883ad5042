"""From the tree to something that can be evaluated: names are resolved and types checked. Pure.

As Teleport does it: where both sides are known, a wrong type is an error now; where a value is only known
when it is there (``ANY``), it is checked then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from msgspec import Struct, field

from teleport_email.core.errors import ConditionError
from teleport_email.routing.rules.functions import FUNCTIONS, METHODS, Function, charge_result, takes_text
from teleport_email.routing.rules.kinds import Dict, Kind, Value, Work, fits, kind_of
from teleport_email.routing.rules.patterns import compiled, is_whole
from teleport_email.routing.rules.surroundings import VARIABLES, Surroundings, Variable
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
    brief,
)


class Run(Struct):
    """One evaluation: what it sees and what it may still do."""

    known: Surroundings
    work: Work = field(default_factory=Work)


Evaluate = Callable[[Run], Value]


class Typed(Struct, frozen=True):
    """A part of the condition with its kind. ``indexable``: a variable that takes ``["key"]``."""

    kind: Kind
    evaluate: Evaluate
    position: int
    indexable: bool = False


class Checker:
    """Turns a tree into typed parts; ``used`` and ``patterns`` collect variables and regular expressions."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.patterns: dict[bytes, Any] = {}
        self._work = Work(Work.LIMIT)

    def check(self, node: Node) -> Typed:
        """The typed form of ``node``; ``ConditionError`` with position when it has none."""
        match node:
            case Literal(value=value):
                return _constant(value, node.position)
            case Group(inner=inner):
                return self.check(inner)
            case Name() | Selector():
                return self._variable(node)
            case Index(of=of, key=key):
                return self._index(self.check(of), key)
            case Call():
                return self._call(node)
            case Not(operand=operand):
                return _negation(self._as(operand, Kind.BOOL, "!"), node.position)
            case Chain(operator=operator, operands=operands):
                parts = [self._as(operand, Kind.BOOL, operator) for operand in operands]
                return _chain(operator, parts, node.position)
            case Comparison(operator=operator, left=left, right=right):
                # Strings only: Teleport compares nothing else.
                sides = [self._as(side, Kind.STRING, operator) for side in (left, right)]
                return _comparison(operator, sides, node.position)
            case _:
                raise ConditionError("is no condition", node.position)

    def _as(self, node: Node, wanted: Kind, where: str) -> Evaluate:
        return expect(self.check(node), wanted, where)

    def _variable(self, node: Name | Selector) -> Typed:
        names = _path(node)
        for length in range(1, len(names) + 1):
            name = ".".join(names[:length])
            variable = VARIABLES.get(name)
            if variable is None:
                continue
            rest = names[length:]
            if not rest:
                return self._read(name, variable, node.position)
            if len(rest) == 1 and variable.kind is Kind.DICT:
                key = _constant(rest[0].encode(), node.position)
                return _item(self._read(name, variable, node.position), expect(key, Kind.STRING, "key"))
        raise ConditionError(f"there is no variable {brief('.'.join(names))}", node.position)

    def _read(self, name: str, variable: Variable, position: int) -> Typed:
        self.used.add(name)

        def evaluate(run: Run) -> Value:
            run.work.charge(Work.ITEM)
            return run.known.value(name, variable)

        return Typed(variable.kind, evaluate, position, indexable=variable.kind is Kind.DICT)

    def _index(self, of: Typed, key: Node) -> Typed:
        index = self._as(key, Kind.STRING, "the key")
        if not of.indexable:
            # Teleport can only index its variables, not a dict that an expression made.
            raise ConditionError(f'["key"] does not go with {of.kind.value} made here', of.position)
        return _item(of, index)

    def _call(self, node: Call) -> Typed:
        name, function, arguments = _resolve(node)
        enough = len(arguments) >= len(function.takes)
        if not enough or (function.rest is None and len(arguments) > len(function.takes)):
            raise ConditionError(takes_text(function, name, arguments), node.position)
        parts = [self.check(argument) for argument in arguments]
        if function.pattern is not None:
            self._compile(arguments[function.pattern], whole_only=function.gives is Kind.BOOL)
        if function.of_strings is not None and any(part.kind is Kind.STRING for part in parts):
            function = function.of_strings
        wanted = function.takes + (function.rest or Kind.ANY,) * (len(arguments) - len(function.takes))
        typed = [
            expect(part, kind, f"argument {number} of {name}")
            for number, (part, kind) in enumerate(zip(parts, wanted, strict=True), 1)
        ]
        return _application(function, typed, node.position)

    def _compile(self, node: Node, *, whole_only: bool) -> None:
        """The pattern that stands there, if one does; what is wrong with it is said where it is used."""
        if not isinstance(node, Literal) or not isinstance(node.value, bytes) or node.value in self.patterns:
            return
        if is_whole(node.value) or not whole_only:
            try:
                self.patterns[node.value] = compiled(node.value, self._work)
            except ConditionError as error:
                raise ConditionError(f"its patterns: {error}", node.position) from None


def expect(part: Typed, wanted: Kind, where: str) -> Evaluate:
    """How to evaluate ``part`` where ``wanted`` is expected; ``ConditionError`` when its kind is another."""
    if fits(part.kind, wanted):
        return part.evaluate
    if part.kind is not Kind.ANY:
        raise ConditionError(f"{where}: {wanted.value} is expected, not {part.kind.value}", part.position)
    inner, position = part.evaluate, part.position

    def evaluate(run: Run) -> Value:
        value = inner(run)
        if not fits(kind := kind_of(value), wanted):
            raise ConditionError(f"{where}: {wanted.value} is expected, not {kind.value}", position)
        return value

    return evaluate


def _path(node: Name | Selector) -> list[str]:
    names: list[str] = []
    part: Node = node
    while isinstance(part, Selector):
        names.append(part.name)
        part = part.of
    if not isinstance(part, Name):
        raise ConditionError(f".{brief(names[-1])} does not go with what stands before it", node.position)
    names.append(part.name)
    return names[::-1]


def _resolve(node: Call) -> tuple[str, Function, tuple[Node, ...]]:
    """Name, function and arguments (the receiver among them) of a call."""
    called = node.function
    if isinstance(called, Selector):
        # A method of that name wins over a function in a namespace.
        if method := METHODS.get(called.name):
            return f".{called.name}()", method, (called.of, *node.arguments)
        name = f"{called.of.name}.{called.name}" if isinstance(called.of, Name) else f".{called.name}"
    elif isinstance(called, Name):
        name = called.name
    else:
        raise ConditionError("only functions and methods can be called", node.position)
    function = FUNCTIONS.get(name)
    if function is None:
        raise ConditionError(f"there is no function {brief(name)}", node.position)
    return name, function, node.arguments


def _constant(value: bytes | float, position: int) -> Typed:
    return Typed(kind_of(value), lambda _: value, position)


def _item(of: Typed, key: Evaluate) -> Typed:
    def evaluate(run: Run) -> Value:
        name = cast("bytes", key(run))
        return cast("Dict", of.evaluate(run)).get(name, frozenset())

    return Typed(Kind.SET, evaluate, of.position)


def _negation(operand: Evaluate, position: int) -> Typed:
    return Typed(Kind.BOOL, lambda run: not operand(run), position)


def _chain(operator: str, operands: Sequence[Evaluate], position: int) -> Typed:
    if operator == Chain.AND:
        return Typed(Kind.BOOL, lambda run: all(operand(run) for operand in operands), position)
    return Typed(Kind.BOOL, lambda run: any(operand(run) for operand in operands), position)


def _comparison(operator: str, sides: Sequence[Evaluate], position: int) -> Typed:
    left, right = sides
    if operator == "==":
        return Typed(Kind.BOOL, lambda run: left(run) == right(run), position)
    return Typed(Kind.BOOL, lambda run: left(run) != right(run), position)


def _application(function: Function, arguments: Sequence[Evaluate], position: int) -> Typed:
    apply, metered = function.run, function.metered

    def evaluate(run: Run) -> Value:
        values = [argument(run) for argument in arguments]
        texts = sum(len(value) for value in values if isinstance(value, bytes))
        run.work.charge(
            Work.ITEM * (1 + len(values)) + texts // 2
        )  # versions and times are read by their length
        try:
            result = apply(run.work, *values) if metered else apply(*values)
        except ConditionError as error:
            raise error if error.position is not None else ConditionError(str(error), position) from None
        charge_result(run.work, result)
        return result

    return Typed(function.gives, evaluate, position)

"""A condition, ready to be asked about requests. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from teleport_email.core.errors import ConditionError
from teleport_email.routing.rules.check import Checker, Run, Typed
from teleport_email.routing.rules.kinds import Work, kind_of
from teleport_email.routing.rules.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that parses. ``uses``: the variables in it."""

    text: str
    uses: frozenset[str]
    _evaluate: Callable[[Run], object] = field(repr=False, compare=False)

    def holds(self, known: Surroundings, rules: int = 1) -> bool:
        """Whether it is true; ``ConditionError`` when it does not evaluate or is not a boolean.

        Bounded in work, whatever the condition and the request: that of ``rules`` together is.
        """
        value = self._evaluate(Run(known, Work(rules)))
        if isinstance(value, bool):
            return value
        raise ConditionError(f"is not a boolean but {kind_of(value).value}")  # type: ignore[arg-type]


def parse(text: str) -> Condition:
    """The condition that ``text`` is; ``ConditionError`` with position when it is none, and nothing else."""
    from teleport_email.routing.rules.grammar import parse_tree  # loads lark: only where there are rules

    checker = Checker()
    typed: Typed = checker.check(parse_tree(text))
    return Condition(text, frozenset(checker.used), typed.evaluate)

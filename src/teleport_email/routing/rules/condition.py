"""A condition, ready to be asked about requests. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from teleport_email.core.errors import ConditionError
from teleport_email.core.model import hiding
from teleport_email.routing.rules.check import Checker, Run, Typed
from teleport_email.routing.rules.kinds import Work, kind_of
from teleport_email.routing.rules.surroundings import Surroundings


class Condition(Struct, frozen=True):
    """A condition that parses. ``uses``: the variables in it."""

    text: str
    uses: frozenset[str]
    _evaluate: Callable[[Run], object]
    _patterns: Mapping[bytes, Any]

    __repr__ = hiding("_evaluate", "_patterns")

    def holds(self, known: Surroundings, work: Work | None = None) -> bool:
        """Whether it is true; ``ConditionError`` when it does not evaluate or is not a boolean.

        Bounded by ``work``, whatever the condition and the request.
        """
        work = work or Work()
        work.patterns = self._patterns
        value = self._evaluate(Run(known, work))
        if isinstance(value, bool):
            return value
        raise ConditionError(f"is not a boolean but {kind_of(value).value}")  # type: ignore[arg-type]


def parse(text: str) -> Condition:
    """The condition that ``text`` is; ``ConditionError`` with position when it is none, and nothing else.

    Its patterns are compiled here, once for all requests.
    """
    from teleport_email.routing.rules.grammar import parse_tree  # loads lark: only where there are rules

    checker = Checker()
    typed: Typed = checker.check(parse_tree(text))
    return Condition(text, frozenset(checker.used), typed.evaluate, checker.patterns)

"""Access Monitoring Rules: the language of their conditions, and which rules match a request. Pure.

In: rules as the cluster has them, and a request. Out: verdicts. Knows no settings, wire or clock.

A condition goes this way: text, tree (``grammar``, ``tree``), typed parts (``check``), a value for a request
(``condition``). It is checked against what Teleport 17.0 made of the same conditions. No ``eval``; size,
depth and work are bounded; everything that goes wrong is a ``ConditionError``.
"""

from teleport_email.routing.rules.compiled import SILENCE, CompiledRule, Verdict, compile_rule, compile_rules
from teleport_email.routing.rules.condition import Condition, parse
from teleport_email.routing.rules.kinds import Work
from teleport_email.routing.rules.surroundings import Surroundings

__all__ = [
    "SILENCE",
    "CompiledRule",
    "Condition",
    "Surroundings",
    "Verdict",
    "Work",
    "compile_rule",
    "compile_rules",
    "parse",
]

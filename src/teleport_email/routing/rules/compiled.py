"""Access Monitoring Rules, compiled: which requests they are for and whom they name. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from teleport_email.core.errors import ConditionError
from teleport_email.core.model import AccessMonitoringRule
from teleport_email.routing.rules.condition import Condition, parse
from teleport_email.routing.rules.surroundings import Surroundings

SUBJECT = "access_request"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule matched and, if not, why. ``faulty``: its condition does not parse or evaluate."""

    matched: bool
    why: str = ""
    faulty: bool = False


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule and its condition, or the ``reason`` why it can never match (``faulty``: the condition)."""

    name: str
    recipients: tuple[str, ...] = ()
    condition: Condition | None = None
    reason: str = ""
    faulty: bool = False
    plugin_name: str = "email"

    @property
    def uses(self) -> frozenset[str]:
        """The variables that its condition reads."""
        return self.condition.uses if self.condition else frozenset()

    def judge(self, known: Surroundings) -> Verdict:
        """Whether the rule matches. Never raises for any request."""
        if self.condition is None:
            return Verdict(matched=False, why=self.reason, faulty=self.faulty)
        try:
            holds = self.condition.holds(dataclasses.replace(known, plugin_name=self.plugin_name))
        except ConditionError as error:
            return Verdict(matched=False, why=f"the condition does not evaluate: {error}", faulty=True)
        return Verdict(matched=holds, why="" if holds else "the condition is false")


def compile_rule(rule: AccessMonitoringRule, plugin_name: str = "email") -> CompiledRule:
    """The rule as it counts for the plugin ``plugin_name``. Never raises: a bad condition is a reason."""
    plain = CompiledRule(rule.name, rule.recipients, plugin_name=plugin_name)
    if SUBJECT not in rule.subjects:
        return dataclasses.replace(plain, reason=f"its subjects do not contain {SUBJECT}")
    if rule.notification != plugin_name:
        named = f"notifies {rule.notification}" if rule.notification else "notifies nobody"
        return dataclasses.replace(plain, reason=f"it {named}, not {plugin_name}")
    try:
        return dataclasses.replace(plain, condition=parse(rule.condition))
    except ConditionError as error:
        return dataclasses.replace(plain, reason=f"the condition does not parse: {error}", faulty=True)


def compile_rules(
    rules: Iterable[AccessMonitoringRule], plugin_name: str = "email"
) -> tuple[CompiledRule, ...]:
    """All of them, by name, so that no answer depends on the order in which they came."""
    return tuple(compile_rule(rule, plugin_name) for rule in sorted(rules, key=lambda rule: rule.name))

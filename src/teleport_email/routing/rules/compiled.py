"""Access Monitoring Rules, compiled: which requests they are for and whom they name. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from teleport_email.core.errors import ConditionError
from teleport_email.core.model import AccessMonitoringRule, hiding, replace
from teleport_email.routing.rules.condition import Condition, parse
from teleport_email.routing.rules.kinds import Work
from teleport_email.routing.rules.schedules import Schedules, read
from teleport_email.routing.rules.surroundings import Surroundings

SUBJECT = "access_request"
SILENCE = "teleport-email/silence"
"""The label of a rule that tells nobody where its value is ``true``."""


_TURN = 400
"""Units for a shift: a tenth of a millisecond to find when it comes next."""


class Verdict(Struct, frozen=True):
    """Whether a rule matched and, if not, why. ``faulty``: its condition does not parse or evaluate."""

    matched: bool
    why: str = ""
    faulty: bool = False


class CompiledRule(Struct, frozen=True):
    """A rule and its condition, or the ``reason`` why it can never match (``faulty``: the condition)."""

    name: str
    recipients: tuple[str, ...] = ()
    condition: Condition | None = None
    reason: str = ""
    faulty: bool = False
    plugin_name: str = "email"
    schedules: Schedules | None = None
    """None: it counts at any time."""
    silent: bool = False
    """Whether it tells nobody, on purpose, in place of ``role_to_recipients``."""
    remarks: tuple[str, ...] = ()
    """What whoever keeps the rule should know, though it works."""
    source: AccessMonitoringRule | None = None
    """What it was compiled from."""

    __repr__ = hiding("source")

    @property
    def uses(self) -> frozenset[str]:
        """The variables that its condition reads."""
        return self.condition.uses if self.condition else frozenset()

    def judge(self, known: Surroundings, work: Work | None = None) -> Verdict:
        """Whether the rule matches, within ``work``. Never raises for any request."""
        work = work or Work()
        if self.condition is None:
            return Verdict(matched=False, why=self.reason, faulty=self.faulty)
        try:
            work.charge(Work.ITEM)
            if self.schedules is not None:
                work.charge(len(self.schedules.turns) * _TURN)
                if not self.schedules.hold(known.request.created):
                    return Verdict(matched=False, why=_off_duty(self.schedules, known.request.created))
            holds = self.condition.holds(replace(known, plugin_name=self.plugin_name), work)
        except ConditionError as error:
            return Verdict(matched=False, why=f"the condition does not evaluate: {error}", faulty=True)
        return Verdict(matched=holds, why="" if holds else "the condition is false")


def compile_rule(rule: AccessMonitoringRule, plugin_name: str = "email") -> CompiledRule:
    """The rule as it counts for the plugin ``plugin_name``. Never raises: a bad condition is a reason."""
    silent = rule.labels.get(SILENCE) == "true"
    plain = CompiledRule(rule.name, rule.recipients, plugin_name=plugin_name, silent=silent, source=rule)
    if SUBJECT not in rule.subjects:
        return replace(plain, reason=f"its subjects do not contain {SUBJECT}")
    if rule.notification != plugin_name:
        named = f"notifies {rule.notification}" if rule.notification else "notifies nobody"
        return replace(plain, reason=f"it {named}, not {plugin_name}")
    remarks = [f"{each} is not known to this version and passed over" for each in rule.unknown]
    try:
        schedules = read(rule.schedules) if rule.schedules else None
    except ConditionError as error:
        reason = f"its schedule cannot be read: {error}"
        return replace(plain, reason=reason, faulty=True, remarks=tuple(remarks))
    remarks += schedules.oddities if schedules else ()
    try:
        condition = parse(rule.condition)
    except ConditionError as error:
        reason = f"the condition does not parse: {error}"
        return replace(plain, reason=reason, faulty=True, remarks=tuple(remarks))
    if "plugin.spec.name" in condition.uses:
        remarks.append("plugin.spec.name in its condition is refused by the newest servers (from 19 on)")
    return replace(plain, condition=condition, schedules=schedules, remarks=tuple(remarks))


def _off_duty(schedules: Schedules, created: datetime | None) -> str:
    if created is None:
        return "not in its schedule: the request does not say when it was made"
    coming = schedules.next_after(created)
    return (
        f"not in its schedule; next: {coming}" if coming else "not in its schedule, which has no shift at all"
    )


def compile_rules(
    rules: Iterable[AccessMonitoringRule], plugin_name: str = "email", before: Iterable[CompiledRule] = ()
) -> tuple[CompiledRule, ...]:
    """All of them, by name, so that no answer depends on the order in which they came.

    Those that are as they were ``before`` are taken from there: a large one takes a tenth of a second.
    """
    known = {rule.name: rule for rule in before if rule.plugin_name == plugin_name}
    return tuple(
        known[rule.name]
        if rule.name in known and known[rule.name].source == rule
        else compile_rule(rule, plugin_name)
        for rule in sorted(rules, key=lambda rule: rule.name)
    )

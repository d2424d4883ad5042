"""What is told by choice: reminders, whom a request is escalated to, reviews of Access Lists. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from teleport_email.config.durations import format_duration, parse_duration
from teleport_email.config.settings import HOUR, AccessListSettings, EscalationSettings
from teleport_email.config.tables import Table, dotted, quoted

LONGEST_PENDING: Final = 168 * HOUR
"""Seconds that a request can wait for a decision: Teleport's longest."""
MOST_REMINDERS: Final = 8
"""More are a nuisance; and the ids of messages that take the place of one have room for one digit."""


def reminders(table: Table, key: str) -> tuple[float, ...]:
    """Seconds before the end, the longest first: from one duration, or an array of them."""
    if not table.is_array(key):
        seconds = table.duration(key, 0.0)
        return (seconds,) if seconds > 0 else ()
    found: dict[int, tuple[float, str]] = {}
    for text in table.texts(key):
        try:
            seconds = parse_duration(text)
        except ValueError as error:
            table.fault(key, f"{quoted(text)} {error}")
            continue
        minute = math.ceil(seconds / 60)
        if seconds <= 0:
            table.fault(key, f"{quoted(text)} must be more than zero: leave it out")
        elif seconds > LONGEST_PENDING:
            table.fault(key, f"{quoted(text)} is longer than a request can wait for a decision (168h)")
        elif minute in found:
            table.fault(key, f"{quoted(text)} is in the same minute as {quoted(found[minute][1])}: keep one")
        else:
            found[minute] = (seconds, text)
    if len(found) > MOST_REMINDERS:
        table.fault(key, f"holds {len(found)} reminders: {MOST_REMINDERS} are the most")
    return tuple(sorted((seconds for seconds, _ in found.values()), reverse=True))


def escalation(
    table: Table,
    addresses: Callable[[Table, str], tuple[str, ...]],
    told: Mapping[str, tuple[str, ...]],
    warnings: list[str],
) -> EscalationSettings:
    """``[escalation]``. ``addresses`` reads a key with addresses; ``told``: who is told at first, by role."""
    lines = table.names("role_to_recipients")
    found: dict[str, tuple[str, ...]] = {}
    for role in lines.present if lines is not None else ():
        assert lines is not None
        name = dotted(lines.path, role)
        if who := addresses(lines, role):
            found[role] = who
            if set(who) <= set(told.get(role, ())):
                warnings.append(
                    f"{name}: all of these are told at once by {dotted('role_to_recipients', role)}"
                )
        elif not lines.has(role):
            warnings.append(f"{name} is empty: nobody is told for it")
    after = table.duration("after", 0.0)
    if not table.has("after"):
        table.fault("after", 'is missing: write how long after a request is made, such as "30m" ("0": never)')
    elif after > LONGEST_PENDING:
        longer = f"{quoted(format_duration(after))} is longer than a request can wait for a decision (168h)"
        table.fault("after", f'{longer}: write less, such as "30m"')
    elif after > 0 and not (lines.present if lines is not None else table.has("role_to_recipients")):
        what = 'is missing: say who is told, by role, such as "*" = "oncall@example.com"'
        table.fault("role_to_recipients", what)
    return EscalationSettings(after=after, role_to_recipients=found)


def access_lists(table: Table) -> AccessListSettings:
    """``[access_lists]``."""
    return AccessListSettings(
        enabled=table.flag("enabled"),
        skip_without_members=table.flag("skip_without_members", AccessListSettings().skip_without_members),
    )

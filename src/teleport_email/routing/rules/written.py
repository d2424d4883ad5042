"""Access Monitoring Rules as people keep them: the YAML or JSON that ``tctl get`` prints. Pure.

JSON is YAML, so one parser reads both. One rule, several documents, or a list of rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from teleport_email.core.model import AccessMonitoringRule, Schedule, Shift

KIND = "access_monitoring_rule"
SPEC = frozenset(
    {
        "subjects",
        "states",
        "condition",
        "notification",
        "automatic_review",
        "desired_state",
        "schedules",
    }
)
"""The fields of a rule's spec that this version knows."""
MAX_LENGTH = 10_000_000
"""Characters; some thousands of rules."""


def parse_rules(text: str) -> list[AccessMonitoringRule]:
    """The rules in ``text``. ``ValueError`` with what is wrong and where; conditions may be anything."""
    import yaml

    if len(text) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{where}{error.problem or 'is no YAML'}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that is none
        raise ValueError(f"is no YAML: {str(error) or 'nested too deeply'}") from None
    entries = [
        entry for document in documents for entry in (document if isinstance(document, list) else [document])
    ]
    if not entries:
        raise ValueError("holds no rule")
    return [_rule(entry, f"rule {number}") for number, entry in enumerate(entries, 1)]


def _rule(entry: object, where: str) -> AccessMonitoringRule:
    document = _table(entry, where)
    kind = document.get("kind", KIND)
    if kind != KIND:
        raise ValueError(f"{where}: kind is {kind!r}, not {KIND}")
    name = _text(_table(document.get("metadata"), f"{where}: metadata"), "name", where)
    if not name:
        raise ValueError(f"{where}: metadata.name is missing")
    spec = _table(document.get("spec"), f"rule {name}: spec")
    notification = _table(spec.get("notification") or {}, f"rule {name}: spec.notification")
    schedules = _table(spec.get("schedules") or {}, f"rule {name}: spec.schedules")
    labels = _table(_table(document["metadata"], where).get("labels") or {}, f"rule {name}: metadata.labels")
    return AccessMonitoringRule(
        name=name,
        subjects=tuple(_texts(spec, "subjects", f"rule {name}: spec")),
        condition=_text(spec, "condition", f"rule {name}: spec"),
        notification=_text(notification, "name", f"rule {name}: spec.notification"),
        recipients=tuple(_texts(notification, "recipients", f"rule {name}: spec.notification")),
        states=tuple(_texts(spec, "states", f"rule {name}: spec")),
        desired_state=_text(spec, "desired_state", f"rule {name}: spec"),
        schedules={
            str(key): _schedule(schedule, f"rule {name}: spec.schedules.{key}")
            for key, schedule in schedules.items()
        },
        labels={str(key): _text(labels, key, f"rule {name}: metadata.labels") for key in labels},
        unknown=tuple(f"spec: {key}" for key in spec if key not in SPEC),
    )


def _schedule(value: object, where: str) -> Schedule:
    time = _table(_table(value or {}, where).get("time") or {}, f"{where}.time")
    shifts = time.get("shifts") or []
    if not isinstance(shifts, list):
        raise ValueError(f"{where}.time: shifts is no list")
    return Schedule(
        tuple(_shift(shift, f"{where}.time: shift {number}") for number, shift in enumerate(shifts, 1)),
        _text(time, "timezone", f"{where}.time"),
    )


def _shift(value: object, where: str) -> Shift:
    shift = _table(value, where)
    return Shift(_text(shift, "weekday", where), _clock(shift, "start", where), _clock(shift, "end", where))


def _clock(table: dict[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        # YAML 1.1 reads 22:00 without quotes as a number to the base of 60.
        return f"{value // 60:02}:{value % 60:02}"
    return _text(table, key, where)


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {'missing' if value is None else 'no table of keys and values'}")
    return value


def _text(table: dict[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if value is None:
        return ""
    if isinstance(value, bool):
        value = "true" if value else "false"  # the condition true, written without quotes
    if not isinstance(value, str | int | float):
        raise ValueError(f"{where}: {key} is no text: put it in quotes")
    return str(value)


def _texts(table: dict[str, Any], key: str, where: str) -> Iterator[str]:
    values = table.get(key)
    if values is None:
        return
    if not isinstance(values, list):
        raise ValueError(f"{where}: {key} is no list")
    for number, _ in enumerate(values):
        yield _text({key: values[number]}, key, where)

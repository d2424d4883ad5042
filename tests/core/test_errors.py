"""The exception tree as its own page draws it, and messages that name all faults."""

from __future__ import annotations

import re

from teleport_email.core import errors
from teleport_email.core.errors import ConditionError, ConfigError, Fault, TeleportEmailError


def test_the_tree_is_as_drawn() -> None:
    """Whoever catches a base means all that the drawing has below it."""
    assert errors.__doc__ is not None
    above: list[type] = [TeleportEmailError]
    drawn = set()
    for line in errors.__doc__.splitlines():
        match = re.match(r"(?P<lead>[│ ]*)[├└]── (?P<name>\w+)", line)
        if match is None:
            continue
        depth = len(match["lead"]) // 4 + 1
        error = getattr(errors, match["name"])
        assert error.__bases__ == (above[depth - 1],), match["name"]
        above[depth:] = [error]
        drawn.add(match["name"])
    real = {name for name in errors.__all__ if name not in ("Fault", "TeleportEmailError")}
    assert drawn == real


def test_all_faults_are_told_at_once_in_their_order() -> None:
    error = ConfigError([Fault("smtp.port", "is no number"), Fault("delivery.sender", "is missing")])
    assert str(error) == "smtp.port: is no number\ndelivery.sender: is missing"
    assert [fault.path for fault in error.faults] == ["smtp.port", "delivery.sender"]


def test_a_place_in_a_condition_is_counted_as_people_count() -> None:
    assert str(ConditionError("a name is missing", 0)) == "a name is missing (at character 1)"
    assert str(ConditionError("it is empty")) == "it is empty"

"""Every condition that was tried on a real Teleport 17.0, with the result that it gave there."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from teleport_email.core.errors import ConditionError
from teleport_email.core.model import AccessRequest
from teleport_email.routing.rules import Surroundings, parse

RECORDED = json.loads((Path(__file__).parents[2] / "data/vectors/conditions.json").read_text())

# Names that came after 17.0 and that we take from any server: true for request A and false for B, because
# request A asks for the role "dev"; no traits are known; the plugin is the one that asks.
NEWER: dict[str, dict[str, Any]] = {
    'access_request.spec.roles.contains_all(set("dev"))': {"A": True, "B": False},
    'user.traits["teams"].contains("red")': {"A": "fails to evaluate", "B": "fails to evaluate"},
    'regexp.match(access_request.spec.roles, "dev")': {"A": True, "B": False},
    'plugin.spec.name == "email"': {"A": True, "B": True},
}


def request_of(recorded: dict[str, Any]) -> AccessRequest:
    return AccessRequest(
        id="0193",
        user=recorded["user"],
        roles=tuple(recorded["roles"]),
        suggested_reviewers=tuple(recorded["suggested_reviewers"]),
        system_annotations={key: tuple(values) for key, values in recorded["system_annotations"].items()},
        request_reason=recorded["request_reason"],
        created=datetime.fromisoformat(recorded["creation_time"]),
        expires=datetime.fromisoformat(recorded["expiry"]),
    )


def outcome(text: str, request: AccessRequest) -> bool | str:
    try:
        condition = parse(text)
    except ConditionError:
        return "does not parse"
    try:
        return condition.holds(Surroundings(request))
    except ConditionError as error:
        return "not a boolean" if str(error).startswith("is not a boolean") else "fails to evaluate"


@pytest.mark.parametrize("entry", RECORDED["conditions"], ids=lambda entry: entry["condition"])
@pytest.mark.parametrize("which", ["A", "B"])
def test_a_condition_gives_what_teleport_made_of_it(entry: dict[str, Any], which: str) -> None:
    expected = NEWER.get(entry["condition"], entry)
    wanted = expected.get("result", expected.get(which))
    assert outcome(entry["condition"], request_of(RECORDED["requests"][which])) == wanted


def test_all_newer_names_are_among_the_recorded_ones() -> None:
    assert set(NEWER) <= {entry["condition"] for entry in RECORDED["conditions"]}

"""The files under examples/teleport, as far as they must agree with the code and the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from teleport_email.core.model import AccessMonitoringRule
from teleport_email.routing.rules.compiled import compile_rules
from teleport_email.sandbox.cluster.permissions import FULL

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples/teleport"


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / name).read_text()))


def allowed(role: dict[str, Any]) -> dict[str, set[str]]:
    rules = role["spec"]["allow"]["rules"]
    return {kind: set(rule["verbs"]) for rule in rules for kind in rule["resources"]}


def test_the_role_allows_all_that_the_daemon_can_make_use_of_and_the_user_has_it() -> None:
    role, user = documents("access-plugin-role.yaml")
    assert {kind: set(verbs) for kind, verbs in FULL.items()}.items() <= allowed(role).items()
    assert user["spec"]["roles"] == [role["metadata"]["name"]] == ["access-plugin"]


def test_the_impersonator_may_sign_for_that_user() -> None:
    [role] = documents("impersonator-role.yaml")
    assert role["spec"]["allow"]["impersonate"] == {"roles": ["access-plugin"], "users": ["access-plugin"]}


def test_requesters_ask_for_what_reviewers_decide() -> None:
    requester, reviewer = documents("requester-and-reviewer-roles.yaml")
    asked = requester["spec"]["allow"]["request"]["roles"]
    assert asked == reviewer["spec"]["allow"]["review_requests"]["roles"]
    assert f"--roles={asked[0]} " in (ROOT / "README.md").read_text()


def test_the_rule_works() -> None:
    [rule] = documents("access-monitoring-rule.yaml")
    spec = rule["spec"]
    written = AccessMonitoringRule(
        name=rule["metadata"]["name"],
        subjects=tuple(spec["subjects"]),
        condition=spec["condition"],
        notification=spec["notification"]["name"],
        recipients=tuple(spec["notification"]["recipients"]),
    )
    [compiled] = compile_rules([written], "email")
    assert not compiled.faulty


@pytest.mark.parametrize("name", ["tbot-directory.yaml", "tbot-kubernetes-secret.yaml"])
def test_tbot_renews_well_before_the_end(name: str) -> None:
    [settings] = documents(name)
    assert (settings["certificate_ttl"], settings["renewal_interval"]) == ("1h", "20m")
    assert [output["type"] for output in settings["outputs"]] == ["identity"]


def test_tbot_writes_where_the_readme_reads() -> None:
    [settings] = documents("tbot-directory.yaml")
    path = settings["outputs"][0]["destination"]["path"]
    assert f'identity = "{path}/identity"' in (ROOT / "README.md").read_text()
    [settings] = documents("tbot-kubernetes-secret.yaml")
    secret = settings["outputs"][0]["destination"]["name"]
    assert secret in (ROOT / "docs/kubernetes.md").read_text()


def test_the_readme_names_only_what_is_there() -> None:
    for word in (ROOT / "README.md").read_text().replace("`", " ").split():
        if word.startswith("examples/teleport/"):
            assert (ROOT / word).exists(), word

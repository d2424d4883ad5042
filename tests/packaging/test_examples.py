"""The files under examples/teleport, as far as they must agree with the code and the pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from teleport_email.core.model import AccessMonitoringRule
from teleport_email.routing.rules.compiled import compile_rules
from teleport_email.sandbox.cluster.permissions import FULL, MINIMAL

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples/teleport"


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / name).read_text()))


def allowed(role: dict[str, Any]) -> dict[str, set[str]]:
    rules = role["spec"]["allow"]["rules"]
    return {kind: set(rule["verbs"]) for rule in rules for kind in rule["resources"]}


def test_the_role_allows_the_least_and_its_comments_all_that_the_daemon_can_make_use_of() -> None:
    role, user = documents("teleport-email-role.yaml")
    assert allowed(role) == {kind: set(verbs) for kind, verbs in MINIMAL.items()}
    assert not {"node_labels", "app_labels"} & role["spec"]["allow"].keys()
    text = (EXAMPLES / "teleport-email-role.yaml").read_text()
    # "# " and a word: an explanation; "#" and YAML: what the daemon can make use of beyond the least.
    whole, _ = yaml.safe_load_all(re.sub(r"^( +)#(?! \w)", r"\1", text, flags=re.MULTILINE))
    assert {kind: set(verbs) for kind, verbs in FULL.items()}.items() <= allowed(whole).items()
    assert {"node_labels", "app_labels"} <= whole["spec"]["allow"].keys()
    # Not the name of Teleport's own preset: `tctl create -f` would overwrite that.
    assert user["spec"]["roles"] == [role["metadata"]["name"]] == ["teleport-email"]


def test_neither_it_nor_its_comments_let_it_decide_or_change_anything_but_plugin_data() -> None:
    text = (EXAMPLES / "teleport-email-role.yaml").read_text()
    for document in (text, re.sub(r"^( +)#(?! \w)", r"\1", text, flags=re.MULTILINE)):
        role, _ = yaml.safe_load_all(document)
        assert role["spec"].keys() == {"allow"}
        assert role["spec"]["allow"].keys() <= {"rules", "node_labels", "app_labels"}
        for kind, verbs in allowed(role).items():
            assert verbs <= ({"update"} if kind == "access_plugin_data" else {"list", "read"}), kind


def test_the_impersonator_may_sign_for_that_user() -> None:
    [role] = documents("impersonator-role.yaml")
    assert role["spec"]["allow"]["impersonate"] == {"roles": ["teleport-email"], "users": ["teleport-email"]}
    assert "tctl auth sign --user=teleport-email " in (ROOT / "README.md").read_text()


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
    assert (settings["credential_ttl"], settings["renewal_interval"]) == ("1h", "20m")
    assert {"certificate_ttl", "outputs"}.isdisjoint(settings), "old words"
    [service] = settings["services"]
    assert service["type"] == "identity"
    assert "roles" not in service, "refused from 19 on"


def test_the_join_token_is_for_the_service_account_of_the_chart() -> None:
    [token] = documents("bot-kubernetes-token.yaml")
    [settings] = documents("tbot-kubernetes-secret.yaml")
    assert token["metadata"]["name"] == settings["onboarding"]["token"]
    assert token["spec"]["join_method"] == settings["onboarding"]["join_method"]
    [allowed] = token["spec"]["kubernetes"]["allow"]
    assert allowed["service_account"].endswith("-tbot")
    assert "examples/teleport/bot-kubernetes-token.yaml" in (ROOT / "docs/kubernetes.md").read_text()


def test_no_role_of_ours_overwrites_a_preset() -> None:
    for path in (ROOT / "examples/teleport").glob("*.yaml"):
        for document in documents(path.name):
            preset = document.get("kind") == "role" and document["metadata"]["name"] == "access-plugin"
            assert not preset, path


def test_tbot_writes_where_the_readme_reads() -> None:
    [settings] = documents("tbot-directory.yaml")
    path = settings["services"][0]["destination"]["path"]
    assert f'identity = "{path}/identity"' in (ROOT / "README.md").read_text()
    [settings] = documents("tbot-kubernetes-secret.yaml")
    secret = settings["services"][0]["destination"]["name"]
    assert secret in (ROOT / "docs/kubernetes.md").read_text()


def test_the_readme_names_only_what_is_there() -> None:
    for word in (ROOT / "README.md").read_text().replace("`", " ").split():
        if word.startswith("examples/teleport/"):
            assert (ROOT / word).exists(), word

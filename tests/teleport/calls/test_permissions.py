"""What to add to the role when something was refused."""

import pytest
import yaml

from teleport_email.core.errors import Denied
from teleport_email.sandbox.cluster.refusal import action_denied
from teleport_email.teleport.calls.permissions import (
    NEEDED,
    denied_actions,
    grant,
    help_for,
    is_personal,
    role_lines,
    where_to_add,
    whose,
)


def test_recorded_refusals_name_kind_and_verbs(recorded):
    assert denied_actions(recorded("not permitted")["details"]) == {
        "access_monitoring_rule": ("list", "read")
    }
    assert denied_actions(recorded("get user: not permitted")["details"]) == {"user": ("read",)}
    assert denied_actions(recorded("plugin data: not permitted")["details"]) == {
        "access_plugin_data": ("update",)
    }
    assert denied_actions("access denied") == {}


def test_the_lines_are_yaml_of_a_role():
    role = yaml.safe_load("\n".join(role_lines(["access_request", "user"])))
    assert role == {
        "spec": {
            "allow": {
                "rules": [
                    {"resources": ["access_request"], "verbs": ["list", "read"]},
                    {"resources": ["user"], "verbs": ["read"]},
                ]
            }
        }
    }


def test_a_refused_verb_comes_with_the_others_that_are_needed():
    denied = Denied('listing: access denied to perform action "list" on "access_monitoring_rule"')
    rules = yaml.safe_load("\n".join(help_for(denied)))["spec"]["allow"]["rules"]
    assert rules == [{"resources": ["access_monitoring_rule"], "verbs": ["list", "read"]}]


def test_what_the_sandbox_refuses_of_access_lists_names_both_verbs():
    refused = action_denied("access_list", ["list", "read"])
    assert denied_actions(refused.details) == {"access_list": ("list", "read")}
    for verbs in (["list"], ["read"], ["list", "read"]):
        denied = Denied(f"listing Access Lists: {action_denied('access_list', verbs).details}")
        rules = yaml.safe_load("\n".join(help_for(denied)))["spec"]["allow"]["rules"]
        [rule] = rules
        assert (rule["resources"], set(rule["verbs"])) == (["access_list"], {"list", "read"})


def test_unknown_kinds_get_the_refused_verbs():
    denied = Denied('x: access denied to perform action "readnosecrets" on "new_kind"')
    rules = yaml.safe_load("\n".join(help_for(denied)))["spec"]["allow"]["rules"]
    assert rules == [{"resources": ["new_kind"], "verbs": ["readnosecrets"]}]


def test_no_help_where_the_refusal_says_nothing():
    assert help_for(Denied("watching: access denied")) == ()


@pytest.mark.parametrize("kind", NEEDED)
def test_every_kind_has_verbs(kind):
    assert NEEDED[kind]


@pytest.mark.parametrize(
    ("user", "roles", "personal"),
    [
        ("alice", ("access", "editor"), True),
        ("alice@example.com", ("dev",), True),
        ("alice", ("auditor", "dba"), True),
        ("alice", ("dev",), False),  # perhaps made for the daemon: both is said
        ("bot-email", ("editor",), False),
        ("bot-a@b", ("dev",), False),
        ("teleport-email", ("access",), False),
        ("access-plugin", ("editor",), False),
        ("plugin", ("access-plugin", "access"), False),
        ("plugin", ("teleport-email",), False),
        ("plugin", (), False),
    ],
)
def test_whose_own_an_identity_is(user, roles, personal):
    assert is_personal(user, roles) is personal


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (("teleport-email",), "tctl edit role/teleport-email; its file has them as comments"),
        (("access-plugin",), "where it is the preset, which Teleport sets back"),
        (("mine",), "add to the role (tctl edit role/mine)"),
        (("mine", "other"), "add to one of these roles (tctl edit role/mine)"),
        ((), "give bot-email the preset role access-plugin"),
    ],
)
def test_the_hint_fits_the_role(roles, words):
    assert words in where_to_add("bot-email", roles)


def test_user_and_roles_in_words():
    assert whose("bot-email", ["a"]) == "bot-email (role a)"
    assert whose("alice", ["a", "b"]) == "alice (roles a, b)"
    assert whose("alice", []) == "alice (no roles)"


def test_for_the_log():
    assert grant("bot-email", ["a"], ["x", "y"]) == {"identity": "bot-email (role a)", "role": "x\ny"}
    facts = grant("alice", ["access"], ["x"])
    assert facts.keys() == {"identity", "action"}
    assert "alice's own" in facts["action"]

"""What to add to the role when something was refused."""

import pytest
import yaml

from teleport_email.core.errors import Denied
from teleport_email.teleport.calls.permissions import NEEDED, denied_actions, help_for, role_lines


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


def test_unknown_kinds_get_the_refused_verbs():
    denied = Denied('x: access denied to perform action "readnosecrets" on "new_kind"')
    rules = yaml.safe_load("\n".join(help_for(denied)))["spec"]["allow"]["rules"]
    assert rules == [{"resources": ["new_kind"], "verbs": ["readnosecrets"]}]


def test_no_help_where_the_refusal_says_nothing():
    assert help_for(Denied("watching: access denied")) == ()


@pytest.mark.parametrize("kind", NEEDED)
def test_every_kind_has_verbs(kind):
    assert NEEDED[kind]

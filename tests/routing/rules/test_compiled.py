"""Which rules count, and what becomes of them."""

from __future__ import annotations

from teleport_email.core.model import AccessMonitoringRule, AccessRequest
from teleport_email.routing.rules import Surroundings, compile_rule, compile_rules

KNOWN = Surroundings(AccessRequest(id="1", user="ann", roles=("dev",)))


def rule(**changed: object) -> AccessMonitoringRule:
    values: dict[str, object] = {
        "name": "r",
        "subjects": ("access_request",),
        "condition": "true",
        "notification": "email",
        "recipients": ("a@example.com",),
    }
    return AccessMonitoringRule(**{**values, **changed})  # type: ignore[arg-type]


def test_a_rule_for_us_matches_when_its_condition_holds() -> None:
    compiled = compile_rule(rule(condition='access_request.spec.roles.contains("dev")'))
    assert compiled.judge(KNOWN).matched
    other = Surroundings(AccessRequest(id="2", user="ann", roles=("dba",)))
    verdict = compiled.judge(other)
    assert (verdict.matched, verdict.faulty, verdict.why) == (False, False, "the condition is false")


def test_a_rule_for_another_subject_does_not_count_and_is_not_at_fault() -> None:
    verdict = compile_rule(rule(subjects=("session",))).judge(KNOWN)
    assert not verdict.matched
    assert not verdict.faulty
    assert "access_request" in verdict.why


def test_a_rule_for_several_subjects_counts() -> None:
    assert compile_rule(rule(subjects=("session", "access_request"))).judge(KNOWN).matched


def test_a_rule_for_another_plugin_is_not_even_parsed() -> None:
    verdict = compile_rule(rule(notification="slack", condition="(")).judge(KNOWN)
    assert not verdict.faulty
    assert verdict.why == "it notifies slack, not email"
    assert compile_rule(rule(notification="")).judge(KNOWN).why == "it notifies nobody, not email"


def test_the_plugin_has_the_name_that_it_was_given() -> None:
    named = rule(notification="email-eu", condition='plugin.spec.name == "email-eu"')
    assert compile_rule(named, "email-eu").judge(KNOWN).matched
    assert not compile_rule(named).judge(KNOWN).matched


def test_a_bad_condition_is_a_reason_with_its_position() -> None:
    compiled = compile_rule(rule(condition='foo("x")'))
    assert compiled.condition is None
    assert compiled.faulty
    assert compiled.reason == "the condition does not parse: there is no function foo (at character 1)"


def test_rules_come_back_by_name() -> None:
    assert [each.name for each in compile_rules([rule(name="b"), rule(name="a")])] == ["a", "b"]


def test_what_whoever_keeps_a_rule_should_know_is_remarked_and_the_rule_used() -> None:
    compiled = compile_rule(rule(unknown=("spec: field 9",), condition='plugin.spec.name == "email"'))
    assert compiled.judge(KNOWN).matched
    field, name = compiled.remarks
    assert field == "spec: field 9 is not known to this version and passed over"
    assert "plugin.spec.name" in name
    assert "from 19 on" in name
    assert compile_rule(rule(unknown=("spec: field 9",), condition="(")).remarks == (field,)
    assert compile_rule(rule()).remarks == ()


def test_rules_that_are_not_ours_are_not_remarked() -> None:
    assert compile_rule(rule(notification="slack", unknown=("spec: field 9",))).remarks == ()


def test_what_has_not_changed_is_not_compiled_again() -> None:
    """Each event about one rule names all, and every list has them all."""
    before = compile_rules([rule(name="a"), rule(name="b"), rule(name="c", condition="(")])
    after = compile_rules(
        [rule(name="c", condition="("), rule(name="b", condition="false"), rule(name="a")], "email", before
    )
    assert [old is new for old, new in zip(before, after, strict=True)] == [True, False, True]
    other = compile_rules([rule(name="a")], "email-eu", before)
    assert not other[0].judge(KNOWN).matched

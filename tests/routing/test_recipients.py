"""Who is told and why: every source, every limit, and how they act on each other."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.model import AccessMonitoringRule, AccessRequest
from teleport_email.routing import globs, recipients
from teleport_email.routing.route import Route
from teleport_email.routing.rules import CompiledRule, compile_rules

ROLES = {"*": ("all@example.com",), "dev": ("dev@example.com",)}


def request(**changed: Any) -> AccessRequest:
    return AccessRequest(**{"id": "0193", "user": "ann", "roles": ("dev",), **changed})


def rule(name: str, *told: str, condition: str = "true", notification: str = "email") -> AccessMonitoringRule:
    return AccessMonitoringRule(name, ("access_request",), condition, notification, told)


def names(
    asked: AccessRequest, delivery: DeliverySettings, rules: Sequence[CompiledRule] = ()
) -> tuple[str, ...]:
    verdicts = [each for piece in recipients.judged(asked, delivery, rules) for each in piece]
    return recipients.names_to_look_up(asked, delivery, rules, verdicts)


def route(
    asked: AccessRequest | None = None,
    roles: dict[str, tuple[str, ...]] | None = None,
    rules: tuple[AccessMonitoringRule, ...] = (),
    addresses: dict[str, str | None] | None = None,
    traits: dict[str, tuple[str, ...]] | None = None,
    **delivery: Any,
) -> Route:
    settings = DeliverySettings(sender="teleport@example.com", **delivery)
    return recipients.route(
        asked or request(),
        settings,
        ROLES if roles is None else roles,
        compile_rules(rules),
        addresses,
        traits=traits,
    )


def why(found: Route) -> dict[str, str]:
    return {reason.address: reason.why for reason in found.reasons}


def why_not(found: Route) -> dict[str, str]:
    return {entry.candidate: entry.why for entry in found.skipped}


# Roles ------------------------------------------------------------------------------------------------


def test_each_role_has_its_recipients_and_others_go_to_the_star() -> None:
    found = route(request(roles=("dev", "dba")))
    assert why(found) == {
        "dev@example.com": 'role_to_recipients "dev"',
        "all@example.com": 'role_to_recipients "*" for role dba',
    }
    assert found.recipients == ("dev@example.com", "all@example.com")
    assert not found.problem


def test_the_star_is_not_told_of_a_role_with_recipients_of_its_own() -> None:
    assert route().recipients == ("dev@example.com",)


def test_a_role_with_an_empty_list_goes_to_the_star() -> None:
    assert route(roles={"*": ("all@example.com",), "dev": ()}).recipients == ("all@example.com",)


def test_a_request_without_roles_goes_to_the_star() -> None:
    assert why(route(request(roles=()))) == {"all@example.com": 'role_to_recipients "*"'}


@pytest.mark.parametrize(
    ("role", "key"),
    [
        ("prod-db", "prod-db"),
        ("prod-db-eu", "prod-db-*"),
        ("prod-web", "prod-*"),
        ("xprod-web", "*-web"),
        ("stage", "*"),
        ("Prod-db", "*"),
        ("dev-1", "dev-?"),
        ("dev-10", "dev-*"),
        ("*", "*"),
        ("a[b]", "a[b]"),
        ("ab", "*"),
    ],
)
def test_the_most_specific_key_wins_in_any_order(role: str, key: str) -> None:
    keys = ["*", "prod-*", "prod-db", "prod-db-*", "*-web", "dev-*", "dev-?", "a[b]"]
    for order in (keys, keys[::-1]):
        assert globs.most_specific(order, role) == key


def test_no_key_fits_where_there_is_no_star() -> None:
    assert globs.most_specific(["prod-*"], "dev") is None


@given(st.text("ab[!]\n", max_size=8), st.text("ab[!]*?\n", max_size=8))
def test_globs_know_a_star_and_a_question_mark_and_nothing_else(text: str, pattern: str) -> None:
    parts = {"*": ".*", "?": "."}
    expected = re.fullmatch("".join(parts.get(char, re.escape(char)) for char in pattern), text, re.DOTALL)
    assert globs.matches(pattern, text) is bool(expected)


def test_globs_take_no_long_time() -> None:
    start = time.process_time()
    assert not globs.matches("*a" * 500 + "b", "a" * 5000)
    assert time.process_time() - start < 5


def test_roles_that_share_a_key_are_named_together() -> None:
    assert why(route(request(roles=("a", "b", "dev", "b")))) == {
        "all@example.com": 'role_to_recipients "*" for roles a, b',
        "dev@example.com": 'role_to_recipients "dev"',
    }


# Duplicates -------------------------------------------------------------------------------------------


def test_spellings_of_a_domain_are_one_recipient_with_all_its_reasons() -> None:
    found = route(
        request(roles=("dev", "dba"), suggested_reviewers=("Dev@EXAMPLE.com", "dev@Example.COM")),
        roles={"*": ("dev@example.com",), "dev": ("dev@example.com",)},
    )
    assert found.recipients == ("dev@example.com", "Dev@example.com")
    assert why(found)["dev@example.com"] == (
        'role_to_recipients "dev"; role_to_recipients "*" for role dba; suggested reviewer'
    )


# Suggested reviewers ----------------------------------------------------------------------------------


def test_suggested_reviewers_join_the_recipients_of_the_roles() -> None:
    assert route(request(suggested_reviewers=("eve@example.com",))).recipients == (
        "dev@example.com",
        "eve@example.com",
    )


def test_only_the_suggested_reviewers_when_configured_so() -> None:
    asked = request(suggested_reviewers=("eve@example.com",))
    assert route(asked, suggested_reviewers="only").recipients == ("eve@example.com",)


@pytest.mark.parametrize("reviewers", [(), ("bob",), ("",)])
def test_only_does_not_mean_nobody_when_there_is_no_usable_suggestion(reviewers: tuple[str, ...]) -> None:
    found = route(request(suggested_reviewers=reviewers), suggested_reviewers="only")
    assert found.recipients == ("dev@example.com",)


def test_suggested_reviewers_are_ignored_when_configured_so() -> None:
    found = route(request(suggested_reviewers=("eve@example.com",)), suggested_reviewers="ignore")
    assert found.recipients == ("dev@example.com",)
    assert "ignore" in why_not(found)["eve@example.com"]


def test_at_most_so_many_suggested_reviewers() -> None:
    asked = request(suggested_reviewers=("a@x.org", "a@x.org", "b@x.org", "c@x.org", "d@x.org"))
    found = route(asked, max_suggested_reviewers=2)
    assert found.recipients == ("dev@example.com", "a@x.org", "b@x.org")
    assert set(why_not(found)) == {"c@x.org", "d@x.org"}


def test_suggested_reviewers_outside_the_allowed_domains_are_refused() -> None:
    asked = request(
        suggested_reviewers=("a@Example.com", "b@evil.example", "c@eu.example.com", "d@xexample.com")
    )
    found = route(asked, allowed_domains=("example.com", "example.org"))
    assert found.recipients == ("dev@example.com", "a@example.com")
    assert set(why_not(found)) == {"b@evil.example", "c@eu.example.com", "d@xexample.com"}
    assert "allowed_domains" in why_not(found)["b@evil.example"]


def test_the_configuration_itself_may_name_any_domain() -> None:
    assert route(allowed_domains=("other.example",)).recipients == ("dev@example.com",)


# Users ------------------------------------------------------------------------------------------------


def test_a_user_name_becomes_the_address_that_was_looked_up() -> None:
    found = route(request(suggested_reviewers=(" bob ",)), addresses={"bob": "bob@example.com"})
    assert why(found)["bob@example.com"] == "suggested reviewer, user bob"


def test_a_user_without_address_is_skipped_with_the_reason() -> None:
    asked = request(suggested_reviewers=("bob", "carol", "dan", "eve"))
    found = route(
        asked,
        addresses={"bob": None, "dan": "nonsense", "eve": "eve@evil.example"},
        allowed_domains=("example.com",),
    )
    reasons = why_not(found)
    assert "no address" in reasons["bob"]
    assert "could not be looked up" in reasons["carol"]
    assert "is not an email address" in reasons["dan"]
    assert "allowed_domains" in reasons["eve"]
    assert found.recipients == ("dev@example.com",)


def test_the_requester_is_not_told_where_that_is_wanted() -> None:
    asked = request(user="ann@example.com", suggested_reviewers=("Ann@Example.com", "eve@example.com"))
    roles = {"*": ("ann@example.com",)}
    assert "ann@example.com" in route(asked, roles=roles).recipients
    found = route(asked, roles=roles, skip_requester=True)
    assert found.recipients == ("eve@example.com",)
    assert "skip_requester" in why_not(found)["ann@example.com"]


def test_the_requester_is_known_by_the_looked_up_address_too() -> None:
    asked = request(user="ann", suggested_reviewers=("ann.lee@example.com",))
    found = route(asked, addresses={"ann": "ann.lee@example.com"}, skip_requester=True)
    assert found.recipients == ("dev@example.com",)


def test_only_what_is_needed_is_looked_up() -> None:
    delivery = DeliverySettings(sender="t@example.com", max_suggested_reviewers=3)
    asked = request(suggested_reviewers=("bob", "eve@example.com", "bob", "", "carol", "dan"))
    assert names(asked, delivery) == ("bob", "carol")
    matching = compile_rules([rule("r", "frank", "x@example.com"), rule("s", "gus", condition="false")])
    assert names(asked, delivery, matching) == ("frank",)
    skipping = DeliverySettings(sender="t@example.com", skip_requester=True, suggested_reviewers="ignore")
    assert names(asked, skipping) == ("ann",)
    excluding = DeliverySettings(sender="t@example.com", exclude_roles=("dev",))
    assert names(asked, excluding) == ()


# Exclusion --------------------------------------------------------------------------------------------


def test_a_request_for_excluded_roles_only_tells_nobody_not_even_by_rule() -> None:
    found = route(
        request(roles=("dev", "dev-2")),
        rules=(rule("r", "a@example.com"),),
        exclude_roles=("dev*",),
        fallback_recipient="f@example.com",
    )
    assert found.excluded
    assert found.recipients == ()
    assert not found.problem
    assert found.summary() == "nobody: every requested role is excluded"


def test_one_other_role_is_enough_to_tell_everybody_concerned() -> None:
    found = route(request(roles=("dev", "dba")), exclude_roles=("dba",))
    assert not found.excluded
    assert found.recipients == ("dev@example.com", "all@example.com")


# Rules ------------------------------------------------------------------------------------------------


def test_all_matching_rules_together_replace_everything_else() -> None:
    found = route(
        request(suggested_reviewers=("eve@example.com",)),
        rules=(
            rule("b", "b@example.com", "both@example.com"),
            rule("a", "a@example.com", "both@example.com"),
            rule("c", "c@example.com", condition="false"),
            rule("d", "d@example.com", notification="slack"),
        ),
    )
    assert found.recipients == ("a@example.com", "both@example.com", "b@example.com")
    assert why(found)["both@example.com"] == 'rule "a"; rule "b"'
    assert found.rules == ("a", "b")
    assert {verdict.name: verdict.matched for verdict in found.verdicts} == {
        "a": True,
        "b": True,
        "c": False,
        "d": False,
    }


def test_without_a_matching_rule_the_configuration_counts() -> None:
    found = route(rules=(rule("c", "c@example.com", condition="false"),))
    assert found.recipients == ("dev@example.com",)
    assert found.rules == ()


def test_a_broken_rule_does_not_match_and_is_a_fault() -> None:
    found = route(
        rules=(
            rule("bad", "a@example.com", condition="(("),
            rule("eval", "b@example.com", condition="choose()"),
        )
    )
    assert found.recipients == ("dev@example.com",)
    assert [fault.name for fault in found.faults] == ["bad", "eval"]
    assert "does not parse" in found.faults[0].why
    assert "does not evaluate" in found.faults[1].why


def test_recipients_of_a_rule_that_are_no_addresses_are_looked_up_or_skipped() -> None:
    found = route(
        rules=(rule("r", "bob", "#channel", "", "a@example.com"),),
        addresses={"bob": "bob@example.com", "#channel": None},
    )
    assert found.recipients == ("bob@example.com", "a@example.com")
    assert set(why_not(found)) == {"#channel", ""}
    assert not found.problem


def test_allowed_domains_concern_a_rules_users_but_not_its_addresses() -> None:
    found = route(
        rules=(rule("r", "bob", "a@other.example"),),
        addresses={"bob": "bob@other.example"},
        allowed_domains=("example.com",),
    )
    assert found.recipients == ("a@other.example",)


def test_a_rule_that_nobody_can_be_told_by_goes_to_the_fallback() -> None:
    found = route(rules=(rule("r", "#channel"),), fallback_recipient="f@example.com")
    assert found.recipients == ("f@example.com",)
    assert found.fallback
    assert "rule r" in found.problem


def test_without_a_fallback_such_a_rule_does_not_keep_the_others_from_being_told() -> None:
    found = route(rules=(rule("r", "#channel"),))
    assert found.recipients == ("dev@example.com",)
    assert found.problem


def test_a_rule_can_ask_for_the_requesters_traits() -> None:
    rules = (rule("r", "red@example.com", condition='user.traits["team"].contains("red")'),)
    assert recipients.needs_traits(compile_rules(rules))
    assert not recipients.needs_traits(compile_rules([rule("x")]))
    assert route(rules=rules, traits={"team": ("red",)}).recipients == ("red@example.com",)
    unknown = route(rules=rules)
    assert unknown.recipients == ("dev@example.com",)
    assert "not known" in unknown.faults[0].why


def test_a_rule_can_ask_for_labels() -> None:
    asking = rule("r", condition='is_empty(access_request.spec.resource_labels_union["env"])')
    assert recipients.needs_labels(compile_rules([asking]))
    assert not recipients.needs_labels(compile_rules([rule("x")]))


# Nobody, and too many ---------------------------------------------------------------------------------


def test_the_fallback_is_told_when_nobody_else_can_be_and_that_is_a_problem() -> None:
    found = route(roles={"other": ("o@example.com",)}, fallback_recipient="f@example.com")
    assert found.recipients == ("f@example.com",)
    assert found.fallback
    assert found.problem


def test_the_fallback_is_not_told_when_somebody_else_is() -> None:
    found = route(fallback_recipient="f@example.com")
    assert found.recipients == ("dev@example.com",)
    assert not found.fallback
    assert not found.problem


def test_without_a_fallback_nobody_is_told_and_the_problem_says_what_to_do() -> None:
    found = route(roles={"other": ("o@example.com",)})
    assert found.recipients == ()
    assert "fallback_recipient" in found.problem


def test_the_fallback_stands_in_for_a_requester_who_would_be_the_only_one() -> None:
    found = route(
        request(user="all@example.com"),
        roles={"*": ("all@example.com",)},
        skip_requester=True,
        fallback_recipient="f@example.com",
    )
    assert found.recipients == ("f@example.com",)


def test_more_than_the_limit_are_dropped_and_named() -> None:
    many = tuple(f"r{number}@example.com" for number in range(600))
    found = route(roles={"*": many})
    assert found.recipients == many[:500]
    assert found.dropped == 100
    assert "max_recipients" in why_not(found)["r500@example.com"]


# The line for the log ---------------------------------------------------------------------------------


def test_the_summary_is_one_printable_line_of_bounded_length() -> None:
    found = route(
        request(suggested_reviewers=("bob\nTold 9: x", "\x1b[2J")),
        rules=(),
    )
    line = found.summary()
    assert line.isprintable()
    assert line.startswith('told 1: dev@example.com (role_to_recipients "dev"); not bob\\nTold 9: x (')
    assert len(route(roles={"*": tuple(f"r{number}@example.com" for number in range(600))}).summary()) < 6000


def test_a_very_long_name_does_not_make_a_very_long_line() -> None:
    found = route(request(suggested_reviewers=("x" * 100_000,)))
    assert len(found.summary()) < 1000


def test_the_summary_names_rules_and_problems() -> None:
    line = route(rules=(rule("r", "#channel"),), fallback_recipient="f@example.com").summary()
    assert "rules r" in line
    assert "no usable recipient in the matching rule r" in line
    assert route(roles={"x": ("x@example.com",)}).summary().startswith("told nobody")


@given(
    st.lists(st.text(max_size=6), max_size=4),
    st.lists(st.text(max_size=8) | st.sampled_from(["a@b.example", "A@B.EXAMPLE"]), max_size=6),
    st.text(max_size=6),
    st.sampled_from(["add", "only", "ignore"]),
    st.booleans(),
)
def test_no_request_can_raise_or_smuggle_in_a_duplicate(
    roles: list[str], reviewers: list[str], user: str, mode: str, skip: bool
) -> None:
    asked = request(roles=tuple(roles), suggested_reviewers=tuple(reviewers), user=user)
    found = route(asked, suggested_reviewers=mode, skip_requester=skip)
    assert len(
        {
            address.rpartition("@")[0] + "@" + address.rpartition("@")[2].lower()
            for address in found.recipients
        }
    ) == len(found.recipients)
    assert [reason.address for reason in found.reasons] == list(found.recipients)
    assert found.recipients or found.problem
    assert found.summary().isprintable()


# Silence ----------------------------------------------------------------------------------------------


def silent(name: str, *told: str, value: str = "true", condition: str = "true") -> AccessMonitoringRule:
    plain = rule(name, *told, condition=condition)
    return structs.replace(plain, labels={"teleport-email/silence": value, "team": "red"})


@pytest.mark.parametrize("told", [(), ("ghost@example.com",), ("carol",)])
def test_a_silent_rule_tells_nobody_on_purpose(told: tuple[str, ...]) -> None:
    found = route(
        request(suggested_reviewers=("eve@example.com",)),
        rules=(silent("quiet", *told),),
        fallback_recipient="it@example.com",
    )
    assert (found.recipients, found.silenced, found.fallback, found.problem) == ((), True, False, "")
    assert found.rules == ("quiet",)
    assert found.summary() == "nobody: silenced by the rules quiet"
    assert names(
        request(), DeliverySettings(sender="t@example.com"), compile_rules((silent("quiet", *told),))
    ) == ()  # fmt: skip


def test_others_that_match_still_tell_theirs() -> None:
    found = route(rules=(silent("quiet"), rule("loud", "carol@example.com")))
    assert (found.recipients, found.silenced) == (("carol@example.com",), False)


def test_another_without_a_usable_recipient_is_a_problem_but_brings_no_table_and_no_fallback_back() -> None:
    found = route(rules=(silent("quiet"), rule("typing-error", "#ops")), fallback_recipient="it@example.com")
    assert (found.recipients, found.silenced) == ((), False)
    assert "no usable recipient in the matching rule typing-error" in found.problem


@pytest.mark.parametrize(
    "quiet", [silent("quiet", value="yes"), silent("quiet", value="True"), silent("quiet", condition="false")]
)
def test_a_rule_that_is_not_silent_or_does_not_match_silences_nothing(quiet: AccessMonitoringRule) -> None:
    assert route(rules=(quiet,)).recipients == ("dev@example.com",)


def test_a_requester_left_out_beside_a_silent_rule_is_no_problem() -> None:
    rules = (silent("quiet"), rule("own", "ann@example.com"))
    found = route(request(user="ann@example.com"), rules=rules, skip_requester=True)
    assert (found.recipients, found.problem, found.silenced) == ((), "", True)


# The annotation ---------------------------------------------------------------------------------------

ANNOTATION = "teleport.dev/email-recipients"


def annotated(*values: str, **changed: Any) -> AccessRequest:
    return request(system_annotations={ANNOTATION: values, "other": ("x@example.com",)}, **changed)


def test_recipients_from_an_annotation_join_those_of_the_roles() -> None:
    found = route(
        annotated("lead@example.com", "carol", " carol ", "", "nobody"),
        addresses={"carol": "carol@example.com", "nobody": None},
        recipients_annotation=ANNOTATION,
    )
    assert found.recipients == ("dev@example.com", "lead@example.com", "carol@example.com")
    assert why(found)["lead@example.com"] == f'annotation "{ANNOTATION}"'
    assert why(found)["carol@example.com"] == f'annotation "{ANNOTATION}", user carol'
    assert list(why_not(found)) == ["nobody"]


def test_the_annotation_is_off_until_it_is_named() -> None:
    assert route(annotated("lead@example.com")).recipients == ("dev@example.com",)
    assert route(request(), recipients_annotation=ANNOTATION).recipients == ("dev@example.com",)


def test_allowed_domains_hold_for_an_annotation() -> None:
    found = route(
        annotated("lead@example.com", "mallory@evil.example", "carol"),
        addresses={"carol": "carol@elsewhere.example"},
        recipients_annotation=ANNOTATION,
        allowed_domains=("example.com",),
    )
    assert found.recipients == ("dev@example.com", "lead@example.com")
    assert set(why_not(found)) == {"mallory@evil.example", "carol"}


def test_rules_and_only_suggested_reviewers_replace_the_annotation() -> None:
    asked = annotated("lead@example.com", suggested_reviewers=("eve@example.com",))
    by_rule = route(asked, rules=(rule("r", "carol@example.com"),), recipients_annotation=ANNOTATION)
    assert by_rule.recipients == ("carol@example.com",)
    only = route(asked, recipients_annotation=ANNOTATION, suggested_reviewers="only")
    assert only.recipients == ("eve@example.com",)
    ignored = route(asked, recipients_annotation=ANNOTATION, suggested_reviewers="ignore")
    assert ignored.recipients == ("dev@example.com", "lead@example.com")


def test_user_names_of_an_annotation_are_looked_up_unless_a_rule_replaces_them() -> None:
    settings = DeliverySettings(sender="t@example.com", recipients_annotation=ANNOTATION)
    asked = annotated("lead@example.com", "carol", suggested_reviewers=("dan",))
    assert names(asked, settings) == ("carol", "dan")
    assert names(asked, settings, compile_rules((rule("r", "bob"),))) == ("bob",)

"""Versions in conditions, as semver.org orders them."""

from __future__ import annotations

import itertools

import pytest

from teleport_email.core.errors import ConditionError
from teleport_email.core.model import AccessRequest
from teleport_email.routing.rules import Surroundings, parse

KNOWN = Surroundings(AccessRequest("1", "17.2.0", ("dev", "prod-db", "a.b")))
# From the lowest to the highest: the example of semver.org, item 11, and numbers that no text order gives.
ORDERED = (
    "0.9.10", "0.10.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
    "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "9.0.0", "10.0.0", "17.0.0-dev", "17.0.0",
)  # fmt: skip


def holds(text: str) -> bool:
    return parse(text).holds(KNOWN)


@pytest.mark.parametrize(("low", "high"), list(itertools.combinations(ORDERED, 2)))
def test_newer_and_older(low: str, high: str) -> None:
    assert holds(f'newer_than("{high}", "{low}")')
    assert not holds(f'newer_than("{low}", "{high}")')
    assert holds(f'older_than("{low}", "{high}")')
    assert not holds(f'older_than("{high}", "{low}")')


@pytest.mark.parametrize("other", ["17.2.0", "17.2.0+build.5", "v17.2.0"])
def test_the_same_is_neither(other: str) -> None:
    assert not holds(f'newer_than(access_request.spec.user, "{other}")')
    assert not holds(f'older_than(access_request.spec.user, "{other}")')


@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [
        ("17.0.0", "18.0.0", True),
        ("17.2.0", "18.0.0", True),
        ("17.0.0", "17.2.0", False),
        ("18.0.0", "17.0.0", False),
        ("17.2.0", "17.2.0", False),
        ("17.2.0-rc.1", "17.2.1-dev", True),
    ],
)
def test_between_has_its_first_end_and_not_its_last(first: str, last: str, wanted: bool) -> None:
    assert holds(f'between(access_request.spec.user, "{first}", "{last}")') is wanted


@pytest.mark.parametrize(
    "text", ["", "17", "17.2", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "x", " 1.2.3", "1.2.3\n", "1" * 300]
)
def test_what_is_no_version_does_not_evaluate(text: str) -> None:
    condition = parse(f'newer_than("17.0.0", `{text}`)')
    with pytest.raises(ConditionError, match="is no version like"):
        condition.holds(KNOWN)


def test_times_still_have_a_between_of_their_own() -> None:
    time = 'time.RFC3339("2026-01-01T00:00:00Z")'
    later = 'time.RFC3339("2026-02-01T00:00:00Z")'
    assert not holds(f"between({time}, {time}, {later})")
    with pytest.raises(ConditionError):
        parse(f'between({time}, {time}, "1.2.3")')
    with pytest.raises(ConditionError, match="two limits"):
        holds('between("1.2.3", "1.2.3")')


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("dev", True),
        ("de", False),
        ("prod-*", True),
        ("*-db", True),
        ("*od-d*", True),
        ("*", True),
        ("", False),
        ("PROD-*", False),
        ("a.b", True),
        ("a?b", False),
        ("[d]ev", False),
        ("prod*prod-db", False),
        ("^prod-.*$", True),
        ("^(dev|ops)$", True),
        ("^de$", False),
        ("^de", False),
        ("de.*$", False),
        (r"^a\.b$", True),
        ("^axb$", False),
    ],
)
def test_regexp_match(pattern: str, wanted: bool) -> None:
    assert holds(f"regexp.match(access_request.spec.roles, `{pattern}`)") is wanted


def test_regexp_match_of_nothing_and_of_bad_patterns() -> None:
    assert not holds('regexp.match(set(), "*")')
    for bad in ("^($", r"^\C$", "x" * 5000):
        with pytest.raises(ConditionError):
            holds(f"regexp.match(access_request.spec.roles, `{bad}`)")


def test_regexp_match_is_bounded_in_work() -> None:
    stars = "*a" * 2000
    items = ", ".join(f'strings.replaceall("{number}", "", "{"a" * 50}")' for number in range(200))
    with pytest.raises(ConditionError, match="too much work"):
        holds(f"regexp.match(set({items}), `{stars}`)")

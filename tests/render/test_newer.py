"""What late 17, 18 and 19 added to requests: parts of resources, approvals by role, long-term access, automatic reviews."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.model import (
    AccessRequest,
    Constraint,
    Content,
    Kind,
    RequestState,
    ResourceID,
    Review,
    Threshold,
    Topic,
)
from teleport_email.render import samples
from teleport_email.render.approvals import progress
from teleport_email.render.renderer import Facts, Renderer

GERMAN = Path(__file__).parents[2] / "examples/templates-de"
BOT = "@teleport-access-approval-bot"


def content(request: AccessRequest, topic: Topic = Topic.ANNOUNCEMENT, **changed: Any) -> Content:
    """The message; a fault of a template fails the test."""

    def fail(fault: object) -> None:
        raise AssertionError(fault)

    delivery = DeliverySettings(sender="t@example.com", templates=changed.pop("templates", None))
    facts = Facts(changed.pop("cluster", samples.CLUSTER), **changed)
    kind = Kind(topic, len(request.reviews) if topic is Topic.REVIEW else 0)
    return Renderer(delivery, on_fault=fail).render(kind, request, facts, now=samples.NOW, boundary="=_x")


def approving(*indexes: int, author: str = "bob") -> Review:
    return Review(author, RequestState.APPROVED, created=samples.NOW, threshold_indexes=indexes)


# Parts of resources -----------------------------------------------------------------------------------

NODE = ResourceID("demo.example.com", "node", "2e1f", constraint=Constraint("logins", ("root", "ec2-user")))


def test_a_part_of_a_resource_stands_behind_its_name() -> None:
    arn = "arn:aws:iam::123456789012:role/dba"
    aws = ResourceID("demo.example.com", "app", "aws", constraint=Constraint("roles", (arn,)))
    odd = ResourceID("leaf", "db", "orders", constraint=Constraint())
    told = content(replace(samples.REQUEST, resources=(NODE, aws, odd)), resource_names={NODE: "web-01"})
    for part in (told.text, told.html):
        assert "web-01 (logins: root, ec2-user)" in part
        assert "aws (roles: arn:aws:iam::123456789012:role/dba)" in part
        assert "orders (a part of it)" in part


def test_logins_are_users_text_and_can_forge_nothing() -> None:
    evil = Constraint("logins", ("a, admin", "x\nStatus: APPROVED", "https://evil.example", "<b>"))
    told = content(replace(samples.REQUEST, resources=(replace(NODE, constraint=evil),)))
    assert "a[,] admin" in told.text
    assert "\nStatus: APPROVED" not in told.text
    assert "https://evil.example" not in told.text + told.html
    assert "<b>" not in told.html


def test_very_many_logins_are_cut() -> None:
    many = Constraint("logins", tuple(f"login-{number}" for number in range(5000)))
    told = content(replace(samples.REQUEST, resources=(replace(NODE, constraint=many),) * 60))
    assert len(told.html) < 30_000


# Approvals by role ------------------------------------------------------------------------------------

TWO = Threshold("two", "", 2, 1)
ONE = Threshold("", "", 0, 1)
BY_ROLE = replace(
    samples.REQUEST,
    roles=("dba", "prod"),
    thresholds=(TWO, ONE),
    role_thresholds={"prod": ((1,),), "dba": ((0,),)},
    reviews=(approving(0, 1),),
)


def test_approvals_are_told_by_role_in_text_and_html() -> None:
    told = content(BY_ROLE)
    assert "\nApprovals: dba: 1 of 2, prod: enough\n" in told.text
    assert "dba: 1 of 2, prod: enough" in told.html
    german = content(BY_ROLE, templates=GERMAN)
    assert "dba: 1 von 2, prod: genügend" in german.text
    assert "dba: 1 von 2, prod: genügend" in german.html


@pytest.mark.parametrize(
    ("mapping", "reviews", "roles", "missing"),
    [
        ({"dba": ((0,),), "prod": ((1,),)}, (), ["dba 0/2", "prod 0/1"], 2),
        ({"dba": ((0,),), "prod": ((1,),)}, (approving(1),), ["dba 0/2", "prod 1/1"], 2),
        # Of a set any one threshold suffices: the one that lacks least is told.
        ({"dba": ((0, 1),), "prod": ((0,),)}, (), ["dba 0/1", "prod 0/2"], 2),
        ({"dba": ((0, 1),), "prod": ((0,),)}, (approving(0),), ["dba 1/2", "prod 1/2"], 1),
        # Every set must be met: the one that lacks most is told.
        ({"dba": ((0,), (1,))}, (approving(1),), ["dba 0/2"], 2),
        ({"dba": ((0,), (1,))}, (approving(0), approving(0)), ["dba 0/1"], 1),
        ({"dba": ((0,), (1,))}, (approving(0, 1), approving(0)), ["dba 2/2"], 0),
        # The same for all roles is not told by role.
        ({"dba": ((0,),), "prod": ((0,),)}, (), [], 2),
        ({"dba": ((0, 1),)}, (), [], 1),
        ({}, (), [], 1),
        # Indexes that there are not, and roles without any set.
        ({"dba": ((7,),), "prod": ((1,),)}, (), ["dba 0/0", "prod 0/1"], 1),
        ({"dba": (), "prod": ((1,),)}, (), ["dba 0/0", "prod 0/1"], 1),
    ],
)
def test_progress(
    mapping: dict[str, tuple[tuple[int, ...], ...]],
    reviews: tuple[Review, ...],
    roles: list[str],
    missing: int,
) -> None:
    found = progress(replace(BY_ROLE, role_thresholds=mapping), reviews)
    assert [f"{each.role} {each.given}/{each.needed}" for each in found.roles] == roles
    assert found.missing == missing


def test_only_thresholds_that_the_roles_need_are_alternatives() -> None:
    found = progress(replace(BY_ROLE, role_thresholds={"dba": ((0,),), "prod": ((0,),)}), ())
    assert [way.name for way in found.ways] == ["two"]


def test_many_roles_are_cut_and_hostile_ones_quoted() -> None:
    mapping = {f"role,{number}": ((number % 2,),) for number in range(30)}
    told = content(replace(BY_ROLE, role_thresholds=mapping, roles=tuple(mapping)))
    assert "role[,]0: 1 of 2, role[,]1: enough" in told.text
    assert "and 20 more" in told.text


# Long-term --------------------------------------------------------------------------------------------

LONG = replace(samples.REQUEST, long_term=True)


@pytest.mark.parametrize("topic", [Topic.ANNOUNCEMENT, Topic.REMINDER, Topic.PROMOTED, Topic.RECEIVED])
def test_long_term_is_the_first_fact_and_a_header(topic: Topic) -> None:
    told = content(replace(LONG, state=samples.request_for(Kind(topic)).state), topic)
    details = told.text.split("\n\n")
    first = next(part for part in details if part.startswith("Term:"))
    assert first.startswith("Term: long-term access")
    assert "long-term access" in told.html
    assert ("X-Teleport-Request-Kind", "LONG_TERM") in told.headers


def test_the_way_to_grant_it_is_promotion() -> None:
    told = content(LONG)
    assert "promote the request instead of approving it" in told.text
    assert "promote the request instead of approving it" in told.html
    assert "approval" not in told.text.replace("from approval until", "")
    assert "auf eine verweisen" in content(LONG, templates=GERMAN).text


def test_other_requests_say_nothing_of_it() -> None:
    told = content(samples.REQUEST)
    assert "Term:" not in told.text
    assert "X-Teleport-Request-Kind" not in dict(told.headers)


def test_own_words_from_before_still_do(tmp_path: Path) -> None:
    words = (Path(samples.__file__).parent / "templates/words.jinja").read_text()
    (tmp_path / "words.jinja").write_text(words.replace('"term": "Term", "author": "Author", ', ""))
    automatic = replace(LONG, reviews=(approving(0, author=BOT),))
    assert "Term:" not in content(LONG, templates=tmp_path).text
    assert content(automatic, Topic.REVIEW, templates=tmp_path).text


# Automatic reviews ------------------------------------------------------------------------------------

AUTOMATIC = replace(
    samples.REQUEST,
    reviews=(replace(approving(0, author=BOT), reason='rule "dev" approves what @ann asks'),),
)


def test_the_author_of_an_automatic_review_in_words() -> None:
    told = content(AUTOMATIC, Topic.REVIEW)
    lines = told.text.splitlines()
    assert lines[0].startswith(f"{BOT} reviewed the request at "), "the line that filters look for stays"
    assert "Author: An automatic review" in lines
    assert 'Reason: rule "dev" approves what @ann asks.' in lines
    assert "An automatic review approved the request of " in told.html
    assert BOT not in told.html
    resolved = content(replace(AUTOMATIC, state=RequestState.APPROVED), Topic.APPROVED)
    assert "\nDecided by: An automatic review\n" in resolved.text
    assert "- An automatic review approved at " in resolved.text
    assert "An automatic review approved it." in resolved.html
    assert BOT not in resolved.text + resolved.html


def test_beside_people_it_stands_in_their_row() -> None:
    both = (approving(0), approving(0, author=BOT))
    told = content(replace(samples.APPROVED, reviews=both), Topic.APPROVED)
    assert "Decided by: bob, an automatic review" in told.text
    assert "bob and an automatic review approved it." in told.html


def test_and_so_in_german() -> None:
    told = content(AUTOMATIC, Topic.REVIEW, templates=GERMAN)
    assert "Urheber: Die automatische Prüfung" in told.text
    assert "Die automatische Prüfung hat zugestimmt" in told.html
    resolved = content(replace(AUTOMATIC, state=RequestState.APPROVED), Topic.APPROVED, templates=GERMAN)
    assert "Entschieden von: automatischer Prüfung" in resolved.text

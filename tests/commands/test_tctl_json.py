"""Requests as tctl prints them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from teleport_email.commands.tctl_json import parse_requests
from teleport_email.core.model import AccessRequest, Constraint, RequestState, ResourceID, Review, Threshold


def printed(**spec: Any) -> dict[str, Any]:
    return {
        "kind": "access_request",
        "version": "v3",
        "metadata": {"name": "0193", "expires": "2026-11-22T17:00:00.123456789Z"},
        "spec": {"user": "ann", "state": 1, **spec},
    }


def test_everything_that_tctl_prints_is_read() -> None:
    text = json.dumps(
        printed(
            roles=["dev", "dba"],
            state=2,
            created="2026-11-22T16:00:00Z",
            expires="2026-11-23T05:00:00+01:00",
            request_reason="INC-42",
            resolve_reason="fine",
            thresholds=[{"name": "default", "approve": 1, "deny": 1}],
            reviews=[
                {
                    "author": "bob",
                    "proposed_state": 2,
                    "reason": "ok",
                    "created": "2026-11-22T16:05:00Z",
                    "roles": ["dev"],
                    "i": [0],
                }
            ],
            suggested_reviewers=["bob"],
            resource_ids=[{"cluster": "c", "kind": "node", "name": "n"}],
            system_annotations={"teams": ["red", "blue"]},
            login_hint="root",
            dry_run=False,
            max_duration="0001-01-01T00:00:00Z",
            assume_start_time=None,
        )
    )
    assert parse_requests(text) == [
        AccessRequest(
            id="0193",
            user="ann",
            roles=("dev", "dba"),
            state=RequestState.APPROVED,
            created=datetime(2026, 11, 22, 16, tzinfo=UTC),
            expires=datetime(2026, 11, 22, 17, 0, 0, 123456, tzinfo=UTC),
            access_expires=datetime(2026, 11, 23, 4, tzinfo=UTC),
            request_reason="INC-42",
            resolve_reason="fine",
            thresholds=(Threshold("default", "", 1, 1),),
            reviews=(
                Review(
                    "bob",
                    RequestState.APPROVED,
                    "ok",
                    datetime(2026, 11, 22, 16, 5, tzinfo=UTC),
                    ("dev",),
                    (0,),
                ),
            ),
            suggested_reviewers=("bob",),
            resources=(ResourceID("c", "node", "n"),),
            system_annotations={"teams": ("red", "blue")},
            login_hint="root",
        )
    ]


def test_a_list_has_several_requests_and_an_empty_one_none() -> None:
    assert [each.user for each in parse_requests(json.dumps([printed(), printed(user="bob")]))] == [
        "ann",
        "bob",
    ]
    assert parse_requests("[]") == []


def test_nulls_are_as_if_they_were_missing() -> None:
    (request,) = parse_requests(
        json.dumps(printed(roles=None, reviews=None, system_annotations=None, created=None))
    )
    assert request.roles == ()
    assert request.created is None
    assert request.system_annotations == {}


def test_a_state_may_be_written_as_a_word() -> None:
    assert parse_requests(json.dumps(printed(state="DENIED")))[0].state is RequestState.DENIED


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "line 1, column 1"),
        ("{", "line 1"),
        ("1", "request 1 is no object"),
        ("[{}, 1]", "metadata is no object"),
        ('{"kind": "user"}', "kind is 'user'"),
        ('{"metadata": {}, "spec": {}}', "metadata.name is missing"),
        (json.dumps(printed(roles="dev")), "roles is no list"),
        (json.dumps(printed(roles=[1])), "roles is no list of strings"),
        (json.dumps(printed(user=1)), "user is no string"),
        (json.dumps(printed(state=9)), "state 9 is no state"),
        (json.dumps(printed(state=True)), "no whole number"),
        (json.dumps(printed(created="soon")), "'soon' is no time"),
        (json.dumps(printed(reviews=[1])), "reviews 1 is no object"),
        (json.dumps(printed(reviews=[{"i": ["x"], "proposed_state": 2}])), "no list of whole numbers"),
        ("[" * 200_000, "is no JSON"),
        ("1" * 10_000, "is no JSON"),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_wrong_is_said_with_its_place(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        parse_requests(text)


def test_a_time_that_python_cannot_hold_is_none() -> None:
    assert parse_requests(json.dumps(printed(created="0000-01-01T00:00:00Z")))[0].created is None


def test_what_newer_servers_print() -> None:
    arn = "arn:aws:iam::123456789012:role/dba"

    def access(kind: str, name: str, constraints: Any = None) -> dict[str, Any]:
        return {"id": {"cluster": "c", "kind": kind, "name": name}, "constraints": constraints}

    text = json.dumps(
        printed(
            request_kind=2,
            rtm={
                "dba": {"sets": [{"indexes": [0, 1]}, {"indexes": [2]}]},
                "ops": {"Sets": [{"Indexes": [3]}]},
            },
            resource_ids=[{"cluster": "c", "kind": "node", "name": "n"}],
            resource_access_ids=[
                access("node", "n"),
                access("node", "m", {"version": "v1", "ssh": {"logins": ["root", "ec2-user"]}}),
                access("app", "aws", {"version": "v1", "Details": {"AwsConsole": {"role_arns": [arn]}}}),
                access("windows_desktop", "w", {"version": "v1", "logins": ["Administrator"]}),
                access("db", "d", {"version": "v2", "pieces": ["one"]}),
            ],
        )
    )
    [request] = parse_requests(text)
    assert request.long_term
    assert request.role_thresholds == {"dba": ((0, 1), (2,)), "ops": ((3,),)}
    assert request.resources == (
        ResourceID("c", "node", "n"),
        ResourceID("c", "node", "m", constraint=Constraint("logins", ("root", "ec2-user"))),
        ResourceID("c", "app", "aws", constraint=Constraint("roles", (arn,))),
        ResourceID("c", "windows_desktop", "w", constraint=Constraint("logins", ("Administrator",))),
        ResourceID("c", "db", "d", constraint=Constraint()),
    )


@pytest.mark.parametrize(("kind", "long_term"), [(0, False), (1, False), ("LONG_TERM", True), (None, False)])
def test_the_kind_of_a_request(kind: Any, long_term: bool) -> None:
    [request] = parse_requests(json.dumps(printed(request_kind=kind)))
    assert request.long_term is long_term


@pytest.mark.parametrize(
    "spec", [{"rtm": []}, {"rtm": {"dba": {"sets": {}}}}, {"rtm": {"dba": {"sets": [{"indexes": ["x"]}]}}},
             {"resource_access_ids": [{}]}, {"resource_access_ids": [{"id": {}, "constraints": []}]}],
)  # fmt: skip
def test_what_is_no_such_thing_is_named(spec: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="request 1"):
        parse_requests(json.dumps(printed(**spec)))

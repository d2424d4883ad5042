"""What is looked up before it is decided who is told and before a text is written, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs
from structlog.testing import capture_logs

from teleport_email.config.settings import (
    DeliverySettings,
    EscalationSettings,
    LogSettings,
    Secret,
    Settings,
    SmtpSettings,
    TeleportSettings,
)
from teleport_email.core.decide import Audience
from teleport_email.core.errors import Unreachable
from teleport_email.core.model import (
    AccessMonitoringRule,
    AccessRequest,
    ResourceID,
    User,
)
from teleport_email.routing.audience import AudienceFinder, tell_of_rules
from teleport_email.routing.rules.compiled import compile_rules

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NODE = ResourceID("demo.example.com", "node", "0b6f5f6e-9d0e-4e0e-8a55-000000000001")
REQUEST = AccessRequest("id", "alice", ("dev",), created=NOW, expires=NOW + timedelta(hours=1))


class Cluster:
    """Users and resources; counts what it was asked."""

    def __init__(self, users: Mapping[str, User] | None = None) -> None:
        self.users = dict(users or {})
        self.permitted = True
        self.asked: list[str] = []
        self.fault: Exception | None = None

    async def user(self, name: str) -> User | None:
        self.asked.append(name)
        if self.fault:
            raise self.fault
        return self.users.get(name)

    async def address(self, name: str) -> str | None:
        user = await self.user(name)
        return next(iter(user.traits.get("email", ())), None) if user else None

    async def labels(self, ids: Sequence[ResourceID]) -> Sequence[Mapping[str, str]] | None:
        self.asked.append("labels")
        return [{"env": "prod"} for _ in ids]


def user(name: str, address: str) -> User:
    return User(name, traits={"email": (address,)})


def settings(**delivery: Any) -> Settings:
    return Settings(
        teleport=TeleportSettings(),
        mailer=SmtpSettings(host="localhost", password=Secret("")),
        delivery=DeliverySettings(**({"sender": "teleport@example.com"} | delivery)),
        role_to_recipients={"*": ("all@example.com",), "nobody": ()},
        log=LogSettings(),
    )


class Finder:
    def __init__(self, cluster: Cluster, *rules: AccessMonitoringRule, **delivery: Any) -> None:
        self.unroutable = 0
        compiled = compile_rules(rules, "email")
        self.finder = AudienceFinder(
            settings(**delivery), lambda: compiled, cluster, cluster, unroutable=self._count
        )

    def _count(self) -> None:
        self.unroutable += 1


async def test_by_role_without_asking_anybody() -> None:
    cluster = Cluster()
    assert await Finder(cluster).finder.audience(REQUEST) == Audience(("all@example.com",))
    assert cluster.asked == []


async def test_suggested_reviewers_are_told_and_the_others_said_once_a_look() -> None:
    cluster = Cluster({"bob": user("bob", "bob@example.com")})
    request = structs.replace(REQUEST, suggested_reviewers=("carol@example.com", "bob", "dave"))
    with capture_logs() as lines:
        found = await Finder(cluster).finder.audience(request)
    assert set(found.reviewers) == {"all@example.com", "carol@example.com", "bob@example.com"}
    (line,) = [line for line in lines if line["log_level"] == "warning"]
    assert line["event"] == "not told"
    assert "dave" in line["skipped"]
    assert "bob" not in line["skipped"]


async def test_without_the_permission_nobody_is_looked_up() -> None:
    cluster = Cluster({"bob": user("bob", "bob@example.com")})
    cluster.permitted = False
    request = structs.replace(REQUEST, suggested_reviewers=("bob",))
    found = await Finder(cluster).finder.audience(request)
    assert found.reviewers == ("all@example.com",)
    assert cluster.asked == []


async def test_a_cluster_that_does_not_answer_is_not_a_user_without_an_address() -> None:
    """It is decided once who is told: better a moment later than without somebody."""
    cluster = Cluster()
    cluster.fault = Unreachable("no answer")
    request = structs.replace(REQUEST, suggested_reviewers=("bob",))
    with pytest.raises(Unreachable):
        await Finder(cluster).finder.audience(request)


async def test_labels_are_asked_for_only_where_a_rule_asks_for_them() -> None:
    request = structs.replace(REQUEST, resources=(NODE,))
    cluster = Cluster()
    await Finder(cluster).finder.audience(request)
    assert "labels" not in cluster.asked


async def test_excluded_roles_are_told_to_nobody_not_even_the_requester() -> None:
    cluster = Cluster({"alice": user("alice", "alice@example.com")})
    made = Finder(cluster, exclude_roles=("dev",), notify_requester=frozenset({"received"}))
    assert await made.finder.audience(REQUEST) == Audience()
    assert made.unroutable == 0, "meant so, no fault"


async def test_nobody_to_tell_is_an_error_and_counted() -> None:
    made = Finder(Cluster(), skip_requester=True)
    with capture_logs() as lines:
        found = await made.finder.audience(structs.replace(REQUEST, user="all@example.com"))
    assert found.reviewers == ()
    assert made.unroutable == 1
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["nobody to tell"]


@pytest.mark.parametrize(
    ("name", "users", "address"),
    [
        ("alice@example.com", {}, "alice@example.com"),
        ("alice", {"alice": user("alice", "alice@example.com")}, "alice@example.com"),
        ("alice", {}, ""),
    ],
)
async def test_the_requesters_address(name: str, users: Mapping[str, User], address: str) -> None:
    made = Finder(Cluster(users), notify_requester=frozenset({"approved"}))
    with capture_logs() as lines:
        found = await made.finder.audience(structs.replace(REQUEST, user=name))
    assert found.requester == address
    warned = [line["event"] for line in lines if line["log_level"] == "warning"]
    assert warned == ([] if address else ["requester not told"])


async def test_requesters_are_not_looked_up_where_they_are_not_told() -> None:
    cluster = Cluster()
    assert (await Finder(cluster).finder.audience(REQUEST)).requester == ""
    assert cluster.asked == []


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("access_request.spec.roles", 1),
        ("((", 0),  # said once, when the rules were read
    ],
)
async def test_a_rule_that_does_not_evaluate_is_said_and_the_others_decide(condition: str, said: int) -> None:
    rule = AccessMonitoringRule("broken", ("access_request",), condition, "email", ("x@example.com",))
    with capture_logs() as lines:
        found = await Finder(Cluster(), rule).finder.audience(REQUEST)
    assert found.reviewers == ("all@example.com",)
    assert len([line for line in lines if line["event"] == "rule does not work"]) == said


async def test_a_silenced_request_is_said_in_one_line_and_only_once() -> None:
    labels = {"teleport-email/silence": "true"}
    quiet = AccessMonitoringRule("quiet", ("access_request",), "true", "email", labels=labels)
    cluster = Cluster({"alice": user("alice", "alice@example.com")})
    finder = Finder(cluster, quiet, notify_requester=frozenset({"approved"}))
    with capture_logs() as lines:
        for _ in range(3):
            told = await finder.finder.audience(REQUEST)
            assert told == Audience((), "alice@example.com"), "their own messages are not the rule's concern"
    assert [(line["event"], line["log_level"]) for line in lines if line["log_level"] != "debug"] == [
        ("silenced by a rule", "info")
    ]
    assert finder.unroutable == 0


def test_rules_are_told_of_when_they_are_new_or_changed() -> None:
    def compiled(*unknown: str) -> Any:
        return compile_rules(
            [
                AccessMonitoringRule("new", ("access_request",), "true", "email", unknown=unknown),
                AccessMonitoringRule("bad", ("access_request",), "((", "email"),
            ]
        )

    failed: list[None] = []
    with capture_logs() as lines:
        tell_of_rules(compiled("spec: field 9"), (), lambda: failed.append(None))
        tell_of_rules(compiled("spec: field 9"), compiled("spec: field 9"), lambda: failed.append(None))
        tell_of_rules(compiled("spec: field 10"), compiled("spec: field 9"), lambda: failed.append(None))
    assert [(line["event"], line["rule"]) for line in lines] == [
        ("rule does not work", "bad"),
        ("rule to look at", "new"),
        ("rule to look at", "new"),
    ]
    assert "field 10" in lines[-1]["remark"]
    assert len(failed) == 1


async def test_of_thousands_that_are_not_told_twenty_are_named() -> None:
    request = structs.replace(
        REQUEST, suggested_reviewers=tuple(f"n{number}-{'x' * 500}" for number in range(12_000))
    )
    with capture_logs() as lines:
        await Finder(Cluster()).finder.audience(request)
    (line,) = [line for line in lines if line["event"] == "not told"]
    assert line["skipped"].endswith(" and 11980 more")
    assert "n19-" in line["skipped"]
    assert len(line["skipped"]) < 10_000


async def test_for_which_users_addresses_were_looked_up_is_known() -> None:
    cluster = Cluster({"bob": user("bob", "Bob@Example.com"), "rob": user("rob", "bob@example.com")})
    request = structs.replace(REQUEST, suggested_reviewers=("bob", "all@example.com", "rob"))
    finder = AudienceFinder(settings(), lambda: (), cluster, cluster)
    assert (await finder.audience(request)).names == {
        "Bob@example.com": ("bob",),
        "bob@example.com": ("rob",),
    }


def escalating(**delivery: Any) -> Settings:
    roles = {"dev": ("head@example.com", "alice@example.com"), "prod-*": ("ops@example.com",)}
    chosen = EscalationSettings(after=60.0, role_to_recipients=roles)
    spelled = {"head@example.com": "Head@EXAMPLE.com", "other@example.com": "Other@EXAMPLE.com"}
    return structs.replace(settings(**delivery), escalation=chosen, spelled=spelled)


@pytest.mark.parametrize(
    ("roles", "delivery", "told"),
    [
        (("dev",), {}, ("head@example.com", "alice@example.com")),
        (("dev", "prod-db"), {}, ("head@example.com", "alice@example.com", "ops@example.com")),
        (("other",), {}, ()),
        (("dev",), {"exclude_roles": ("dev",)}, ()),
        (("dev",), {"max_recipients": 1}, ("head@example.com",)),
        (("dev",), {"skip_requester": True}, ("head@example.com",)),
        (("dev",), {"recipients_annotation": "who"}, ("head@example.com", "alice@example.com")),
        (("other",), {"fallback_recipient": "f@example.com"}, ()),
    ],
)
def test_a_request_is_escalated_by_role_alone(
    roles: tuple[str, ...], delivery: dict[str, Any], told: tuple[str, ...]
) -> None:
    request = structs.replace(
        REQUEST,
        user="alice@example.com",
        roles=roles,
        suggested_reviewers=("eve@example.com",),
        system_annotations={"who": ("eve@example.com",)},
    )
    cluster = Cluster()
    found = AudienceFinder(escalating(**delivery), lambda: (), cluster, cluster).escalation(request)
    assert found.escalation == told
    assert found.spelled == {each: "Head@EXAMPLE.com" for each in told if each == "head@example.com"}
    assert cluster.asked == []
    assert found.reviewers == ()


async def test_who_is_escalated_to_is_known_with_the_first_look() -> None:
    cluster = Cluster()
    found = await AudienceFinder(escalating(), lambda: (), cluster, cluster).audience(REQUEST)
    assert found.reviewers == ("all@example.com",)
    assert found.escalation == ("head@example.com", "alice@example.com")
    assert AudienceFinder(settings(), lambda: (), cluster, cluster).escalation(REQUEST).escalation == ()

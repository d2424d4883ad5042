"""Who is told, by rules and traits that the daemon reads from the cluster."""

from __future__ import annotations

import re
from typing import Any

import pytest

from teleport_email.core import go_plugin
from teleport_email.core.model import AccessMonitoringRule, ResourceID, User
from teleport_email.sandbox.cluster.faults import fail
from teleport_email.teleport._proto import auth_pb2, types_pb2


def rule(name: str, condition: str, *recipients: str) -> AccessMonitoringRule:
    return AccessMonitoringRule(name, ("access_request",), condition, "email", recipients)


def told(world: Any) -> list[str]:
    return sorted(mail.to for mail in world.inbox.messages)


async def test_a_matching_rule_takes_the_place_of_everything_else(world: Any) -> None:
    world.cluster.put_rule(rule("dev", 'access_request.spec.roles.contains("dev")', "carol@example.com"))
    await world.start()
    await world.cluster.create(roles=["dev"], suggested_reviewers=["bob@example.com"])
    await world.inbox.wait_for(1)
    await world.cluster.create(roles=["other"])
    await world.inbox.wait_for(2)
    assert told(world) == ["all@example.com", "carol@example.com"]


async def test_rules_may_change_while_we_watch_and_open_threads_keep_their_people(world: Any) -> None:
    await world.start()
    first = await world.cluster.create(user="zoe@example.com")
    await world.inbox.wait_for(1)
    world.cluster.put_rule(rule("late", "true", "carol@example.com"))
    await world.cluster.wait_for(lambda: world.running[0].daemon._rules != ())
    await world.cluster.approve(first.id)
    await world.inbox.wait_for(2)
    await world.cluster.create()
    await world.inbox.wait_for(3)
    world.cluster.delete_rule("late")
    await world.cluster.wait_for(lambda: world.running[0].daemon._rules == ())
    await world.cluster.create()
    await world.inbox.wait_for(4)
    assert [mail.to for mail in world.inbox.messages] == [
        "all@example.com", "all@example.com", "carol@example.com", "all@example.com",
    ]  # fmt: skip


async def test_rules_on_traits_and_labels_and_recipients_by_user_name(world: Any) -> None:
    world.cluster.put_user(User("alice@example.com", traits={"team": ("red",)}))
    world.cluster.put_user(User("carol", traits={"email": ("carol@example.com",)}))
    server = types_pb2.ServerV2(Metadata=types_pb2.Metadata(Name="uuid-1", Labels={"env": "prod"}))
    world.cluster.put_resource("node", auth_pb2.PaginatedResource(Node=server))
    world.cluster.put_rule(rule("team", 'user.traits["team"].contains("red")', "red@example.com"))
    labels = 'access_request.spec.resource_labels_union["env"].contains("prod")'
    world.cluster.put_rule(rule("prod", labels, "carol"))
    await world.start()
    await world.cluster.create(resources=[ResourceID("demo.example.com", "node", "uuid-1")])
    await world.inbox.wait_for(2)
    assert told(world) == ["carol@example.com", "red@example.com"]


async def test_a_rule_that_does_not_parse_harms_nobody_and_is_said_once_and_counted(world: Any) -> None:
    world.cluster.put_rule(rule("broken", "this is no condition", "carol@example.com"))
    running = await world.start()
    for count in (1, 2):
        await world.cluster.create()
        await world.inbox.wait_for(count)
    assert told(world) == ["all@example.com"] * 2
    [line] = world.said("rule does not work")
    assert "at character 6" in line
    assert running.daemon.observer.rule_faults == 1


async def test_a_rule_that_does_not_evaluate_is_said_with_its_request_and_counted(world: Any) -> None:
    traits = 'user.traits["team"].contains("red")'
    world.cluster.put_rule(rule("team", traits, "red@example.com"))
    running = await world.start()
    request = await world.cluster.create(user="nobody-knows")
    await world.inbox.wait_for(1)
    assert told(world) == ["all@example.com"]
    [line] = world.said("rule does not work")
    assert request.id in line
    assert running.daemon.observer.rule_faults == 1


@pytest.mark.parametrize("user", ["alice@example.com", "alice"])
async def test_the_requester_s_name_is_told_where_it_can_be_read(world: Any, user: str) -> None:
    world.cluster.put_user(User(user, traits={"displayName": ("Alice Martin",)}))
    await world.start()
    await world.cluster.create(user=user)
    await world.inbox.wait_for(1)
    [mail] = world.inbox.messages
    assert f"\nUser: {user}\n" in mail.text
    assert "\nName: Alice Martin\n" in mail.text
    assert f"{user} (Alice Martin) asks for dev." in re.sub("<[^>]*>", "", mail.html)


async def test_a_name_that_cannot_be_read_holds_no_message_up(world: Any) -> None:
    world.cluster.faults.on("UsersService/GetUser", fail(), times=None)
    await world.start()
    await world.cluster.create(user="alice")
    await world.inbox.wait_for(1, timeout=60)
    assert "Name:" not in world.inbox.messages[0].text


async def test_requesters_hear_what_became_of_their_request(world: Any) -> None:
    world.cluster.put_user(User("zoe", traits={"email": ("zoe@example.com",)}))
    chosen = frozenset({"received", "approved", "ended"})
    await world.start(delivery={"notify_requester": chosen})
    request = await world.cluster.create(user="zoe")
    await world.inbox.wait_for(2)
    await world.cluster.approve(request.id, "ok")
    await world.inbox.wait_for(4)
    await world.cluster.expire(request.id)
    await world.inbox.wait_for(5)
    mails = world.inbox.to("zoe@example.com")
    assert len(mails) == 3
    assert len({mail.references for mail in mails}) == 1
    assert mails[0].references != world.inbox.to("all@example.com")[0].references
    assert len(world.inbox.to("all@example.com")) == 2


# The refinements of the configuration ---------------------------------------------------------------------


async def route(world: Any, *, delivery: dict[str, Any], mails: int, **request: Any) -> list[str]:
    """Who is told of a request; ``mails`` are expected, and no more come."""
    running = await world.start(delivery=delivery)
    made = await world.cluster.create(**request)
    await world.inbox.wait_for(mails)
    await running.until(lambda: running.daemon.store.version(made.id))
    await running.settled()
    return told(world)


async def test_requests_for_excluded_roles_only_tell_nobody_and_nobody_complains(world: Any) -> None:
    running = await world.start(delivery={"exclude_roles": ("sandbox-*", "dba")})
    quiet = await world.cluster.create(roles=["sandbox-eu", "dba"], suggested_reviewers=["bob@example.com"])
    await world.cluster.create(roles=["sandbox-eu", "dev"])
    await world.inbox.wait_for(1)
    await running.settled()
    await world.cluster.approve(quiet.id)
    await running.settled()
    assert told(world) == ["all@example.com"]
    assert world.said("nobody to tell") == []
    assert world.cluster.plugin_data(quiet.id) == {}


@pytest.mark.parametrize(
    ("mode", "reviewers", "expected"),
    [
        ("add", ["bob@example.com"], ["all@example.com", "bob@example.com"]),
        ("only", ["bob@example.com"], ["bob@example.com"]),
        ("only", ["not-an-address"], ["all@example.com"]),
        ("ignore", ["bob@example.com"], ["all@example.com"]),
    ],
)
async def test_modes_of_suggested_reviewers(
    world: Any, mode: str, reviewers: list[str], expected: list[str]
) -> None:
    delivery = {"suggested_reviewers": mode}
    assert (
        await route(world, delivery=delivery, mails=len(expected), suggested_reviewers=reviewers) == expected
    )


async def test_strangers_are_refused_also_where_a_user_s_trait_names_them(world: Any) -> None:
    world.cluster.put_user(User("eve", traits={"email": ("eve@evil.example",)}))
    world.cluster.put_user(User("dan", traits={"email": ("dan@example.com",)}))
    assert await route(
        world,
        delivery={"allowed_domains": ("example.com",), "max_suggested_reviewers": 4},
        mails=3,
        suggested_reviewers=[
            "eve",
            "mallory@evil.example",
            "dan",
            "carol@example.com",
            "one.too.many@example.com",
        ],
    ) == ["all@example.com", "carol@example.com", "dan@example.com"]
    [line] = world.said("not told")
    for name in ("eve ", "mallory@evil.example", "one.too.many@example.com"):
        assert name in line


async def test_a_requester_does_not_review_their_own_request(world: Any) -> None:
    world.cluster.put_user(User("zoe", traits={"email": ("zoe@example.com",)}))
    assert await route(
        world, delivery={"skip_requester": True}, mails=1, user="zoe", suggested_reviewers=["Zoe@example.com"]
    ) == ["all@example.com"]


async def test_the_fallback_is_told_and_that_is_an_error_and_counted(world: Any) -> None:
    world.cluster.put_rule(rule("typing-error", "true", "carol-example.com"))
    assert await route(world, delivery={"fallback_recipient": "it@example.com"}, mails=1) == [
        "it@example.com"
    ]
    [line] = world.said("nobody to tell")
    assert "error" in line.lower()
    assert "typing-error" in line
    assert world.running[0].daemon.observer.without_recipient == 1


async def test_nobody_to_tell_is_an_error_and_counted(world: Any) -> None:
    delivery = {"skip_requester": True}
    assert await route(world, delivery=delivery, mails=0, user="all@example.com") == []
    [line] = world.said("nobody to tell")
    assert "no delivery.fallback_recipient is set" in line
    assert world.running[0].daemon.observer.without_recipient == 1


async def test_no_more_than_max_recipients(world: Any) -> None:
    crowd = tuple(f"r{number}@example.com" for number in range(5))
    world.cluster.put_rule(rule("crowd", "true", *crowd))
    assert await route(world, delivery={"max_recipients": 3}, mails=3) == list(crowd[:3])
    [line] = world.said("not told")
    assert "r3@example.com (beyond the first 3 recipients" in line
    assert "r4@example.com" in line


async def test_globs_of_roles_and_groups_merge(world: Any) -> None:
    await world.start(
        role_to_recipients={
            "*": ("all@example.com",),
            "prod-*": ("sre@example.com", "boss@example.com"),
            "prod-db": ("dba@EXAMPLE.com", "boss@example.com"),
        }
    )
    await world.cluster.create(roles=["prod-db", "prod-web"], suggested_reviewers=["dba@example.com"])
    await world.inbox.wait_for(3)
    await world.running[0].settled()
    assert [address.lower() for address in told(world)] == [
        "boss@example.com", "dba@example.com", "sre@example.com",
    ]  # fmt: skip


async def test_two_deployments_share_a_cluster(world: Any) -> None:
    """Each by its own name: in the plugin data, and in the rules."""
    world.cluster.put_rule(rule("ours", "true", "first@example.com"))
    theirs = AccessMonitoringRule(
        "theirs", ("access_request",), 'plugin.spec.name == "email-eu"', "email-eu", ("second@example.com",)
    )
    world.cluster.put_rule(theirs)
    await world.start()
    second = await world.start(plugin_name="email-eu")
    request = await world.cluster.create()
    await world.inbox.wait_for(2)
    await world.told(request.id)
    await second.settled()
    await world.cluster.deny(request.id)
    await world.inbox.wait_for(4)
    for running in world.running:
        await running.settled()
    assert told(world) == ["first@example.com"] * 2 + ["second@example.com"] * 2
    world.assert_once()
    for name, address in (("email", "first@example.com"), ("email-eu", "second@example.com")):
        ledger = go_plugin.read(world.cluster.plugin_data(request.id, name))
        assert [party.address for party in ledger.parties] == [address]
        assert not ledger.owner


async def test_another_name_after_a_reload_is_another_deployment(world: Any) -> None:
    running = await world.start()
    request = await world.cluster.create()
    await world.told(request.id, mails=1)
    running.settings = world.settings(plugin_name="email-eu", role_to_recipients={"*": ("eu@example.com",)})
    running.signals.reload()
    await world.cluster.wait_for(lambda: world.cluster.plugin_data(request.id, "email-eu"))
    await world.inbox.wait_for(2)
    assert told(world) == ["all@example.com", "eu@example.com"]

"""Who is told, by rules and traits that the daemon reads from the cluster."""

from __future__ import annotations

from typing import Any

from teleport_email.model import AccessMonitoringRule, ResourceID, User
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


async def test_a_rule_that_does_not_parse_harms_nobody(world: Any) -> None:
    world.cluster.put_rule(rule("broken", "this is no condition", "carol@example.com"))
    await world.start()
    await world.cluster.create()
    await world.inbox.wait_for(1)
    assert told(world) == ["all@example.com"]


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

"""One life cycle, one routing by rules and one request for resources on each version of Teleport."""

from __future__ import annotations

from typing import Any

import pytest

from teleport_email.core.model import AccessMonitoringRule, Constraint, RequestState, ResourceID, User
from teleport_email.sandbox.cluster.generation import VERSIONS
from teleport_email.sandbox.cluster.permissions import FULL, MINIMAL
from teleport_email.teleport._proto import auth_pb2, types_pb2

pytestmark = pytest.mark.parametrize("world", VERSIONS, indirect=True)


async def test_a_life_cycle(world: Any) -> None:
    running = await world.start()
    request = await world.cluster.create(roles=["dev"], reason="Fix the build")
    await world.inbox.wait_for(1)
    await world.cluster.review(request.id, "bob@example.com", RequestState.APPROVED, "fine")
    await world.inbox.wait_for(3)
    assert world.kinds("all@example.com") == ["a", "r1", "A"]
    assert running.daemon.link.status.server_version == world.cluster.version
    assert world.said("ERROR") + world.said("WARNING") == []


async def test_rules_where_there_are_any(world: Any) -> None:
    condition = 'access_request.spec.roles.contains("dev")'
    world.cluster.put_rule(
        AccessMonitoringRule("dev", ("access_request",), condition, "email", ("rule@example.com",))
    )
    await world.start()
    await world.cluster.create(roles=["dev"])
    [mail] = await world.inbox.wait_for(1)
    old = world.cluster.version.startswith("12.")
    assert mail.to == ("all@example.com" if old else "rule@example.com")
    assert len(world.said("no access monitoring rules")) == old


async def test_resources_with_and_without_the_permission(world: Any) -> None:
    world.cluster.put_node("uuid-1", "web-01")
    await world.start()
    node = ResourceID("demo.example.com", "node", "uuid-1")
    await world.cluster.create(resources=[node])
    await world.inbox.wait_for(1)
    world.cluster.put_role("access-plugin", {kind: FULL[kind] for kind in FULL if kind in MINIMAL})
    await world.cluster.create(resources=[node])
    await world.inbox.wait_for(2)
    assert ["web-01" in mail.text for mail in world.inbox.messages] == [True, False]


async def test_the_preset_role_names_and_labels_resources_that_it_may_only_preview(world: Any) -> None:
    world.cluster.write_identity(
        world.identity.parent, world.cluster.identity(roles=["access-plugin-preset"])
    )
    server = types_pb2.ServerV2(
        Metadata=types_pb2.Metadata(Name="uuid-1", Labels={"env": "prod"}),
        Spec=types_pb2.ServerSpecV2(Hostname="web-01"),
    )
    world.cluster.put_resource("node", auth_pb2.PaginatedResource(Node=server))
    labels = 'access_request.spec.resource_labels_union["env"].contains("prod")'
    world.cluster.put_rule(
        AccessMonitoringRule("prod", ("access_request",), labels, "email", ("prod@example.com",))
    )
    await world.start()
    part = Constraint("logins", ("root",))
    await world.cluster.create(resources=[ResourceID("demo.example.com", "node", "uuid-1", constraint=part)])
    [mail] = await world.inbox.wait_for(1)
    assert "web-01 (logins: root)" in mail.text
    assert mail.to == ("all@example.com" if world.cluster.version.startswith("12.") else "prod@example.com")


async def test_who_is_known_from_their_login_only_is_found(world: Any) -> None:
    world.cluster.put_login_state(User("carol", traits={"email": ("carol@example.com",)}))
    world.cluster.put_user(User("dan", traits={"email": ("dan@example.com",)}))
    await world.start()
    await world.cluster.create(suggested_reviewers=["carol", "dan"])
    old = world.cluster.version.startswith("12.")
    await world.inbox.wait_for(2 if old else 3)
    told = {mail.to for mail in world.inbox.messages}
    assert told == {"all@example.com", "dan@example.com"} | (set() if old else {"carol@example.com"})

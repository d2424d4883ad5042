"""One life cycle, one routing by rules and one request for resources on each version of Teleport."""

from __future__ import annotations

from typing import Any

import pytest

from teleport_email.core.model import AccessMonitoringRule, RequestState, ResourceID
from teleport_email.sandbox.cluster.generation import VERSIONS
from teleport_email.sandbox.cluster.permissions import FULL, MINIMAL

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

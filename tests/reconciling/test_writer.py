"""What the texts about a request are written from."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.decide import View
from teleport_email.core.errors import Unreachable
from teleport_email.core.ledger import Entry, Ledger, Mark, Party
from teleport_email.core.model import (
    AccessRequest,
    ClusterInfo,
    Kind,
    RequestState,
    ResourceID,
    Review,
    Topic,
)
from teleport_email.reconciling.writer import TextWriter
from teleport_email.render.renderer import Renderer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NODE = ResourceID("demo.example.com", "node", "0b6f5f6e-9d0e-4e0e-8a55-000000000001")
REQUEST = AccessRequest("id", "alice", ("dev",), created=NOW, expires=NOW + timedelta(hours=1))


class Cluster:
    """Names of users and resources, or a fault."""

    def __init__(self, fault: Unreachable | None = None) -> None:
        self.fault = fault

    async def name(self, name: str) -> str | None:
        if self.fault:
            raise self.fault
        return None

    async def names(self, ids: Sequence[ResourceID]) -> Mapping[ResourceID, str]:
        if self.fault:
            raise self.fault
        return {NODE: "db-1"}


def writer(cluster: Cluster) -> TextWriter:
    return TextWriter(
        Renderer(DeliverySettings(sender="teleport@example.com"), on_fault=pytest.fail),
        cluster,
        cluster,
        cluster=lambda: ClusterInfo("demo.example.com"),
        wall=lambda: NOW,
        rng=random.Random(1),
    )


async def test_a_text_has_the_names_of_resources_and_who_is_told() -> None:
    cluster = Cluster()
    request = structs.replace(REQUEST, resources=(NODE,))
    render = await writer(cluster).prepare(View(request))
    ledger = Ledger(
        nonce="00" * 16, parties=(Party("a@example.com"), Party("alice@example.com", requester=True))
    )
    content = render(Kind(Topic.ANNOUNCEMENT), View(request), ledger)
    assert "db-1" in content.text
    assert content.date == NOW


async def test_no_boundary_comes_twice() -> None:
    render = await writer(Cluster()).prepare(View(REQUEST))
    ledger = Ledger(nonce="00" * 16)
    made = [render(Kind(Topic.ANNOUNCEMENT), View(REQUEST), ledger) for _ in range(50)]
    assert len({content.boundary for content in made}) == 50


async def test_names_that_cannot_be_found_hold_up_no_mail() -> None:
    cluster = Cluster(Unreachable("no answer"))
    request = structs.replace(REQUEST, user="alice@example.com", resources=(NODE,))
    render = await writer(cluster).prepare(View(request))
    assert NODE.name in render(Kind(Topic.ANNOUNCEMENT), View(request), Ledger(nonce="00" * 16)).text


async def test_a_request_that_is_gone_is_told_as_expired() -> None:
    render = await writer(Cluster()).prepare(View(REQUEST))
    ledger = Ledger(nonce="00" * 16)
    assert "EXPIRED" in render(Kind(Topic.EXPIRED), View(REQUEST, gone=True), ledger).text
    approved = structs.replace(REQUEST, state=RequestState.APPROVED)
    assert "APPROVED" in render(Kind(Topic.APPROVED), View(approved, gone=True), ledger).text


async def test_an_escalation_names_who_was_told_and_has_written_no_review() -> None:
    announced = {Kind(Topic.ANNOUNCEMENT): Entry(Mark.DELIVERED)}
    refused = {Kind(Topic.ANNOUNCEMENT): Entry(Mark.GIVEN_UP)}
    ledger = Ledger(
        nonce="00" * 16,
        parties=(
            Party("silent@example.com", entries=announced),
            Party("Ann@example.com", entries=announced),
            Party("carol@example.com", entries=announced, names=("carol",)),
            Party("gone@example.com", entries=refused),
            Party("alice@example.com", requester=True),
            Party("lead@example.com", escalated=True),
        ),
    )
    reviews = (Review("Ann@EXAMPLE.com", RequestState.APPROVED), Review("carol", RequestState.APPROVED))
    request = structs.replace(REQUEST, reviews=reviews)
    render = await writer(Cluster()).prepare(View(request))
    text = render(Kind(Topic.ESCALATION, 2), View(request), ledger).text
    assert "\nNo review yet: silent@example.com\n" in text
    assert "\nTold: silent@example.com, Ann@example.com, carol@example.com\n" in text

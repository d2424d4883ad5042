"""Certificates that live for seconds: the connection follows them, and nothing is missed on the way."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from teleport_email.config.settings import LogSettings, TeleportSettings
from teleport_email.watching import watch

pytestmark = pytest.mark.usefixtures("hasty")

RENEWALS = 8
LIFE = timedelta(seconds=3)
APART = 1.05
"""Seconds between two renewals: a certificate's times are whole seconds, so sooner it would end no later."""


def renew(world: Any, valid_for: timedelta) -> None:
    """A new identity: the new file takes the place of the old one."""
    fresh: Path = world.identity.with_name("identity.new")
    fresh.write_bytes(world.cluster.identity(valid_for=valid_for))
    fresh.chmod(0o600)
    fresh.replace(world.identity)


def quick(world: Any, interval: float = 0.1) -> TeleportSettings:
    return TeleportSettings(
        addr=world.cluster.addr,
        identity=world.identity,
        refresh_identity=True,
        refresh_identity_interval=interval,
    )


async def test_many_renewals_miss_nothing(world: Any) -> None:
    renew(world, LIFE)
    running = await world.start(teleport=quick(world))
    made = []
    for turn in range(RENEWALS):
        connections = running.daemon.link.status.connections
        await asyncio.sleep(APART)
        renew(world, LIFE)
        made.append((await world.cluster.create(reason=f"before {turn}")).id)
        # One more while the new connection takes the place of the old one.
        await running.until(lambda then=connections: running.daemon.link.status.connections > then)
        made.append((await world.cluster.create(reason=f"during {turn}")).id)
    await world.told(*made, mails=len(made))
    world.assert_once()
    assert len(world.said("connection renewed")) >= RENEWALS
    for outage in ("connection to the cluster lost", "stream ended", "connected again"):
        assert world.said(outage) == []
    assert running.daemon.link.status.connections == len(world.said("connection renewed")) + 1


async def test_an_expired_identity_is_waited_for(world: Any) -> None:
    renew(world, timedelta(hours=-1))
    starting = asyncio.create_task(world.start(teleport=quick(world)))
    async with asyncio.timeout(60):
        while not world.said("waiting for a new identity"):
            await asyncio.sleep(0.02)
    [said] = world.said("waiting for a new identity")
    assert "expired at" in said
    renew(world, timedelta(hours=1))
    await starting
    request = await world.cluster.create()
    await world.told(request.id, mails=1)


async def test_the_end_of_a_certificate_that_nothing_renews_is_told(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK_AT_END_EVERY", 0.05)
    renew(world, timedelta(seconds=2))
    teleport = structs.replace(quick(world), refresh_identity=False)
    running = await world.start(teleport=teleport)
    await running.until(lambda: world.said("identity expired"))
    assert len(world.said("identity ends soon")) == 1
    [said] = world.said("identity expired")
    assert "ERROR" in said
    assert "refresh_identity" in said


async def test_a_reload_that_changes_the_way_in_says_where_it_is_now(world: Any) -> None:
    running = await world.start()
    before = running.daemon.link.status.connections
    log = LogSettings(output=str(world.log_file), severity="debug")
    running.settings = world.settings(teleport=quick(world), log=log)
    running.signals.reload()
    await running.until(lambda: running.daemon.link.status.connections > before)
    await running.until(lambda: len(world.said("connected cluster=")) == 2)
    request = await world.cluster.create()
    await world.told(request.id, mails=1)

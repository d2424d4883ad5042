"""``check`` where owners of Access Lists are to be reminded: what is permitted, what is there, what is kept where."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from teleport_email.commands.checks import access_lists, cluster
from teleport_email.commands.checks.line import Level, Line
from teleport_email.config.settings import (
    AccessListSettings,
    DeliverySettings,
    Settings,
    SmtpSettings,
    TeleportSettings,
)
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.faults import carry_out_plainly, fail
from teleport_email.sandbox.cluster.permissions import MINIMAL

DAY = timedelta(days=1)
ON = AccessListSettings(enabled=True)


@pytest.fixture
async def there() -> AsyncIterator[SandboxCluster]:
    async with SandboxCluster() as made:
        yield made


async def check(
    there: SandboxCluster, directory: Path, settings: AccessListSettings = ON, **identity: Any
) -> list[Line]:
    path = there.write_identity(directory, there.identity(**identity))
    made = Settings(
        teleport=TeleportSettings(addr=there.addr, identity=path),
        mailer=SmtpSettings(host="mail.example.com"),
        delivery=DeliverySettings(sender="teleport@example.com"),
        role_to_recipients={"*": ("all@example.com",)},
        access_lists=settings,
    )
    return [line async for line in cluster.inspect(made)]


def about_lists(lines: list[Line]) -> list[tuple[Level, str]]:
    return [(line.level, line.what) for line in lines if "access list" in (line.area + line.what).lower()]


def make(there: SandboxCluster, due: timedelta, **more: Any) -> None:
    there.access_lists.create(due=datetime.now(UTC) + due, **({"members": ("carol",)} | more))


async def test_off_nothing_is_asked(there: SandboxCluster, tmp_path: Path) -> None:
    lines = await check(there, tmp_path, AccessListSettings())
    assert about_lists(lines) == []
    assert not [call for call in there.calls if "AccessList" in call]


async def test_what_is_there_is_counted_and_nothing_is_written(there: SandboxCluster, tmp_path: Path) -> None:
    for due in (10 * DAY, -DAY, 100 * DAY):
        make(there, due)
    make(there, DAY, members=())
    make(there, DAY, type="static")
    lines = about_lists(await check(there, tmp_path))
    assert lines == [
        (Level.OK, "may list Access Lists"),
        (
            Level.OK,
            "4 have a date of review; of 2 it is open, 1 of them overdue; 1 without members, which are left out",
        ),
    ]
    assert there.all_plugin_data(kind="access_list") == {}
    kept = AccessListSettings(enabled=True, skip_without_members=False)
    assert about_lists(await check(there, tmp_path, kept))[1][1].startswith("4 have a date of review; of 3")


async def test_a_cluster_that_keeps_plugin_data_for_lists_alone_is_a_note(
    there: SandboxCluster, tmp_path: Path
) -> None:
    there.faults.only_for_lists = True
    level, what = about_lists(await check(there, tmp_path))[-1]
    assert (level, "a mail for each list" in what) == (Level.NOTE, True)


async def test_a_cluster_without_access_lists_is_a_note(tmp_path: Path) -> None:
    async with SandboxCluster(advanced_workflows=False) as community:
        lines = about_lists(await check(community, tmp_path))
    assert lines == [
        (
            Level.NOTE,
            "this cluster has no Access Lists (Enterprise has): their owners are not reminded of reviews",
        )
    ]


async def test_a_missing_permission_is_a_warning_with_the_lines_of_the_role(
    there: SandboxCluster, tmp_path: Path
) -> None:
    lines = await check(there, tmp_path, permissions=MINIMAL)
    [line] = [line for line in lines if "list Access Lists" in line.what]
    assert line.level is Level.WARNING
    assert "their owners are not reminded of reviews" in line.what
    assert "      - resources: [access_list]" in line.todo
    assert "        verbs: [list, read]" in line.todo
    assert "      - resources: [user]" in line.todo, "for owners whose names are no addresses"


async def test_what_cannot_be_found_out_is_said(there: SandboxCluster, tmp_path: Path) -> None:
    make(there, DAY)
    there.faults.on("ListAccessLists", fail(), times=None)
    lines = await check(there, tmp_path)
    assert any("could not find out whether we may list Access Lists" in line.what for line in lines)
    assert not [line for line in lines if line.area == access_lists.AREA]


async def test_lists_that_cannot_be_looked_through(there: SandboxCluster, tmp_path: Path) -> None:
    make(there, DAY)
    there.faults.on("ListAccessLists", carry_out_plainly, times=1)
    there.faults.on("ListAccessLists", fail(), times=None)
    lines = await check(there, tmp_path)
    [line] = [line for line in lines if line.area == access_lists.AREA]
    assert (line.level, line.what.startswith("could not be looked through: ")) == (Level.WARNING, True)


async def test_plugin_data_that_cannot_be_tried(there: SandboxCluster, tmp_path: Path) -> None:
    there.faults.on("UpdatePluginData", carry_out_plainly, times=1)  # that of requests
    there.faults.on("UpdatePluginData", fail(), times=None)
    _, line = [line for line in await check(there, tmp_path) if line.area == access_lists.AREA]
    assert (line.level, "could not find out whether it can be kept" in line.what) == (Level.WARNING, True)

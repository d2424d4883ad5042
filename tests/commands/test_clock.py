"""A clock that is wrong at boot: to the commands it is what it is to the daemon, no fault of the identity."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from teleport_email import cli
from teleport_email.sandbox.command.running import Sandbox, SandboxOptions

COMMANDS = (["ls"], ["show", "ID"], ["retry", "ID"], ["explain", "ID"], ["check"])


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxOptions(directory=tmp_path / "sandbox")) as running:
        yield running


async def codes(sandbox: Sandbox, identity: bytes, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """What each command ends with; each must speak of the certificate."""
    sandbox.cluster.write_identity(sandbox.options.directory, identity)
    ended = {}
    for command in COMMANDS:
        capsys.readouterr()
        ended[command[0]] = await asyncio.to_thread(cli.main, [*command, "-c", str(sandbox.configuration)])
        assert "the certificate of access-plugin" in "".join(capsys.readouterr())
    return ended


async def test_before_its_time_or_after_it_by_a_clock_that_nothing_has_set(
    sandbox, capsys, monkeypatch
) -> None:
    future = sandbox.cluster.identity(not_before=datetime.now(UTC) + timedelta(hours=1))
    past = sandbox.cluster.identity(valid_for=timedelta(hours=-1))
    passes = {command[0]: 1 for command in COMMANDS}
    monkeypatch.setattr("teleport_email.daemon.clocks.clock_set", lambda: False)
    assert await codes(sandbox, past, capsys) == passes
    monkeypatch.setattr("teleport_email.daemon.clocks.clock_set", lambda: True)
    assert await codes(sandbox, future, capsys) == passes
    assert await codes(sandbox, past, capsys) == dict.fromkeys(passes, 78)

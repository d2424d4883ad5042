"""Child processes: watched while they run, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

import pytest

from teleport_email.sandbox.command import children
from teleport_email.sandbox.command.children import ChildEnded, Children

TALKS = "import sys; print('up', flush=True); sys.stdin.read()"
ENDS = "import sys; print('a reason', file=sys.stderr); sys.exit(3)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile True: time.sleep(60)"


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


class Up:
    """Notices the line `up`."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def __call__(self, line: str) -> None:
        if line == "up":
            self.event.set()


async def test_a_child_ends_with_the_block():
    up = Up()
    async with Children() as family:
        child = await family.start("talker", sys.executable, "-c", TALKS, on_line=up)
        await up.event.wait()
        assert alive(child.pid)
        assert os.getpgid(child.pid) == child.pid
    assert not alive(child.pid)


async def test_a_child_ends_when_the_block_fails():
    up = Up()
    pids = []

    async def block() -> None:
        async with Children() as family:
            pids.append((await family.start("talker", sys.executable, "-c", TALKS, on_line=up)).pid)
            await up.event.wait()
            raise ValueError("x")

    with pytest.raises(ExceptionGroup) as raised:
        await block()
    assert raised.group_contains(ValueError)
    assert not alive(pids[0])


async def test_a_child_that_ends_by_itself_ends_the_block_and_the_others():
    up = Up()
    pids = []

    async def block() -> None:
        async with Children() as family:
            pids.append((await family.start("talker", sys.executable, "-c", TALKS, on_line=up)).pid)
            await up.event.wait()
            await family.start("quitter", sys.executable, "-c", ENDS, on_line=up)
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        await block()
    assert raised.group_contains(ChildEnded, match=r"quitter ended by itself with exit code 3[\s\S]*a reason")
    assert not alive(pids[0])


async def test_a_child_that_does_not_listen_is_killed(monkeypatch):
    monkeypatch.setattr(children, "_GRACE", 0.1)
    up = Up()
    async with Children() as family:
        child = await family.start("deaf", sys.executable, "-c", DEAF, on_line=up)
        await up.event.wait()
    assert not alive(child.pid)


async def test_a_second_cancellation_kills_at_once():
    up = Up()

    async def block() -> None:
        async with Children() as family:
            started.set_result(await family.start("deaf", sys.executable, "-c", DEAF, on_line=up))
            await asyncio.Event().wait()

    started: asyncio.Future[children.Child] = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(block())
    child = await started
    await up.event.wait()
    task.cancel()
    async with asyncio.timeout(60):
        while not child.stopping:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await child.process.wait()
    assert not alive(child.pid)


async def test_errors_can_go_elsewhere():
    lines: list[str] = []
    errors: list[str] = []
    script = "import sys; print('out'); print('err', file=sys.stderr, flush=True); sys.stdout.flush(); sys.stdin.read()"
    seen = asyncio.Event()

    def note(box: list[str]):
        def on_line(line: str) -> None:
            box.append(line)
            if lines and errors:
                seen.set()

        return on_line

    async with Children() as family:
        child = await family.start(
            "both", sys.executable, "-c", script, on_line=note(lines), on_error_line=note(errors)
        )
        await seen.wait()
    assert (lines, errors, sorted(child.tail)) == (["out"], ["err"], ["err", "out"])

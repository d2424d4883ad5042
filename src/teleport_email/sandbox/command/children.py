"""Child processes that always end with us: started here, watched here, ended here by their process ids."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from teleport_email.core.errors import TeleportEmailError

_GRACE = 15.0
"""Seconds between SIGTERM and SIGKILL; the daemon finishes what it has in flight."""
# A line of the sandbox is a whole message in JSON.
_MAX_LINE = 1 << 24


class ChildEnded(TeleportEmailError):
    """A child ended that should have gone on. The message has the last lines it wrote."""


class Child:
    """One process. What it writes goes to ``on_line``; the last lines are kept in :attr:`tail`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.process = process
        self.tail: deque[str] = deque(maxlen=20)
        self.stopping = False
        self.readers: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int:
        return self.process.pid

    async def follow(self, stream: asyncio.StreamReader, on_line: Callable[[str], None]) -> None:
        """Pass on every line until the end of the stream."""
        while line := await stream.readline():
            text = line.decode("utf-8", "replace").rstrip("\n")
            self.tail.append(text[:1000])
            on_line(text)

    async def watch(self) -> None:
        """Return when it has been stopped.

        :raises ChildEnded: it ended by itself.
        """
        code = await self.process.wait()
        if not self.stopping:
            # What it said last is the reason, and may still be in the pipes.
            await asyncio.wait(self.readers, timeout=1)
            last = "\n  ".join(self.tail)
            raise ChildEnded(f"{self.name} ended by itself with exit code {code}. Its last lines:\n  {last}")

    async def stop(self) -> None:
        """Ask it to end, make it after a while, and wait until it has."""
        self.stopping = True
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            async with asyncio.timeout(_GRACE):
                await self.process.wait()
        except TimeoutError:
            self.kill()
            await self.process.wait()

    def kill(self) -> None:
        """End it at once."""
        self.stopping = True
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()


class Children:
    """``async with Children() as children``: on leaving, for whatever reason, all have ended, newest first.

    While it lasts, a child that ends by itself ends the block with :class:`ChildEnded` (in a group).
    """

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._tasks = asyncio.TaskGroup()
        self._following: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for child in reversed(self._children):
                await child.stop()
        except asyncio.CancelledError:
            self.kill()
            raise
        finally:
            for task in self._following:
                task.cancel()
            await self._tasks.__aexit__(kind, error, trace)

    async def start(
        self,
        name: str,
        *command: str,
        on_line: Callable[[str], None],
        on_error_line: Callable[[str], None] | None = None,
    ) -> Child:
        """Start a process. Its output goes to ``on_line``, its errors there too or to ``on_error_line``.

        In a process group of its own: a Ctrl-C in the terminal reaches us alone, and we end it in order.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE if on_error_line else asyncio.subprocess.STDOUT,
            limit=_MAX_LINE,
            process_group=0,
        )
        child = Child(name, process)
        self._children.append(child)
        assert process.stdout is not None
        child.readers.append(self._tasks.create_task(child.follow(process.stdout, on_line)))
        if process.stderr is not None and on_error_line is not None:
            child.readers.append(self._tasks.create_task(child.follow(process.stderr, on_error_line)))
        self._following += [*child.readers, self._tasks.create_task(child.watch())]
        return child

    def kill(self) -> None:
        """End all at once."""
        for child in self._children:
            child.kill()

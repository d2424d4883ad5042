"""The daemon, noting how long it takes itself: ``python bench/own_daemon.py FILE start -c FILE``.

For each mail a line of FILE: milliseconds between the event of its request being read and MAIL being written,
and how many of these went by with a call to the cluster under way. Nothing else is changed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from teleport_email.daemon.signals import ignore_hangup

ignore_hangup()

from teleport_email.__main__ import main  # noqa: E402
from teleport_email.mail.smtp import dialogue  # noqa: E402
from teleport_email.teleport.calls import call  # noqa: E402
from teleport_email.teleport.calls.events import RequestPut  # noqa: E402
from teleport_email.watching import watch  # noqa: E402


def note(path: Path) -> None:
    """For one request at a time: its event is the last one before its mail."""
    read = 0.0
    calls: list[tuple[float, float]] = []
    take, unary, together = watch.Watch._take, call.Caller.unary, dialogue._Protocol.together

    def taking(self: watch.Watch, event: Any) -> None:
        nonlocal read
        if isinstance(event, RequestPut) and not read:
            read = time.monotonic()
            calls.clear()
        take(self, event)

    async def calling(self: call.Caller, *args: Any, **kwargs: Any) -> Any:
        begun = time.monotonic()
        try:
            return await unary(self, *args, **kwargs)
        finally:
            calls.append((begun, time.monotonic()))

    def writing(self: Any, commands: Sequence[bytes]) -> Any:
        nonlocal read
        group = together(self, commands)
        if read and commands[0].startswith(b"MAIL"):
            now = time.monotonic()
            called, reached = 0.0, read
            for begun, end in sorted(calls):  # two at once count once
                called += max(0.0, min(end, now) - max(begun, reached))
                reached = max(reached, end)
            with path.open("a") as file:
                file.write(f"{1000 * (now - read):.3f} {1000 * called:.3f}\n")
            read = 0.0
        return group

    watch.Watch._take = taking  # type: ignore[method-assign]
    call.Caller.unary = calling  # type: ignore[method-assign]
    dialogue._Protocol.together = writing  # type: ignore[method-assign]


if __name__ == "__main__":
    note(Path(sys.argv.pop(1)))
    sys.exit(main())

"""Signals: the first SIGTERM or SIGINT asks to stop, a second one ends the process, SIGHUP reloads.

SIGUSR1 and SIGUSR2 do nothing, as with the Go plugin: log rotation and the like send them.

The handlers are put in place before anything else happens (a SIGHUP to a process without one kills it,
and systemd takes such a death for a clean end). What arrives before the daemon listens is kept for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, Self

_STOPPING: Final = (signal.SIGTERM, signal.SIGINT)
_IGNORED: Final = (signal.SIGUSR1, signal.SIGUSR2)


def ignore_hangup() -> None:
    """Survive a SIGHUP from now on, until :class:`Signals` takes it over; and what is always ignored."""
    for number in (signal.SIGHUP, *_IGNORED):
        signal.signal(number, signal.SIG_IGN)


class Signals:
    """Context manager, main thread only; puts the old handlers back on leaving.

    Python-level handlers rather than the loop's: they also run, and let the second signal end the process,
    while the loop is busy or has not begun.
    """

    def __init__(self) -> None:
        self._old: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: Callable[[], object] = _nothing
        self._reload: Callable[[], object] = _nothing
        self._asked_to_stop = ""
        self._asked_to_reload = False

    def __enter__(self) -> Self:
        for number in _STOPPING:
            self._old[number] = signal.signal(number, self._on_stop)
        for number in _IGNORED:
            self._old[number] = signal.signal(number, signal.SIG_IGN)
        self._old[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._on_hangup)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._loop = None
        for number, handler in self._old.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    @property
    def asked_to_stop(self) -> str:
        """Name of the signal that asked to stop (``SIGTERM``), or empty."""
        return self._asked_to_stop

    def listen(self, *, stop: Callable[[], object], reload: Callable[[], object]) -> None:
        """Call these in the running loop from now on, and at once for what has arrived already.

        ``stop`` is called at most once, ``reload`` once for each SIGHUP.
        """
        self._loop = asyncio.get_running_loop()
        self._stop, self._reload = stop, reload
        if self._asked_to_stop:
            self._loop.call_soon(stop)
        if self._asked_to_reload:
            self._asked_to_reload = False
            self._loop.call_soon(reload)

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        for again in _STOPPING:  # SIG_DFL, not Python's KeyboardInterrupt: a second one ends at once
            signal.signal(again, signal.SIG_DFL)
        self._asked_to_stop = signal.Signals(number).name
        if self._loop is not None:
            self._call(self._stop)

    def _on_hangup(self, _number: int, _frame: FrameType | None) -> None:
        if self._loop is None:
            self._asked_to_reload = True
        else:
            self._call(self._reload)

    def _call(self, callback: Callable[[], object]) -> None:
        # Wakes the loop through its own pipe; a loop that has just been closed needs no more telling.
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(callback)


def _nothing() -> None:
    return None

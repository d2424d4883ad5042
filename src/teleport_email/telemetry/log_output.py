"""Where log lines go: a thread that writes them, so that a slow or dead disk or pipe stops nobody else.

The daemon hands over a line and goes on. If the lines pile up (a reader that stopped reading) or cannot be
written (disk full, pipe closed), they are dropped and counted, and the count is told as soon as writing
works again.
"""

from __future__ import annotations

import collections
import os
import select
import threading
from collections.abc import Callable
from typing import Final

# About a minute of a daemon that says as much as it can; at 300 bytes a line this is 3 MB.
_MAX_WAITING: Final = 10_000
# How long a line waits for others to be written along: unnoticed by people, a burst's worth of waking saved.
_GATHER_SECONDS: Final = 0.01
# How long closing waits for lines that cannot be written: a shutdown is not held up by a log.
_CLOSE_SECONDS: Final = 2.0
# How long one look at a pipe that takes nothing lasts before asking whether to stop.
_POLL_MILLISECONDS: Final = 500


class LogOutput:
    """Lines to ``stdout``, ``stderr`` or a file (appended to; made with mode 0600).

    ``lost(count, reason)`` makes the line that tells how many were lost. Raises ``OSError`` when the file
    cannot be opened.
    """

    def __init__(self, target: str, lost: Callable[[int, str], bytes]) -> None:
        self._target = target
        self._lost_line = lost
        self._fd = _open(target)
        self._waiting: collections.deque[bytes] = collections.deque()
        self._changed = threading.Condition()
        self._busy = False
        self._closing = False
        self._reopen = False
        self._lost = 0
        self._why = ""
        self._cut = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def target(self) -> str:
        """``stdout``, ``stderr`` or the file's path."""
        return self._target

    @property
    def is_terminal(self) -> bool:
        """Whether a person is watching."""
        return os.isatty(self._fd)

    @property
    def is_journal(self) -> bool:
        """Whether systemd's journal reads this (``$JOURNAL_STREAM`` names its device and inode)."""
        status = os.fstat(self._fd)
        return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"

    def write(self, line: bytes) -> None:
        """Hand over one line, with its line break. Never blocks, never raises."""
        with self._changed:
            if len(self._waiting) >= _MAX_WAITING:
                self._lose(1, "they could not be written fast enough")
                return
            self._waiting.append(line)
            if not self._busy:  # else it looks again by itself
                self._changed.notify_all()

    def reopen(self) -> None:
        """Open the file anew before the next line (it was rotated). Nothing happens for stdout and stderr."""
        with self._changed:
            self._reopen = self._target not in ("stdout", "stderr")
            self._changed.notify_all()

    def flush(self, seconds: float = _CLOSE_SECONDS) -> bool:
        """Wait until everything handed over is written or lost; False if that took longer."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._waiting or self._busy or self._reopen), timeout=seconds
            )

    def close(self) -> None:
        """Write what waits, as far as that is possible in a moment, and end the thread."""
        self.flush()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_CLOSE_SECONDS)
        if self._target not in ("stdout", "stderr") and not self._thread.is_alive():
            os.close(self._fd)

    def _lose(self, count: int, reason: str) -> None:
        self._lost += count
        self._why = reason

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._reopen or self._closing)
                if self._closing and not self._waiting:
                    return
                self._busy = True
                # Each time this thread wakes it takes turns from the one that sends mail.
                self._changed.wait_for(lambda: self._closing, timeout=_GATHER_SECONDS)
                lines = list(self._waiting)
                self._waiting.clear()
                lost, why = self._lost, self._why
                if lines:
                    self._lost = 0
                reopen, self._reopen = self._reopen, False
            if reopen:
                self._open_again()
            if lines:
                self._write(lines, lost, why)

    def _open_again(self) -> None:
        try:
            fd = _open(self._target)
        except OSError:
            return  # go on with the old one: better a rotated log than none
        os.close(self._fd)
        self._fd = fd
        self._cut = False

    def _write(self, lines: list[bytes], lost: int, why: str) -> None:
        notice = self._lost_line(lost, why) if lost else b""
        # A line that was cut short by a full disk is ended first, so that ours stand alone.
        body = b"".join(lines)
        rest = memoryview((b"\n" if self._cut else b"") + notice + body)
        try:
            while rest:
                try:
                    written = os.write(self._fd, rest)
                except BlockingIOError:  # whoever gave us this pipe made it non-blocking
                    self._wait_for_room()
                    continue
                self._cut = rest[written - 1] != ord("\n")
                rest = rest[written:]
        except OSError as error:
            unwritten = bytes(rest).count(b"\n") if len(rest) <= len(body) else lost + len(lines)
            with self._changed:
                self._lose(unwritten, error.strerror or str(error))

    def _wait_for_room(self) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        poll.poll(_POLL_MILLISECONDS)
        if self._closing:
            raise BlockingIOError("nobody reads the log")


def _open(target: str) -> int:
    if target == "stdout":
        return 1
    if target == "stderr":
        return 2
    return os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o600)

"""The two clocks: one for lengths of time, one for dates."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

SET_WITHIN: Final = 600.0
"""Seconds after boot in which a clock may still be set. Many machines have nothing to set it."""

_TIME_ERROR: Final = 5
"""``adjtimex(2)``: the clock is not synchronised."""


def boot_clock() -> float:
    """Seconds that go on while the machine sleeps; ``time.monotonic`` stands still then."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wall_clock() -> datetime:
    """Now, UTC."""
    return datetime.now(UTC)


def clock_set() -> bool:
    """Whether dates can be believed: the kernel calls the clock synchronised, or the boot is long past."""
    return believed(_clock_state(), boot_clock())


def believed(state: int, since_boot: float) -> bool:
    """By what ``adjtimex`` answered (-1 where it is forbidden) and the seconds since boot."""
    return state != _TIME_ERROR or since_boot >= SET_WITHIN


def _clock_state() -> int:
    import ctypes  # rarely used: not worth its memory before

    # struct timex of zeros asks and sets nothing; it has 208 bytes on 64 bits.
    return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)))

"""The two clocks: one for lengths of time, one for dates."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def boot_clock() -> float:
    """Seconds that go on while the machine sleeps; ``time.monotonic`` stands still then."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wall_clock() -> datetime:
    """Now, UTC."""
    return datetime.now(UTC)

"""What was said: for tests that listen in place of the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from teleport_email import logger


@contextmanager
def capture_logs() -> Iterator[list[dict[str, Any]]]:
    """Everything that is said meanwhile, at any level (``log_level``)."""
    lines: list[dict[str, Any]] = []
    before = logger._listener, logger._least
    logger.listen(lambda event: lines.append(event | {"log_level": event.pop("level")}))
    try:
        yield lines
    finally:
        logger._listener, logger._least = before

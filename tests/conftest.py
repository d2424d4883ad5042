"""What holds for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

# A deadline per example measures the machine, not the code: under coverage on a busy one it fails.
settings.register_profile("all", deadline=None)
settings.load_profile("all")


@pytest.fixture(autouse=True)
def _the_log_s_own_settings() -> Iterator[None]:
    """structlog is set up for the whole process: the next test must not inherit a log that is quiet."""
    yield
    structlog.reset_defaults()

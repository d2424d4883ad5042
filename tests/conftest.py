"""What holds for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from teleport_email.core import redaction

# A deadline per example measures the machine, not the code: under coverage on a busy one it fails.
settings.register_profile("all", deadline=None)
settings.load_profile("all")


@pytest.fixture(autouse=True)
def _the_log_s_own_settings() -> Iterator[None]:
    """structlog is set up for the whole process: the next test must not inherit a log that is quiet."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _secrets_of_its_own() -> Iterator[None]:
    """What a process must never show it knows for good, a daemon a handful: not those of thousands of tests,
    for all of which each text would be searched."""
    known = [
        (one, one._secrets.copy(), one._passing.copy()) for one in (redaction._KNOWN, redaction._IN_OURS)
    ]
    yield
    for one, secrets, passing in known:
        one._secrets, one._passing, one._anchors = secrets, passing, None

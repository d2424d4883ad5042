"""Which requests a first start announces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.decide import Policy
from teleport_email.core.model import AccessRequest, RequestState
from teleport_email.reconciling.unannounced import unannounced

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEW = AccessRequest(id="id", user="alice", roles=("dev",), created=NOW - timedelta(hours=1))
DELIVERY = DeliverySettings(sender="a@example.com", exclude_roles=("ci-*",))


def count(request: AccessRequest, data: dict[str, str] | None = None, **policy: object) -> int:
    entries = {} if data is None else {request.id: data}
    return len(unannounced([request], entries, DELIVERY, Policy(**policy), NOW))  # type: ignore[arg-type]


def test_a_pending_one_that_nobody_was_told_of() -> None:
    assert count(NEW) == 1
    assert count(NEW, {"user": "alice", "email_threads": ""}) == 1  # the Go plugin began and did not end it


@pytest.mark.parametrize("state", [state for state in RequestState if state is not RequestState.PENDING])
def test_not_what_is_decided(state: RequestState) -> None:
    assert count(replace(NEW, state=state)) == 0


def test_not_what_somebody_was_told_of() -> None:
    assert count(NEW, {"user": "alice", "email_threads": "a@example.com/1700000000/<x@example.com>"}) == 0
    assert count(NEW, {"ledger": "{not ours to understand"}) == 0


def test_not_what_is_excluded_or_a_dry_run() -> None:
    assert count(replace(NEW, roles=("ci-a", "ci-b"))) == 0
    assert count(replace(NEW, roles=("ci-a", "dev"))) == 1
    assert count(replace(NEW, dry_run=True)) == 0


def test_not_what_is_too_old() -> None:
    assert count(NEW, catch_up=60.0) == 0
    assert count(NEW, catch_up=0.0) == 0
    assert count(NEW, catch_up=0.0, duty_since=NOW - timedelta(hours=2)) == 1

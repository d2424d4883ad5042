"""The numbers for Prometheus: every event moves the right series, and the text is one that Prometheus reads."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from teleport_email import __version__
from teleport_email.core.decide import Due
from teleport_email.core.model import (
    AccountFault,
    Delivered,
    Kind,
    Refused,
    SendOutcome,
    Temporary,
    Topic,
    Withdrawn,
)
from teleport_email.telemetry.health import Snapshot
from teleport_email.telemetry.metrics import PREFIX, Metrics
from teleport_email.telemetry.tally import BOUNDS, KINDS, OUTCOMES, Tally, kind_of
from teleport_email.watching.link import Status

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ANNOUNCEMENT = Due("x@example.com", False, Kind(Topic.ANNOUNCEMENT))
DOCUMENT = Path(__file__).parents[2] / "docs/monitoring.md"


def samples(tally: Tally, now: Snapshot, accept: str = "") -> dict[tuple[str, ...], float]:
    """Name and label values to the value, as a scrape would see them."""
    body, content_type = Metrics(lambda: now, tally).exposition(accept)
    read = read_open_metrics if "openmetrics" in content_type else read_text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in read(body.decode())
        for sample in family.samples
    }


@pytest.fixture
def tally() -> Tally:
    return Tally(lambda: NOW)


def ready(**changes: object) -> Snapshot:
    link = Status(
        cluster="demo.example.com",
        problem="",
        listed=True,
        identity_user="access-plugin",
        identity_ends=NOW + timedelta(days=1),
    )
    return Snapshot(**({"at": NOW, "link": link} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("topic", Topic)
def test_every_topic_is_counted_under_a_kind_that_exists(topic: Topic) -> None:
    assert kind_of(topic) in KINDS


def test_a_topics_kind_tells_what_it_is_about() -> None:
    assert kind_of(Topic.ANNOUNCED_DENIED) == "announcement"
    assert kind_of(Topic.REVIEW) == "review"
    assert kind_of(Topic.EXPIRED) == "resolution"
    assert kind_of(Topic.REMINDER) == "reminder"
    assert kind_of(Topic.REQUESTER_EXPIRED) == kind_of(Topic.RECEIVED) == "requester"


@pytest.mark.parametrize(
    ("outcome", "label"),
    [
        (Delivered("250 ok"), "delivered"),
        (Temporary("451"), "deferred"),
        (Temporary("cut off", maybe_accepted=True), "unknown"),
        (Refused("550"), "refused"),
        (AccountFault("535"), "account_refused"),
        (Withdrawn(), "withdrawn"),
    ],
)
def test_every_outcome_moves_its_own_series_and_no_other(
    tally: Tally, outcome: SendOutcome, label: str
) -> None:
    before = samples(tally, ready())
    tally.sent(ANNOUNCEMENT, outcome, 0.2)
    after = samples(tally, ready())
    moved = {key for key, value in after.items() if value != before.get(key) and "_bucket" not in key[0]}
    moved = {key for key in moved if not key[0].startswith("process_")}
    expected = {(f"{PREFIX}messages_total", "announcement", label)}
    if label != "withdrawn":
        expected |= {(f"{PREFIX}send_seconds_count",), (f"{PREFIX}send_seconds_sum",)}
    if label == "delivered":
        expected |= {(f"{PREFIX}last_delivery_timestamp_seconds",)}
        assert after[f"{PREFIX}last_delivery_timestamp_seconds",] == NOW.timestamp()
    assert moved == expected


def test_every_series_of_messages_exists_before_anything_was_sent(tally: Tally) -> None:
    found = {key[1:] for key in samples(tally, ready()) if key[0] == f"{PREFIX}messages_total"}
    assert found == {(kind, outcome) for kind in KINDS for outcome in OUTCOMES}


def test_the_histogram_counts_a_time_in_its_own_bucket_and_all_wider_ones(tally: Tally) -> None:
    for seconds in (0.05, 0.3, 700.0):
        tally.sent(ANNOUNCEMENT, Delivered(), seconds)
    found = samples(tally, ready())
    buckets = {key[1]: value for key, value in found.items() if key[0] == f"{PREFIX}send_seconds_bucket"}
    assert buckets["0.05"] == 1  # a bound belongs to its bucket
    assert buckets["0.25"] == 1
    assert buckets["0.5"] == buckets["300.0"] == 2
    assert buckets["+Inf"] == found[f"{PREFIX}send_seconds_count",] == 3
    assert len(buckets) == len(BOUNDS)


def test_the_gauges_tell_the_moment(tally: Tally) -> None:
    now = ready(seen=7, open=5, ready=1, working=2, delayed=3, oldest_waiting=12.5)
    found = samples(tally, now)
    assert found[f"{PREFIX}ready",] == found[f"{PREFIX}connected",] == 1
    assert found[f"{PREFIX}mailer_paused",] == 0
    assert found[f"{PREFIX}identity_expiry_timestamp_seconds",] == (NOW + timedelta(days=1)).timestamp()
    assert found[f"{PREFIX}open_requests",] == 5
    assert [found[f"{PREFIX}queue_requests", state] for state in ("ready", "working", "delayed")] == [1, 2, 3]
    assert found[f"{PREFIX}oldest_waiting_seconds",] == 12.5
    assert found[f"{PREFIX}requests_seen_total",] == 7
    assert [value for key, value in found.items() if key[0] == f"{PREFIX}build_info"] == [1]
    assert any(key[0] == f"{PREFIX}build_info" and __version__ in key for key in found)
    assert found["process_resident_memory_bytes",] > 1e6


def test_trouble_shows(tally: Tally) -> None:
    found = samples(tally, ready(paused="535 no", link=Status(problem="refused")))
    assert found[f"{PREFIX}ready",] == found[f"{PREFIX}connected",] == 0
    assert found[f"{PREFIX}mailer_paused",] == 1


def test_what_is_not_known_has_no_sample_rather_than_1970(tally: Tally) -> None:
    found = samples(tally, Snapshot(at=NOW))
    names = {key[0] for key in found}
    for name in ("identity_expiry", "last_delivery", "last_reload"):
        assert f"{PREFIX}{name}_timestamp_seconds" not in names


def test_counters_of_what_happens(tally: Tally) -> None:
    tally.conflict()
    tally.unroutable()
    tally.rule_failed()
    tally.reconnected()
    tally.reloaded(good=True)
    assert samples(tally, ready())[f"{PREFIX}last_reload_successful",] == 1
    tally.reloaded(good=False)
    found = samples(tally, ready())
    for name in ("ledger_conflicts", "unroutable", "rule_faults", "reconnects"):
        assert found[f"{PREFIX}{name}_total",] == 1, name
    assert found[f"{PREFIX}reloads_total", "good"] == found[f"{PREFIX}reloads_total", "bad"] == 1
    assert found[f"{PREFIX}last_reload_successful",] == 0
    assert found[f"{PREFIX}last_reload_timestamp_seconds",] == NOW.timestamp()


def test_open_metrics_are_spoken_to_who_asks_for_them(tally: Tally) -> None:
    found = samples(tally, ready(seen=3), "application/openmetrics-text; version=1.0.0")
    assert found[f"{PREFIX}requests_seen_total",] == 3


def test_every_metric_is_documented_and_nothing_else(tally: Tally) -> None:
    ours = {
        sample.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        for sample in (family.name for family in Metrics(ready, tally).collect())
    }
    counters = {family.name for family in Metrics(ready, tally).collect() if family.type == "counter"}
    names = {f"{name}_total" if name in counters else name for name in ours}
    documented = set(re.findall(rf"^\| `({PREFIX}\w+)", DOCUMENT.read_text(), flags=re.MULTILINE))
    assert documented == names

"""The latest warnings and errors, as the status page tells them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import structlog

from teleport_email.config.settings import LogSettings
from teleport_email.telemetry.log import Log
from teleport_email.telemetry.problems import KEEP, LONGEST, Problems

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def noted(*events: dict[str, object]) -> Problems:
    problems = Problems(lambda: NOW)
    for event in events:
        given = dict(event)
        assert problems(None, "x", given) is given
        assert given == event  # passed on as it came
    return problems


def test_only_warnings_and_errors_are_kept_the_newest_first() -> None:
    problems = noted(
        {"level": "info", "event": "message delivered"},
        {"level": "warning", "event": "first", "error": "e1", "request": "r-1"},
        {"level": "debug", "event": "routed"},
        {"level": "error", "event": "second", "fault": "f2"},
    )
    first, second = problems.latest()
    assert (first.event, first.level, first.detail, first.request) == ("second", "error", "f2", "")
    assert (second.event, second.detail, second.request, second.at) == ("first", "e1", "r-1", NOW)


def test_the_same_again_is_counted_and_comes_to_the_front() -> None:
    again = {"level": "warning", "event": "message deferred", "error": "451"}
    problems = noted(again | {"request": "1"}, {"level": "error", "event": "other"}, again | {"request": "2"})
    first, second = problems.latest()
    assert (first.event, first.times, first.request) == ("message deferred", 2, "2")
    assert (second.event, second.times) == ("other", 1)


def test_what_is_kept_is_bounded() -> None:
    problems = noted(*({"level": "error", "event": f"e{n}", "error": "x" * 9999} for n in range(KEEP + 5)))
    assert [problem.event for problem in problems.latest()] == [f"e{n}" for n in range(KEEP + 4, 4, -1)]
    assert len(problems.latest()[0].detail) == LONGEST


def test_people_behind_addresses_are_not_named() -> None:
    (problem,) = noted(
        {
            "level": "error",
            "event": "message refused",
            "recipient": "ann@example.com",
            "error": '550 <ann.o\'hara+x@example.com>: no such user, also bob@[10.0.0.1] "an ann"@x.example Müller@exämple.de',
        }
    ).latest()
    for name in ("ann", "hara", "bob", "Müller"):
        assert name not in problem.detail
    assert "…@example.com>: no such user" in problem.detail


def test_of_a_traceback_only_the_last_line_is_kept() -> None:
    (problem,) = noted(
        {"level": "error", "event": "request failed", "exception": "Traceback ...\n  File\nKeyError: 'x'"}
    ).latest()
    assert problem.detail == "KeyError: 'x'"


def test_the_log_takes_note_across_reloads_of_its_settings(tmp_path: Path) -> None:
    log = Log(LogSettings(output=str(tmp_path / "a.log")))
    try:
        structlog.get_logger().warning("before", error="e")
        log.apply(LogSettings(output=str(tmp_path / "b.log"), format="json"))
        structlog.get_logger().error("after")
        structlog.get_logger().info("fine")
        assert [problem.event for problem in log.problems.latest()] == ["after", "before"]
    finally:
        log.close()

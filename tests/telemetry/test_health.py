"""When the daemon counts as ready, and what it says when it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from teleport_email.config.settings import MailgunSettings, Secret, SmtpSettings
from teleport_email.telemetry.health import Backlog, Snapshot, name_of
from teleport_email.watching.link import Status

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def up(**changes: object) -> Status:
    values: dict[str, object] = {
        "cluster": "demo.example.com",
        "problem": "",
        "listed": True,
        "identity_user": "bot",
        "identity_ends": NOW + timedelta(seconds=1),
    }
    return Status(**(values | changes))  # type: ignore[arg-type]


def test_ready_is_connected_listed_valid_and_not_paused() -> None:
    assert Snapshot(at=NOW, link=up()).obstacles() == ()


def test_each_obstacle_is_told_with_its_reason() -> None:
    def only(now: Snapshot) -> str:
        (obstacle,) = now.obstacles()
        return obstacle

    assert only(Snapshot(at=NOW, link=up(problem="no route"))) == "not connected to the cluster: no route"
    assert "first list" in only(Snapshot(at=NOW, link=up(listed=False)))
    assert "bot expired at 2026-11-22 12:00:00 UTC" in only(Snapshot(at=NOW, link=up(identity_ends=NOW)))
    assert only(Snapshot(at=NOW, link=up(), paused="535 wrong")) == "sending is paused: 535 wrong"
    assert only(Snapshot(at=NOW, link=up(), stopping=True)) == "stopping"
    assert only(Snapshot(at=NOW, link=up(), dead=("workers",))) == "the task 'workers' has ended"


def test_before_the_first_connection_one_reason_is_enough() -> None:
    assert Snapshot(at=NOW).obstacles() == ("not connected to the cluster: still connecting",)


def test_the_line_for_the_service_manager() -> None:
    line = Snapshot(at=NOW, link=up(), open=3, ready=1, working=1, delayed=2).line()
    assert line == "watching demo.example.com, 3 open, 4 waiting"
    line = Snapshot(at=NOW, link=up(problem="refused"), paused="535").line()
    assert line == "not connected: refused, 0 open, 0 waiting; sending paused: 535"
    line = Snapshot(at=NOW, link=up(), reload_refused=True).line()
    assert line == "watching demo.example.com, 0 open, 0 waiting; new configuration refused, see the log"


def test_the_mailers_name_has_no_login_in_it() -> None:
    assert name_of(SmtpSettings(host="mx.example.com", port=25, username="u")) == "SMTP mx.example.com:25"
    assert (
        name_of(MailgunSettings(domain="mg.example.com", private_key=Secret("k"))) == "Mailgun mg.example.com"
    )


def test_the_backlog_remembers_since_when_each_request_waits() -> None:
    clock = 100.0
    unsettled = ["a"]
    backlog = Backlog(lambda: unsettled, lambda: clock)
    assert backlog.oldest() == 0.0
    clock = 130.0
    unsettled = ["a", "b"]
    assert backlog.oldest() == 30.0
    clock = 140.0
    assert (backlog.age("a"), backlog.age("b"), backlog.age("c")) == (40.0, 10.0, None)
    unsettled = ["b"]
    assert backlog.oldest() == 10.0
    unsettled = ["a", "b"]  # settled once, then something new became due: it waits since then
    backlog.look()
    assert backlog.age("a") == 0.0
    unsettled = []
    assert backlog.oldest() == 0.0

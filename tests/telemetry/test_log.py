"""Log lines: readable, unforgeable, without secrets, and never in anybody's way."""

import asyncio
import json
import logging
import os
import re
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from teleport_email.config.settings import LogSettings, Secret
from teleport_email.core.errors import ConfigError
from teleport_email.telemetry.log import Log, set_up
from teleport_email.telemetry.log_output import LogOutput


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "email.log"


@pytest.fixture
def start(path: Path) -> Iterator[Callable[..., Log]]:
    logs = []

    def begin(**settings: Any) -> Log:
        logs.append(set_up(LogSettings(**({"output": str(path)} | settings))))
        return logs[-1]

    yield begin
    for log in logs:
        log.close()
    structlog.reset_defaults()
    logging.getLogger().setLevel(logging.WARNING)


def lines(log: Log, path: Path) -> list[str]:
    assert log.flush()
    return path.read_text().splitlines()


def test_a_line_of_text_reads_well(start: Callable[..., Log], path: Path) -> None:
    log = start()
    structlog.get_logger().info(
        "message delivered", recipient="a@b.example", attempt=2, answer="250 2.0.0 Ok"
    )
    [line] = lines(log, path)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO    message delivered "
        r'recipient=a@b\.example attempt=2 answer="250 2\.0\.0 Ok"',
        line,
    )


def test_a_line_of_json_is_one_object(start: Callable[..., Log], path: Path) -> None:
    log = start(format="json")
    structlog.get_logger().warning(
        "reason\nquoted", reason='a"b\n\u2028\x85é', items=("x", 1), secret=Secret("s3")
    )
    [line] = path.read_bytes().splitlines() if log.flush() else []
    assert line.isascii()
    found = json.loads(line)
    assert found.pop("time").endswith("Z")
    assert found == {
        "level": "warning",
        "event": "reason\nquoted",
        "reason": 'a"b\n\u2028\x85é',
        "items": ["x", 1],
        "secret": "Secret(***)",
    }


@pytest.mark.parametrize("character", ["\n", "\r", "\x1b", "\x00", "\x85", "\u2028", "\u202e", "\x7f"])
def test_nobody_forges_a_line(start: Callable[..., Log], path: Path, character: str) -> None:
    log = start()
    forged = f"x{character}2026-01-01T00:00:00.000Z ERROR   fire"
    structlog.get_logger().info("reviewed", reason=forged)
    structlog.get_logger().info(forged)
    try:
        raise ValueError(forged)
    except ValueError:
        structlog.get_logger().exception("it failed")
    assert log.flush()
    text = path.read_bytes().decode()
    assert character == "\n" or character not in text
    begun = [line for line in text.splitlines() if not line.startswith("    ")]
    assert len(begun) == 3
    assert not any(line.startswith("2026-01-01") for line in text.splitlines())
    assert "ValueError" in text


def test_secrets_show_as_stars(start: Callable[..., Log], path: Path) -> None:
    log = start()
    structlog.get_logger().info("login", password=Secret("hunter2"), both=[Secret("hunter2")])
    [line] = lines(log, path)
    assert "hunter2" not in line
    assert line.count("***") == 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("two words", '"two words"'),
        ('say "x"', "'say \"x\"'"),
        ('it\'s "x"', '"it\'s \\"x\\""'),
        ("a=b", '"a=b"'),
        ("back\\slash", '"back\\\\slash"'),
        ("", '""'),
        ((1, "a"), "\"(1, 'a')\""),
    ],
)
def test_values_are_quoted_where_they_must_be(
    start: Callable[..., Log], path: Path, value: object, shown: str
) -> None:
    log = start()
    structlog.get_logger().info("event", fact=value)
    assert lines(log, path)[0].endswith(f"event fact={shown}")


def test_a_payload_is_cut(start: Callable[..., Log], path: Path) -> None:
    log = start()
    structlog.get_logger().info("odd", value="x" * 100_000, broken="\ud800")
    [line] = lines(log, path)
    assert "(100000 characters)" in line
    assert len(line) < 3000
    assert r"\\ud800" in line or r"\ud800" in line


@pytest.mark.parametrize(
    ("severity", "wanted"),
    [
        ("trace", ["debug", "info", "warning", "error"]),
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_severities(start: Callable[..., Log], path: Path, severity: str, wanted: list[str]) -> None:
    log = start(severity=severity, format="json")
    for level in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), level)("something")
    assert [json.loads(line)["level"] for line in lines(log, path)] == wanted


def test_trace_tells_the_place(start: Callable[..., Log], path: Path) -> None:
    log = start(severity="trace", format="json")
    structlog.get_logger().debug("something")
    [line] = lines(log, path)
    assert json.loads(line)["module"] == "test_log"


def test_libraries_are_heard_from_warning_on(start: Callable[..., Log], path: Path) -> None:
    log = start(format="json")
    logging.getLogger("asyncio").info("not this")
    logging.getLogger("httpx").warning("odd answer %s", "x\ny")
    logging.getLogger("grpc").error("broken", exc_info=ValueError("why"))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old thing", DeprecationWarning, stacklevel=1)
    found = [json.loads(line) for line in lines(log, path)]
    assert [(f["level"], f["logger"]) for f in found] == [
        ("warning", "httpx"),
        ("error", "grpc"),
        ("warning", "py.warnings"),
    ]
    assert found[0]["event"] == "odd answer x\ny"
    assert "ValueError: why" in found[1]["exception"]


def test_a_librarys_broken_message_is_still_a_line(start: Callable[..., Log], path: Path) -> None:
    log = start()
    record = logging.LogRecord("bad", logging.WARNING, "", 1, "%d items", ("no number",), None)
    log._handler.emit(record)
    assert "%d items logger=bad" in lines(log, path)[0]


def test_libraries_say_more_at_trace(start: Callable[..., Log], path: Path) -> None:
    log = start(severity="trace")
    logging.getLogger("httpx").info("heard")
    logging.getLogger("httpx").debug("not heard: it may hold headers")
    assert len(lines(log, path)) == 1


def test_the_file_is_private_and_appended_to(start: Callable[..., Log], path: Path) -> None:
    path.write_text("before\n")
    log = start()
    structlog.get_logger().info("after")
    assert lines(log, path)[0] == "before"
    path.unlink()
    log.reopen()
    assert log.flush()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_reopening_follows_logrotate(start: Callable[..., Log], path: Path) -> None:
    log = start()
    structlog.get_logger().info("one")
    assert log.flush()
    rotated = path.rename(path.with_suffix(".1"))
    structlog.get_logger().info("two")
    assert log.flush()
    log.reopen()
    structlog.get_logger().info("three")
    assert "three" in lines(log, path)[0]
    assert len(rotated.read_text().splitlines()) == 2


def test_reopening_in_vain_keeps_the_old_file(start: Callable[..., Log], path: Path) -> None:
    log = start()
    rotated = path.rename(path.with_suffix(".1"))
    path.mkdir()
    log.reopen()
    structlog.get_logger().info("kept")
    assert log.flush()
    assert "kept" in rotated.read_text()


def test_a_reload_reaches_loggers_made_before(start: Callable[..., Log], path: Path, tmp_path: Path) -> None:
    log = start()
    bound = structlog.get_logger().bind(request="r1")
    log.apply(LogSettings(output=str(tmp_path / "other.log"), format="json", severity="debug"))
    bound.info("bound")
    structlog.get_logger().debug("fresh")
    assert log.flush()
    assert path.read_text() == ""
    found = [json.loads(line) for line in (tmp_path / "other.log").read_text().splitlines()]
    assert [f["event"] for f in found] == ["bound", "fresh"]


def test_a_reload_to_a_bad_file_changes_nothing(start: Callable[..., Log], path: Path) -> None:
    log = start()
    with pytest.raises(ConfigError, match=r"log\.output: cannot be opened: /nowhere/x: No such file"):
        log.apply(LogSettings(output="/nowhere/x", severity="error"))
    structlog.get_logger().info("still here")
    assert "still here" in lines(log, path)[0]


def test_a_bad_file_at_start_is_a_fault() -> None:
    with pytest.raises(ConfigError, match=r"log\.output"):
        set_up(LogSettings(output="/nowhere/x"))


def test_a_full_disk_is_survived(start: Callable[..., Log], tmp_path: Path, path: Path) -> None:
    link = tmp_path / "link.log"
    link.symlink_to("/dev/full")
    log = start(output=str(link), format="json")
    for number in range(3):
        structlog.get_logger().info("lost", number=number)
        assert log.flush()
    link.unlink()
    link.symlink_to(path)  # room again
    log.reopen()
    assert log.flush()
    structlog.get_logger().info("written")
    found = [json.loads(line) for line in lines(log, path)]
    assert [f["event"] for f in found] == ["log lines lost", "written"]
    assert found[0]["count"] == 3
    assert "No space left" in found[0]["reason"]


def pipe_output(fd: int) -> LogOutput:
    return LogOutput(f"/proc/self/fd/{fd}", lambda count, reason: f"lost {count}: {reason}\n".encode())


def test_a_closed_pipe_is_survived() -> None:
    reader, writer = os.pipe()
    output = pipe_output(writer)
    os.close(writer)
    os.close(reader)
    output.write(b"into nothing\n")
    assert output.flush()
    output.write(b"and again\n")
    output.close()


async def test_a_reader_that_stopped_reading_stops_nobody() -> None:
    reader, writer = os.pipe()
    output = pipe_output(writer)
    os.close(writer)
    line = b"x" * 999 + b"\n"
    begun = asyncio.get_running_loop().time()
    for _ in range(20_000):  # a pipe holds 64 KiB, the queue 10,000 lines
        output.write(line)
    assert asyncio.get_running_loop().time() - begun < 5
    received = bytearray()
    drained = threading.Thread(target=_drain, args=(reader, received))
    drained.start()
    assert output.flush(20)
    output.write(b"last\n")
    assert output.flush(20)
    output.close()
    drained.join(10)
    text = received.decode()
    count = re.search(r"lost (\d+): they could not be written fast enough", text)
    assert count
    assert text.count("x" * 999) + int(count[1]) == 20_000
    assert text.endswith("last\n")


def _drain(fd: int, into: bytearray) -> None:
    while chunk := os.read(fd, 65536):
        into += chunk
    os.close(fd)


def test_a_non_blocking_pipe_loses_nothing() -> None:
    reader, writer = os.pipe()
    output = pipe_output(writer)
    os.set_blocking(output._fd, False)
    os.close(writer)
    for number in range(500):
        output.write(b"%d " % number + b"x" * 500 + b"\n")
    received = bytearray()
    drained = threading.Thread(target=_drain, args=(reader, received))
    drained.start()
    assert output.flush(20)
    output.close()
    drained.join(10)
    assert [int(line.split()[0]) for line in received.decode().splitlines()] == list(range(500))


def test_colours_only_on_a_terminal(
    start: Callable[..., Log], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain = start()
    structlog.get_logger().error("plain")
    assert "\x1b" not in lines(plain, path)[0]
    master, terminal = os.openpty()
    log = start(output=os.ttyname(terminal))
    structlog.get_logger().error("coloured", fact=1)
    assert log.flush()
    assert b"\x1b[31mERROR" in os.read(master, 1000)
    monkeypatch.setenv("NO_COLOR", "1")
    log.apply(LogSettings(output=os.ttyname(terminal)))
    structlog.get_logger().error("plain")
    assert log.flush()
    assert b"\x1b" not in os.read(master, 1000)
    os.close(terminal)
    os.close(master)


def test_the_journal_learns_priorities(
    start: Callable[..., Log], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.touch()
    status = path.stat()
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    log = start()
    structlog.get_logger().info("fine")
    structlog.get_logger().error("bad", exc_info=ValueError("x"))
    found = lines(log, path)
    assert found[0].startswith("<6>2")
    assert len(found) > 1
    assert all(line.startswith("<3>") for line in found[1:])


class Odd:
    def __str__(self) -> str:
        raise RuntimeError("no")


HUGE = {
    "text": "x" * 1_000_000,
    "number": 10**10_000,
    "list": [f"role{number}" * 100 for number in range(12_000)],
    "tuple": tuple(range(100_000)),
    "set": frozenset(range(100_000)),
    "map": {f"{'k' * 5000}{number}": "v" * 5000 for number in range(5_000)},
    "bytes": b"\x1b" * 1_000_000,
    "deep": [[[["x" * 1000] * 1000] * 1000] * 1000],
    "odd": Odd(),
    "path": Path("y" * 1_000_000),
    "nan": float("nan"),
    "error": ValueError("z" * 1_000_000),
}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("name", HUGE)
def test_every_value_of_every_format_is_cut(
    start: Callable[..., Log], path: Path, name: str, form: str
) -> None:
    log = start(format=form)
    structlog.get_logger().error("odd", fact=HUGE[name], request="r-1")
    [line] = lines(log, path)
    assert len(line) < 20_000
    assert "r-1" in line
    if form == "json":
        assert json.loads(line, parse_constant=pytest.fail)["request"] == "r-1"


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_is_cut_too(start: Callable[..., Log], path: Path, form: str) -> None:
    log = start(format=form)
    try:
        raise RuntimeError("\n".join(["y" * 5000] * 5000))
    except RuntimeError:
        structlog.get_logger().exception("odd")
    said = "\n".join(lines(log, path))
    assert len(said) < 200_000
    assert "RuntimeError" in said

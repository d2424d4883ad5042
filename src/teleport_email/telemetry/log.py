"""Logging: structlog for us, the standard library's loggers of others routed into it, one line each.

Whatever users wrote arrives escaped, so that nobody can forge a line. Secrets show as ``Secret(***)``.
The level ``trace`` is ``debug`` with more: the place in the code, and the libraries from ``info`` on.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

import structlog

from teleport_email.config.settings import LogSettings
from teleport_email.core.errors import ConfigError, Fault

from .bounded import bounded
from .log_output import LogOutput
from .problems import Problems

_LEVELS: Final[Mapping[str, int]] = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_COLOURS: Final[Mapping[str, str]] = {
    "debug": "\x1b[2m",
    "info": "\x1b[32m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
    "critical": "\x1b[31m",
}
_PRIORITIES: Final[Mapping[str, int]] = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
_RESET: Final = "\x1b[0m"
_BARE: Final = re.compile(r"[^\s\"'=\\]+")
_Event = MutableMapping[str, Any]


class Log:
    """The log as it is set up now. One per process: structlog and logging have one configuration each."""

    def __init__(self, settings: LogSettings) -> None:
        self._output: LogOutput | None = None
        self.problems = Problems()
        """The latest warnings and errors, for the status page."""
        self._handler = _Handler()
        # Bound loggers keep the list that they were made with: it is changed in place, never replaced.
        self._processors: list[Any] = []
        self.apply(settings)

    def apply(self, settings: LogSettings) -> None:
        """Log as these settings say from now on. The same file is opened anew (it may have been rotated).

        Raises :class:`ConfigError` when the file cannot be opened; everything then stays as it was.
        """
        old = self._output
        if old is None or old.target != settings.output:
            try:
                self._output = LogOutput(settings.output, _lost_line(settings))
            except OSError as error:
                what = f"cannot be opened: {settings.output}: {error.strerror or error}"
                raise ConfigError([Fault("log.output", what)]) from None
        else:
            old.reopen()
        output = self._output
        assert output is not None
        level = _LEVELS[settings.severity]
        trace = settings.severity == "trace"
        self._processors[:] = _processors(settings, output, self.problems, trace=trace)
        structlog.configure(
            processors=self._processors,
            wrapper_class=structlog.make_filtering_bound_logger(level),
            logger_factory=lambda *_: _LineLogger(self._write),
            # Loggers are looked up at each call, so that a reload reaches those made before it.
            cache_logger_on_first_use=False,
        )
        root = logging.getLogger()
        root.setLevel(logging.INFO if trace else max(level, logging.WARNING))
        if self._handler not in root.handlers:
            root.addHandler(self._handler)
            logging.captureWarnings(True)
        if old is not None and old is not output:
            old.close()

    def _write(self, line: bytes) -> None:
        if self._output is not None:
            self._output.write(line)

    def reopen(self) -> None:
        """Open the log file anew, after logrotate has moved it away."""
        if self._output is not None:
            self._output.reopen()

    def flush(self) -> bool:
        """Wait a moment until all lines are out; False if some are not."""
        return self._output is None or self._output.flush()

    def close(self) -> None:
        """Write what waits and let go of loggers and files. Logging after this goes nowhere."""
        logging.getLogger().removeHandler(self._handler)
        logging.captureWarnings(False)
        if self._output is not None:
            self._output.close()
            self._output = None


def set_up(settings: LogSettings) -> Log:
    """Begin to log. Raises :class:`ConfigError` when the log file cannot be opened."""
    return Log(settings)


class _LineLogger:
    """What structlog calls with the finished line."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = write


class _Handler(logging.Handler):
    """Takes what libraries log through the standard library, and Python's warnings."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - whatever a library passes must not reach the daemon
            message = str(record.msg)
        facts: dict[str, Any] = {"logger": record.name}
        if record.exc_info:
            facts["exc_info"] = record.exc_info
        level = next(
            (n for n in ("error", "warning", "info", "debug") if record.levelno >= _LEVELS[n]), "debug"
        )
        getattr(structlog.get_logger(), level)(message.strip(), **facts)


def _processors(settings: LogSettings, output: LogOutput, problems: Problems, *, trace: bool) -> list[Any]:
    chain: list[Any] = [structlog.contextvars.merge_contextvars, _add_level]
    if trace:
        where = structlog.processors.CallsiteParameter
        chain.append(
            structlog.processors.CallsiteParameterAdder(
                {where.MODULE, where.LINENO}, additional_ignores=["logging", __name__]
            )
        )
    chain.extend([_add_exception, _bound, problems])
    text = _Text(coloured=_wants_colour(output), to_journal=output.is_journal)
    chain.append(_as_json if settings.format == "json" else text)
    return chain


def _add_level(_logger: object, method: str, event: _Event) -> _Event:
    event["level"] = "error" if method == "exception" else method
    return event


def _add_exception(_logger: object, _method: str, event: _Event) -> _Event:
    """Turn ``exc_info`` (true, an exception or a tuple) into text."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    if isinstance(given, BaseException):
        error: BaseException | None = given
    elif isinstance(given, tuple):
        error = given[1]
    else:
        import sys

        error = sys.exception()
    if error is not None:
        event["exception"] = "".join(traceback.format_exception(error)).rstrip()
    return event


def _bound(_logger: object, _method: str, event: _Event) -> _Event:
    return bounded(event)


def _as_json(_logger: object, _method: str, event: _Event) -> bytes:
    """One JSON object a line, plain ASCII: every other character is escaped."""
    facts = {"time": _now(), "level": event.pop("level"), "event": event.pop("event"), **event}
    return json.dumps(facts, default=str, skipkeys=True).encode("ascii") + b"\n"


class _Text:
    """``2026-11-22T18:30:00.123Z INFO  message delivered  request=… recipient=…``"""

    def __init__(self, *, coloured: bool = False, to_journal: bool = False) -> None:
        self._coloured = coloured
        self._to_journal = to_journal

    def __call__(self, _logger: object, _method: str, event: _Event) -> bytes:
        level = str(event.pop("level"))
        said = _printable(str(event.pop("event")))
        exception = event.pop("exception", None)
        facts = "".join(f" {key}={_value(value)}" for key, value in event.items())
        word = f"{level.upper():<7}"
        if self._coloured:
            word = f"{_COLOURS.get(level, '')}{word}{_RESET}"
            facts = f"\x1b[2m{facts}{_RESET}" if facts else ""
        line = f"{_now()} {word} {said}{facts}\n"
        if exception:
            # Indented, so that nothing in an error's text can pass for a line of ours.
            line += "".join(f"    {_printable(part)}\n" for part in str(exception).splitlines())
        if self._to_journal:
            # The journal takes a line's priority from such a prefix (sd-daemon(3)), so `journalctl -p` works.
            line = re.sub(r"^", f"<{_PRIORITIES.get(level, 6)}>", line[:-1], flags=re.MULTILINE) + "\n"
        return line.encode("utf-8", "backslashreplace")


def _value(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    if _BARE.fullmatch(text) and text.isprintable():
        return text
    text = _printable(text.replace("\\", "\\\\"))
    if '"' in text and "'" not in text:
        return f"'{text}'"
    return '"' + text.replace('"', '\\"') + '"'


def _printable(text: str) -> str:
    """Line breaks, control characters, bidi overrides and the like as backslash escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _wants_colour(output: LogOutput) -> bool:
    return output.is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _lost_line(settings: LogSettings) -> Callable[[int, str], bytes]:
    """Makes the line about lost lines, without structlog: it is made in the writing thread."""

    def line(count: int, reason: str) -> bytes:
        event = {"level": "warning", "event": "log lines lost", "count": count, "reason": reason}
        render = _as_json if settings.format == "json" else _Text()
        return render(None, "warning", event)

    return line

"""The command line: finds the command, imports only its module, turns errors into exit codes.

Exit codes: 0 done, 2 wrong usage, 78 configuration or credentials that no restart cures (``EX_CONFIG``),
1 anything that a restart may cure.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import os
import sys

from teleport_email import __version__
from teleport_email.commands import DEFAULT_CONFIG

# Not from `typing`, which takes as long to load as all that is here; type checkers take it for true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    class CommandModule(Protocol):
        """What a command's module has: it describes its arguments; ``run`` is set as their default."""

        def add_parser(self, subparsers: argparse._SubParsersAction[Any]) -> None:
            """Add the command's parser, with ``set_defaults(run=...)``: from arguments to the exit code."""


EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CONFIG = 78


_COMMANDS = {
    "start": ("commands.start", "run the daemon"),
    "configure": ("commands.configure", "print a configuration file to begin with"),
    "version": ("commands.version", "print the version, and those of Python and grpcio"),
    "check": ("commands.check", "find out whether everything is set up right, without sending mail"),
    "send-test": ("commands.send_test", "send a test mail and say what the server answered"),
    "explain": ("commands.explain", "say who would be told about a request, and why"),
    "preview": ("commands.preview", "write every kind of message into a directory to look at"),
    "show": ("commands.show", "say who was told what about a request"),
    "ls": ("commands.ls", "list the open requests: who was told, who waits and why"),
    "retry": ("commands.retry", "send what was given up of a request once more"),
    "install-service": (
        "commands.install_service",
        "install systemd unit, user and manual pages (prints what it would do; --write does it)",
    ),
    "completion": (
        "commands.completion.command",
        "print a script with which a shell completes commands and options",
    ),
    "sandbox": ("sandbox.command.cli", "run an embedded cluster and inbox to try things out"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; its exit code comes back. Never raises but ``SystemExit`` for usage."""
    _make_printable()
    try:
        try:
            return _run(list(sys.argv[1:] if argv is None else argv))
        finally:
            sys.stdout.flush()  # also behind a help text, which ends by SystemExit
    except KeyboardInterrupt:
        return EXIT_FAILED
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        if not isinstance(error, BrokenPipeError):  # whoever read our output (`head`) has enough
            _complain(f"not all could be written: {error.strerror}", [])
        # Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


_UNWRITABLE = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What the standard output may fail with. Commands say themselves which file they could not write."""


def _make_printable() -> None:
    """Text that the locale has no signs for is escaped; what is printed to a closed descriptor is dropped."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        elif isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="backslashreplace")


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["help"]:  # `help start` is `start --help`
        arguments = [*arguments[1:2], "--help", *arguments[2:]]
    parser = _parser(_chosen(arguments))
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return EXIT_OK
    run: Callable[[argparse.Namespace], int] = options.run
    if options.command == "completion":
        options.parser = whole_parser()
    try:
        return run(options)
    except Exception as error:
        failed = _explain(error)
        if failed is None:
            raise
        return failed


def _explain(error: Exception) -> int | None:
    """Say what is wrong, where that is an error of ours; the exit code."""
    from teleport_email.core.errors import (
        ConfigError,
        Denied,
        IdentityError,
        IdentityNotYetValid,
        TeleportEmailError,
    )

    match error:
        case ConfigError():
            _complain("the configuration cannot be used", [str(fault) for fault in error.faults])
            return EXIT_CONFIG
        case IdentityNotYetValid():
            _complain("the credentials cannot be used yet", [str(error)])
            return EXIT_FAILED
        case IdentityError():
            _complain("the credentials cannot be used", [str(error)])
            return EXIT_CONFIG
        case Denied():
            _complain(
                str(error), ["`teleport-email check` says whose identity this is, and what its role lacks"]
            )
            return EXIT_FAILED
        case TeleportEmailError():
            _complain(str(error), [])
            return EXIT_FAILED
    return None


def _chosen(arguments: Sequence[str]) -> str:
    """The command's name among the arguments, or nothing: the first word that is no option or its value."""
    words = iter(arguments)
    for word in words:
        if word == "--config" or (word[:1] == "-" and word[1:2] != "-" and word.endswith("c")):
            next(words, None)  # also behind another letter: -dc FILE
        elif not word.startswith("-"):
            return word
    return ""


def whole_parser() -> argparse.ArgumentParser:
    """The parser with every command's options, for whoever describes them all."""
    return _parser(*_COMMANDS)


class _Parser(argparse.ArgumentParser):
    """Each argument makes a formatter, and each of these measures the terminal, with ``shutil``, which loads
    every compression there is. Here the width is asked for without it, and of the commands' parsers too.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _formatter} | options)


def _formatter(prog: str) -> argparse.HelpFormatter:
    try:
        columns = int(os.environ.get("COLUMNS", "")) or 80
    except ValueError:
        try:
            columns = os.get_terminal_size(1).columns or 80
        except OSError:
            columns = 80
    return argparse.HelpFormatter(prog, width=columns - 2)


def _parser(*chosen: str) -> argparse.ArgumentParser:
    """The parser. Only the chosen commands' modules are imported; the others are names with a line."""
    parser = _Parser(
        prog="teleport-email",
        description="Tells people by email about Teleport Access Requests.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"teleport-email v{__version__}")
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        default=DEFAULT_CONFIG,
        help=f"configuration (default {DEFAULT_CONFIG})",
    )
    parser.add_argument(
        "-d", "--debug", action="store_true", help="log more, whatever the configuration says"
    )
    parser.add_argument("--no-debug", dest="debug", action="store_false", help="do not (the default)")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, (module, line) in _COMMANDS.items():
        if name in chosen:
            command: CommandModule = importlib.import_module(f".{module}", __package__)
            command.add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=line, add_help=False)
    return parser


def help_line(command: str) -> str:
    """The line that describes a command in the list of all."""
    return _COMMANDS[command][1]


def _complain(headline: str, lines: Sequence[str]) -> None:
    from teleport_email.commands.cells import cell, indented

    first, *more = headline.splitlines() or [""]
    print(f"teleport-email: {cell(first)}{':' if lines else ''}", file=sys.stderr)
    for line in [*more, *(part for each in lines for part in each.splitlines())]:
        print(f"  {indented(line)}", file=sys.stderr)

"""``teleport-email check``: is everything set up right?"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from teleport_email import config
from teleport_email.commands import add_config_options, quiet_log
from teleport_email.commands.cells import cell, indented
from teleport_email.commands.checks import files, local
from teleport_email.commands.checks.line import Level, Line, fault
from teleport_email.core.errors import ConfigError
from teleport_email.core.model import replace
from teleport_email.daemon import clocks

EXIT_FAULT = 1
EXIT_CONFIG = 78
_COLOURS = {Level.OK: "\x1b[32m", Level.NOTE: "\x1b[36m", Level.WARNING: "\x1b[33m", Level.FAULT: "\x1b[31m"}
# Faults in these areas are what no restart cures.
_HOPELESS = ("configuration", "identity")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``check [-c FILE] [--offline] [--strict] [--json]``."""
    parser = subparsers.add_parser(
        "check",
        help="find out whether everything is set up right, without sending mail",
        description="Looks at the configuration, the files it names, the identity, the cluster and the mail "
        "server. Sends nothing and changes nothing. Exit code 0: no fault; 78: the configuration or the "
        "identity is at fault; 1: something else is.",
        allow_abbrev=False,
    )
    add_config_options(parser)
    parser.add_argument("--offline", action="store_true", help="connect nowhere")
    parser.add_argument("--strict", action="store_true", help="take every warning for a fault")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print every line as it is found; the exit code says whether there was a fault."""
    with quiet_log(debug=args.debug):
        lines = asyncio.run(_all(args))
    faults = [line for line in lines if line.level is Level.FAULT]
    warnings = [line for line in lines if line.level is Level.WARNING]
    if args.json:
        result = Level.FAULT if faults else Level.WARNING if warnings else Level.OK
        print(json.dumps({"result": result, "lines": [_as_json(line) for line in lines]}, indent=2))
    else:
        print(f"\n{_count(len(faults), 'fault')}, {_count(len(warnings), 'warning')}")
    if any(line.area in _HOPELESS for line in faults):
        return EXIT_CONFIG
    return EXIT_FAULT if faults else 0


async def _all(args: argparse.Namespace) -> list[Line]:
    lines = []
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    async for found in inspect(Path(args.config), offline=args.offline):
        grave = args.strict and found.level is Level.WARNING
        line = replace(found, level=Level.FAULT) if grave else found
        lines.append(line)
        if not args.json:
            _print(line, coloured=coloured)
    return lines


async def inspect(path: Path, *, offline: bool) -> AsyncIterator[Line]:
    """Everything, in the order in which one thing needs the other."""
    try:
        settings = config.load(path, os.environ)
    except ConfigError as error:
        for found in error.faults:
            yield fault("configuration", str(found))
        return
    for line in local.configuration(path, settings):
        yield line
    for line in files.inspect(path, settings, os.environ):
        yield line
    usable = True
    for line in local.identity(settings, clocks.wall_clock(), clock_set=clocks.clock_set()):
        usable = line.level is not Level.FAULT
        yield line
    if offline:
        return
    if usable:
        from teleport_email.commands.checks import cluster  # brings grpcio with it

        async for line in cluster.inspect(settings):
            yield line
    from teleport_email.commands.checks import mail

    async for line in mail.inspect(settings):
        yield line


def _print(line: Line, *, coloured: bool) -> None:
    level = f"{line.level:<8}"
    if coloured:
        level = f"{_COLOURS[line.level]}{level}\x1b[0m"
    print(f"{level} {line.area:<14} {cell(line.what)}", flush=True)
    for todo in line.todo:
        print(f"{'':<24}{indented(todo)}", flush=True)


def _as_json(line: Line) -> dict[str, object]:
    return {"level": line.level, "area": line.area, "what": line.what, "do": list(line.todo)}


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"

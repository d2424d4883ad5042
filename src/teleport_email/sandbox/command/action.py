"""What the commands share that talk to the sandbox which runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Ask = Callable[..., Any]
"""``ask(do, **arguments)``: :func:`control.ask` in the directory that was given."""


def run(args: argparse.Namespace) -> int:
    """Do it. :class:`ControlError` when no sandbox runs or when it refuses."""
    from .control import ask

    def asking(do: str, **arguments: Any) -> Any:
        return ask(args.directory, do, **arguments)

    args.act(args, asking)
    return 0


def add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    line: str,
    act: Callable[[argparse.Namespace, Ask], None],
) -> argparse.ArgumentParser:
    """An action with the options that all have; ``act`` does it and prints what came of it."""
    parser = actions.add_parser(name, help=line, description=line, allow_abbrev=False)
    parser.add_argument(
        "--dir",
        dest="directory",
        metavar="DIR",
        type=Path,
        default=argparse.SUPPRESS,
        help="of the sandbox, as given there",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of what is printed")
    parser.set_defaults(run=run, act=act)
    return parser


def say(args: argparse.Namespace, answer: object, lines: Iterable[str]) -> None:
    """Print the sandbox's answer, as ``--format`` wants it; ``lines`` are made only for people."""
    if args.format == "json":
        print(json.dumps(answer, indent=2))
    else:
        for line in lines:
            print(line)


def words(text: str) -> list[str]:
    """``a, b`` as a list."""
    return [word.strip() for word in text.split(",") if word.strip()]

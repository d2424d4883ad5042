"""``teleport-email completion bash|zsh|fish``."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from . import bash, fish, zsh
from .tree import described

_SHELLS: Final = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``completion SHELL``."""
    parser = subparsers.add_parser(
        "completion",
        help="print a script with which a shell completes commands and options",
        description="Prints a script with which the shell completes commands, options, files and choices. "
        "bash: source <(teleport-email completion bash). zsh: put it into a directory of $fpath as "
        "_teleport-email. fish: put it into ~/.config/fish/completions/teleport-email.fish.",
        allow_abbrev=False,
    )
    parser.add_argument("shell", metavar="SHELL", choices=tuple(_SHELLS), help="bash, zsh or fish")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it; ``args.parser`` is the parser of all commands."""
    sys.stdout.write(_SHELLS[args.shell](described(args.parser)))
    return 0

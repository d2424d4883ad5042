"""The commands, one module each. ``cli`` imports only the one that is asked for."""

from __future__ import annotations

import argparse


def add_config_options(parser: argparse.ArgumentParser, *, debug: bool = True) -> None:
    """``-c/--config`` (and ``-d/--debug``) behind the command; in front of it they mean the same.

    ``args.config`` and ``args.debug`` are always there: the main parser has the defaults.
    """
    parser.add_argument(
        "-c", "--config", metavar="FILE", default=argparse.SUPPRESS, help="configuration file (TOML)"
    )
    if debug:
        parser.add_argument(
            "-d", "--debug", action="store_true", default=argparse.SUPPRESS, help="log at level debug"
        )

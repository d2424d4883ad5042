"""``teleport-email configure``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``configure`` takes nothing."""
    parser = subparsers.add_parser("configure", help="print a configuration file to begin with")
    parser.set_defaults(run=run)


def boilerplate() -> str:
    """The configuration file to begin with: valid TOML, every key in it, most of them commented out."""
    return Path(__file__).with_name("boilerplate.toml").read_text(encoding="utf-8")


def run(_: argparse.Namespace) -> int:
    """Print it: ``teleport-email configure > /etc/teleport-email.toml``."""
    sys.stdout.write(boilerplate())
    return 0

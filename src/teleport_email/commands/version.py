"""``teleport-email version``."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform

from teleport_email import __version__


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``version`` takes nothing."""
    parser = subparsers.add_parser("version", help="print the version, and those of Python and grpcio")
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print the versions that a bug report needs. grpcio is asked for its metadata, not imported."""
    grpcio = importlib.metadata.version("grpcio")
    print(f"teleport-email {__version__} (Python {platform.python_version()}, grpcio {grpcio})")
    return 0

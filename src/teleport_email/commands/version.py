"""``teleport-email version``."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path
from typing import Final

from teleport_email import __version__

PACKAGE: Final = Path(__file__).parents[1]
COMMIT_FILE: Final = "_commit"
"""Written into the package when it is built (``make dist``, ``make install``, the container)."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``version [--json]``."""
    parser = subparsers.add_parser("version", help="print the version, and those of Python and grpcio")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with the commit")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the versions that a bug report needs. grpcio is asked for its metadata, not imported."""
    grpcio = importlib.metadata.version("grpcio")
    version, python = f"v{__version__}", platform.python_version()
    if args.json:
        print(json.dumps({"version": version, "commit": commit(), "python": python, "grpcio": grpcio}))
    else:
        # It begins as the Go plugin's does: scripts read that.
        print(f"teleport-email {version} (Python {python}, grpcio {grpcio})")
    return 0


def commit(package: Path = PACKAGE) -> str:
    """The commit that this was built from, or that is checked out; empty where neither is known."""
    try:
        return (package / COMMIT_FILE).read_text("ascii").strip()
    except OSError:
        pass
    checkout = package.parents[1]
    if not (checkout / ".git").exists():
        return ""
    try:
        asked = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603 - constant
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()

"""``teleport-email version``."""

from __future__ import annotations

import argparse
import os
import sys

from teleport_email import __version__

TYPE_CHECKING = False  # without `typing`, as in `cli`
if TYPE_CHECKING:
    from pathlib import Path

COMMIT_FILE = "_commit"
"""Written into the package when it is built (``make dist``, ``make install``, the container)."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``version [--json]``."""
    parser = subparsers.add_parser("version", help="print the version, and those of Python and grpcio")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with the commit")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the versions that a bug report needs. grpcio is asked for its metadata, not imported."""
    grpcio, version, python = installed("grpcio"), f"v{__version__}", sys.version.split()[0]
    if args.json:
        import json

        print(json.dumps({"version": version, "commit": commit(), "python": python, "grpcio": grpcio}))
    else:
        # It begins as the Go plugin's does: scripts read that.
        print(f"teleport-email {version} (Python {python}, grpcio {grpcio})")
    return 0


def installed(package: str) -> str:
    """The version of an installed package.

    The name of the directory beside it tells (``NAME-VERSION.dist-info``, by the standard for installed
    packages); ``importlib.metadata``, which takes four times as long to load as all the rest, is for others.
    """
    for place in sys.path:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208 - without pathlib, for the same reason
        except OSError:
            continue
        for name in names:
            if name.startswith(f"{package}-") and name.endswith(".dist-info"):
                return name.removeprefix(f"{package}-").removesuffix(".dist-info")
    import importlib.metadata

    return importlib.metadata.version(package)


def commit(package: Path | None = None) -> str:
    """The commit that this was built from, or that is checked out; empty where neither is known."""
    import subprocess
    from pathlib import Path

    package = package or Path(__file__).parents[1]
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

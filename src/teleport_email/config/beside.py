"""Why a file cannot be read: what lies beside it, or whose it is.

A Kubernetes secret is mounted as a directory whose files are called like its keys, so that the names are the
answer to most questions about a missing file.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

SHOWN = 5


def beside(path: Path) -> str:
    """``; its directory has: a, b``, or whose it is, to end a sentence with; else nothing."""
    try:
        if path.exists():
            return "" if os.access(path, os.R_OK, effective_ids=True) else _whose(path)
        names = sorted(entry.name for entry in path.parent.iterdir() if not entry.name.startswith("."))
    except OSError:
        return ""
    more = " ..." if len(names) > SHOWN else ""
    return f"; its directory has: {', '.join(names[:SHOWN])}{more}" if names else "; its directory is empty"


def _whose(path: Path) -> str:
    status = path.stat()
    file = f"{stat.filemode(status.st_mode)} of user {status.st_uid}, group {status.st_gid}"
    we = f"user {os.geteuid()}, group {os.getegid()}"
    return f"; it is {file}, and this process is {we}: let it read the file (Kubernetes: fsGroup, mode 0440)"

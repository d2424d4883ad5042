"""What lies beside a file that is not there. A Kubernetes secret is mounted as a directory whose files are
called like its keys, so that the names are the answer to most questions about a missing file.
"""

from __future__ import annotations

from pathlib import Path

SHOWN = 5


def beside(path: Path) -> str:
    """``; its directory has: a, b``, to end a sentence with; nothing where it is there or cannot be seen."""
    try:
        if path.exists():
            return ""
        names = sorted(entry.name for entry in path.parent.iterdir() if not entry.name.startswith("."))
    except OSError:
        return ""
    more = " ..." if len(names) > SHOWN else ""
    return f"; its directory has: {', '.join(names[:SHOWN])}{more}" if names else "; its directory is empty"

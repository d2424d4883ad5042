"""An earlier revision of this program, unpacked beside the present one, to run the two against each other."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
FIRST = "52ecbabb5b078385c927be1cf8bfc03029213445"
"""The last revision whose programs know version 1 of the ledger alone, and nothing that only informs."""


def unpack(revision: str, directory: Path) -> Path | None:
    """The folder to put on ``PYTHONPATH`` for ``revision``; None where this is no checkout that has it.

    Its benches are beside it.
    """
    packed = subprocess.run(
        ["git", "-C", str(ROOT), "archive", "--format=tar", revision, "src", "bench"],
        check=False,
        capture_output=True,
    )
    if packed.returncode != 0:
        return None
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(directory, filter="data")
    return directory / "src"

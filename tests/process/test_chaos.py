"""The chaos harness, as ``make chaos`` runs it: half a minute of everything at once, with a shorter lease."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

CHAOS = Path(__file__).parents[2] / "bench" / "chaos.py"


@pytest.mark.timeout(240)
async def test_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(CHAOS), "--seed", "11", "--minutes", "0.5", "--scale", "0.2", "--keep", str(tmp_path),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()
    assert b"kept: " in said

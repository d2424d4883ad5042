"""Each bench runs and prints its ratio. Small and never timed: a machine under load must not fail a test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent.parent / "bench"
ONE = ["--rounds", "1"]
CASES = {
    "burst.py": [*ONE, "--requests", "4", "--recipients", "2", "--connections", "2", "--delays", "0"],
    "long_list.py": [*ONE, "--recipients", "6", "--connections", "2", "--delay", "1"],
    "latency.py": ["--delay", "1", "--count", "2", "--cold-count", "1"],
    "starting.py": ONE,
    "calls.py": ["--requests", "1", "--delay", "0"],
    "replicas.py": ["--replicas", "2", "--requests", "2", "--no-takeover"],
    "day.py": ["--requests", "4", "--recipients", "2", "--open", "2"],
    "growth.py": [*ONE, "--sizes", "5,20"],
    "idle.py": ["--seconds", "0.2", "--events", "50"],
    "access_lists.py": ["--lists", "120", "--owners", "3", "--open", "5", "--polls", "1"],
    "memory.py": ["--requests", "10", "--events", "2000", "--settle", "0.1"],
}


def run(script: str, *arguments: str, good: bool = True) -> str:
    done = subprocess.run(
        [sys.executable, str(BENCH / script), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=500,
        env=os.environ | {"BENCH_SETTLE": "0"},
    )
    assert done.returncode == 0 or not good, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("script", CASES)
def test_bench_runs_and_tells_a_ratio(script: str, tmp_path: Path) -> None:
    kept = tmp_path / "results.json"
    output = run(script, *CASES[script], "--save", str(kept))
    result = next(iter(json.loads(kept.read_text()).values()))
    places = [place for place, column in enumerate(result["columns"]) if column.startswith("ratio")]
    assert places, output
    ratios = [row[places[0]] for row in result["rows"] if isinstance(row[places[0]], int | float)]
    assert ratios, output
    # So few requests as here may take less than the processor's clock can tell: nothing, or less than none.
    assert any(ratios) or script == "growth.py", output


def test_burst_when_the_server_allows_fewer_connections_than_configured() -> None:
    output = run(
        "burst.py",
        *ONE,
        "--requests",
        "10",
        "--recipients",
        "3",
        "--connections",
        "6",
        "--delays",
        "2",
        "--limit",
        "2",
    )
    highest = re.search(r"'highest': (\d+)", output)
    assert highest is not None, output
    assert int(highest[1]) <= 2
    assert "nothing was lost" in output


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("sending.py", ["--messages", "20", "--connections", "2", "--delays", "0", "--rounds", "1"]),
        ("relay.py", ["1"]),
    ],
)
def test_part_against_its_floor(script: str, arguments: list[str]) -> None:
    # The exit code tells whether the ratio is good, which is not asked here.
    assert "ratio" in run(script, *arguments, good=False)

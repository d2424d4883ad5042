"""The wheel and the sdist: the same source gives the same bytes, and all that the program needs is in."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(kind: str, into: Path) -> Path:
    environ = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(into), str(ROOT)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = into.iterdir()
    return made


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_two_builds_are_equal(kind: str, tmp_path: Path) -> None:
    first, second = build(kind, tmp_path / "1"), build(kind, tmp_path / "2")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    if kind == "sdist":
        with tarfile.open(first) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        assert tracked() - names == set(), (
            "it is no whole checkout, in which everything can be made and tested"
        )


def tracked() -> set[str]:
    """What belongs to the project; nothing where this is not a checkout."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}


def test_the_wheel_has_what_is_not_python(tmp_path: Path) -> None:
    with zipfile.ZipFile(build("wheel", tmp_path)) as wheel:
        names = set(wheel.namelist())
    package = ROOT / "src" / "teleport_email"
    needed = [
        path
        for path in package.rglob("*")
        if path.suffix in (".jinja", ".html", ".txt", ".toml", ".typed", ".css")
    ]
    assert needed
    missing = [path for path in needed if str(path.relative_to(ROOT / "src")) not in names]
    assert not missing
    assert not [name for name in names if name.startswith("tests/")]

"""The wheel and the sdist: the same source gives the same bytes, and all that the program needs is in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree: in the checkout itself a test of ``make install`` may be building meanwhile."""
    names = tracked()
    if not names:
        return ROOT
    copy = tmp_path_factory.mktemp("source")
    for name in names:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    return copy


def build(source: Path, kind: str, into: Path) -> Path:
    environ = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(into)]
    command.append(str(source))
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = into.iterdir()
    return made


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_two_builds_are_equal(source: Path, kind: str, tmp_path: Path) -> None:
    first, second = build(source, kind, tmp_path / "1"), build(source, kind, tmp_path / "2")
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


def test_the_wheel_has_what_is_not_python(source: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(build(source, "wheel", tmp_path)) as wheel:
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

"""The installer: what it puts where, that it never takes away what works, and that two builds are equal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"  # one that a service may use; a test's own may lie in a home directory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
]  # some hundred packages are unpacked, also on a busy machine


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installer(what: str, into: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "packaging/install.sh", what],
        env=os.environ | {"DESTDIR": str(into), "PREFIX": "/usr/local", "PYTHON": ""} | environ,
        capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree as packages are made of."""
    return build(tmp_path_factory.mktemp("built"))


def build(into: Path) -> Path:
    found = subprocess.run(
        [ROOT / "packaging/venv.sh", "find"],
        env=os.environ | {"FOR_SERVICE": "1", "PYTHON": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if found.returncode:
        pytest.skip(f"no Python for a service here: {found.stderr}")
    done = installer("install", into)
    if done.returncode and re.search("No matching distribution|Connection|Network|resolve", done.stderr):
        pytest.skip("the packages that it needs cannot be fetched here")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return into


def contents(tree: Path) -> dict[str, tuple[int, int, bytes]]:
    """Path to mode, time and bytes (or target) of everything in it."""
    return {
        str(path.relative_to(tree)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            os.fsencode(path.readlink())
            if path.is_symlink()
            else b""
            if path.is_dir()
            else path.read_bytes(),
        )
        for path in tree.rglob("*")
    }


def test_what_is_installed_runs_and_goes_away_again(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "tree", symlinks=True)
    prefix = tmp_path / "tree/usr/local"
    launcher = (prefix / "bin/teleport-email").read_text()
    assert launcher == '#!/bin/sh\nexec /usr/local/lib/teleport-email/bin/python -I -m teleport_email "$@"\n'
    python = prefix / "lib/teleport-email/bin/python"
    assert run(python, "-I", "-m", "teleport_email", "version").startswith("teleport-email v")
    assert (
        run(python, "-I", "-m", "teleport_email", "configure")
        == (prefix / "share/doc/teleport-email/teleport-email.toml").read_text()
    )
    assert "ExecStart=/usr/local/bin/" in (prefix / "lib/systemd/system/teleport-email.service").read_text()
    for installed, source in (
        ("lib/sysusers.d/teleport-email.conf", "systemd/teleport-email.sysusers.conf"),
        ("lib/tmpfiles.d/teleport-email.conf", "systemd/teleport-email.tmpfiles.conf"),
        ("share/man/man1/teleport-email.1", "man/teleport-email.1"),
        ("share/man/man5/teleport-email.toml.5", "man/teleport-email.toml.5"),
    ):
        assert (prefix / installed).read_text() == (ROOT / "packaging" / source).read_text()
    assert (prefix / "lib/teleport-email").stat().st_mode & 0o005 == 0o005
    assert installer("uninstall", tmp_path / "tree").returncode == 0
    assert [path for path in (tmp_path / "tree").rglob("*") if not path.is_dir()] == []


def test_two_builds_are_equal_and_say_nowhere_where_they_were_built(built: Path, tmp_path: Path) -> None:
    first, second = contents(built), contents(build(tmp_path / "another place"))
    assert {path for path in first | second if first.get(path) != second.get(path)} == set()
    places = (os.fsencode(built), os.fsencode(tmp_path), os.fsencode(ROOT))
    assert {path for path, (_, _, data) in first.items() if any(place in data for place in places)} == set()


def test_its_hint_for_the_sandbox_works_without_pip(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built / "usr/local/lib/teleport-email", tmp_path / "venv", symlinks=True)
    python = str(tmp_path / "venv/bin/python")
    done = subprocess.run(
        [python, "-I", "-m", "teleport_email", "sandbox"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    hint = done.stderr.partition("Into the environment of this program: ")[2].strip()
    assert hint == f"{python} -m ensurepip && {python} -m pip install 'aiosmtpd>=1.4.6'"
    first, _, second = hint.partition(" && ")
    run(
        "/bin/sh",
        "-c",
        f"{first} && {second.replace('install', 'install --dry-run --no-index --no-deps', 1)} || :",
    )
    assert run(python, "-m", "pip", "--version").startswith("pip ")
    assert '"aiosmtpd>=1.4.6"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("fails", ["fetching", "running"])
def test_what_works_stays_when_an_upgrade_fails(built: Path, tmp_path: Path, fails: str) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(built, tree, symlinks=True)
    before = contents(tree / "usr/local/lib/teleport-email")
    if fails == "fetching":
        done = installer("install", tree, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
        assert "the packages could not be installed" in done.stderr
    else:
        # An interpreter whose environments cannot run the program.
        python = tmp_path / "python"
        python.write_text(
            f'#!/bin/sh\ncase "$*" in *"-m venv"*.new) exec false;; esac\nexec {SYSTEM_PYTHON} "$@"\n'
        )
        python.chmod(0o755)
        done = installer("install", tree, PYTHON=str(python))
    assert done.returncode == 1
    assert contents(tree / "usr/local/lib/teleport-email") == before
    assert [path.name for path in (tree / "usr/local/lib").glob("teleport-email*")] == ["teleport-email"]

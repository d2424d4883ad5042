"""The lock files: they name everything, and they go on to work when something newer is released.

pip before 23.3 does not apply a pin to a package that another one asks for with an extra: it takes the newest
release, and refuses it for having no hash. So every use of a lock takes it without dependencies.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").iterdir())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WANTED: dict[str, list[str]] = {
    "build": PROJECT["build-system"]["requires"],
    "runtime": PROJECT["project"]["dependencies"],
    "sandbox": PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["sandbox"],
}
WANTED["dev"] = WANTED["sandbox"] + PROJECT["dependency-groups"]["dev"]
OLDEST_PIPS = {(3, 11): ("22.3", "23.0.1"), (3, 12): ("23.2.1",), (3, 13): ("24.2",), (3, 14): ("25.2",)}
"""The pip that the first release of each Python bundles, and, for 3.11, Debian bookworm's."""


def locked(lock: Path) -> dict[str, Requirement]:
    """Package to its line, without the hashes."""
    lines = re.sub(r"\\\n", " ", lock.read_text()).splitlines()
    found = [
        Requirement(line.partition("--hash")[0]) for line in lines if line.strip() and line[0] not in " #"
    ]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_pins_each_package_by_version_and_hash(lock: Path) -> None:
    for entry in re.sub(r"\\\n", " ", lock.read_text()).splitlines():
        if entry.strip() and entry[0] not in " #":
            assert re.match(r"[a-z0-9.-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", entry), entry[:80]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_names_everything(lock: Path, python: str) -> None:
    """What its packages ask for in turn, as far as they are installed here, on every version of Python."""
    names = locked(lock)
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    todo = [Requirement(text) for text in WANTED[lock.stem]]
    seen: set[tuple[str, str]] = set()
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        assert name in names, f"{lock.name} does not name {name}"
        assert wanted.specifier.contains(str(names[name].specifier).removeprefix("==")), name
        for extra in {"", *wanted.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                requires = importlib.metadata.requires(name) or []
            except importlib.metadata.PackageNotFoundError:
                continue  # for another version of Python than this one
            todo += [
                requirement
                for requirement in map(Requirement, requires)
                if not requirement.marker or requirement.marker.evaluate(environment | {"extra": extra})
            ]
    assert len(seen) >= len(WANTED[lock.stem])


@pytest.fixture(scope="module")
def pips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The oldest pips; skips where they cannot be fetched."""
    folder = tmp_path_factory.mktemp("pips")
    for version in OLDEST_PIPS[sys.version_info[:2]]:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*command, "--no-deps", "--dest", folder, f"pip=={version}"],
            capture_output=True, text=True, timeout=560, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"pip {version} cannot be fetched here: {done.stderr.strip().splitlines()[-1]}")
    return folder


def make_wheel(folder: Path, name: str, version: str, *requires: str) -> str:
    """A wheel with nothing but metadata; its SHA-256."""
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: toml\n"
    metadata += "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    record = []
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, text in (
            (f"{stem}.dist-info/METADATA", metadata),
            (f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        ):
            wheel.writestr(member, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record.append(f"{member},sha256={digest},{len(text)}\n")
        wheel.writestr(f"{stem}.dist-info/RECORD", "".join([*record, f"{stem}.dist-info/RECORD,,\n"]))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_newer_releases_change_nothing_also_for_the_oldest_pips(pips: Path, tmp_path: Path) -> None:
    """The longest lock, which has the extras, and an index that has the locked releases and newer ones. The packages are empty, and so have hashes of their
    own; what they ask for is what those that are installed here ask for, extras and all."""
    (lock,) = (lock for lock in LOCKS if lock.stem == "dev")
    folder = tmp_path / "folder"
    folder.mkdir()
    lines = []
    for name, requirement in locked(lock).items():
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            requires = []  # for another version of Python than this one
        wanted = [text for text in requires if "extra ==" not in text]
        digest = make_wheel(folder, name, str(requirement.specifier).removeprefix("=="), *wanted)
        make_wheel(folder, name, "9999.0")
        marker = f" ; {requirement.marker}" if requirement.marker else ""
        lines.append(f"{name}{requirement.specifier}{marker} \\\n    --hash=sha256:{digest}\n")
    empty = tmp_path / lock.name
    empty.write_text("".join(lines))
    for pip in sorted(pips.iterdir()):
        # An interpreter that puts the old pip into the environments that it makes.
        python = tmp_path / "python"
        python.write_text(
            f'#!/bin/sh\n{sys.executable} "$@" || exit\n'
            'test "$1 $2" != "-m venv" ||'
            f' "$4/bin/python" -m pip install --quiet --no-index --disable-pip-version-check {pip}\n'
        )
        python.chmod(0o755)
        environ = os.environ | {
            "PYTHON": str(python), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_NO_COMPILE": "1"
        }  # fmt: skip
        venv = tmp_path / "venv"
        done = subprocess.run(
            [ROOT / "packaging/venv.sh", "make", venv, empty],
            env=environ, capture_output=True, text=True, timeout=560, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{pip.name}: {done.stdout}{done.stderr}"
        listed = subprocess.run(
            [venv / "bin/python", "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
            env=environ, capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip
        assert f"pip=={pip.name.split('-')[1]}\n" in listed
        installed = {
            canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in listed.splitlines()
        }
        for name, requirement in locked(lock).items():
            if not requirement.marker or requirement.marker.evaluate():
                assert f"=={installed[name]}" == str(requirement.specifier)
        shutil.rmtree(venv)

"""packaging/venv.sh: which interpreter it takes and what it says of those it cannot take; what ``make`` sets up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIM = "#!/bin/sh\necho 'pyenv: this version is not chosen' >&2\nexit 127\n"
WORKS = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
# As Debian's without python3-venv: all of Python but what makes environments.
BARE = f"""#!/bin/sh
test "$1" = -c || exit 9
exec {sys.executable} -c "import sys; sys.modules['ensurepip'] = None
$2"
"""
OLD = f"""#!/bin/sh
test "$1" = -c || exit 9
exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 13, 'final', 0)
$2"
"""


def find(directory: Path, pythons: dict[str, str], **environ: str) -> subprocess.CompletedProcess[str]:
    """Ask for an interpreter, where PATH has just these scripts and the shell's own tools."""
    directory.mkdir(exist_ok=True)
    for tool in ("sh", "sed", "grep"):
        (directory / tool).symlink_to(f"/bin/{tool}")
    for name, script in pythons.items():
        (directory / name).write_text(script)
        (directory / name).chmod(0o755)
    return subprocess.run(
        [ROOT / "packaging/venv.sh", "find"],
        env={"PATH": str(directory)} | environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pythons", "taken"),
    [
        ({"python3": WORKS}, "python3"),
        ({"python3.14": WORKS, "python3.11": WORKS, "python3": WORKS}, "python3.14"),
        ({"python3.14": SHIM, "python3.13": SHIM, "python3.12": WORKS, "python3": WORKS}, "python3.12"),
        ({"python3.13": BARE, "python3.12": WORKS}, "python3.12"),
        ({"python3.12": OLD, "python3": WORKS}, "python3"),
    ],
)
def test_the_newest_that_will_do_is_taken(tmp_path: Path, pythons: dict[str, str], taken: str) -> None:
    done = find(tmp_path, pythons)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path / taken}\n", "")


@pytest.mark.parametrize(
    ("pythons", "said"),
    [
        ({}, "Python 3.11 or newer is needed; Debian and Ubuntu: apt install python3-venv"),
        ({"python3": OLD}, "is Python 3.10; 3.11 or newer is needed"),
        (
            {"python3.13": SHIM, "python3": BARE},
            "apt install python{}.{}-venv".format(*sys.version_info[:2]),
        ),
    ],
)
def test_where_none_will_do_one_line_says_what_to_install(
    tmp_path: Path, pythons: dict[str, str], said: str
) -> None:
    done = find(tmp_path, pythons)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert said in line
    assert "PYTHON=" in line


@pytest.mark.parametrize(
    ("asked", "said"),
    [(SHIM, "does not run"), (OLD, "is Python 3.10"), (BARE, "apt install python3")],
)
def test_the_one_that_is_asked_for_is_taken_or_refused_but_never_replaced(
    tmp_path: Path, asked: str, said: str
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "mine").write_text(asked)
    (tmp_path / "mine").chmod(0o755)
    done = find(tmp_path / "bin", {"python3": WORKS}, PYTHON=str(tmp_path / "mine"))
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert said in line
    (tmp_path / "mine").write_text(WORKS)
    done = subprocess.run(
        [ROOT / "packaging/venv.sh", "find"],
        env={"PATH": str(tmp_path / "bin"), "PYTHON": str(tmp_path / "mine")},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == f"{tmp_path / 'mine'}\n"


def test_a_service_gets_none_in_a_home_directory(tmp_path: Path) -> None:
    home = f"""#!/bin/sh
exec {sys.executable} -c "import os; os.path.realpath = lambda path: '/root/.local/bin/python3'
$2"
"""
    (tmp_path / "mine").write_text(home)
    (tmp_path / "mine").chmod(0o755)
    done = find(tmp_path / "bin", {"python3": WORKS}, PYTHON=str(tmp_path / "mine"), FOR_SERVICE="1")
    assert done.returncode == 1
    assert done.stderr == "/root/.local/bin/python3 lies in a home directory, which a service cannot see\n"
    assert find(tmp_path / "2", {"python3": WORKS}, PYTHON=str(tmp_path / "mine")).returncode == 0


def plan(target: str, *settings: str) -> str:
    """What make would do."""
    environ = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    command = ["make", "-n", "-C", str(ROOT), target, *settings]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_the_demo_sets_up_what_it_needs_and_no_more(tmp_path: Path) -> None:
    told = plan("demo", f"VENV={tmp_path / 'none'}")
    assert "requirements/sandbox.txt" in told
    assert "dev.txt" not in told
    assert "pip install" not in told
    assert "requirements/sandbox.txt" in plan("bench", f"VENV={tmp_path / 'none'}")


def test_an_environment_that_is_half_made_or_another_interpreter_s_is_made_anew(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True, timeout=60)
    assert "venv.sh make" in plan("venv", f"VENV={venv}")
    (venv / ".set-up").touch()
    assert "venv.sh make" not in plan("venv", f"VENV={venv}")
    assert "venv.sh make" not in plan("venv", f"VENV={venv}", f"PYTHON={sys.executable}")
    assert "venv.sh make" in plan("venv", f"VENV={venv}", "PYTHON=/usr/bin/another")

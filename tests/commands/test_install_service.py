"""``install-service``: what it would do, and that it does just that."""

from __future__ import annotations

import argparse
import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from teleport_email.commands import install_service
from teleport_email.core.errors import TeleportEmailError

ROOT = Path(__file__).parents[2]
PROGRAM = Path("/usr/local/bin/teleport-email")


def options(**changes: object) -> argparse.Namespace:
    given = {"write": False, "prefix": Path("/usr/local"), "program": PROGRAM, "destdir": None} | changes
    return argparse.Namespace(**given)


@pytest.fixture(autouse=True)
def _a_python_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")


def test_without_write_it_only_says_what_it_would_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install_service, "_write", None)
    monkeypatch.setattr(install_service, "_call", None)
    assert install_service.run(options()) == 0
    assert capsys.readouterr().out.splitlines() == [
        "write  /usr/local/lib/systemd/system/teleport-email.service",
        "write  /usr/local/lib/sysusers.d/teleport-email.conf",
        "write  /usr/local/lib/tmpfiles.d/teleport-email.conf",
        "write  /usr/local/share/man/man1/teleport-email.1",
        "write  /usr/local/share/man/man5/teleport-email.toml.5",
        "run    systemd-sysusers /usr/local/lib/sysusers.d/teleport-email.conf",
        "run    systemd-tmpfiles --create /usr/local/lib/tmpfiles.d/teleport-email.conf",
        "run    systemctl daemon-reload",
        "nothing was done; with --write it is, as root",
    ]


def test_it_writes_what_is_shipped_with_the_program_s_own_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[object] = []
    monkeypatch.setattr(install_service, "_call", called.append)
    program = Path("/opt/tools/bin/teleport-email")
    assert install_service.run(options(write=True, prefix=tmp_path, program=program)) == 0
    unit = (tmp_path / "lib/systemd/system/teleport-email.service").read_text()
    shipped = (ROOT / "packaging/systemd/teleport-email.service").read_text()
    assert unit == shipped.replace(str(PROGRAM), str(program)) != shipped
    man = tmp_path / "share/man/man1/teleport-email.1"
    assert man.read_text() == (ROOT / "packaging/man/teleport-email.1").read_text()
    assert man.stat().st_mode & 0o777 == 0o644
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 5
    # Not where systemd looks by itself: the unit is linked.
    assert called == [
        ("systemd-sysusers", f"{tmp_path}/lib/sysusers.d/teleport-email.conf"),
        ("systemd-tmpfiles", "--create", f"{tmp_path}/lib/tmpfiles.d/teleport-email.conf"),
        ("systemctl", "link", f"{tmp_path}/lib/systemd/system/teleport-email.service"),
    ]


def test_a_prefix_where_systemd_does_not_look_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert install_service.run(options(prefix=Path("/opt/te"))) == 0
    assert (
        "note   systemd looks below /etc, /usr/local and /usr, not below /opt/te: the unit is linked"
        in capsys.readouterr().out.splitlines()
    )


def test_a_tree_for_a_package_may_be_built_in_a_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install_service, "_HIDDEN", (str(tmp_path),))
    tree = tmp_path / "me/build"
    monkeypatch.setattr(sys, "executable", f"{tree}/usr/local/lib/teleport-email/bin/python")
    monkeypatch.setattr(
        Path, "resolve", Path.absolute
    )  # it is a link to the system's own, which is not there
    with pytest.raises(TeleportEmailError, match="which a service cannot see"):
        install_service.run(options(write=True))
    monkeypatch.setattr(
        Path, "resolve", lambda path: Path("/usr/bin/python3") if "bin/python" in str(path) else path
    )
    assert install_service.run(options(write=True, destdir=tree)) == 0
    assert (tree / "usr/local/lib/systemd/system/teleport-email.service").exists()
    assert "wrote" in capsys.readouterr().out


@pytest.mark.parametrize(
    "place",
    ["/root/.local/bin/teleport-email", "/home/me/.local/bin/teleport-email", "/tmp/venv/bin/teleport-email"],
)
def test_what_a_service_cannot_see_is_refused(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TeleportEmailError, match=r"which a service cannot see.*pipx install --global"):
        install_service.run(options(program=Path(place)))
    monkeypatch.setattr(sys, "executable", place)
    with pytest.raises(TeleportEmailError, match="which a service cannot see"):
        install_service.run(options())


def test_who_may_not_write_there_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", denied)
    with pytest.raises(TeleportEmailError, match=r"Permission denied: .*lib/systemd/system; run it as root$"):
        install_service.run(options(write=True, prefix=tmp_path))


def test_what_root_cannot_cure_is_not_told_so(tmp_path: Path) -> None:
    (tmp_path / "lib").write_text("in the way")
    with pytest.raises(TeleportEmailError, match=r"lib/systemd/system$"):
        install_service.run(options(write=True, prefix=tmp_path))


def test_a_prefix_is_told_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert install_service.run(options(prefix=Path("here"))) == 0
    assert f"systemctl link {tmp_path}/here/lib/systemd" in capsys.readouterr().out


def test_a_command_that_fails_is_told_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    install_service._call(("systemd-tmpfiles-that-is-not-there", "--create", "a b"))
    assert (
        capsys.readouterr().err
        == "this did not work (exit code 127); do it by hand: systemd-tmpfiles-that-is-not-there --create 'a b'\n"
    )


@pytest.mark.parametrize("name", ["a b", "100%", ";", "%h", "$HOME"])
def test_a_path_that_a_unit_would_read_otherwise_is_quoted(name: str, tmp_path: Path) -> None:
    """As systemd itself reads it: it looks whether the program is there."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze")
    program = tmp_path / name / "teleport-email"
    program.parent.mkdir()
    program.touch(mode=0o755)
    unit = tmp_path / "teleport-email.service"
    plan = install_service.plan_for(program, Path("/usr/local"))
    unit.write_text(plan.files[Path("/usr/local/lib/systemd/system/teleport-email.service")])

    def verify() -> str:
        done = subprocess.run(
            [analyze, "verify", "--man=no", unit], capture_output=True, text=True, check=False
        )
        return "\n".join(line for line in done.stderr.splitlines() if "ommand" in line or "ExecStart" in line)

    assert verify() == ""
    program.unlink()
    assert "not executable" in verify()


@pytest.mark.parametrize("name", ["new\nline", 'quo"te', "it's", "back\\slash"])
def test_a_path_that_systemd_takes_for_no_program_s_is_refused(name: str) -> None:
    with pytest.raises(TeleportEmailError, match="quotes, backslashes or control characters"):
        install_service.plan_for(Path("/opt") / name / "teleport-email", Path("/usr/local"))


def test_a_file_that_was_not_shipped_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(install_service._PLACES, "teleport-email.nowhere", "share/nowhere")
    with pytest.raises(TeleportEmailError, match=r"teleport-email\.nowhere does not lie beside this program"):
        install_service.plan_for(PROGRAM, Path("/usr/local"))

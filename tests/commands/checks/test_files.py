"""Files that cannot be read, and files that too many can."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs

from teleport_email import config
from teleport_email.commands.checks import files
from teleport_email.commands.checks.line import Level, Line
from teleport_email.config.settings import Settings

NOBODY = 65534


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Be an ordinary user for a while: root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory that everybody can get to."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o111)
    return tmp_path


def settings(place: Path, extra: str = "", password: str = "") -> tuple[Path, Settings]:
    path = place / "teleport-email.toml"
    path.write_text(f"""
        [teleport]
        identity = "{place}/identity"
        [smtp]
        host = "mail.example.com"
        {password}
        [delivery]
        sender = "t@example.com"
        [role_to_recipients]
        "*" = "a@example.com"
        {extra}
    """)
    return path, config.load(path, {})


def inspect(path: Path, found: Settings, **environ: str) -> list[Line]:
    return [line for line in files.inspect(path, found, environ) if "as root" not in line.what]


def write(path: Path, mode: int) -> Path:
    path.write_text("x\n")
    path.chmod(mode)
    return path


def test_private_files_are_fine(place: Path) -> None:
    write(place / "identity", 0o600)
    [line] = inspect(*settings(place))
    assert line.level is Level.OK


@pytest.mark.parametrize(("mode", "said"), [(0o644, "everybody may read"), (0o660, "others may change")])
def test_files_that_others_get_at_are_named(place: Path, mode: int, said: str) -> None:
    write(place / "identity", mode)
    password = write(place / "password", mode)
    lines = inspect(*settings(place, password=f'username = "u"\npassword_file = "{password}"'))
    assert [line.level for line in lines] == [Level.WARNING, Level.WARNING]
    assert all(said in line.what for line in lines)
    assert str(password) in lines[1].what
    assert lines[1].todo[0].startswith("chmod ")


def test_a_configuration_with_a_password_in_it_is_a_secret_too(place: Path) -> None:
    write(place / "identity", 0o600)
    path, found = settings(place, password='username = "u"\npassword = "p"')
    path.chmod(0o644)
    [line] = inspect(path, found)
    assert line.level is Level.WARNING
    assert str(path) in line.what
    path.chmod(0o640)
    assert inspect(path, found)[0].level is Level.OK


def test_kubernetes_mounts_secrets_for_all_to_read(place: Path) -> None:
    write(place / "identity", 0o644)
    [line] = inspect(*settings(place), KUBERNETES_SERVICE_HOST="10.0.0.1")
    assert line.level is Level.OK


def test_a_wrong_name_is_explained_by_what_is_there(place: Path) -> None:
    write(place / "auth_id", 0o600)
    path, found = settings(place)
    lines = inspect(path, found)
    assert lines[0].level is Level.FAULT
    assert "its directory has: auth_id, teleport-email.toml" in lines[0].what
    assert "Machine ID writes `identity`" in lines[0].todo[0]


def test_the_directory_that_is_closed_is_named(place: Path) -> None:
    (place / "closed" / "below").mkdir(parents=True)
    write(place / "closed/below/identity", 0o644)
    (place / "closed").chmod(0o600)
    with as_nobody():
        what, todo = files.explain_unreadable(place / "closed/below/identity")
    (place / "closed").chmod(0o700)
    assert f"the directory {place}/closed may not be entered" in what
    assert todo == f"setfacl -m u:{'nobody' if os.geteuid() == 0 else files._me()}:x {place}/closed"


def test_a_file_that_is_closed_is_named(place: Path) -> None:
    path = write(place / "identity", 0o000)
    with as_nobody():
        what, todo = files.explain_unreadable(path)
    assert f"{path} may not be read by" in what
    assert "(it is ----------" in what
    assert todo.startswith("setfacl -m u:")


def test_directories_missing_and_in_the_wrong_place(place: Path) -> None:
    assert f"the directory {place}/no does not exist" in files.explain_unreadable(place / "no/identity")[0]
    (place / "dir").mkdir()
    assert "is a directory" in files.explain_unreadable(place / "dir")[0]
    assert "its directory is empty" in files.explain_unreadable(place / "dir/identity")[0]


def test_a_log_that_cannot_be_written_is_a_fault(place: Path) -> None:
    write(place / "identity", 0o600)
    path, found = settings(place, extra='[log]\noutput = "/nowhere/email.log"')
    [line] = inspect(path, found)
    assert line.level is Level.FAULT
    assert "the log /nowhere/email.log cannot be written" in line.what


@pytest.mark.parametrize(
    ("where", "owner", "refresh", "warned"),
    [
        ("state", "teleport-email", True, True),
        ("log", "teleport-email", True, True),
        ("state", "tbot", True, False),
        ("state", "teleport-email", False, False),
        ("elsewhere", "teleport-email", True, False),
    ],
)
def test_an_identity_that_systemd_takes_from_tbot_is_told(
    place: Path, monkeypatch: pytest.MonkeyPatch, where: str, owner: str, refresh: bool, warned: bool
) -> None:
    monkeypatch.setattr(files, "OWN", (place / "state", place / "log"))
    user = SimpleNamespace(pw_name=owner)
    monkeypatch.setattr(files, "pwd", SimpleNamespace(getpwuid=lambda _: user, getpwnam=lambda _: user))
    (place / where).mkdir()
    (place / where / "identity").touch(0o600)
    path, found = settings(place)
    teleport = structs.replace(found.teleport, identity=place / where / "identity", refresh_identity=refresh)
    lines = inspect(path, structs.replace(found, teleport=teleport))
    told = [line for line in lines if "can write there no more" in line.what]
    assert [line.level for line in told] == [Level.WARNING] * warned

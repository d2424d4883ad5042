"""The files that the configuration names: are they there, may we read them, and who else may?"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from teleport_email.commands.checks.line import Line, fault, ok, warning
from teleport_email.config.settings import Settings

AREA = "files"
SERVICE_USER = "teleport-email"
OWN = tuple(Path(place) / "teleport-email" for place in ("/var/lib", "/var/log", "/run"))
"""The unit's StateDirectory, LogsDirectory and RuntimeDirectory: all in them is given to the service."""
_NAME_IT = (
    "name one of these (in a Kubernetes secret the file's name is the key: Machine ID writes `identity`, "
    "Teleport's chart expects `auth_id`)"
)


def inspect(config: Path, settings: Settings, environ: Mapping[str, str]) -> Iterator[Line]:
    """Every file, one line each that is not as it should be, or one line that all are."""
    found = [line for path in _needed(settings) if (line := _readable(path))]
    # Kubernetes mounts secrets with mode 0644 into a place that only the pod sees: nothing to warn about.
    if "KUBERNETES_SERVICE_HOST" not in environ:
        inline = _has_inline_secrets(config, settings)
        secrets = [*_needed(settings), *settings.secret_files, *([config] if inline else [])]
        found += [line for path in dict.fromkeys(secrets) if (line := _private(path))]
    found += _log_file(settings.log.output)
    found += _taken_from_tbot(settings)
    yield from found or [ok(AREA, "all can be read, and secrets by nobody else")]
    if os.geteuid() == 0 and _user_exists():
        yield warning(
            AREA,
            "looked at as root, who may read everything",
            f"see what the service sees: runuser -u {SERVICE_USER} -- teleport-email check",
        )


def explain_unreadable(path: Path) -> tuple[str, str]:
    """Why a file cannot be read, and what to do. For paths that were just tried in vain."""
    for parent in reversed(path.absolute().parents):
        if not os.access(parent, os.X_OK, effective_ids=True):
            if not parent.exists():
                return f"{path}: the directory {parent} does not exist", "is the path right?"
            return (
                f"{path}: the directory {parent} may not be entered by {_me()}",
                f"setfacl -m u:{_me()}:x {parent}",
            )
    if not path.exists():
        others = sorted(entry.name for entry in path.parent.iterdir() if not entry.name.startswith("."))
        if others:
            listed = ", ".join(others[:5]) + (" ..." if len(others) > 5 else "")
            return f"{path} does not exist; its directory has: {listed}", _NAME_IT
        return f"{path} does not exist, its directory is empty", "write it, or let Machine ID (tbot) write it"
    if path.is_dir():
        return f"{path} is a directory", "name the file in it"
    return (
        f"{path} may not be read by {_me()} (it is {_mode(path)})",
        f"setfacl -m u:{_me()}:r {path} (what tbot has written once, it goes on to write in place)",
    )


def _needed(settings: Settings) -> list[Path]:
    teleport = settings.teleport
    files = (teleport.identity, teleport.client_key, teleport.client_crt, teleport.root_cas)
    return [path for path in files if path]


def _readable(path: Path) -> Line | None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError:
        what, todo = explain_unreadable(path)
        return fault(AREA, what, todo)
    return None


def _private(path: Path) -> Line | None:
    try:
        mode = path.stat().st_mode
    except OSError:
        return None  # said already
    if mode & stat.S_IROTH:
        return warning(AREA, f"{path} holds secrets and everybody may read it", f"chmod o-rwx {path}")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return warning(AREA, f"{path} holds secrets and others may change it", f"chmod go-w {path}")
    return None


def _has_inline_secrets(config: Path, settings: Settings) -> bool:
    """Whether the configuration itself has a password in it, rather than naming a file."""
    return not settings.secret_files and config.exists() and _secret_of(settings)


def _secret_of(settings: Settings) -> bool:
    mailer = settings.mailer
    held = [getattr(mailer, "password", None), getattr(mailer, "private_key", None)]
    oauth2 = getattr(mailer, "oauth2", None)
    return any(held) or bool(oauth2 and oauth2.client_secret)


def _taken_from_tbot(settings: Settings) -> Iterator[Line]:
    """An identity in a directory that systemd gives to the service as a whole, at its every start."""
    if not settings.teleport.refresh_identity:
        return
    for path in _needed(settings):
        own = next((each for each in OWN if path.resolve().is_relative_to(each)), None)
        if own is not None and _owner(path) == SERVICE_USER:
            yield warning(
                AREA,
                f"{path} belongs to {SERVICE_USER}: systemd gives it all of {own} at a start, and whoever "
                "renews the identity can write there no more",
                "let Machine ID (tbot) write into a directory of its own, such as /opt/machine-id",
            )
            return


def _owner(path: Path) -> str:
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except (OSError, KeyError):
        return ""


def _log_file(output: str) -> Iterator[Line]:
    if output in ("stdout", "stderr"):
        return
    path = Path(output)
    place = path if path.exists() else path.parent
    if not os.access(place, os.W_OK, effective_ids=True):
        yield fault(AREA, f"the log {path} cannot be written by {_me()}", f"let {_me()} write to {place}")


def _me() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user id {os.geteuid()}"


def _mode(path: Path) -> str:
    status = path.stat()
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = str(status.st_uid)
    return f"{stat.filemode(status.st_mode)} of {owner}"


def _user_exists() -> bool:
    try:
        pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return False
    return True

"""``teleport-email install-service``: unit, user, directories, manual pages, however the program came here.

``make install`` uses it too, so that there is one way. Without ``--write`` it only says what it would do.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from teleport_email.core.errors import TeleportEmailError

_PLACES: Final = {
    "teleport-email.service": "lib/systemd/system/teleport-email.service",
    "teleport-email.sysusers.conf": "lib/sysusers.d/teleport-email.conf",
    "teleport-email.tmpfiles.conf": "lib/tmpfiles.d/teleport-email.conf",
    "teleport-email.1": "share/man/man1/teleport-email.1",
    "teleport-email.toml.5": "share/man/man5/teleport-email.toml.5",
}
"""What is installed, and where below the prefix."""
_LOOKED_INTO: Final = ("/usr", "/usr/local")
"""Below these systemd and man look by themselves (systemd.unit(5), sysusers.d(5), tmpfiles.d(5))."""
_IN_THE_UNIT: Final = "/usr/local/bin/teleport-email"
_HIDDEN: Final = ("/root", "/home", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - named, not used
"""What ``ProtectHome=yes`` and ``PrivateTmp=yes`` hide from the service."""


class Plan(Struct, frozen=True):
    """What is to be done: files with their contents, commands after them, and what to know."""

    files: dict[Path, str]
    commands: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``install-service [--write] [--prefix DIR] [--program FILE]``."""
    parser = subparsers.add_parser(
        "install-service",
        help="install systemd unit, user and manual pages (prints what it would do; --write does it)",
        description="Makes this program a service of systemd: the unit, the user that it runs as, its "
        "directories, the manual pages. For whoever installed with pipx or uv; make install does it by "
        "itself. Without --write it only prints.",
        allow_abbrev=False,
    )
    parser.add_argument("--write", action="store_true", help="do it (as root)")
    parser.add_argument(
        "--prefix", metavar="DIR", type=Path, default=Path("/usr/local"), help="where to (default /usr/local)"
    )
    parser.add_argument(
        "--program", type=Path, metavar="FILE", help="what the unit starts (default: this program)"
    )
    # For building packages: stands in front of every path, and no command is run.
    parser.add_argument("--destdir", type=Path, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the plan or carry it out. Raises :class:`TeleportEmailError` when it cannot be."""
    program = (args.program or _this_program()).absolute()
    python, real = Path(sys.executable), Path(sys.executable).resolve()
    places = [program, python, real]
    if args.destdir is not None:
        # Where it will be; or, in no tree of its own, some Python that builds a package for another.
        within = python.is_relative_to(args.destdir.absolute())
        places[1:] = [Path("/") / python.relative_to(args.destdir.absolute()), real] if within else []
    for path in places:
        _must_be_visible(path)
    plan = plan_for(program, args.prefix.absolute())
    if not args.write:
        _print(plan)
        return 0
    try:
        for path, content in plan.files.items():
            _write(path if args.destdir is None else args.destdir / path.relative_to("/"), content)
    except OSError as error:
        if error.filename is None:
            raise  # what it prints, not a file
        root = "; run it as root" if isinstance(error, PermissionError) else ""
        raise TeleportEmailError(f"{error.strerror}: {error.filename}{root}") from error
    if args.destdir is None:
        for command in plan.commands:
            _call(command)
        for note in plan.notes:
            print(note)
    return 0


def plan_for(program: Path, prefix: Path) -> Plan:
    """What it takes to run ``program`` as a service, with everything below ``prefix``."""
    files = {prefix / place: _shipped(name) for name, place in _PLACES.items()}
    unit, users, directories = (prefix / _PLACES[f"teleport-email.{end}"] for end in _ENDS)
    files[unit] = files[unit].replace(_IN_THE_UNIT, _for_unit(program))
    found = str(prefix) in _LOOKED_INTO
    commands: list[tuple[str, ...]] = [
        ("systemd-sysusers", str(users)),
        ("systemd-tmpfiles", "--create", str(directories)),
        ("systemctl", "daemon-reload") if found else ("systemctl", "link", str(unit)),
    ]
    notes = []
    if not found:
        notes = [
            f"systemd looks below /etc, /usr/local and /usr, not below {prefix}: the unit is linked",
            f"the manual pages: man -M {prefix / 'share/man'} teleport-email",
        ]
    return Plan(files, tuple(commands), tuple(notes))


_ENDS: Final = ("service", "sysusers.conf", "tmpfiles.conf")


def _shipped(name: str) -> str:
    """A file as the wheel brings it; in a checkout it lies beside the code."""
    package = Path(__file__).parents[1]
    places = [package / "host", *(package.parents[1] / "packaging" / folder for folder in ("systemd", "man"))]
    for place in places:
        if (path := place / name).exists():
            return path.read_text(encoding="utf-8")
    raise TeleportEmailError(
        f"{name} does not lie beside this program (looked in {', '.join(map(str, places))}): install the "
        "wheel or a package, or run it from a checkout"
    )


def _for_unit(program: Path) -> str:
    """The path as the first word of ``ExecStart=`` (systemd.service(5)), where it may be one."""
    text = str(program)
    if not text.isprintable() or any(character in text for character in "\"'\\"):
        raise TeleportEmailError(
            f"systemd starts no program whose path has quotes, backslashes or control characters: {text!r}"
        )
    text = text.replace("%", "%%")
    return f'"{text}"' if " " in text or ";" in text else text


def _this_program() -> Path:
    """How this very program is started."""
    started = Path(sys.argv[0])
    if started.name == "teleport-email":
        return started
    beside = Path(sys.executable).with_name("teleport-email")
    if beside.exists():
        return beside
    raise TeleportEmailError("which program is the unit to start? Say --program=/path/to/teleport-email")


def _must_be_visible(path: Path) -> None:
    for place in (path, path.resolve()):
        for hidden in _HIDDEN:
            if place.is_relative_to(hidden):
                raise TeleportEmailError(
                    f"{place} lies below {hidden}, which a service cannot see. Install it for all: "
                    "pipx install --global, or with UV_TOOL_DIR=/opt/uv UV_TOOL_BIN_DIR=/usr/local/bin "
                    "uv tool install --python /usr/bin/python3, or make install PYTHON=/usr/bin/python3"
                )


def _print(plan: Plan) -> None:
    for path in plan.files:
        print(f"write  {path}")
    for command in plan.commands:
        print(f"run    {shlex.join(command)}")
    for note in plan.notes:
        print(f"note   {note}")
    print("nothing was done; with --write it is, as root")


def _write(path: Path, content: str) -> None:
    """Put a file there as a whole, so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    new = path.with_name(f".{path.name}.new")
    new.write_text(content, encoding="utf-8")
    new.chmod(0o644)
    new.replace(path)
    print(f"wrote  {path}")


def _call(command: Sequence[str]) -> None:
    """Run it where systemd is there to take it; say what did not work."""
    if command[0] == "systemctl" and not Path("/run/systemd/system").exists():
        return
    try:
        done = subprocess.run(command, check=False, env={**os.environ, "SYSTEMD_PAGER": ""})  # noqa: S603 - our own words
        code = done.returncode
    except FileNotFoundError:
        code = 127
    if code:
        print(f"this did not work (exit code {code}); do it by hand: {shlex.join(command)}", file=sys.stderr)

"""The files that the configuration names: passwords, certificates, templates."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from teleport_email.config import unfinished
from teleport_email.config.beside import beside
from teleport_email.config.settings import NO_SECRET, Secret
from teleport_email.config.tables import BACKSLASH, Table, dotted

# A password or key is one short line; anything much longer is the wrong file.
_MAX_SECRET_BYTES: Final = 65536
# What Go's strings.TrimSpace drops. Python's strip() would drop four control characters more.
_WHITE_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)

_UNIT: Final = "teleport-email.service"
PLACES: Final = tuple(
    Path(f"{place}/systemd/system") for place in ("/usr/lib", "/usr/local/lib", "/run", "/etc")
)
"""Where systemd looks for units, the last word last (systemd.unit(5))."""
_CREDENTIAL: Final = re.compile(r"^(?:Load|Set)Credential(?:Encrypted)?=.*", re.MULTILINE)
_STARTED: Final = re.compile(r"^ExecStart=(\S+)", re.MULTILINE)


class NamedFiles(Struct):
    """``read`` off: no file is opened, secrets from files are empty. What surprises goes to ``warnings``."""

    environ: Mapping[str, str]
    read: bool
    warnings: list[str]
    secret_files: list[Path] = field(default_factory=list)

    def path(self, table: Table, key: str) -> Path | None:
        """A path, perhaps below ``${CREDENTIALS_DIRECTORY}``."""
        text = table.text(key)
        if not text:
            return None
        if text.startswith("~"):
            self.warnings.append(
                f"{dotted(table.path, key)} is taken as it stands, ~ too: write the whole path"
            )
        if text.startswith(unfinished.ON_THIS_MACHINE):
            directory = self.environ.get("CREDENTIALS_DIRECTORY", "")
            if not directory and self.read:
                table.fault(
                    key,
                    f"uses {unfinished.ON_THIS_MACHINE}, which is set only under systemd's LoadCredential=: "
                    f"run this by {command_with(text.removeprefix(unfinished.ON_THIS_MACHINE).strip('/'))}",
                )
                return None
            text = directory + text.removeprefix(unfinished.ON_THIS_MACHINE)
        return Path(text)

    def readable(self, table: Table, key: str) -> Path | None:
        """A file that must be there by now."""
        path = self.path(table, key)
        if path and self.read:
            try:
                path.open("rb").close()
            except OSError as error:
                table.fault(key, f"cannot be read: {path}: {error.strerror or error}")
        return path

    def directory(self, table: Table, key: str) -> Path | None:
        """A directory that must be there by now."""
        path = self.path(table, key)
        if path and self.read:
            try:
                with os.scandir(path):
                    pass
            except OSError as error:
                table.fault(key, f"cannot be read as a directory: {path}: {error.strerror or error}")
        return path

    def secret(self, table: Table, key: str, *, needed: str, any_bytes: bool = True) -> Secret:
        """The secret under ``key``, or in the file under ``key_file``. Its value is in no message.

        Like the Go plugin it takes what is there, down to bytes that are no text, and only white space around
        what a file holds goes. ``any_bytes`` off: it must be one line of text.
        """
        from_file = f"{key}_file"
        name, name_file = dotted(table.path, key), dotted(table.path, from_file)
        if table.has(key):
            if table.has(from_file):
                self.warnings.append(f"{name_file} is not read: {name} is set")
            text = table.any_text(key) if any_bytes else table.text(key)
            if text and not text.isprintable():
                self.warnings.append(
                    f"{name} holds a control character: it is sent as it is (a \\ was meant? {BACKSLASH})"
                )
            return Secret(text)
        path = self.path(table, from_file)
        if path is None:
            if not table.has(from_file):
                table.fault(key, f"is missing: {needed} goes here, or name a file with it as {from_file}")
            return NO_SECRET
        if not self.read:
            return NO_SECRET
        self.secret_files.append(path)
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_SECRET_BYTES + 1)
        except OSError as error:
            table.fault(from_file, f"cannot be read: {path}: {error.strerror or error}{beside(path)}")
            return NO_SECRET
        text = content.decode("utf-8", "surrogateescape").strip(_WHITE_SPACE)
        if not text:
            table.fault(from_file, f"is empty: {path}")
        elif unfinished.placeholder(text):
            table.fault(from_file, f"is still {unfinished.placeholder(text)}: put yours into {path}")
        elif len(content) > _MAX_SECRET_BYTES or "\0" in text or not (any_bytes or text.isprintable()):
            table.fault(from_file, f"is not one line of text: {path}")
        elif not text.isprintable():
            self.warnings.append(f"{name_file} is not one line of text: {path} is sent as it is")
        return Secret(text)


def command_with(name: str, places: Iterable[Path] = PLACES) -> str:
    """``systemd-run ... teleport-email check``, as the service's user and with the credentials of its unit.

    ``name``: the credential that is wanted; where no unit names it, ``FILE`` stands for its file.
    """
    import shlex  # only for who is told what to type

    found: list[str] = []
    program = "/usr/local/bin/teleport-email"
    for text in _texts(places):
        for line in _CREDENTIAL.findall(text):
            found = [*found, line.strip()] if line.partition("=")[2].strip() else []  # empty: begin anew
        program = next(iter(_STARTED.findall(text)), program)
    wanted = re.compile(rf"\w+={re.escape(name)}(?::|$)")
    if not any(wanted.match(line) for line in found):
        found.append(f"LoadCredential={name}:FILE")
    options = ["User=teleport-email", "Group=teleport-email", *dict.fromkeys(found)]
    words = [word for option in options for word in ("-p", option)]
    return shlex.join(["systemd-run", "-q", "--pipe", "--wait", *words, program, "check"])


def _texts(places: Iterable[Path]) -> Iterable[str]:
    for place in places:
        for path in (place / _UNIT, *sorted((place / f"{_UNIT}.d").glob("*.conf"))):
            try:
                yield path.read_text("utf-8", "replace")
            except OSError:
                continue

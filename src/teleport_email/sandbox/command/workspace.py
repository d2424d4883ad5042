"""The sandbox's directory: identity, configuration, password and CA for a daemon, readable by us alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from teleport_email.core.errors import TeleportEmailError

IDENTITY = "identity"
CONFIGURATION = "teleport-email.toml"
MAIL_CA = "mail-ca.pem"
PASSWORD = "smtp_password"
MAILGUN_KEY = "mailgun_private_key"


class WorkspaceError(TeleportEmailError):
    """The directory cannot be used. The message says which and why."""


def make(directory: Path) -> None:
    """Make the directory, private, if it is not there.

    :raises WorkspaceError: it cannot be made, or it belongs to somebody else.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_uid != os.geteuid():
            raise WorkspaceError(f"{directory} belongs to somebody else; choose another with --dir")
        directory.chmod(0o700)
    except OSError as error:
        raise WorkspaceError(
            f"{directory} cannot be used: {error.strerror}; choose another with --dir"
        ) from error


def write(path: Path, content: bytes | str) -> None:
    """Put a file there in one step, mode 0600.

    :raises WorkspaceError: it cannot be written.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        draft.replace(path)
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be written: {error.strerror}") from error


def configuration(
    sections: Mapping[str, Mapping[str, str | int | Sequence[str]]],
) -> str:
    """The text of a configuration file with these sections."""
    lines = [
        "# Written by `teleport-email sandbox` each time it starts: keep changes of yours in a copy.",
    ]
    for name, values in sections.items():
        lines += ["", f"[{name}]", *(f"{_quoted(key)} = {_value(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _value(value: str | int | Sequence[str]) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int):
        return json.dumps(value)  # also a bool, which TOML writes as JSON does
    return f"[{', '.join(_string(item) for item in value)}]"


def _quoted(key: str) -> str:
    plain = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if plain else _string(key)


def _string(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which only TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")

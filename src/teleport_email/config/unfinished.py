"""Values that nobody filled in: placeholders of our own, variables that nothing replaces. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from teleport_email.config.keys import BY_ROLE, KEYS
from teleport_email.config.tables import dotted
from teleport_email.core.errors import Fault

ON_THIS_MACHINE: Final = "${CREDENTIALS_DIRECTORY}"
"""The one variable that there is, at the beginning of paths."""
PLACEHOLDERS: Final = (
    "<teleport.example.com>",
    "<smtp.example.com>",
    "<teleport@example.com>",
    "<password>",
    "<tenant>",
    "<client id>",
    "<secret>",
    "<key>",
    "<example.com>",
)
"""What `configure` prints to be replaced; a test holds them against what it prints."""
_ALONE: Final = ("<teleport@example.com>", "<password>", "<secret>", "<key>")
"""Those that may be part of something real: a name with an address, a password."""
_SECRETS: Final = ("password", "private_key", "client_secret")
"""Keys that may name a file instead, as ``KEY_file``."""
_VARIABLE: Final = re.compile(
    r"\$\{|\$\(\w+\)|\{\{.*\}\}|^\$[A-Z_][A-Z0-9_]{2,}(?![^/:@.])|^%[A-Z_][A-Z0-9_]{2,}%"
)
"""As shells, Compose, Kubernetes, templates of Helm and Ansible, and Windows have them."""


def placeholder(text: str) -> str:
    """The placeholder of ours that still stands there, or nothing."""
    for each in PLACEHOLDERS:
        if text == each or (each in text and each not in _ALONE):
            return each
    return ""


def variables(document: Mapping[str, object]) -> dict[str, str]:
    """Dotted paths of texts that look as if something should replace a part of them, and what to say."""
    return {
        name: "is taken as it stands, nothing replaces the variable in it: "
        + (f"name a file with the value as {name}_file" if key in _SECRETS else "write the value itself")
        for name, key, text in _texts(document, "")
        if _VARIABLE.search(text) and (key in _SECRETS or not text.startswith(ON_THIS_MACHINE))
    }


def said(document: Mapping[str, object], faults: Sequence[Fault]) -> list[Fault]:
    """The faults, with one for each value that nobody filled in in place of what else is wrong with it."""
    unfilled = {name: found for name, _, text in _texts(document, "") if (found := placeholder(text))}
    unreplaced = variables(document)
    others = [fault for fault in faults if fault.path not in unfilled]
    return [
        *(
            Fault(fault.path, f"{fault.what}; it {unreplaced[fault.path]}")
            if fault.path in unreplaced
            else fault
            for fault in others
        ),
        *(
            Fault(name, f"is still {word}, as `configure` prints it: put yours there")
            for name, word in unfilled.items()
        ),
    ]


def _texts(table: Mapping[str, object], path: str) -> Iterator[tuple[str, str, str]]:
    """Every text under a known key: dotted path, key, text."""
    for key, value in table.items():
        name = dotted(path, key)
        if isinstance(value, Mapping):
            if name in KEYS or name in BY_ROLE:
                yield from _texts(value, name)
        elif path in BY_ROLE or key in KEYS.get(path, ()):
            values = value if isinstance(value, list) else [value]
            yield from ((name, key, each) for each in values if isinstance(each, str))

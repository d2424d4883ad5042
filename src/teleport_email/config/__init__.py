"""The configuration file.

In: TOML and the environment. Out: frozen :class:`Settings`, or all faults. Knows no network, no loop.

All keys of the Go plugin's file keep their names, meanings and defaults; ours are added. Reading touches
the disk only for what the file names (passwords, certificates, templates), never the network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import tomli

from teleport_email.config import toml_faults
from teleport_email.config.beside import beside
from teleport_email.config.keys import BY_ROLE, KEYS
from teleport_email.config.sections import Reader
from teleport_email.config.settings import Settings
from teleport_email.config.tables import dotted, quoted
from teleport_email.config.values import why_not_listen
from teleport_email.core.errors import ConfigError, Fault
from teleport_email.core.model import replace

_FOREIGN: Final = re.compile("[\udc80-\udcff]")


def load(path: Path, environ: Mapping[str, str], *, read_secrets: bool = True) -> Settings:
    """The settings in a file. Raises :class:`ConfigError` with every fault, also when it cannot be read."""
    try:
        # What is not UTF-8 may stand in comments; :func:`parse` tells.
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        if isinstance(error, FileNotFoundError):
            what += "; `teleport-email configure` prints one to begin with"
        else:
            what += beside(path)
        raise ConfigError([Fault(str(path), what)]) from None
    return parse(text, source=str(path), environ=environ, read_secrets=read_secrets)


def parse(
    text: str, *, source: str = "configuration", environ: Mapping[str, str], read_secrets: bool = True
) -> Settings:
    """The settings in a text. Raises :class:`ConfigError` with every fault, and nothing else.

    ``source`` names the text in syntax errors. Bytes that are no UTF-8 stand in it as ``surrogateescape`` has
    them. With ``read_secrets`` off no file is opened, for commands
    that anybody may run: secrets from files are then empty.
    """
    try:
        document = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        line, hint = toml_faults.explain(text, error.msg, error.lineno, error.colno)
        where = f"line {line}" + (f", column {error.colno}" if line == error.lineno else "")
        what = f"is not TOML: {error.msg[:1].lower()}{error.msg[1:]}{hint}"
        raise ConfigError([Fault(f"{source}, {where}", what)]) from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, thousands of brackets
        raise ConfigError([Fault(source, "is not TOML that can be read: too long or too deep")]) from None
    reader = Reader(environ, read_secrets)
    if foreign := _FOREIGN.search(text):
        where = f"{source}, line {text.count(chr(10), 0, foreign.start()) + 1}"
        if any(_FOREIGN.search(found) for found in _texts(document)):
            raise ConfigError([Fault(where, "is not UTF-8: save the file as UTF-8")])
        reader.warnings.append(f"{where}: a comment is not UTF-8: save the file as UTF-8")
    settings = reader.settings(document)
    if reader.faults:
        raise ConfigError(sorted(reader.faults, key=_place_in(document)))
    return settings


def with_flags(settings: Settings, *, debug: bool = False, diag_addr: str = "") -> Settings:
    """The settings with what the command line adds: ``--debug`` and ``--diag-addr``.

    Raises :class:`ConfigError` when the address cannot be listened on under ``[diagnostics]``'s rules.
    """
    if debug and settings.log.severity != "trace":
        settings = replace(settings, log=replace(settings.log, severity="debug"))
    if diag_addr:
        reason = why_not_listen(diag_addr, settings.diagnostics.allow_remote)
        if reason:
            raise ConfigError([Fault("--diag-addr", f"{quoted(diag_addr)} {reason}")])
        settings = replace(settings, diagnostics=replace(settings.diagnostics, addr=diag_addr))
    return settings


def _texts(value: object) -> Iterator[str]:
    """Every string of a document, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _place_in(document: Mapping[str, object]) -> Callable[[Fault], int]:
    """Sorts faults by where their key (or what holds it) stands in the file; what is missing comes last."""
    places: dict[str, int] = {}

    def walk(values: Mapping[str, object], path: str) -> None:
        for key, value in values.items():
            name = dotted(path, key)
            places[name] = len(places)
            if isinstance(value, dict) and (name in KEYS or name in BY_ROLE):
                walk(value, name)

    walk(document, "")

    def place(fault: Fault) -> int:
        path = fault.path
        while path not in places and "." in path:
            path = path.rpartition(".")[0]
        return places.get(path, len(places))

    return place

"""Typed reading of TOML tables. A wrong value is noted as a fault and reading goes on. Pure.

Every getter gives a usable value of its type whatever stands in the file, so that one pass finds all
faults. Empty strings count as unset, as they do in the Go plugin.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from teleport_email.config.durations import parse_duration
from teleport_email.core.errors import Fault

T = TypeVar("T")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Role names and addresses are short; what is longer is shown by its beginning.
_SHOWN = 80
BACKSLASH = "write each \\ twice, or the text in 'single quotes'"
"""What to do in TOML about a backslash that begins no escape sequence, or one that was not meant."""


def dotted(path: str, key: str) -> str:
    """A key's dotted path as TOML writes it: quoted where it must be."""
    name = key if _BARE_KEY.fullmatch(key) else quoted(key)
    return f"{path}.{name}" if path else name


def quoted(text: str) -> str:
    """A value for a message: in double quotes, on one line, not too long, nothing invisible."""
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    safe = "".join(
        c if c.isprintable() and c not in '"\\' else c.encode("unicode_escape").decode() for c in shown
    )
    return '"' + safe.replace('"', '\\"') + '"'


def did_you_mean(word: str, candidates: Sequence[str]) -> str:
    """`` (did you mean "…"?)``, or nothing where no candidate is close."""
    import difflib  # only for who has mistyped

    close = difflib.get_close_matches(word[:_SHOWN].lower(), candidates, n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""


class Table:
    """One table of the file and the list that its faults go to."""

    def __init__(
        self, values: Mapping[str, object], path: str, keys: Sequence[str], faults: list[Fault]
    ) -> None:
        self.path = path
        self._values = values
        self._keys = keys
        self._faults = faults

    def fault(self, key: str, what: str) -> None:
        """Note what is wrong with a key."""
        self._faults.append(Fault(dotted(self.path, key), what))

    @property
    def present(self) -> tuple[str, ...]:
        """The keys that stand in the file, in its order."""
        return tuple(self._values)

    def has(self, key: str) -> bool:
        """Whether the key is there and not empty."""
        return self._raw(key) not in (None, "", [], {})

    def unknown(self) -> list[str]:
        """The keys that nobody knows."""
        return [key for key in self._values if key not in self._keys]

    def text(self, key: str, default: str = "") -> str:
        """A string without control characters."""
        value = self._raw(key)
        if value is None or value == "":
            return default
        if not isinstance(value, str):
            return self._wrong_type(key, value, "a string in quotes", default)
        if any(ord(character) < 0x20 or ord(character) == 0x7F for character in value):
            self.fault(key, f"holds a control character (a \\ was meant? {BACKSLASH})")
            return default
        return value

    def any_text(self, key: str) -> str:
        """A string with any character but NUL, which nothing that logs in can transport."""
        value = self._raw(key)
        if isinstance(value, str) and "\0" not in value:
            return value
        return self.text(key)

    def is_empty_text(self, key: str) -> bool:
        """Whether ``""`` stands there, which for a few keys is not the same as nothing."""
        return self._raw(key) == ""

    def flag(self, key: str, default: bool = False) -> bool:
        """``true`` or ``false``."""
        value = self._raw(key)
        if value is None:
            return default
        return value if isinstance(value, bool) else self._wrong_type(key, value, "true or false", default)

    def number(self, key: str, default: int, *, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self._raw(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            return self._wrong_type(key, value, "a whole number without quotes", default)
        if not least <= value <= most:
            self.fault(key, f"must be between {least} and {most}")
            return default
        return value

    def nanoseconds(self, key: str) -> int | None:
        """A duration that stands there as a whole number, which Go reads as nanoseconds."""
        value = self._raw(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def duration(self, key: str, default: float, *, zero: float | None = 0.0) -> float:
        """Seconds. ``zero``: what ``"0"`` stands for; ``None`` where it makes no sense."""
        text = self.text(key)
        if not text:
            value = self._raw(key)
            if isinstance(value, int | float) and not isinstance(value, bool):
                # One message is enough: the type is what is wrong, and this says how to put it right.
                self._faults.pop()
                self.fault(key, 'must be a string with a unit, such as "90s" or "10m"')
            return default
        try:
            seconds = parse_duration(text)
        except ValueError as error:
            self.fault(key, f"{quoted(text)} {error}")
            return default
        if seconds > 0:
            return seconds
        if zero is None:
            self.fault(key, "must be more than zero")
            return default
        return zero

    def choice(self, key: str, choices: Mapping[str, T], default: T) -> T:
        """One of several words, in any case."""
        text = self.text(key)
        if not text:
            return default
        if text.lower() not in choices:
            words = ", ".join(f'"{word}"' for word in choices)
            self.fault(key, f"is {quoted(text)}{did_you_mean(text, list(choices))}: write one of {words}")
            return default
        return choices[text.lower()]

    def known(self, key: str, choices: Mapping[str, T]) -> T | None:
        """One of several words, in any case; None for anything else, which is a fault if it is a slip."""
        value = self._raw(key)
        if not isinstance(value, str):
            return None
        return self.choice(key, choices, None) if did_you_mean(value, list(choices)) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """A string or an array of strings; empty strings are faults in an array."""
        value = self._raw(key)
        if value is None or value == "":
            return ()
        if isinstance(value, str):
            return (text,) if (text := self.text(key)) else ()
        if isinstance(value, Mapping) and value:
            # A name with a dot, without quotes, is one table in another to TOML.
            name = quoted(".".join([key, *_names_in(value)]))
            self.fault(
                key,
                f"must be a string or an array of strings, not a table: write {name} in quotes if one name",
            )
            return ()
        if not isinstance(value, list):
            return self._wrong_type(key, value, "a string or an array of strings", ())
        found = []
        for index, item in enumerate(value):
            entry = Table({key: item}, self.path, self._keys, [])
            text = entry.text(key)
            if text:
                found.append(text)
            else:
                why = "is empty" if item == "" else "must be a string in quotes without control characters"
                self.fault(key, f"entry {index + 1} {why}")
        return tuple(found)

    def is_array(self, key: str) -> bool:
        """Whether an array stands there."""
        return isinstance(self._raw(key), list)

    def is_flag(self, key: str) -> bool:
        """Whether ``true`` or ``false`` stands there."""
        return isinstance(self._raw(key), bool)

    def parsed(self, key: str, parse: Callable[[str], T], default: T, *, show: bool = True) -> T:
        """A string that ``parse`` understands (it raises ``ValueError`` with a reason).

        ``show`` off keeps the string out of the fault: a web address may hold a password.
        """
        text = self.text(key)
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            self.fault(key, f"{quoted(text)} {error}" if show else str(error))
            return default

    def parsed_all(self, key: str, parse: Callable[[str], str]) -> tuple[str, ...]:
        """Like :meth:`texts`, each parsed; what is the same after parsing is there once, in order."""
        return tuple(self.parsed_with_texts(key, parse))

    def parsed_with_texts(self, key: str, parse: Callable[[str], str]) -> dict[str, str]:
        """The same, and how each was written first."""
        found: dict[str, str] = {}
        for text in self.texts(key):
            try:
                found.setdefault(parse(text), text)
            except ValueError as error:
                self.fault(key, f"{quoted(text)} {error}")
        return found

    def table(self, key: str, keys: Sequence[str]) -> Table | None:
        """A sub-table, or ``None`` where there is none."""
        value = self._raw(key)
        if value is None:
            return None
        path = dotted(self.path, key)
        if isinstance(value, dict):
            return self._below(value, path, keys)
        if isinstance(value, list):
            self.fault(key, f"must be one table: write [{path}] in single brackets, once")
        else:
            self.fault(key, f"must be a table: write [{path}] on a line of its own, its keys below")
        return None

    def names(self, key: str) -> Table | None:
        """A table whose keys are names of one's own; as :meth:`table`."""
        values = self._raw(key)
        return self.table(key, tuple(values) if isinstance(values, Mapping) else ())

    def _below(self, values: Mapping[str, object], path: str, keys: Sequence[str]) -> Table:
        return Table(values, path, keys, self._faults)

    def _raw(self, key: str) -> object:
        assert key in self._keys, f"{key} is not listed as a key of {self.path or 'the file'}"
        return self._values.get(key)

    def _wrong_type(self, key: str, value: object, wanted: str, default: T) -> T:
        self.fault(key, f"must be {wanted}, not {_kind(value)}")
        return default


def _names_in(value: object) -> Iterator[str]:
    """The first key of a table, of the table in it, and so on: what a name with dots came to be."""
    while isinstance(value, Mapping) and value:
        key, value = next(iter(value.items()))
        yield key


def _kind(value: object) -> str:
    """What sort of TOML value this is. Never the value itself: it may be a secret."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        (str, "a string"),
        (int, "a number"),
        (float, "a number"),
        ((dt.date, dt.time), "a date or time"),
        (list, "an array"),
        (dict, "a table"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "something else")

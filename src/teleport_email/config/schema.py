"""A JSON schema of the configuration file, for editors. Pure.

The reader itself says what it takes: it reads files that have every section, from tables that note what they
are asked for. So the schema knows each key, type, choice and bound, and no others. What only a parser can
judge (addresses, hosts) and what is missing it leaves to ``check``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from teleport_email.config.keys import KEYS
from teleport_email.config.sections import Reader
from teleport_email.config.spelling import unknown
from teleport_email.config.tables import Table, dotted

T = TypeVar("T")
Schema = dict[str, Any]
Asked = dict[str, dict[str, list[Schema]]]

_READ: Final[tuple[dict[str, Any], ...]] = (
    {"mailgun": {}, "smtp": {"username": "x"}, "role_to_recipients": {"*": ""}},
    {"escalation": {"role_to_recipients": {"*": ""}}},
    {"mailgun": {"private_key": "x"}, "smtp": {"username": "x", "password": "x"}},
    {"smtp": {"auth": "xoauth2", "oauth2": {}}},
    {"smtp": {"auth": "xoauth2", "oauth2": {"client_secret": "x"}}},
)
"""Files in which the reader comes by every key: which secret it reads depends on what is there."""
_TEXT: Final[Schema] = {"$ref": "#/definitions/text"}
_DURATION: Final[Schema] = {"$ref": "#/definitions/duration"}
_DEFINITIONS: Final[Schema] = {
    "text": {"type": "string", "not": {"pattern": "[\\u0000-\\u001f\\u007f]"}},
    "texts": {
        "anyOf": [_TEXT, {"type": "array", "items": {"allOf": [_TEXT, {"minLength": 1}]}}],
    },
    "duration": {
        "allOf": [
            _TEXT,
            {"pattern": r"^(?:0|\+?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)?$"},
        ],
        "examples": ["90s", "10m", "1h30m"],
    },
}
_LETTERS: Final = 5
"""A key of so many is still recognised when one of them is another (see :mod:`.spelling`)."""


class _Asking(Table):
    """A table that notes what it is asked for."""

    def __init__(self, values: Mapping[str, object], path: str, keys: Sequence[str], asked: Asked) -> None:
        super().__init__(values, path, keys, [])
        self._asked = asked
        asked.setdefault(path, {})

    def _note(self, key: str, schema: Schema) -> None:
        noted = self._asked[self.path].setdefault(key, [])
        if schema not in noted:
            noted.append(schema)

    def _below(self, values: Mapping[str, object], path: str, keys: Sequence[str]) -> Table:
        return _Asking(values, path, keys, self._asked)

    def text(self, key: str, default: str = "") -> str:
        if key not in self._asked[self.path]:  # a duration or a choice is a text too
            self._note(key, _TEXT)
        return super().text(key, default)

    def any_text(self, key: str) -> str:
        self._note(key, {"type": "string", "not": {"pattern": "\\u0000"}})
        return super().any_text(key)

    def flag(self, key: str, default: bool = False) -> bool:
        self._note(key, {"type": "boolean"})
        return super().flag(key, default)

    def is_flag(self, key: str) -> bool:
        self._note(key, {"type": "boolean"})
        return super().is_flag(key)

    def number(self, key: str, default: int, *, least: int, most: int) -> int:
        self._note(key, {"type": "integer", "minimum": least, "maximum": most, "default": default})
        return super().number(key, default, least=least, most=most)

    def nanoseconds(self, key: str) -> int | None:
        self._note(key, {"type": "integer", "minimum": 0})
        return super().nanoseconds(key)

    def duration(self, key: str, default: float, *, zero: float | None = 0.0) -> float:
        self._note(key, _DURATION)
        return super().duration(key, default, zero=zero)

    def is_array(self, key: str) -> bool:
        self._note(key, {"type": "array", "items": {"allOf": [_DURATION, {"minLength": 1}]}})
        return super().is_array(key)

    def choice(self, key: str, choices: Mapping[str, T], default: T) -> T:
        # The second for any case: editors offer the first.
        words = {"pattern": f"^(?:{'|'.join(_any_case(word) for word in choices)})?$"}
        self._note(key, {"anyOf": [{"enum": list(choices)}, {"type": "string", **words}]})
        return super().choice(key, choices, default)

    def known(self, key: str, choices: Mapping[str, T]) -> T | None:
        self._note(key, {"anyOf": [{"enum": list(choices)}, {}]})  # editors offer the first
        return super().known(key, choices)

    def texts(self, key: str) -> tuple[str, ...]:
        self._note(key, {"$ref": "#/definitions/texts"})
        return super().texts(key)


class _Listening(Reader):
    """A reader of such tables."""

    asked: Asked

    def _table(self, values: Mapping[str, object], path: str, keys: Sequence[str]) -> Table:
        return _Asking(values, path, keys, self.asked)


def schema(descriptions: Mapping[str, str]) -> Schema:
    """The schema (draft 7). ``descriptions``: of sections and keys, by their dotted path."""
    asked: Asked = {}
    for document in _READ:
        reader = _Listening({}, read_secrets=False)
        reader.asked = asked
        reader.settings(document)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Configuration of teleport-email",
        **_table("", asked, descriptions),
        "definitions": _DEFINITIONS,
    }


def _table(path: str, asked: Asked, descriptions: Mapping[str, str]) -> Schema:
    """One table: its keys, also as they may be spelled; and what is refused as a slip."""
    if path not in KEYS:  # a name of one's own before each value
        [[values]] = asked[path].values()
        return {"type": "object", "additionalProperties": values}
    properties: Schema = {}
    spelled: Schema = {}
    for key in KEYS[path]:
        inner = dotted(path, key)
        known = asked[path].get(key, [])
        value = _table(inner, asked, descriptions) if inner in asked else _one_of(known)
        properties[key] = value | ({"description": descriptions[inner]} if inner in descriptions else {})
        way = "/properties/".join(["#", *inner.split(".")])
        spelled[f"^(?:{key.capitalize()}|{key.upper()})$"] = {"$ref": way}
    spelled |= {f"^{pattern}$": False for pattern in _slips(path)}
    closed = {"additionalProperties": False} if path == "escalation" else {}  # the reader knows why
    return {"type": "object", "properties": properties, "patternProperties": spelled, **closed}


def _one_of(schemas: Sequence[Schema]) -> Schema:
    return dict(schemas[0]) if len(schemas) == 1 else {"anyOf": list(schemas)}


def _slips(path: str) -> Iterator[str]:
    """Patterns of unknown keys that the reader refuses: known elsewhere, spelled otherwise, or with a slip.

    Of slips they know those of one letter. The reader knows more.
    """
    names = {name for keys in KEYS.values() for name in keys}
    for name in sorted(names - set(KEYS[path])):
        if unknown(path, name)[0]:
            yield _any_case(name)
    for key in KEYS[path]:
        if not unknown(path, key.replace("_", "") + "-")[0]:
            continue
        # In any case, and with or without what parts the words; but not as it may be spelled.
        yield f"(?!(?:{key}|{key.capitalize()}|{key.upper()})$){_any_case(key, '[-_]?')}"
        slips = [f"{key[:at]}.{key[at:]}" for at in range(len(key) + 1)]
        for at, letter in enumerate(key):
            other = f"[^{letter}]?" if len(key) >= _LETTERS else ""
            slips.append(f"{key[:at]}{other}{key[at + 1 :]}")
        yield f"(?:{'|'.join(dict.fromkeys(slips))})"


def _any_case(word: str, between: str = "_") -> str:
    letters = (f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)
    return "".join(between if letter == "_" else letter for letter in letters)

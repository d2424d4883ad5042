"""The JSON schema against the reader: what that takes it takes, wrong types and unknown keys it refuses alike."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli

from teleport_email import cli
from teleport_email.commands.configure import boilerplate, descriptions
from teleport_email.config.keys import KEYS
from teleport_email.config.schema import schema
from teleport_email.config.sections import Reader
from teleport_email.config.spelling import unknown

ROOT = Path(__file__).parents[2]
SCHEMA = schema(descriptions(boilerplate()))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
VECTORS = json.loads((ROOT / "tests/data/vectors/go-configs.json").read_text())["cases"]
BASE: dict[str, Any] = {
    "teleport": {"addr": "a:1", "identity": "/i"},
    "smtp": {"host": "h", "username": "u", "password": "p"},
    "mailgun": {"domain": "d", "private_key": "k"},
    "delivery": {"sender": "a@b"},
    "role_to_recipients": {"*": "a@b"},
    "log": {},
    "diagnostics": {},
}
VALUES: list[object] = [
    True, 0, 5, -5, 70_000, 10**7, 1.5, "x", "", "10m", "a\tb", [], ["a"], [1], [""], ["a", True], {}, {"a": "b"},
    dt.date(2026, 1, 1),
]  # fmt: skip
# How the reader begins what it says of a value of another type or beyond its bounds.
OF_TYPE = ("must be a string", "must be an array", "must be true", "must be a whole", "must be between",
           "must be a table", "must be one table", "must not be negative", "holds a control", "entry ")  # fmt: skip


def faults(document: dict[str, Any]) -> dict[str, str]:
    """What the reader says against it, without opening a file."""
    reader = Reader({}, read_secrets=False)
    reader.settings(document)
    return {fault.path: fault.what for fault in reader.faults}


def refused(document: dict[str, Any]) -> bool:
    return not VALIDATOR.is_valid(document)


def with_value(path: str, key: str, value: object) -> dict[str, Any]:
    document = copy.deepcopy(BASE)
    table = document
    for name in path.split(".") if path else []:
        table = table.setdefault(name, {})
    if path == "smtp.oauth2":
        document["smtp"]["auth"] = "xoauth2"
    table.pop(key.removesuffix("_file"), None)  # beside a secret the file with it is not read
    table[key] = value
    return document


def alone(path: str, key: str, value: object) -> dict[str, Any]:
    document: dict[str, Any] = {key: value}
    for name in reversed(path.split(".") if path else []):
        document = {name: document}
    return document


def keys() -> Iterator[tuple[str, str]]:
    for path, names in KEYS.items():
        for key in names:
            yield path, key


def test_it_is_a_schema_and_has_every_key() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    for path, names in KEYS.items():
        table = SCHEMA
        for name in path.split(".") if path else []:
            table = table["properties"][name]
        assert set(table["properties"]) == set(names)
        for key in names:
            value = table["properties"][key]
            assert {"type", "$ref", "anyOf", "allOf"} & set(value), f"{path} {key}: takes anything"
            assert value.get("anyOf") != []


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["configure", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


def test_keys_have_the_words_of_the_file_to_begin_with() -> None:
    said = descriptions(boilerplate())
    assert said["delivery.fallback_recipient"] == "Told when nobody else could be."
    assert said["mailgun.region"] == "us | eu: where the domain was set up"
    assert said["smtp.oauth2"].startswith("For auth =")
    assert "log" not in said
    known = {f"{path}.{key}".removeprefix(".") for path, key in keys()} | set(KEYS)
    assert set(said) <= known


@pytest.mark.parametrize(
    "place", ["src/teleport_email/commands/boilerplate.toml", "examples/teleport-email.toml"]
)
def test_it_takes_the_files_to_begin_with(place: str) -> None:
    VALIDATOR.validate(tomli.loads((ROOT / place).read_text()))


def test_it_takes_what_the_reader_takes_of_the_go_plugins_files() -> None:
    """And what it refuses the reader refuses."""
    read, taken = [], []
    for case in VECTORS:
        try:
            document = tomli.loads(case["toml"])
        except tomli.TOMLDecodeError:
            continue
        if not faults(document):
            read.append(case["name"])
        if not refused(document):
            taken.append(case["name"])
    assert len(read) > 140
    assert set(read) - set(taken) == set()


@pytest.mark.parametrize("path", KEYS)
def test_it_takes_the_types_that_the_reader_takes(path: str) -> None:
    for key in KEYS[path]:
        inner = f"{path}.{key}".removeprefix(".")
        for value in VALUES:
            told = faults(with_value(path, key, value))
            found = [what for at, what in told.items() if (at + ".").startswith(inner + ".")]
            by_schema = refused(alone(path, key, value))
            of_type = any(what.startswith(OF_TYPE) for what in found)
            assert by_schema <= bool(found), f"{inner} = {value!r} is taken by the reader"
            assert of_type <= by_schema, f"{inner} = {value!r}: {found}"


@pytest.mark.parametrize("role", ["*", "dev-*", "smtp", "allowed_domainz"])
def test_roles_have_names_of_their_own(role: str) -> None:
    assert not refused(with_value("role_to_recipients", role, ["a@b"]))
    assert refused(with_value("role_to_recipients", role, 5))


def slips(key: str) -> Iterator[str]:
    """One letter too many, too few, another; and how other programs spell."""
    for at in range(0, len(key) + 1, 3):
        yield f"{key[:at]}z{key[at:]}"
        yield key[:at] + key[at + 1 :]
    for at in range(1, len(key), 3):
        yield f"{key[:at]}z{key[at + 1 :]}"
    yield key.replace("_", "-")
    yield key.title().replace("_", "")
    yield key.replace("_", "")


@pytest.mark.parametrize("path", KEYS)
def test_unknown_keys_are_refused_where_the_reader_refuses_them(path: str) -> None:
    everywhere = {key for _, key in keys()}
    for key in {slip for known in KEYS[path] for slip in slips(known)} | everywhere | {"x", "timeout", ""}:
        if key in KEYS[path] or key in {each.capitalize() for each in KEYS[path]}:
            continue
        assert refused(alone(path, key, "a")) is unknown(path, key)[0], f"{path} {key}"


def test_the_readers_word_on_unknown_keys_is_the_one_that_the_schema_has() -> None:
    for key, fault in (("allowed_domainz", True), ("timeout", False)):
        document = with_value("delivery", key, "a")
        assert (f"delivery.{key}" in faults(document)) is refused(document) is fault


def test_other_spellings_are_as_strict() -> None:
    assert not refused({"SMTP": {"Port": 25}, "Delivery": {"SENDER": "a@b"}})
    assert refused({"SMTP": {"Port": "25"}})
    assert refused({"SMTP": []})

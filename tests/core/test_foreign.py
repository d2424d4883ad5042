"""What strangers send as JSON, numbers and dates: a value, or our own error and no other."""

from __future__ import annotations

import contextlib
import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.core.foreign import (
    Unreadable,
    http_date,
    json_bytes,
    json_object,
    json_value,
    number,
    whole_number,
)


class Line(str):
    """A kind of string."""


TEXT = st.text(st.characters())  # halves of characters, too

ODD_JSON = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"9" * 5000,
    b"-" + b"9" * 5000,
    b"NaN",
    b"[Infinity]",
    b"-Infinity",
    b'"\xff"',
    b"\xff\xfe\x00",
    b"",
    b"\x00",
    b'{"a": 1',
    b"9" * 400,
    b"-" + b"9" * 400,
    b"1e999",
    b"[-1e999]",
    b'{"a": 1, "b": {}, "a": 2}',
    b'[{"x": [{"": 1, "": 1}]}]',
    b'{"a": 1, "\\u0061": 2}',
    b'"\xed\xa0\x80"',
    '"UTF-16"'.encode("utf-16"),
    '"UTF-32"'.encode("utf-32"),
]
ODD_DATES = [
    "Thu, 01 Jan 99999999999999999999999 00:00:00 GMT",
    "Thu, 01 Jan 0000 00:00:00 GMT",
    "Thu, 01 Jan 0001 00:00:00 +9999",
    "Fri, 31 Dec 9999 23:59:59 -9999",
    "Thu, 99 Jan 2026 00:00:00 GMT",
    "Thu, 01 Jan 2026 00:00:00 +99999999999999999999999",
    "",
    "soon",
    "," * 10_000,
    "1" * 100,
]
ODD_NUMBERS = [
    10**400,
    -1,
    "9" * 400,
    "1e999",
    math.nan,
    math.inf,
    "nan",
    "",
    True,
    None,
    [],
    {},
    "x",
    "-1",
    1e300,
]


@pytest.mark.parametrize("text", ODD_JSON, ids=range(len(ODD_JSON)))
def test_odd_json(text: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        json_value(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["[]", "1", "null", '"a"'])
def test_not_an_object(text: str) -> None:
    assert json_value(text) == json.loads(text)
    with pytest.raises(Unreadable, match="no JSON object"):
        json_object(text)


@pytest.mark.parametrize("text", ODD_DATES, ids=range(len(ODD_DATES)))
def test_odd_dates(text: str) -> None:
    with contextlib.suppress(Unreadable):
        assert math.isfinite((http_date(text) - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds())


@pytest.mark.parametrize("value", ODD_NUMBERS, ids=range(len(ODD_NUMBERS)))
def test_odd_numbers(value: object) -> None:
    with pytest.raises(Unreadable):
        number(value, 1e9)


def test_what_is_meant_is_read() -> None:
    assert json_object('{"a": [1, 2.5, "\\u00e9"]}') == {"a": [1, 2.5, "é"]}
    assert number("60", 1e9) == number(60, 1e9) == 60.0
    assert whole_number("7") == 7
    assert http_date("Sun, 22 Nov 2026 18:30:00 GMT") == datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
    assert http_date("Sun, 22 Nov 2026 18:30:00") == datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\uD83D\uDE00"', "\U0001f600"),
        (r'"cut off \ud83d"', "cut off \ufffd"),
        (r'"\ude00 first"', "\ufffd first"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (r'"\ud83d\u0041"', "\ufffdA"),
        (r'"\\ud83d"', r"\ud83d"),
        (r'"\\\ud83d"', "\\\ufffd"),
        (r'{"\udead": 1}', {"\ufffd": 1}),
    ],
)
def test_halves_of_characters_are_read_as_go_reads_them(text: str, meant: object) -> None:
    """Else they fail wherever the text is written down: a ledger, a mail, a line of the log."""
    assert json_value(text) == json_value(text.encode()) == meant


def test_two_names_that_become_one_are_a_name_twice() -> None:
    with pytest.raises(Unreadable, match="twice"):
        json_value(r'{"\ud800": 1, "\udbff": 2}')


@given(
    st.recursive(
        st.none()
        | st.integers(-(10**98), 10**98)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    ),
    st.booleans(),
)
def test_what_is_json_is_read_as_it_was_written(value: object, plain: bool) -> None:
    assert json_value(json.dumps(value, ensure_ascii=plain)) == value


@given(st.binary() | st.text())
def test_any_json(text: str | bytes) -> None:
    with contextlib.suppress(Unreadable):
        json_value(text)


@given(st.text(alphabet="0123456789 :,+-GMTJanFebMonSun", max_size=60) | st.text())
def test_any_text_as_date_or_number(text: str) -> None:
    with contextlib.suppress(Unreadable):
        assert http_date(text).tzinfo is not None
    for read in (whole_number, lambda given: number(given, 1e9)):
        with contextlib.suppress(Unreadable):
            assert read(text) >= 0


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT | TEXT.map(Line),
        lambda each: st.lists(each, max_size=4) | st.dictionaries(TEXT, each, max_size=4),
    )
)
def test_json_is_written_as_the_standard_library_writes_it(value: object) -> None:
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert json_bytes(value) == written.encode("utf-8", "surrogatepass")

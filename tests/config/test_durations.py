"""Durations as Go reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.config.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("0s", 0.0),
        ("1m", 60.0),
        ("90s", 90.0),
        ("1h30m", 5400.0),
        ("24h", 86400.0),
        ("168h", 604800.0),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("+5s", 5.0),
        ("100ms", 0.1),
        ("1h1h", 7200.0),
    ],
)
def test_durations_like_go(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("micro", ["5us", "5µs", "5μs"])
def test_every_spelling_of_a_microsecond(micro: str) -> None:
    assert parse_duration(micro) == pytest.approx(5e-6)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("-1m", "negative"),
        ("10", "unit is missing"),
        ("1.5", "unit is missing"),
        ("1d", "is not a duration"),
        ("one minute", "is not a duration"),
        ("1 m", "is not a duration"),
        ("+", "is not a duration"),
        ("1m ", "is not a duration"),
        ("١m", "is not a duration"),
        ("9" * 30 + "h", "292 years"),
        ("1s" * 100, "is not a duration"),
    ],
)
def test_each_refusal_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_duration(text)


@given(st.text() | st.text(alphabet="0123456789.hmsnuµ+-"))
def test_arbitrary_text_gives_seconds_or_a_value_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert seconds >= 0


@given(st.integers(min_value=0, max_value=10**7))
def test_what_is_formatted_reads_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds)

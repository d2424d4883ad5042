"""Waiting times: growing, capped, jittered, never nothing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.core.backoff import CLUSTER, CONTENTION, MAIL, Backoff


class Always(random.Random):
    """Always the same chance."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def random(self) -> float:
        return self.value


def test_it_doubles_up_to_the_cap() -> None:
    backoff = Backoff(first=5.0, cap=300.0)
    assert [backoff.delay(failures, Always(0.0)) for failures in range(1, 9)] == [
        5,
        10,
        20,
        40,
        80,
        160,
        300,
        300,
    ]


def test_jitter_takes_up_to_half_of_it() -> None:
    assert Backoff(8.0, 100.0).delay(1, Always(0.5)) == 6.0
    delays = {MAIL.delay(3, random.Random(seed)) for seed in range(50)}
    assert len(delays) == 50
    assert max(delays) <= 20.0


@given(
    st.builds(Backoff, st.floats(0.001, 1e6), st.floats(0.001, 1e6)),
    st.integers(-5, 10**9),
    st.floats(0, 1, exclude_max=True),
)
def test_any_delay_is_finite_positive_and_within_the_cap(
    backoff: Backoff, failures: int, chance: float
) -> None:
    delay = backoff.delay(failures, Always(chance))
    assert 0 < delay <= backoff.cap
    assert delay >= min(backoff.first, backoff.cap) / 2


@pytest.mark.parametrize("backoff", [MAIL, CLUSTER, CONTENTION])
def test_more_failures_never_wait_less(backoff: Backoff) -> None:
    delays = [backoff.delay(failures, Always(0.3)) for failures in range(1, 40)]
    assert delays == sorted(delays)
    assert delays[-1] == pytest.approx(backoff.cap * 0.85)

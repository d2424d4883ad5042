"""Some seconds of what `make fuzz` does for hours: no foreign error, no input that takes long."""

from __future__ import annotations

import tracemalloc

import pytest
from fuzz.targets import LONGEST, TARGETS, mutated, run

MOST = 64 << 20
"""Bytes that any input of some KB may cost at its peak."""


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_read_or_refused_by_an_error_of_its_own(name: str) -> None:
    tracemalloc.start()
    try:
        assert run(name, seed=1, seconds=float("inf"), rounds=25) == 25
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()


def test_inputs_are_bounded() -> None:
    import random

    assert all(len(mutated(random.Random(seed), (b"x" * 100,))) <= LONGEST for seed in range(50))

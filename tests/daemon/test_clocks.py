from __future__ import annotations

import pytest

from teleport_email.daemon.clocks import SET_WITHIN, believed, clock_set


@pytest.mark.parametrize(
    ("state", "since_boot", "expected"),
    [
        (5, 20.0, False),  # TIME_ERROR: nothing has set it yet
        (5, SET_WITHIN, True),  # and nothing will
        (0, 20.0, True),
        (-1, 20.0, True),  # adjtimex is forbidden here
    ],
)
def test_a_clock_is_believed_once_set_or_long_after_boot(
    state: int, since_boot: float, expected: bool
) -> None:
    assert believed(state, since_boot) is expected


def test_this_machine_is_asked() -> None:
    assert clock_set() in {True, False}

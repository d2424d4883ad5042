"""When to pause, when to probe, what ends a pause."""

from __future__ import annotations

import random

import pytest

from teleport_email.core.model import AccountFault, Temporary
from teleport_email.mail.pause import Pause, Step

LOGIN = AccountFault("535 wrong password", login=True)
REFUSED = AccountFault("550 sender not allowed")
DOWN = Temporary("connection refused")


@pytest.fixture
def pause(clock) -> Pause:
    return Pause(clock=clock, random=random.Random(7))


def test_without_a_fault_nothing_is_held_back(pause) -> None:
    assert pause.reason == ""
    assert pause.verdict is None
    assert pause.next_probe_in == 0
    assert not pause.probe()


@pytest.mark.parametrize(("fault", "first", "longest"), [(LOGIN, 5, 300), (REFUSED, 5, 45), (DOWN, 1, 45)])
def test_probes_back_off_with_jitter_up_to_minutes(pause, clock, fault, first, longest) -> None:
    pause.trip(fault, ends_with=Step.CONNECTED)
    expected = first
    for _ in range(12):
        assert pause.verdict is fault
        wait = pause.next_probe_in
        assert 0.75 * expected <= wait <= expected
        assert not pause.probe()
        clock.now += wait
        assert pause.probe()
        assert pause.verdict is None
        assert not pause.probe()  # one at a time
        pause.trip(fault, ends_with=Step.CONNECTED)
        expected = min(expected * 2, longest)


def test_jitter_differs(clock) -> None:
    waits = set()
    for seed in range(5):
        pause = Pause(clock=clock, random=random.Random(seed))
        pause.trip(DOWN, ends_with=Step.CONNECTED)
        waits.add(pause.next_probe_in)
    assert len(waits) == 5


def test_sends_that_were_under_way_do_not_lengthen_the_pause(pause) -> None:
    pause.trip(DOWN, ends_with=Step.CONNECTED)
    wait = pause.next_probe_in
    for _ in range(10):
        pause.trip(DOWN, ends_with=Step.CONNECTED)
    assert pause.next_probe_in == wait


def test_a_failure_once_a_probe_is_due_counts_as_one(pause, clock) -> None:
    pause.trip(DOWN, ends_with=Step.CONNECTED)
    clock.now += 1
    pause.trip(DOWN, ends_with=Step.CONNECTED)
    assert 1.5 <= pause.next_probe_in <= 2


def test_only_what_gets_as_far_as_the_fault_ends_the_pause(pause) -> None:
    pause.trip(REFUSED, ends_with=Step.SENDER)
    pause.passed(Step.CONNECTED)
    assert pause.reason
    pause.passed(Step.ACCEPTED)
    assert not pause.reason


def test_a_probe_that_proves_nothing_lets_the_next_one_go(pause, clock) -> None:
    pause.trip(DOWN, ends_with=Step.CONNECTED)
    clock.now += 1
    assert pause.probe()
    pause.probe_over()
    assert pause.probe()


def test_the_backoff_begins_anew_after_a_good_time(pause, clock) -> None:
    for _ in range(5):
        pause.trip(DOWN, ends_with=Step.CONNECTED)
        clock.now += 100
        pause.probe()
    pause.passed(Step.CONNECTED)
    pause.trip(DOWN, ends_with=Step.CONNECTED)
    assert pause.next_probe_in <= 1


@pytest.mark.parametrize(("asked", "kept"), [(30.0, 30.0), (1e9, 900.0), (-5.0, 0.0)])
def test_what_the_server_asks_for_is_kept_within_reason(pause, asked, kept) -> None:
    pause.trip(DOWN, ends_with=Step.SENDER, retry_after=asked)
    assert pause.next_probe_in == kept


def test_everybody_who_waits_is_told_of_changes(pause, clock) -> None:
    told = []
    pause.changed = lambda: told.append(pause.reason)
    pause.trip(DOWN, ends_with=Step.CONNECTED)
    clock.now += 1
    pause.probe()
    pause.probe_over()
    pause.passed(Step.CONNECTED)
    assert told == ["connection refused", "connection refused", ""]

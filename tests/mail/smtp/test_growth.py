"""How many connections are opened to servers of several kinds; each is a model of how one answers."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from teleport_email.mail.smtp.growth import GROW_AFTER_AT_MOST, Growth


@dataclass
class Modelled:
    """A server: seconds a message takes, by how many are at it; how many connections it takes; opening one."""

    takes: Callable[[int], float]
    room: int = 1000
    opening: float = 0.2


@dataclass
class Run:
    """What came of a burst."""

    seconds: float = 0.0
    highest: int = 0
    refused: int = 0
    limits: list[int] = field(default_factory=list)


def burst(growth: Growth, server: Modelled, messages: int, *, now: float = 0.0) -> Run:
    """As the pool does it: open while there is a limit and work, one message after the other on each."""
    run = Run()
    events: list[tuple[float, str, float]] = []
    standing = opening = at_work = 0
    left = messages
    begun = now

    def fill() -> None:
        nonlocal opening
        while left > 0 and standing + opening < growth.limit:
            opening += 1
            heapq.heappush(events, (now + server.opening, "open", 0.0))

    def work() -> None:
        nonlocal at_work, left
        if left > 0:
            left -= 1
            at_work += 1
            took = server.takes(at_work)
            heapq.heappush(events, (now + took, "done", took))

    fill()
    while events:
        if left > 0 and growth.grow_at < events[0][0]:
            now = max(now, growth.grow_at)
            growth.waited(now)
            fill()
            continue
        now, what, took = heapq.heappop(events)
        if what == "open":
            opening -= 1
            if standing >= server.room:
                run.refused += 1
                growth.refused(now, standing + opening)
            else:
                standing += 1
                growth.stood()
                work()
        else:
            at_work -= 1
            full = standing + opening >= growth.limit
            growth.answered(now, took, standing=standing, waiting=full and left > 0)
            if standing > growth.limit:
                standing -= 1
            else:
                work()
        run.highest = max(run.highest, standing)
        run.limits.append(growth.limit)
        fill()
    run.seconds = now - begun
    return run


def test_a_server_that_bears_ten_gets_ten_within_a_second() -> None:
    run = burst(Growth(10), Modelled(lambda at_work: 0.06), 1000)
    assert run.highest == 10
    assert run.seconds < 1.15 * 1000 * 0.06 / 10


def test_never_more_than_its_size() -> None:
    assert burst(Growth(4), Modelled(lambda at_work: 0.01), 500).highest == 4


def test_a_server_that_does_one_after_the_other_gets_few() -> None:
    run = burst(growth := Growth(10), Modelled(lambda at_work: 0.05 * at_work), 1000)
    assert growth.limit <= 5
    assert run.seconds < 1.05 * 1000 * 0.05 + 1


@pytest.mark.parametrize("room", [1, 2, 3, 5])
def test_a_server_with_little_room_is_asked_for_more_now_and_then(room: int) -> None:
    growth = Growth(10)
    run = burst(growth, Modelled(lambda at_work: 0.2, room=room), 600)
    assert run.highest == room
    assert growth.limit <= room + 1
    # Those on their way when the first is refused, then after 5, 10, 20 ... seconds: not a share of the time.
    assert run.refused <= 10


def test_a_server_that_gets_room_again_is_used() -> None:
    growth = Growth(10)
    burst(growth, Modelled(lambda at_work: 0.2, room=2), 100)
    later = burst(growth, Modelled(lambda at_work: 0.2), 1000, now=1000.0)
    assert later.highest > 2


def test_refusals_are_remembered_over_a_calm() -> None:
    growth = Growth(10)
    first = burst(growth, Modelled(lambda at_work: 0.2, room=3), 30)
    growth.calm()
    again = burst(growth, Modelled(lambda at_work: 0.2, room=3), 30, now=first.seconds + 1)
    assert (first.refused >= 1, again.refused) == (True, 0)


def test_a_long_scan_of_one_message_changes_nothing() -> None:
    growth = Growth(10)
    times = iter([0.06] * 200 + [5.0] + [0.06] * 1000)
    run = burst(growth, Modelled(lambda at_work: next(times)), 1000)
    assert run.highest == 10
    assert growth.limit >= 9


def test_growing_in_vain_waits_longer_and_longer_but_not_for_ever() -> None:
    growth = Growth(2)
    now, waits = 0.0, []
    growth.limit = 2
    growth.refused(now, 1)
    for _ in range(10):
        at = growth.grow_at
        waits.append(at - now)
        now = at
        growth.waited(now)
        growth.refused(now, 1)
    assert waits == sorted(waits)
    assert waits[-1] == GROW_AFTER_AT_MOST
